"""One account as it is now, read through a session that can change nothing."""

import itertools
from collections.abc import Collection

from scanner.aws import iam
from scanner.aws.attachments import AttachmentKind, LiveUser
from scanner.aws.failures import CallError
from scanner.aws.user_reads import NO_SUCH_ENTITY, read_user
from scanner.aws.user_rights import Rights
from scanner.model import AccountId, FailReason, UserId
from scanner.remediation.connection import Connection
from scanner.remediation.limits import deny_all_arn
from scanner.remediation.patience import may_look_again
from scanner.remediation.plan_document import Reason
from scanner.remediation.refusals import Refusal
from scanner.remediation.risk_notes import Surroundings

NOT_UNDERSTOOD = Refusal(
    reason=Reason.PROGRAM, detail="The program did not understand an answer about this user; --debug shows where."
)


class AccountView:
    """The users of one account, and what is read once for all of them."""

    def __init__(self, connection: Connection, account_id: AccountId) -> None:
        self._partition = connection.caller.partition
        self._account_id = account_id
        self._session = connection.reading(account_id)
        self._rights = Rights()
        self._details: iam.AuthorizationDetails | None = None

    async def user(self, name: str, deadline: float, *, with_last_use: bool = True) -> LiveUser | None:
        """Read a user; None where no user has this name. Raises `CallError`.

        A user that is found, and of which a list then knows nothing, is being made or deleted: it is read again.
        """
        session = self._session.until(deadline)
        for looks in itertools.count():
            try:
                return await read_user(session, self._account_id, name, with_last_use=with_last_use)
            except CallError as error:
                if error.failure.code != NO_SUCH_ENTITY or not await may_look_again(looks):
                    raise
        raise AssertionError  # count has no end

    async def name_of(self, user_id: UserId, deadline: float) -> str | None:
        """Return what the user of this ID is called now (ListUsers); None where the account has no such user."""
        users = await iam.list_users(self._session.until(deadline), self._account_id)
        return next((user.user_name for user in users if user.user_id == user_id), None)

    async def judged(self, user: LiveUser, deadline: float) -> LiveUser:
        """Return the user with what its policies and groups deny, and where it is the only member."""
        return await self._rights.judged(self._session.until(deadline), user)

    async def surroundings(self, user: LiveUser, deadline: float) -> Surroundings:
        details = await self._authorization(deadline)
        return Surroundings(
            administrator=_administrator(details, user.user_id),
            only_user=len(details.names) == 1,
            trusted_by=await self._rights.roles_trusting(self._session.until(deadline), user),
        )

    async def is_last_administrator(self, user: LiveUser, leaving: Collection[UserId], deadline: float) -> bool:
        """Tell whether the user can get in, and no other user of the account is known to be an administrator who can.

        Those that are to go as well (`leaving`) do not count. A user whose own rights are not known counts as an
        administrator, and others whose rights are not known do not: a mistake then costs a question, and no account.
        """
        details = await self._authorization(deadline)
        if _administrator(details, user.user_id) is False or not self._can_get_in(user):
            return False
        for user_id, name in details.names.items():
            others = user_id != user.user_id and user_id not in leaving
            if others and _administrator(details, user_id):
                other = await self.user(name, deadline, with_last_use=False)
                if other is not None and other.user_id == user_id and self._can_get_in(other):
                    return False
        return True

    def _can_get_in(self, user: LiveUser) -> bool:
        denied = user.find((AttachmentKind.ATTACHED_POLICY, deny_all_arn(self._partition))) is not None
        keys = user.of_kind(AttachmentKind.ACCESS_KEY)
        password = bool(user.of_kind(AttachmentKind.LOGIN_PROFILE))
        return not denied and (password or any(key.active for key in keys))

    async def _authorization(self, deadline: float) -> iam.AuthorizationDetails:
        if self._details is None:
            self._details = await iam.authorization_details(self._session.until(deadline), self._account_id)
        return self._details


def _administrator(details: iam.AuthorizationDetails, user_id: UserId) -> bool | None:
    access = details.access.get(user_id)
    return None if access is None else access.administrator


def not_read(error: CallError) -> Refusal:
    """Put what could not be read into words; `reason` is one of those of a failure."""
    failure = error.failure
    no_role = failure.reason is FailReason.ROLE_NOT_ASSUMABLE
    code = f" ({failure.code})" if failure.code else ""
    return Refusal(
        reason=Reason.ROLE_NOT_ASSUMABLE if no_role else Reason.READ_FAILED,
        detail=f"{failure.call}{code}: {failure.detail}",
    )


def gone_or_renamed(name: str | None, was: str) -> Refusal:
    if name is None:
        return Refusal(reason=Reason.USER_GONE, detail="The user no longer exists.")
    return Refusal(reason=Reason.RENAMED, detail=f"The user is called {name} now, and was {was}. Scan again.")
