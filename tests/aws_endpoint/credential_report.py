"""The credential report of an account: its states, and its CSV."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.aws_endpoint.clock import Clock
from tests.aws_endpoint.organization import CREATED, SimulatedAccount, SimulatedKey, SimulatedUser, StoredReport
from tests.aws_endpoint.wire import AwsError

COLUMNS = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,"
    "access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,"
    "access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,"
    "cert_1_last_rotated,cert_2_active,cert_2_last_rotated"
)
LIFE = timedelta(hours=4)


@dataclass(slots=True)
class _Pending:
    users: tuple[SimulatedUser, ...]
    ready_at: datetime
    polls_left: int


class CredentialReports:
    """One report an account: none, in progress, there, expired."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pending: dict[str, _Pending] = {}

    def generate(self, account: SimulatedAccount) -> str:
        """The state of the report, one being begun where there is none that is young enough."""
        if account.id in self._pending:
            return "INPROGRESS" if self._in_progress(account) else "COMPLETE"
        if account.report and not self._expired(account.report):
            return "COMPLETE"
        ready_at = self._clock.now() + timedelta(seconds=account.report_delay)
        self._pending[account.id] = _Pending(tuple(account.users), ready_at, account.report_polls)
        return "STARTED"

    def get(self, account: SimulatedAccount) -> StoredReport:
        if self._in_progress(account):
            raise AwsError(404, "ReportInProgress", "Report is being generated.")
        if account.report is None:
            raise AwsError(410, "ReportNotPresent", "No report is present. Generate a new report.")
        if self._expired(account.report):
            raise AwsError(410, "ReportExpired", "Report is expired. Generate a new report.")
        return account.report

    def _in_progress(self, account: SimulatedAccount) -> bool:
        """Whether the report is still being made, this being one more request that asks for it."""
        pending = self._pending.get(account.id)
        if pending is None:
            return False
        if pending.polls_left > 0 or self._clock.now() < pending.ready_at:
            pending.polls_left -= 1
            return True
        account.report = StoredReport(generated_at=self._clock.now(), users=pending.users)
        del self._pending[account.id]
        return False

    def _expired(self, report: StoredReport) -> bool:
        return self._clock.now() - report.generated_at >= LIFE


# --- CSV --------------------------------------------------------------------------------------------------------------


def render(account: SimulatedAccount, users: Iterable[SimulatedUser], *, arn_account: str) -> bytes:
    """Line feeds between the lines and none at the end, as live reports have it."""
    own = f"iam::{account.id}:"
    rows = [_root_row(account), *(_row(account, user) for user in sorted(users, key=lambda user: user.name.lower()))]
    lines = (",".join(row) for row in rows)
    return "\n".join([COLUMNS, *lines]).replace(own, f"iam::{arn_account}:").encode()


def _root_row(account: SimulatedAccount) -> list[str]:
    arn = f"arn:{account.partition}:iam::{account.id}:root"
    password = ["not_supported", _time(CREATED + timedelta(days=1)), "not_supported", "not_supported"]
    no_certificates = ["false", "N/A", "false", "N/A"]
    return ["<root_account>", arn, _time(CREATED), *password, "true", *_keys(()), *no_certificates]


def _row(account: SimulatedAccount, user: SimulatedUser) -> list[str]:
    return [
        user.name if "," not in user.name else f'"{user.name}"',
        account.user_arn(user) if "," not in user.name + user.path else f'"{account.user_arn(user)}"',
        _time(user.created_at),
        *_password(user),
        _boolean(user.mfa),
        *_keys(user.keys),
        *("false", "N/A", "false", "N/A"),
    ]


def _password(user: SimulatedUser) -> list[str]:
    if not user.console:
        return ["false", "N/A", "N/A", "N/A"]
    used = _time(user.password_last_used) if user.password_last_used else "no_information"
    return ["true", used, _time(user.password_last_changed or user.created_at), "N/A"]


def _keys(keys: tuple[SimulatedKey, ...]) -> Iterator[str]:
    for position in range(2):
        yield from _key(keys[position]) if position < len(keys) else ("false", "N/A", "N/A", "N/A", "N/A")


def _key(key: SimulatedKey) -> tuple[str, ...]:
    if key.last_used is None:
        return (_boolean(key.active), _time(key.last_rotated), "N/A", "N/A", "N/A")
    return (_boolean(key.active), _time(key.last_rotated), _time(key.last_used), *key.used_for)


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")  # UTC, as all times of a world: ends in +00:00


def _boolean(value: bool) -> str:
    return "true" if value else "false"
