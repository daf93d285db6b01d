"""Who needs a decision in a review, why, and how urgent it is."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from scanner.audit.credential_use import UNKNOWN, Activity
from scanner.audit.triage import GROUNDS, Days, Risk, rank, reasons, risks
from scanner.model import Access, AccessKey, Basis, Change, Choice, Credentials, Entry, Finding
from scanner.record import ReviewDecision
from tests.builders import AS_OF, access, credentials, user
from tests.report.samples import decision, entry, finding

DAYS = Days(as_of=AS_OF, today=AS_OF, review_every=180)


def ago(days: int) -> date:
    return AS_OF - timedelta(days=days)


def approval(*, on: date | None = None, until: date | None = None) -> Entry:
    return replace(entry(), approved_on=on, expires_on=until)


def approved(by: Entry | None = None, *changes: Change) -> Finding:
    made = finding(basis=Basis.SAFELISTED, by=by or approval(on=ago(1)))
    return replace(made, changes=changes)


def why(of: Finding, last: ReviewDecision | None = None) -> list[str]:
    return list(reasons(of, last, DAYS))


def test_a_user_that_was_approved_lately_needs_no_decision() -> None:
    assert why(approved()) == []


def test_an_unapproved_user_needs_one_whatever_was_decided() -> None:
    unapproved = finding()
    assert why(unapproved) == ["not approved: on no safelist"]
    assert why(unapproved, decision(unapproved, Choice.APPROVE, ago(400))) == ["not approved: on no safelist"]


def test_an_entry_that_approves_nobody_is_no_approval() -> None:
    expired = finding(basis=Basis.APPROVAL_EXPIRED, by=approval(on=ago(10), until=ago(1)))
    assert why(expired) == ["not approved: approval expired"]


@pytest.mark.parametrize("basis", [basis for basis in Basis if basis is not Basis.SAFELISTED])
def test_each_ground_of_not_being_approved_is_named_as_itself(basis: Basis) -> None:
    assert why(finding(basis=basis)) == [f"not approved: {GROUNDS[basis]}"]
    assert len(set(GROUNDS.values())) == len(Basis) - 1


@pytest.mark.parametrize(("left", "told"), [(0, True), (90, True), (91, False)])
def test_an_approval_that_ends_within_90_days_is_due(left: int, told: bool) -> None:
    ends = AS_OF + timedelta(days=left)
    assert why(approved(approval(on=ago(1), until=ends))) == ([f"approval ends on {ends}"] if told else [])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (Change.RECREATED, ["recreated since the previous run"]),
        (Change.RENAMED, ["renamed since the previous run"]),
        (Change.PRIVILEGE_GAINED, ["gained privilege since the previous run"]),
        (Change.NEW, []),
        (Change.NEWLY_APPROVED, []),
        (Change.UNCHANGED, []),
    ],
)
def test_an_approved_user_that_changed_is_due(change: Change, told: list[str]) -> None:
    assert why(approved(None, change)) == told


@pytest.mark.parametrize(("age", "told"), [(180, []), (181, ["approved 181 days ago, not reviewed since"])])
def test_an_approval_is_looked_at_again_in_time(age: int, told: list[str]) -> None:
    assert why(approved(approval(on=ago(age)))) == told


def test_the_newer_of_approval_and_review_counts() -> None:
    old = approved(approval(on=ago(400)))
    assert why(old, decision(old, Choice.KEEP, ago(180))) == []
    assert why(old, decision(old, Choice.KEEP, ago(200))) == ["last reviewed 200 days ago"]
    assert why(approved(), decision(old, Choice.KEEP, ago(400))) == []


def test_an_approval_without_a_day_was_never_reviewed() -> None:
    assert why(approved(approval())) == ["never reviewed"]


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (Choice.REMOVE, f"to be removed since {ago(1)}, and still there"),
        (Choice.QUARANTINE, f"to be quarantined since {ago(1)}, and still there"),
        (Choice.DEFER, f"deferred on {ago(1)}"),
    ],
)
def test_what_was_not_settled_is_asked_again_however_lately(choice: Choice, told: str) -> None:
    assert why(approved(), decision(approved(), choice, ago(1))) == [told]


def test_all_reasons_that_hold_are_named() -> None:
    of = approved(approval(on=ago(300), until=AS_OF), Change.RENAMED, Change.PRIVILEGE_GAINED)
    assert why(of) == [
        f"approval ends on {AS_OF}",
        "renamed since the previous run",
        "gained privilege since the previous run",
        "approved 300 days ago, not reviewed since",
    ]


# --- how urgent ------------------------------------------------------------------------------------------------------

SAFE = Activity(console_access=False, mfa_active=False, active_access_keys=0, dormant=False)


def held(administrator: bool | None, used: Activity) -> tuple[Risk, ...]:
    return risks(user(access=replace(access(), administrator=administrator)), used)


@pytest.mark.parametrize(
    ("administrator", "used", "told"),
    [
        (False, SAFE, Risk.NONE),
        (True, SAFE, Risk.ADMINISTRATOR),
        (False, replace(SAFE, console_access=True), Risk.CONSOLE_WITHOUT_MFA),
        (False, replace(SAFE, console_access=True, mfa_active=True), Risk.NONE),
        (False, replace(SAFE, dormant=True, active_access_keys=1), Risk.DORMANT_KEYS),
        (False, replace(SAFE, dormant=False, active_access_keys=1), Risk.NONE),
        (False, replace(SAFE, console_access=True, mfa_active=True, dormant=True), Risk.NONE),
        (None, SAFE, Risk.RIGHTS_UNKNOWN),
        (False, UNKNOWN, Risk.USE_UNKNOWN),
        (False, replace(SAFE, console_access=True, mfa_active=None), Risk.USE_UNKNOWN),
        (False, replace(SAFE, dormant=None, active_access_keys=1), Risk.USE_UNKNOWN),
    ],
)
def test_each_risk_holds_where_it_is_known(administrator: bool | None, used: Activity, told: Risk) -> None:
    assert held(administrator, used) == (told,)


def test_all_risks_that_hold_are_named_and_the_first_gives_the_rank() -> None:
    every = Activity(console_access=True, mfa_active=False, active_access_keys=2, dormant=True)
    assert held(True, every) == (Risk.ADMINISTRATOR, Risk.CONSOLE_WITHOUT_MFA, Risk.DORMANT_KEYS)
    ranks = [rank(held(True, SAFE)), rank(held(False, every)), rank(held(None, SAFE)), rank(held(False, SAFE))]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == 4


@pytest.mark.parametrize("nothing", [None, replace(access(), administrator=None)])
def test_unknown_rights_come_after_the_known_risks_and_before_the_rest(nothing: Access | None) -> None:
    """With basic evidence nothing else is known of any user."""
    of = user(access=nothing)
    assert risks(of, UNKNOWN) == (Risk.RIGHTS_UNKNOWN, Risk.USE_UNKNOWN)
    assert rank((Risk.DORMANT_KEYS,)) < rank(risks(of, UNKNOWN)) < rank((Risk.NONE,))


@pytest.mark.parametrize(
    ("escalation", "told"), [(None, Risk.NONE), ((), Risk.NONE), (("iam:PutUserPolicy",), Risk.ESCALATION)]
)
def test_who_can_make_itself_administrator_ranks_with_administrators(
    escalation: tuple[str, ...] | None, told: Risk
) -> None:
    assert risks(user(access=replace(access(), escalation=escalation)), SAFE) == (told,)
    administrator = user(access=replace(access(), administrator=True, escalation=("iam:*",)))
    assert risks(administrator, SAFE) == (Risk.ADMINISTRATOR,)
    assert rank((Risk.ESCALATION,)) == rank(risks(administrator, SAFE)) < rank((Risk.CONSOLE_WITHOUT_MFA,))
    open_rights = user(access=replace(access(), administrator=None, escalation=("iam:PutUserPolicy",)))
    assert risks(open_rights, SAFE) == (Risk.ESCALATION, Risk.RIGHTS_UNKNOWN)


A_KEY = AccessKey(active=False, last_rotated=None, last_used=None)


@pytest.mark.parametrize(
    ("name", "held", "told"),
    [
        ("BedrockAPIKey-abcd", replace(credentials(), access_keys=(A_KEY,)), True),
        ("BedrockAPIKey-abcd", replace(credentials(), console_access=True), True),
        ("bedrockapikey-x", replace(credentials(), console_access=True), True),
        ("BedrockAPIKey-abcd", credentials(), False),
        ("BedrockAPIKey-abcd", replace(credentials(), console_access=None), False),
        ("BedrockAPIKey-abcd", None, False),
        ("my-BedrockAPIKey-abcd", replace(credentials(), console_access=True), False),
        ("BedrockAPIKeys", replace(credentials(), console_access=True), False),
    ],
)
def test_a_user_for_a_bedrock_key_that_has_another_credential_ranks_first_of_all(
    name: str, held: Credentials | None, told: bool
) -> None:
    found = risks(user(name, access=replace(access(), administrator=True), credentials=held), SAFE)
    assert found == ((Risk.API_KEY_USER, Risk.ADMINISTRATOR) if told else (Risk.ADMINISTRATOR,))
    assert rank(found) == (0 if told else rank((Risk.ADMINISTRATOR,)))
    assert rank((Risk.API_KEY_USER,)) < rank((Risk.ADMINISTRATOR,))


@pytest.mark.parametrize(
    ("creator", "told"),
    [
        ("arn:aws:iam::123456789012:user/ops/bob", True),
        ("arn:aws-cn:iam::123456789012:user/bob", True),
        ("arn:aws:sts::123456789012:assumed-role/deploy/user/bob", False),
        ("arn:aws:sts::123456789012:assumed-role/deploy/ci", False),
        ("arn:aws:iam::123456789012:root", False),
        (None, False),
    ],
)
def test_who_was_made_by_another_user_and_not_by_a_role_is_named_so(creator: str | None, told: bool) -> None:
    made = replace(user(access=access()), created_by=creator)
    assert risks(made, SAFE) == ((Risk.MADE_BY_USER,) if told else (Risk.NONE,))
