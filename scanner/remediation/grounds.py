"""What decisions are checked against, read once: the safelists of today, the ledger, earlier quarantines."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from scanner.aws.attachments import Key, LiveUser
from scanner.model import Account, Basis, Entry, IamUser, Kind
from scanner.record import ReviewDecision, UserKey
from scanner.remediation.limits import Allowances
from scanner.remediation.plan_document import Target
from scanner.remediation.refusals import Case
from scanner.safelist.match import Index
from scanner.safelist.types import Safelist
from scanner.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """The same for all users of a plan."""

    safelist: Safelist
    ledger: Mapping[UserKey, ReviewDecision]  # the last decision of each user
    quarantined: Mapping[UserKey, datetime]  # by this program, and not undone
    allowances: Allowances
    now: datetime
    settings: Settings  # whose exclusions hold for remediation too; its selection does not

    def excluded(self, account: Account) -> str | None:
        """Return why an account is excluded, by itself or by an OU that holds it; None where it is not."""
        units = {name for unit in account.ous for name in (unit.id, unit.path)}
        whys = (
            *(each.reason for each in self.settings.exclude_account if each.account == account.id),
            *(each.reason for each in self.settings.exclude_ou if each.ou in units),
        )
        return next(iter(whys), None)


class Judge:
    """The grounds, made ready to judge users by."""

    def __init__(self, grounds: Grounds, *, partition: str, caller_arn: str) -> None:
        today = grounds.now.date()
        self._grounds = grounds
        self._partition = partition
        self._caller_arn = caller_arn
        self._index = Index(grounds.safelist, today)
        break_glass = tuple(entry for entry in grounds.safelist.entries if entry.kind is Kind.BREAK_GLASS)
        self._break_glass = Index(replace(grounds.safelist, entries=break_glass, revocations=()), today)

    def case(
        self,
        target: Target,
        user: LiveUser,
        *,
        last_administrator: bool,
        planned: LiveUser | None = None,
        ours: Collection[Key] = (),
    ) -> Case:
        """Put together what speaks for and against touching the user."""
        read = IamUser(
            user_id=user.user_id, user_name=user.user_name, path=user.path, arn=user.arn, created_at=user.created_at
        )
        return Case(
            target=target,
            user=user,
            partition=self._partition,
            caller_arn=self._caller_arn,
            now=self._grounds.now,
            excluded=self._grounds.excluded(target.account),
            approval=self._index.decide(target.account, read),
            break_glass=self._break_glass_entry(target.account, read),
            ledger=self._grounds.ledger.get(target.key),
            last_administrator=last_administrator,
            quarantined_at=self._grounds.quarantined.get(target.key),
            allowances=self._grounds.allowances,
            planned=planned,
            ours=ours,
        )

    def _break_glass_entry(self, account: Account, user: IamUser) -> Entry | None:
        """Return an entry that is about this very user, in force or not, revoked or not."""
        decision = self._break_glass.decide(account, user)
        entry = decision.entry
        return entry if isinstance(entry, Entry) and decision.basis is not Basis.USER_RECREATED else None
