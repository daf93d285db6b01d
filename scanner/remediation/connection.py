"""Who calls, whether the plan is of this organization, and the sessions in which accounts are read and changed.

Accounts are entered by the remediation role alone, the caller's own account too: every call is made under a session
policy. The session that reads can change nothing; those that change can do nothing but what one user's plan says.
"""

import asyncio

from scanner.aws import identity, organizations, user_reads, user_rights
from scanner.aws.clients import Clients, Session
from scanner.aws.credentials import caller_credentials
from scanner.aws.membership import parent_of
from scanner.errors import UsageError
from scanner.model import Account, AccountId, Caller
from scanner.remediation.plan_document import Organization, Reason
from scanner.remediation.progress import Progress
from scanner.remediation.refusals import Refusal
from scanner.remediation.session_policy import reading_policy
from scanner.settings import Settings

READS = (*user_reads.READS, *user_rights.READS, "GetAccountAuthorizationDetails", "ListUsers")


class Connection:
    """The caller's session, and the way into accounts."""

    def __init__(
        self, clients: Clients, caller: Caller, own: Session, reading_organizations: Session, settings: Settings
    ) -> None:
        self.clients = clients
        self.caller = caller
        self.settings = settings
        self._own = own
        self._organizations = reading_organizations

    def deadline(self) -> float:
        """Return when a user that is begun now has to be through."""
        return asyncio.get_running_loop().time() + self.settings.account_timeout

    def reading(self, account_id: AccountId) -> Session:
        """Return a session that can read what hangs on users, and nothing else."""
        return self._entered(account_id, reading_policy(READS))

    def changing(self, account_id: AccountId, policy: str) -> Session:
        """Return a session under this policy."""
        return self._entered(account_id, policy)

    def _entered(self, account_id: AccountId, policy: str) -> Session:
        role = identity.AssumedRole(
            self._own,
            identity.role_arn(self.caller.partition, account_id, self.settings.remediation_role_name),
            session_name=self.settings.session_name,
            policy=policy,
            external_id=self.settings.external_id,
        )
        return Session(self.clients, role.credentials)

    async def check_is_of(self, of: Organization) -> None:
        """Raise `UsageError` where the caller is in another organization than the one that was scanned."""
        read = None if of.id is None else await organizations.describe(self._organizations)
        here = Organization(
            id=read.id if read else None,
            partition=self.caller.partition,
            caller_account_id=self.caller.account_id,
        )
        if of.key != here.key:
            raise UsageError(
                f"This is of {of.words}, and the caller is of {here.words}. Use the credentials that it was scanned "
                "with."
            )

    async def misplaced(self, account: Account, of: Organization) -> Refusal | None:
        """Return why an account is not touched: it left the organization, or lies in another OU than in the run.

        Approvals for OUs are judged by where the run found the account. Raises `CallError` where that cannot be told.
        """
        if of.id is None:
            return None
        parent = await parent_of(self._organizations, account.id)
        if parent is None:
            detail = f"The account is no longer in the organization {of.id}."
            return Refusal(reason=Reason.OTHER_ORGANIZATION, detail=detail)
        if account.ou_id is not None and parent != account.ou_id:
            detail = f"The account is in {parent} now, and was in {account.ou_id} when it was scanned. Scan again."
            return Refusal(reason=Reason.ACCOUNT_MOVED, detail=detail)
        return None


async def connect(clients: Clients, settings: Settings, progress: Progress) -> Connection:
    """Find out who calls; raise `StartError` where the caller, or the role to read Organizations, is not to be had."""
    own = Session(clients, await caller_credentials(settings.profile, progress.paused))
    caller = await identity.who_calls(own)
    arn = settings.organizations_role_arn
    if arn is None:
        return Connection(clients, caller, own, own, settings)
    policy = identity.organizations_policy()
    reader = await identity.by_role(own, arn, session_name=settings.session_name, policy=policy)
    return Connection(clients, caller, own, reader, settings)
