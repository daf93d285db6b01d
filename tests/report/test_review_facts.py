"""What Review says of a user in sentences, and what it suggests."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from scanner.audit.triage import Days
from scanner.model import AccessKey, Basis, Change, Choice, Finding, IamUser, ServiceCredential, UserId
from scanner.report.review_facts import facts
from scanner.report.review_rows import review_rows
from scanner.report.rows import UserRow, user_rows
from scanner.report.suggestion import suggestion
from tests.builders import AS_OF, START, access, credentials, user
from tests.report.samples import assessed, decision, entry, finding

DAYS = Days(as_of=AS_OF, today=START.date(), review_every=180)
HERE, SSO = "000000000001", "AWSReservedSSO_AdministratorAccess_0123456789abcdef"
YOUNG = datetime(2026, 11, 2, 9, tzinfo=UTC)


def row(of: IamUser, basis: Basis = Basis.NOT_SAFELISTED, owner: str | None = None, **more: object) -> UserRow:
    found: Finding = replace(finding(of, basis=basis, by=entry() if basis is Basis.SAFELISTED else None), **more)  # type: ignore[arg-type]
    (made,) = user_rows(assessed([found]))
    return replace(made, account_owner=owner)


def used(days_ago: int, *, service: str | None = None) -> IamUser:
    at = START - timedelta(days=days_ago)
    key = AccessKey(active=True, last_rotated=at, last_used=at, last_used_service=service)
    known = replace(credentials(), access_keys=(key,))
    return replace(user(credentials=known, access=access()), service_credentials=())


@pytest.mark.parametrize(
    ("arn", "named"),
    [
        (
            f"arn:aws:sts::{HERE}:assumed-role/{SSO}/anna@example.com",
            "anna@example.com (Identity Center, Administrator",
        ),
        (f"arn:aws:sts::{HERE}:assumed-role/deploy/ci-7", "ci-7 (session of role deploy)"),
        (f"arn:aws:iam::{HERE}:user/team/bob", "the IAM user bob with"),
        (f"arn:aws-cn:iam::{HERE}:root", "the root user with"),
        ("arn:aws:iam::000000000009:root", "the root user of account 000000000009"),
        (f"arn:aws:sts::{HERE}:federated-user/x", f"arn:aws:sts::{HERE}:federated-user/x"),
        ("cloudformation.amazonaws.com", "cloudformation.amazonaws.com"),
    ],
)
def test_who_made_it_is_named_as_a_person_would(arn: str, named: str) -> None:
    made = replace(user(created_at=YOUNG), created_by=arn, created_with="console")
    first = facts(row(made), START.date()).splitlines()[0]
    assert first.startswith(f"Made 2026-11-02, 21 days ago, by {named}")
    assert first.endswith(" with the console.")


def test_what_it_may_do_and_is_used_for() -> None:
    rights = replace(access(), administrator=False, escalation=("iam:A", "iam:B", "iam:C", "iam:D"))
    held = (ServiceCredential(service="bedrock", expires_at=YOUNG), ServiceCredential(service="codecommit"))
    told = facts(row(replace(used(2, service="s3"), access=rights, service_credentials=held)), START.date())
    may, use = told.splitlines()[1:]
    assert may.startswith("Could make itself administrator by iam:A, iam:B, iam:C and 1 more (see Users); ")
    assert "service credentials: bedrock until 2026-11-02, codecommit; last used 2 days ago (s3)." in use
    known = facts(row(replace(used(2), access=replace(rights, escalation=()))), START.date())
    assert "\nNot an administrator; " in known
    assert "no service credential;" in known


def test_a_line_of_the_sheet_is_one_line_whatever_others_wrote() -> None:
    told = facts(row(replace(user(), created_by="a\nMade by nobody"), explanation="x\ny."), START.date())
    assert len(told.splitlines()) == 4


NEVER = replace(user(credentials=replace(credentials(), console_access=True)), service_credentials=())


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (row(used(2, service="s3")), "Approve or remove: in use (s3, 2 days ago)"),
        (row(used(200)), "Remove: last used 200 days ago"),
        (row(used(180)), "Remove: last used 180 days ago"),
        (row(used(179)), "Quarantine: last used 179 days ago"),  # a job of each quarter may still need it
        (row(NEVER), "Remove: console password never used, made 312 days ago"),
        (
            row(replace(user(credentials=credentials()), service_credentials=None)),
            "Quarantine: no password and no active key, made 312 days ago; service credentials not known",
        ),
        (
            row(replace(NEVER, service_credentials=(ServiceCredential(service="bedrock"),))),
            "Quarantine: console password never used, made 312 days ago; its bedrock credential may be in use",
        ),
        (
            row(replace(user(access=access()), service_credentials=(ServiceCredential(service="bedrock"),))),
            "Approve or remove: its bedrock credential may be in use",
        ),
        (
            row(used(2), explanation="No entry matches; one letter away from alicf, which is approved in account 1"),
            "Approve or remove: in use (2 days ago); its name resembles an approved one: see facts",
        ),
        (row(used(2), Basis.REVOKED), "Remove: revoked in the safelist, and still there"),
        (row(used(2), Basis.SAFELISTED), "Keep: in use (2 days ago)"),
        (
            row(used(2), Basis.SAFELISTED, changes=(Change.PRIVILEGE_GAINED,)),
            "Approve again or remove: gained privilege since the previous run; in use (2 days ago)",
        ),
        (
            row(used(2), Basis.USER_RECREATED),
            "Approve or remove: the approval was for an earlier user of that name; in use (2 days ago)",
        ),
        (row(user()), "Approve or remove: its use is not known"),
    ],
)
def test_what_is_suggested_has_its_ground(of: UserRow, expected: str) -> None:
    is_suspicious = "resembles" in expected or "earlier user" in expected
    asked = "Ask first whoever sent this file" if is_suspicious else "Ask: nobody is named"
    assert suggestion(of, None, DAYS).splitlines() == [expected, asked]


def test_an_approval_that_ends_is_asked_for_again() -> None:
    ends = finding(used(2), basis=Basis.SAFELISTED, by=replace(entry(), expires_on=date(2026, 12, 31)))
    (made,) = user_rows(assessed([ends]))
    assert suggestion(made, None, DAYS).startswith("Approve again, or Keep and let it end: in use (2 days ago)\n")


def test_what_was_decided_and_not_done_is_suggested_again() -> None:
    last = decision(finding(), Choice.QUARANTINE, date(2026, 8, 24), None)
    assert suggestion(row(used(2)), last, DAYS).startswith("Quarantine: decided on 2026-08-24, and still there\n")


def test_whom_to_ask_is_who_made_it_who_is_tagged_and_whose_account_it_is() -> None:
    tags = (("Owner-Email", "o@example.com"), ("TeamName", "x\nteam"), ("steam", "no"), ("owner", ""))
    made = replace(used(2), created_by=f"arn:aws:iam::{HERE}:user/bob", access=replace(access(), tags=tags))
    asked = suggestion(row(made, owner="pay@example.com"), None, DAYS).splitlines()[1]
    assert asked == (
        "Ask first whoever sent this file; then: whoever signed in as the IAM user bob and made it on 2026-01-15; "
        "Owner-Email tag o@example.com; "
        "TeamName tag x team; account owner pay@example.com"
    )


def test_the_last_administrator_who_can_get_in_is_pointed_out() -> None:
    """As `remediate` does, which spares it: where another one can get in, nothing is said."""
    can_get_in = used(200)
    admin = replace(can_get_in, access=replace(access(), administrator=True))
    locked_out = replace(user("old", credentials=credentials()), access=admin.access)
    denied = replace(access(), administrator=True, denied_by=("AWSDenyAll",))
    quarantined = replace(admin, access=denied, user_id=UserId("AIDAQUARANTINED"))
    other = replace(admin, user_name="other", user_id=UserId("AIDAOTHER"))
    plain = replace(can_get_in, user_name="plain", user_id=UserId("AIDAPLAIN"))

    def suggested(*users: IamUser) -> str:
        run = assessed([finding(of) for of in users])
        rows = review_rows(run, tuple(user_rows(run)))
        of = next(row for row in rows if row.user.finding.user is users[0])
        return suggestion(of.user, of.last, of.by, unadministered=of.unadministered).splitlines()[0]

    unused = "Remove: last used 200 days ago"
    warned = f"{unused}; before it goes, make sure that somebody can administer this account:"
    alone = f"{warned} no other IAM user is known to"
    together = f"{warned} none of the IAM users who are to stay is known to"
    assert suggested(admin, locked_out, plain) == suggested(admin, quarantined) == alone
    assert suggested(admin, other) == together
    assert suggested(admin, replace(other, credentials=used(2).credentials)) == suggested(plain, admin) == unused
