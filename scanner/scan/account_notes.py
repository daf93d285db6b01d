"""What is to be known of an account's answers beside its users: what did not come, and what does not agree. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scanner.aws.credential_report import CredentialReport
from scanner.aws.failures import NO_SUCH_ACTION
from scanner.aws.iam import AuthorizationDetails
from scanner.aws.user_origins import Origin, recent
from scanner.model import Failure, IamUser, ServiceCredential, UserId
from scanner.report.words import many

NAMES = 10  # in one note
# What the partitions of AWS got, or get, at different times.
_NOT_EVERYWHERE = frozenset({"iam:ListServiceSpecificCredentials", "cloudtrail:LookupEvents"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the calls gave; of each piece of evidence, why it did not come where it did not."""

    first: tuple[IamUser, ...]  # as ListUsers gave them
    last: tuple[IamUser, ...]  # the same, or what it gave when it was asked once more
    details: AuthorizationDetails | Failure
    count: int | Failure
    service_keys: Mapping[str, tuple[ServiceCredential, ...]] | Failure
    origins: Mapping[UserId, Origin] | Failure | None  # None: no user is young enough to be asked about
    report: CredentialReport | Failure
    read_at: datetime

    @property
    def users(self) -> tuple[IamUser, ...]:
        """All users of the account. One that only the first list has may have been deleted, or IAM may lag behind.

        It stays, as no user may be missed, unless its name is another user's by now: then it is missing for certain.
        """
        listed = {user.user_id for user in self.last}
        names = {user.user_name.lower() for user in self.last}
        kept = (user for user in self.first if user.user_id not in listed and user.user_name.lower() not in names)
        return (*self.last, *kept)


def named(names: Iterable[str]) -> str:
    """The first names of many, and how many more there are."""
    ordered = sorted(names)
    more = f" and {len(ordered) - NAMES:,} more" if len(ordered) > NAMES else ""
    return ", ".join(ordered[:NAMES]) + more


def gaps(answers: Answers) -> Iterator[str]:
    """Name each piece of evidence that did not come, or is older than AWS's own rule allows."""
    report = answers.report
    for part in (report, answers.details, answers.count, answers.service_keys, answers.origins):
        if isinstance(part, Failure) and not not_here(part):
            yield f"{part.call} gave no evidence: {_why(part)}"
    if isinstance(report, CredentialReport) and not report.is_fresh(answers.read_at):
        yield f"iam:GetCredentialReport gave an old report, {_dated(report, answers.read_at)}."


def not_here(failure: Failure) -> bool:
    """Whether the partition does not have the action: then there is nothing that could be allowed or tried again."""
    return failure.call in _NOT_EVERYWHERE and failure.code in NO_SUCH_ACTION


def _why(failure: Failure) -> str:
    code = f" ({failure.code})" if failure.code else ""
    return f"{failure.reason}{code}. {failure.detail}"


def remarks(answers: Answers) -> Iterator[str]:
    """Say what does not agree, and what could not be read, where the calls worked."""
    users = answers.users
    if isinstance(answers.report, CredentialReport):
        yield from _on_report(answers.report, users, answers.read_at)
    if isinstance(answers.details, AuthorizationDetails):
        yield from _on_details(answers.details, users)
    for part in (answers.service_keys, answers.origins):
        if isinstance(part, Failure) and not_here(part):
            yield f"{part.call} is not available in this partition, so its columns are empty."
    if isinstance(answers.origins, Mapping):
        yield from _on_origins(answers.origins, users, answers.read_at)
    yield from _on_changes(answers.first, answers.last)
    if isinstance(answers.count, int) and answers.count != len(users):
        counted = many(answers.count, "user")
        yield f"GetAccountSummary counts {counted}, ListUsers gave {len(users):,}; it can lag behind."


def _on_report(report: CredentialReport, users: Sequence[IamUser], read_at: datetime) -> Iterator[str]:
    if (refusal := report.not_renewed) is not None:
        dated = _dated(report, read_at)
        yield f"{refusal.call} gave no new report, so the stored one was read, {dated}: {_why(refusal)}"
    if report.unreadable:
        yield f"The credential report has rows that could not be read: {named(report.unreadable)}."
    absent = sum(report.of(user) is None and user.user_name not in report.unreadable for user in users)
    if absent:
        of_all = f"{absent:,} of {many(len(users), 'user')}"
        yield f"Missing from the credential report, which is older than they are: {of_all}."


def _on_details(details: AuthorizationDetails, users: Sequence[IamUser]) -> Iterator[str]:
    if details.unreadable:
        yield f"Policies could not be read, and what they allow is unknown: {named(details.unreadable)}."
    if absent := sum(user.user_id not in details.access for user in users):
        yield f"Missing from the authorization details: {absent:,} of {many(len(users), 'user')}."


def _on_origins(origins: Mapping[UserId, Origin], users: Sequence[IamUser], read_at: datetime) -> Iterator[str]:
    young = recent(users, read_at)
    if absent := [user.user_name for user in young if user.user_id not in origins]:
        yield (
            f"CloudTrail has no event of the creation of {named(absent)}, so by whom is unknown. "
            "Events can come 15 minutes late."
        )
    if older := len(users) - len(young):
        yield f"Created before the 90 days that CloudTrail keeps, so by whom is unknown: {many(older, 'user')}."


def _on_changes(first: Sequence[IamUser], last: Sequence[IamUser]) -> Iterator[str]:
    still_listed, names = {user.user_id for user in last}, {user.user_name.lower() for user in last}
    gone = {user.user_name for user in first if user.user_id not in still_listed}
    recreated = {name for name in gone if name.lower() in names}
    if deleted := gone - recreated:
        yield f"In the first list of users and not in the second, so probably deleted meanwhile: {named(deleted)}."
    if recreated:
        yield f"Deleted while the account was read, and the name used again: {named(recreated)}."


def _dated(report: CredentialReport, now: datetime) -> str:
    """When it was generated, and how old it is."""
    age = report.age(now)
    if age is None or report.generated_at is None:
        return "of which AWS does not say when it was generated"
    minutes = age // timedelta(minutes=1)
    return f"generated {report.generated_at:%Y-%m-%d %H:%M} UTC, {minutes // 60} h {minutes % 60} min before"
