"""Who is approved, who is not, and what the reviewer is told."""

from datetime import date

import pytest

from scanner.model import Account, Basis, Determination, IamUser, OrganizationalUnit
from scanner.record import SafelistText
from scanner.safelist.entries import parse
from scanner.safelist.match import Decision, Index
from tests.builders import AS_OF, account, account_id, ou_id, user

ONE, TWO = account_id(1), account_id(2)


def decide(safelist: str, who: IamUser | None = None, where: Account | None = None, as_of: date = AS_OF) -> Decision:
    """Alice in account 1, in Root/Prod, unless told otherwise."""
    text = SafelistText(path="a.yaml", text=f"version: 1\npolicy: {{allow_patterns: true}}\n{safelist}\n")
    return Index(parse([text]), as_of).decide(where or account(1), who or user())


def approves(safelist: str, who: IamUser | None = None, where: Account | None = None) -> bool:
    return decide(safelist, who, where).determination is Determination.APPROVED


# --- scopes ----------------------------------------------------------------------------------------------------------


def test_a_global_entry_approves_in_every_account() -> None:
    assert approves("global: [alice]", where=account(7, ou_path=None))


def test_an_account_entry_approves_in_that_account_only() -> None:
    assert approves(f'accounts: {{"{ONE}": [alice]}}')
    assert not approves(f'accounts: {{"{TWO}": [alice]}}')


@pytest.mark.parametrize("key", ["Root", "Root/Prod", ou_id("Root"), ou_id("Root/Prod")])
def test_an_ou_entry_approves_in_the_ou_and_below_by_path_and_by_id(key: str) -> None:
    assert approves(f"ous: {{{key}: [alice]}}")


@pytest.mark.parametrize(
    "key", ["Root/Prod/Payments", "Root/Pro", "Prod", "root/prod", "Root/Test", ou_id("Root/Test")]
)
def test_an_ou_entry_approves_nowhere_else(key: str) -> None:
    assert not approves(f"ous: {{{key}: [alice]}}")


def test_a_path_that_two_ous_share_approves_by_id_only() -> None:
    shared = Account(
        id=ONE,
        name="one",
        state="ACTIVE",
        ous=(OrganizationalUnit(id=ou_id("Root/Prod"), name="Prod", path="Root/Prod", addressable=False),),
    )
    assert not approves("ous: {Root/Prod: [alice]}", where=shared)
    assert approves(f"ous: {{{ou_id('Root/Prod')}: [alice]}}", where=shared)


def test_an_ou_that_is_called_like_an_id_is_not_reached_by_that_name() -> None:
    called = Account(
        id=ONE, name="one", state="ACTIVE", ous=(OrganizationalUnit(id="r-abcd", name="r-zzzz", path="r-zzzz"),)
    )
    assert not approves("ous: {r-zzzz: [alice]}", where=called)


# --- selectors -------------------------------------------------------------------------------------------------------


def test_names_compare_without_ascii_case() -> None:
    assert approves("global: [CC-Admin]", user("cc-aDMIN"))


@pytest.mark.parametrize("name", ["\u212aatie", "alic\u0435", "alice ", "xalice", "alicex", "ali", ""])
def test_no_other_name_will_do(name: str) -> None:
    assert not approves("global: [katie, alice]", user(name))


def test_an_arn_approves_whole_and_in_its_own_account_only() -> None:
    arn = user("alice", path="/ops/").arn
    assert approves(f"global: [{{arn: {arn}}}]", user("alice", path="/ops/"))
    assert not approves(f"global: [{{arn: {arn}}}]", user("alice"))
    assert not approves(f"global: [{{arn: {arn}}}]", user("Alice", path="/ops/"))
    assert not approves(f"global: [{{arn: {arn}}}]", user("alice", path="/ops/", in_account=2), account(2))
    assert not approves(f"global: [{{arn: {arn}}}]", user("alice", path="/ops/"), account(2))


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("ci-*", "ci-logs"),
        ("ci-*", "ci-"),
        ("ci-*", "CI-Logs"),
        ("*-agent", "ci-agent"),
        ("ci-??", "ci-12"),
        ("c*i-a?*z", "ci-abz"),
        ("*build*", "my-build-1"),
        ("a.b+c", "a.b+c"),
    ],
)
def test_a_pattern_matches_the_whole_name(pattern: str, name: str) -> None:
    assert approves(f'global: [{{pattern: "{pattern}"}}]', user(name))


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("ci-*", "xci-logs"),
        ("ci-logs", "ci-logs-replica"),
        ("*-agent", "ci-agent2"),
        ("ci-??", "ci-1"),
        ("ci-??", "ci-123"),
        ("a.b+c", "aXbbc"),
        ("ci-*", "\u0441i-logs"),
        ("kat*", "\u212aatie"),
        ("abc*abc", "abc"),
        ("ci-logs", "ci-logs\n"),
    ],
)
def test_a_pattern_matches_nothing_else(pattern: str, name: str) -> None:
    assert not approves(f'global: [{{pattern: "{pattern}"}}]', user(name))


def test_a_path_approves_the_users_with_exactly_this_path() -> None:
    assert approves("global: [{path: /ops/}]", user(path="/ops/"))
    for other in ("/", "/OPS/", "/ops/night/", "/ops2/", "/x/ops/"):
        assert not approves("global: [{path: /ops/}]", user(path=other))


# --- user ids --------------------------------------------------------------------------------------------------------


def test_a_pinned_entry_approves_that_very_user() -> None:
    assert approves("global: [{user: alice, user_id: AIDA1}]", user(user_id="AIDA1"))
    assert not approves("global: [{user: alice, user_id: AIDA1}]", user(user_id="aida1"))


@pytest.mark.parametrize(
    "other",
    ["- alice", '- {pattern: "ali*"}', "- {path: /ops/}", f"- {{arn: 'arn:aws:iam::{ONE}:user/ops/alice'}}"],
)
def test_a_recreated_user_is_approved_by_no_unpinned_entry(other: str) -> None:
    safelist = f"global:\n  {other}\n  - {{user: ALICE, user_id: AIDAOLD, expires_on: 2026-01-01}}"
    who = user("alice", path="/ops/", user_id="AIDANEW")
    decision = decide(safelist, who)
    assert decision.basis is Basis.USER_RECREATED
    assert "AIDAOLD" in decision.explanation
    assert "AIDANEW" in decision.explanation


def test_a_recreated_user_is_approved_again_by_an_entry_for_the_new_id() -> None:
    pinned = "- {user: alice, user_id: AIDA%s}"
    assert approves("global:\n  " + pinned % "OLD" + "\n  " + pinned % "NEW", user(user_id="AIDANEW"))


def test_a_pinned_arn_tells_a_recreation_too_but_only_in_its_own_account() -> None:
    safelist = f"global:\n  - alice\n  - {{arn: 'arn:aws:iam::{ONE}:user/alice', user_id: AIDAOLD}}"
    assert decide(safelist).basis is Basis.USER_RECREATED
    assert approves(safelist, user(in_account=2), account(2))


def test_a_pin_in_a_scope_that_does_not_apply_says_nothing() -> None:
    assert approves(f'global: [alice]\naccounts: {{"{TWO}": [{{user: alice, user_id: AIDAOLD}}]}}')


def test_a_user_whose_own_pin_has_expired_is_not_called_recreated() -> None:
    safelist = "global:\n  - {user: alice, user_id: AIDA1, expires_on: 2026-01-01}\n  - {user: alice, user_id: AIDA2}"
    assert decide(safelist, user(user_id="AIDA1")).basis is Basis.APPROVAL_EXPIRED


# --- revocations -----------------------------------------------------------------------------------------------------


def revoke(more: str = "", name: str = "ALICE") -> str:
    return f'\nrevoked: [{{account: "{ONE}", user: {name}{more}}}]'


def test_a_revocation_beats_every_approval() -> None:
    safelist = f'global: [alice]\naccounts: {{"{ONE}": [{{user: alice, user_id: AIDA1}}]}}'
    decision = decide(safelist + revoke(", on: 2026-10-02, ticket: SEC-140"), user(user_id="AIDA1"))
    assert decision.basis is Basis.REVOKED
    assert decision.explanation == "Revoked by a.yaml:5 on 2026-10-02 (SEC-140)"


def test_a_revocation_holds_in_its_own_account_only() -> None:
    assert approves("global: [alice]" + revoke(), user(in_account=2), account(2))


def test_a_revocation_holds_whatever_its_date() -> None:
    assert not approves("global: [alice]" + revoke(", on: 2099-01-01"))


def test_a_revocation_without_an_id_holds_for_a_recreated_user_too() -> None:
    assert not approves("global: [{user: alice, user_id: AIDANEW}]" + revoke(), user(user_id="AIDANEW"))


def test_a_revocation_of_a_user_id_spares_another_user_of_the_name() -> None:
    assert approves("global: [alice]" + revoke(", user_id: AIDAOLD"), user(user_id="AIDANEW"))


def test_a_rename_does_not_escape_a_revocation_of_the_user_id() -> None:
    assert not approves('global: [{pattern: "ci-*"}]' + revoke(", user_id: AIDA1"), user("ci-1", user_id="AIDA1"))


# --- days ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "basis"),
    [
        (date(2026, 9, 30), Basis.APPROVAL_NOT_STARTED),
        (date(2026, 10, 1), Basis.SAFELISTED),
        (date(2027, 3, 31), Basis.SAFELISTED),
        (date(2027, 4, 1), Basis.APPROVAL_EXPIRED),
    ],
)
def test_the_first_and_the_last_day_count(day: date, basis: Basis) -> None:
    assert decide("global: [{user: alice, approved_on: 2026-10-01, expires_on: 2027-03-31}]", as_of=day).basis is basis


# --- the basis and its sentence --------------------------------------------------------------------------------------

LATE = "expires_on: 2026-06-30"
EARLY = "approved_on: 2026-12-01"


@pytest.mark.parametrize(
    ("safelist", "basis", "explanation"),
    [
        (
            f'accounts: {{"{ONE}": [{{user: alice, expires_on: 2027-01-15}}]}}',
            Basis.SAFELISTED,
            "Approved for this account by a.yaml:3 until 2027-01-15",
        ),
        ("ous: {Root/Prod: [alice]}", Basis.SAFELISTED, "Approved for OU Root/Prod by a.yaml:3 without an end date"),
        (
            'global: [{pattern: "ali*"}]',
            Basis.SAFELISTED,
            "Approved for all accounts by the pattern ali* at a.yaml:3 without an end date",
        ),
        (f"global: [{{user: alice, {LATE}}}]", Basis.APPROVAL_EXPIRED, "The approval at a.yaml:3 ended on 2026-06-30"),
        (
            f"global: [{{user: alice, {EARLY}}}]",
            Basis.APPROVAL_NOT_STARTED,
            "The approval at a.yaml:3 starts on 2026-12-01",
        ),
        ("global: []", Basis.NOT_SAFELISTED, "No entry matches"),
        (
            f'accounts: {{"{TWO}": [alice]}}',
            Basis.NOT_SAFELISTED,
            f"No entry matches; the name is approved in account {TWO}, but not here",
        ),
        (
            f"global: [{{arn: 'arn:aws:iam::{ONE}:user/ops/alice'}}]",
            Basis.NOT_SAFELISTED,
            f"No entry matches; a.yaml:3 approves arn:aws:iam::{ONE}:user/ops/alice, which is not this user's ARN",
        ),
        (
            "global: [{user: alice, user_id: AIDAOLD}]",
            Basis.USER_RECREATED,
            "a.yaml:3 approves user ID AIDAOLD, and this is AIDANEW: it was recreated, or is another user of that name",
        ),
    ],
)
def test_the_basis_and_one_plain_sentence(safelist: str, basis: Basis, explanation: str) -> None:
    decision = decide(safelist, user(user_id="AIDANEW"))
    assert (decision.basis, decision.explanation) == (basis, explanation)


def test_an_entry_that_breaks_the_policy_says_how() -> None:
    text = SafelistText(path="a.yaml", text="version: 1\npolicy: {require: [owner, kind]}\nglobal: [alice]\n")
    decision = Index(parse([text]), AS_OF).decide(account(1), user())
    assert decision.basis is Basis.APPROVAL_INVALID
    assert decision.explanation == "The approval at a.yaml:3 breaks the policy: it has no owner; it has no kind"


def test_of_several_reasons_the_first_is_named() -> None:
    early, late = f"- {{user: alice, {EARLY}}}", f"- {{user: alice, {LATE}}}"
    assert decide(f"global:\n  {early}\n  {late}").basis is Basis.APPROVAL_EXPIRED


def test_one_valid_entry_is_enough() -> None:
    assert approves(f"global: [alice]\naccounts: {{'{ONE}': [{{user: alice, {LATE}}}]}}")


def test_the_most_specific_entry_is_the_reason() -> None:
    lines = [
        "global: [alice]",  # line 3
        "ous:",
        "  Root: [alice]",
        f"  {ou_id('Root/Prod')}: [alice]",  # 6
        "accounts:",
        f'  "{ONE}":',
        '    - {pattern: "ali*"}',  # 9
        "    - alice",
        "    - {user: alice, user_id: AIDA1}",  # 11
    ]
    for last in (3, 5, 6, 9, 10, 11):
        named = decide("\n".join(lines[: last - 2]), user(user_id="AIDA1")).entry
        assert named is not None
        assert named.line == last


# --- hints -----------------------------------------------------------------------------------------------------------


def hint(name: str, safelist: str = "global: [cc-rds-manager]") -> str:
    return decide(safelist, user(name)).explanation


@pytest.mark.parametrize(
    "name", ["cc-rds-managr", "cc-rds-managerr", "cc-rds-nanager", "cc-rds-maanger", "CC-RDS-Manage", "xcc-rds-manager"]
)
def test_a_name_one_letter_away_is_pointed_out_and_not_approved(name: str) -> None:
    assert hint(name) == "No entry matches; one letter away from cc-rds-manager, which is approved for all accounts"


@pytest.mark.parametrize("name", ["cc-rds-mgr", "cc-rds-manag", "ds-manager", "zz-rds-manager"])
def test_a_name_further_away_is_not(name: str) -> None:
    assert hint(name) == "No entry matches"


def test_the_places_where_the_near_name_is_approved_are_counted() -> None:
    safelist = "accounts:\n" + "".join(f'  "{account_id(number)}": [cc-rds-manager]\n' for number in (2, 3, 4))
    expected = "No entry matches; one letter away from cc-rds-manager, which is approved in 3 accounts"
    assert hint("cc-rds-manage", safelist) == expected


def test_a_name_that_looks_alike_is_pointed_out() -> None:
    assert hint("cc_rds_rnanager").startswith("No entry matches; looks like cc-rds-manager")
    assert hint("c1i-b0t-1", "global: [cli-bot-l]").startswith("No entry matches; looks like cli-bot-l")


def test_a_console_made_user_is_named_so_and_not_believed() -> None:
    expected = "No entry matches; named like a console-made user (Bedrock API key); unverified"
    assert hint("BedrockAPIKey-x7f2") == expected


def test_an_expired_name_is_no_hint() -> None:
    assert hint("cc-rds-manage", "global: [{user: cc-rds-manager, expires_on: 2026-01-01}]") == "No entry matches"


NEAR = "No entry matches; one letter away from cc-rds-manager, which is approved "


@pytest.mark.parametrize(
    ("entry", "revocation"),
    [
        ("cc-rds-manager", "user: CC-rds-manager"),
        ("{user: cc-rds-manager, user_id: AIDA1}", "user: cc-rds-manager"),
        ("{user: cc-rds-manager, user_id: AIDA1}", "user: renamed, user_id: AIDA1"),
        (f"{{arn: 'arn:aws:iam::{TWO}:user/cc-rds-manager'}}", "user: cc-rds-manager"),
    ],
)
def test_an_account_that_revokes_its_approval_is_no_place_where_a_name_is_approved(entry: str, revocation: str) -> None:
    revoked = f'revoked: [{{account: "{TWO}", {revocation}}}]'
    both = f'accounts: {{"{TWO}": [{entry}], "{account_id(3)}": [cc-rds-manager]}}\n{revoked}'
    assert hint("cc-rds-manage", both) == f"{NEAR}in account {account_id(3)}"
    assert hint("cc-rds-manage", f'accounts: {{"{TWO}": [{entry}]}}\n{revoked}') == "No entry matches"
    assert hint("cc-rds-manager", f'accounts: {{"{TWO}": [{entry}]}}\n{revoked}') == "No entry matches"


def test_a_revocation_of_another_user_id_takes_no_place_away() -> None:
    safelist = f'accounts: {{"{TWO}": [cc-rds-manager]}}\nrevoked: [{{account: "{TWO}", user: x, user_id: AIDA1}}]'
    assert hint("cc-rds-manage", safelist) == f"{NEAR}in account {TWO}"


def test_a_wide_approval_of_a_near_name_does_not_hide_where_that_name_is_revoked() -> None:
    safelist = f'global: [cc-rds-manager]\nrevoked: [{{account: "{TWO}", user: CC-rds-manager}}]'
    assert hint("cc-rds-manage", safelist) == f"{NEAR}for all accounts, and revoked in 1 account"
