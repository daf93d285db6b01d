"""What a safelist file may say; whatever else it says is a fault with file, line and remedy."""

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import Fault, FaultsError
from scanner.model import Entry, Kind, Scope, Selector
from scanner.record import SafelistText
from scanner.safelist.entries import Safelist, check_organization, parse
from tests.builders import ORGANIZATION

CONTRACT = """\
version: 1
organization: o-a1b2c3d4e5
policy:
  require: [owner, reason, expires_on]
  max_days: 365
  allow_patterns: true
  approvers: [ciso@example.com]
global:
  - user: cc-platform-admin
    kind: break-glass
    owner: platform@example.com
    reason: Break-glass administrator, sealed credentials
    approved_by: ciso@example.com
    approved_on: 2026-01-15
    expires_on: 2027-01-15
    ticket: SEC-101
ous:
  Root/Prod/Payments:
    - {pattern: "ci-*", owner: ci@example.com, reason: Build agents, approved_on: 2026-10-01, expires_on: 2027-03-31,
       approved_by: ciso@example.com}
accounts:
  "123456789012":
    - {user: cc-rds-manager, user_id: AIDAEXAMPLE, owner: db@example.com, reason: Nightly export,
       approved_on: "2026-10-01", expires_on: 2027-03-31, approved_by: ciso@example.com}
revoked:
  - {account: "123456789012", user: cc-iam-manager, by: ciso@example.com, on: 2026-10-02, ticket: SEC-140}
"""


def text(content: str, path: str = "a.yaml") -> SafelistText:
    return SafelistText(path=path, text=content)


def parsed(content: str) -> Safelist:
    return parse([text(content)])


def entries(lines: str, head: str = "") -> tuple[Entry, ...]:
    return parsed(f"version: 1\n{head}global:\n{lines}").entries


def faults(*contents: str) -> tuple[Fault, ...]:
    with pytest.raises(FaultsError) as raised:
        parse([text(content, f"{name}.yaml") for name, content in zip("abc", contents, strict=False)])
    assert all(fault.remedy for fault in raised.value.faults)
    return raised.value.faults


def fault(content: str) -> tuple[int | None, str]:
    (only,) = faults(content)
    return only.line, only.problem


def test_the_contracts_example_is_read_whole() -> None:
    safelist = parsed(CONTRACT)
    admin, agents, manager = safelist.entries
    assert admin == Entry(
        scope=Scope.GLOBAL,
        scope_value="",
        selector=Selector.USER,
        value="cc-platform-admin",
        kind=Kind.BREAK_GLASS,
        owner="platform@example.com",
        reason="Break-glass administrator, sealed credentials",
        approved_by="ciso@example.com",
        approved_on=date(2026, 1, 15),
        expires_on=date(2027, 1, 15),
        ticket="SEC-101",
        file="a.yaml",
        line=9,
    )
    assert (agents.scope_text, agents.selector, agents.value, agents.line) == (
        "ou Root/Prod/Payments",
        Selector.PATTERN,
        "ci-*",
        19,
    )
    assert (manager.scope_text, manager.user_id, manager.approved_on) == (
        "account 123456789012",
        "AIDAEXAMPLE",
        date(2026, 10, 1),
    )
    (revocation,) = safelist.revocations
    assert (revocation.account_id, revocation.user, revocation.on) == (
        "123456789012",
        "cc-iam-manager",
        date(2026, 10, 2),
    )
    assert all(not entry.invalid for entry in safelist.entries)


def test_a_bare_name_is_short_for_a_user() -> None:
    (entry,) = entries("  - alice\n")
    assert (entry.selector, entry.value) == (Selector.USER, "alice")


@pytest.mark.parametrize(
    "section", ["global: []", "ous: {}", "accounts: {}", 'accounts: {"123456789012": []}', "revoked: []"]
)
def test_an_empty_list_says_that_nobody_is_approved(section: str) -> None:
    assert parsed(f"version: 1\n{section}\n").entries == ()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "The file is empty."),
        ("# nothing\n", "The file is empty."),
        ("---\n", "The file is empty."),
        ("- alice\n", "The file is not a mapping."),
        ("alice\n", "The file is not a mapping."),
        ("version: 1\n", "The file approves nobody and does not say so."),
        ("global: []\n", "version is missing."),
        ("version: 2\nglobal: []\n", "version: '2' is unknown."),
        ('version: "1"\nglobal: []\n', "version: '1' is unknown."),
        ("version: 1\nglobal:\n", "A list of entries is expected here."),
        ("version: 1\nglobal: {}\n", "A list of entries is expected here."),
        ("version: 1\nglobl: []\nglobal: []\n", "The key 'globl' is unknown."),
        ("version: 1\nglobal: []\nglobal: []\n", "The key 'global' is repeated, after line 2."),
        ("version: 1\norganization: acme\nglobal: []\n", "organization: 'acme' is not a valid organization ID."),
        ("version: 1\naccounts: []\n", "accounts must map each account to a list of entries."),
        ("version: 1\nrevoked: {}\n", "revoked must be a list."),
        ("version: 1\nglobal: [\n", "Not valid YAML: a bracket that opens above is not closed."),
        (
            'version: 1\nglobal: ["\\UFFFFFFFF"]\n',
            "Not valid YAML: after this line, an escape does not name a character.",
        ),
        ("version: 1\nglobal: []\n---\nversion: 1\n", "A second YAML document begins here."),
        ("%YAML 1.1\n---\nversion: 1\nglobal: []\n", "A YAML directive (%...) is not allowed."),
        ("version: 1\nglobal: " + "[" * 40 + "]" * 40 + "\n", "Lists and mappings are nested too deeply."),
        ("version: 1\nglobal: []\n? [a]\n: b\n", "A list or mapping is used as a key."),
    ],
)
def test_a_file_that_is_no_safelist_is_refused(content: str, problem: str) -> None:
    found = faults(content)
    assert any(each.problem == problem for each in found), found


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("yes", "user: yes without quotes is not text to YAML, but true or false."),
        ("123", "user: 123 without quotes is not text to YAML, but a number."),
        ("0123", "user: 0123 without quotes is not text to YAML, but a number."),
        ("1e5", "user: 1e5 without quotes is not text to YAML, but a number."),
        ("null", "user: has no value."),
        ("{user: 2026-01-01}", "user: 2026-01-01 without quotes is not text to YAML, but a date."),
        ('{user: ""}', "user: has no value."),
        ('{user: "ci-*"}', "user: 'ci-*' holds a wildcard, which `user` does not support."),
        ('{user: "ci-?"}', "user: 'ci-?' holds a wildcard, which `user` does not support."),
        ('{user: "a b"}', "user: 'a b' is not a valid IAM user name."),
        ('{user: " a"}', "user: ' a' is not a valid IAM user name."),
        ('{user: "a\\n"}', "user: 'a\\n' is not a valid IAM user name."),
        ("{user: m\u00fcller}", "user: 'm\u00fcller' is not a valid IAM user name."),
        ("{user: " + "a" * 129 + "}", f"user: '{'a' * 129}' is not a valid IAM user name."),
        ("{user: [alice]}", "user: must be one value, not a list or mapping."),
        ("{}", "An entry has one selector, and this one has no selector."),
        ("{user: alice, path: /x/}", "An entry has one selector, and this one has user and path."),
        ('{pattern: "ci*"}', "pattern: 'ci*' has fewer than three literal characters."),
        ('{pattern: "ci-[ab]*"}', "pattern: 'ci-[ab]*' cannot match an IAM user name."),
        ("{path: /}", "path: '/' is not a path to approve by."),
        ("{path: //}", "path: '//' is not a path to approve by."),
        ("{path: /x}", "path: '/x' is not a path to approve by."),
        (
            "{arn: arn:aws:iam::123456789012:role/x}",
            "arn: 'arn:aws:iam::123456789012:role/x' is not the ARN of an IAM user.",
        ),
        (
            '{arn: "arn:aws:iam::123456789012:user/*"}',
            "arn: 'arn:aws:iam::123456789012:user/*' is not the ARN of an IAM user.",
        ),
        ("{arn: arn:aws:iam::12345:user/x}", "arn: 'arn:aws:iam::12345:user/x' is not the ARN of an IAM user."),
        ("{user: alice, kind: robot}", "kind: 'robot' is unknown."),
        ("{user: alice, onwer: bob}", "The key 'onwer' is unknown."),
        ("{user: alice, <<: bob}", "The key '<<' is unknown."),
        ("{user: alice, user: bob}", "The key 'user' is repeated, after line 3."),
        ("{user: alice, owner: }", "owner: has no value."),
        ("{user: alice, ticket: 4711}", "ticket: 4711 without quotes is not text to YAML, but a number."),
        ('{user: alice, owner: "\\ud800"}', "An escape in this text does not name a character."),
        ("{user: alice, expires_on: 2026-02-30}", "expires_on: '2026-02-30' is not a valid date."),
        ("{user: alice, expires_on: 2026-1-1}", "expires_on: '2026-1-1' is not a valid date."),
        ("{user: alice, expires_on: 2026-01-01T00:00:00Z}", "expires_on: '2026-01-01T00:00:00Z' is not a valid date."),
        (
            "{user: alice, expires_on: 20260101}",
            "expires_on: 20260101 without quotes is not text to YAML, but a number.",
        ),
        ("{user: alice, approved_on: 2026-02-01, expires_on: 2026-01-31}", "expires_on is before approved_on."),
        ('{pattern: "ci-*", user_id: AIDA1}', "user_id cannot be used with pattern."),
        ("{user: alice, user_id: AIDA 1}", "user_id: 'AIDA 1' is not a valid user ID."),
        ("!!str alice", "A tag (!) is not allowed."),
        ("!x alice", "A tag (!) is not allowed."),
        ("&a alice", "An anchor (&) is not allowed."),
        ("*a", "An alias (*) is not allowed."),
        ("[alice]", "user: must be one value, not a list or mapping."),
    ],
)
def test_an_entry_that_could_be_misread_is_refused(entry: str, problem: str) -> None:
    assert fault(f"version: 1\nglobal:\n  - {entry}\n") == (3, problem)


@pytest.mark.parametrize(
    "name", ["NA", "None", "nan", "Null-1", "a", "=1+1", "-x", "@home", "a" * 128, "000123", "true"]
)
def test_names_that_look_odd_are_names_in_quotes(name: str) -> None:
    assert [entry.value for entry in entries(f'  - "{name}"\n')] == [name]


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("123456789012", "accounts: the account ID 123456789012 is not quoted."),
        ("012345670123", "accounts: the account ID 012345670123 is not quoted."),
        ("0o1234567012", "accounts: the account ID 0o1234567012 is not quoted."),
        ('"12345678901"', "accounts: '12345678901' is not a valid account ID."),
        ('"1234567890123"', "accounts: '1234567890123' is not a valid account ID."),
        ('"\u0661\u0662\u0663456789012"', "accounts: '\u0661\u0662\u0663456789012' is not a valid account ID."),
        ('""', "accounts: has no value."),
    ],
)
def test_an_account_id_is_twelve_digits_in_quotes(key: str, problem: str) -> None:
    assert fault(f"version: 1\naccounts:\n  {key}: [alice]\n") == (3, problem)


@pytest.mark.parametrize("key", ['""', '"/Root"', "Root/", "Root//Prod", '" "'])
def test_an_ou_has_a_name_at_every_level(key: str) -> None:
    assert fault(f"version: 1\nous:\n  {key}: [alice]\n")[0] == 3


def test_an_arn_stands_under_its_own_account_only() -> None:
    arn = "arn:aws-cn:iam::123456789012:user/tools/backup"
    assert parsed(f'version: 1\naccounts: {{"123456789012": [{{arn: "{arn}"}}]}}\n').entries[0].value == arn
    line, problem = fault(f'version: 1\naccounts:\n  "210987654321":\n    - arn: {arn}\n')
    assert (line, problem) == (4, "The arn is of account 123456789012, and is listed under 210987654321.")


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        ("{require: [onwer]}", "require: 'onwer' is not a field that can be required."),
        ("{require: owner}", "require: must be a list."),
        ("{max_days: 0}", "max_days: must be a number of days."),
        ('{max_days: "365"}', "max_days: must be a number of days."),
        ("{allow_patterns: yes}", "allow_patterns: must be true or false."),
        ('{allow_patterns: "true"}', "allow_patterns: must be true or false."),
        ("{allow_pattern: true}", "The key 'allow_pattern' is unknown."),
        ("{approvers: ciso}", "approvers: must be a list."),
        ("[]", "policy must be a mapping."),
    ],
)
def test_a_policy_that_could_be_misread_is_refused(policy: str, problem: str) -> None:
    assert fault(f"version: 1\npolicy: {policy}\n") == (2, problem)


@pytest.mark.parametrize(
    ("policy", "entry", "invalid"),
    [
        ("{}", '{pattern: "ci-*"}', "it approves by pattern, which the policy does not allow"),
        ("{}", "{path: /x/}", "it approves by path, which the policy does not allow"),
        ("{require: [owner]}", "alice", "it has no owner"),
        ("{require: [user_id]}", "alice", "it has no user_id"),
        (
            "{max_days: 30}",
            "{user: alice, expires_on: 2026-12-01}",
            "it has no approved_on, which the policy needs to limit it to 30 days",
        ),
        (
            "{max_days: 30}",
            "{user: alice, approved_on: 2026-12-01}",
            "it has no expires_on, which the policy needs to limit it to 30 days",
        ),
        (
            "{max_days: 30}",
            "{user: alice, approved_on: 2026-11-01, expires_on: 2026-12-02}",
            "it is valid for 31 days, and the policy allows 30",
        ),
        ("{approvers: [ciso]}", "{user: alice, approved_by: bob}", "bob is not among the policy's approvers"),
        ("{approvers: [ciso]}", "{user: alice, approved_by: CISO}", "CISO is not among the policy's approvers"),
        ("{approvers: [ciso]}", "alice", "it has no approved_by, and the policy names who may approve"),
        ("{approvers: []}", "{user: alice, approved_by: bob}", "bob is not among the policy's approvers"),
    ],
)
def test_an_entry_that_breaks_the_policy_is_kept_and_marked(policy: str, entry: str, invalid: str) -> None:
    assert entries(f"  - {entry}\n", f"policy: {policy}\n")[0].invalid == (invalid,)


def test_the_longest_validity_is_still_valid() -> None:
    entry = "{user: alice, approved_on: 2026-11-01, expires_on: 2026-12-01}"
    assert entries(f"  - {entry}\n", "policy: {max_days: 30}\n")[0].invalid == ()


def test_a_policy_binds_the_files_before_it_too() -> None:
    safelist = parse(
        [text("version: 1\nglobal: [alice]\n"), text("version: 1\npolicy: {require: [owner]}\n", "b.yaml")]
    )
    assert safelist.entries[0].invalid == ("it has no owner",)


def test_there_is_one_policy_and_one_organization_in_all_files() -> None:
    content = "version: 1\npolicy: {}\norganization: o-aaaaaaaaa%s\n"
    assert [(each.file, each.line, each.problem) for each in faults(content % 1, content % 2, content % 1)] == [
        ("b.yaml", 2, "There can be one policy for all files, and a.yaml:2 has one."),
        ("c.yaml", 2, "There can be one policy for all files, and a.yaml:2 has one."),
        ("b.yaml", 3, "organization is o-aaaaaaaaa2, and a.yaml:3 says o-aaaaaaaaa1."),
    ]


def test_every_fault_of_every_file_is_told_at_once_in_order() -> None:
    first = "versoin: 1\nglobal:\n  - yes\n  - {user: alice, kind: x, owner: 1}\naccounts:\n  1: [2]\n"
    found = faults(first, "", "version: 1\nrevoked:\n  - alice\n  - {user: bob}\n")
    assert [(each.file, each.line) for each in found] == [
        ("a.yaml", 1),
        ("a.yaml", 1),
        ("a.yaml", 3),
        ("a.yaml", 4),
        ("a.yaml", 4),
        ("a.yaml", 6),
        ("a.yaml", 6),
        ("b.yaml", None),
        ("c.yaml", 3),
        ("c.yaml", 4),
    ]


def test_the_nearest_known_key_is_named() -> None:
    (found,) = faults("version: 1\nglobal: []\nacounts: {}\n")
    assert found.remedy == "Did you mean accounts?"


def test_an_approval_that_a_revocation_makes_void_is_warned_of() -> None:
    content = 'version: 1\naccounts: {"123456789012": [Alice]}\nrevoked:\n  - {account: "123456789012", user: alice}\n'
    assert parsed(content).warnings == ("The approval at a.yaml:2 has no effect: a.yaml:4 revokes it.",)


def test_another_organization_is_refused() -> None:
    safelist = Safelist(organization="o-ffffffffff")
    with pytest.raises(FaultsError, match="This is organization o-a1b2c3d4e5, and the safelists are for o-ffffffffff"):
        check_organization(safelist, ORGANIZATION)
    assert check_organization(safelist, "o-ffffffffff") == ()
    assert check_organization(Safelist(), ORGANIZATION) == ()
    assert "was not checked" in check_organization(safelist, None)[0]


def test_an_alias_bomb_is_refused_unread() -> None:
    bomb = "version: 1\na0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    assert any(each.problem == "An alias (*) is not allowed." for each in faults(bomb))


@given(st.text(alphabet="version: 1\nglobal-[]{}\"'*&!%#?|>@,0aé\x07\t~=<.", max_size=60))
def test_no_text_makes_the_reader_fail_otherwise_than_by_naming_faults(content: str) -> None:
    with contextlib.suppress(FaultsError):
        parsed("version: 1\nglobal:\n" + content)


# --- what a reviewer sees is what is read ----------------------------------------------------------------------------

INVISIBLE = {
    "a line separator": "\u2028",
    "a paragraph separator": "\u2029",
    "a next line": "\x85",
    "a lone carriage return": "\r",
    "a form feed": "\f",
    "a bidirectional override": "\u202e",
    "a bidirectional isolate": "\u2067",
    "a right-to-left mark": "\u200f",
    "a zero-width space": "\u200b",
    "a zero-width joiner": "\u200d",
    "a byte order mark in the text": "\ufeff",
    "a soft hyphen": "\u00ad",
    "a tag character": "\U000e0061",
    "a Hangul filler": "\u3164",
    "a bell": "\x07",
}
PLACES = {  # X: where the character stands; its line and column
    "a comment": ("version: 1\nglobal: []  # why X policy: {allow_patterns: true}\n", 2, 19),
    "a comment on a line of its own": ("# X.\nversion: 1\nglobal: []\n", 1, 3),
    "a key": ("version: 1\ngloXbal: []\n", 2, 4),
    "plain text": ("version: 1\nglobal:\n  - {user: alice, owner: aXb}\n", 3, 27),
    "quoted text": ('version: 1\nglobal:\n  - {user: alice, owner: "aXb"}\n', 3, 28),
    "block text": ("version: 1\nglobal:\n  - user: alice\n    reason: |\n      aXb\n", 5, 8),
    "nowhere else": ("version: 1\nglobal: []\nX", 3, 1),
}


@pytest.mark.parametrize("character", INVISIBLE.values(), ids=INVISIBLE)
@pytest.mark.parametrize(("content", "line", "column"), PLACES.values(), ids=PLACES)
def test_a_character_that_a_reviewer_does_not_see_is_refused_where_it_stands(
    content: str, line: int, column: int, character: str
) -> None:
    (fault,) = faults(content.replace("X", character))
    assert (fault.line, fault.column) == (line, column)
    assert f"U+{ord(character):04X}" in fault.problem
    assert str(fault).startswith(f"a.yaml:{line}:{column}: ")


@pytest.mark.parametrize("escape", ["\\u200b", "\\u2028", "\\x0d", "\\e", "\\N", "\\L", "\\P", "\\u202E"])
def test_an_escape_does_not_bring_in_what_the_text_may_not_hold(escape: str) -> None:
    found = faults(f'version: 1\nglobal:\n  - {{user: alice, owner: "a{escape}b"}}\n')
    assert any(str(fault).startswith("a.yaml:3:26: The text holds U+") for fault in found), found


@pytest.mark.parametrize("text", ["müller", "日本語", "\N{WARNING SIGN}\ufe0f look", "e\u0301"])
def test_what_can_be_seen_may_stand_in_comments_and_texts(text: str) -> None:
    (entry,) = parsed(f"version: 1  # {text}\nglobal:\n  - {{user: alice, owner: x {text}}}\n").entries
    assert entry.owner == f"x {text}"


@pytest.mark.parametrize("blank", ["\u00a0", "\u2800", " \u3000 "])
@pytest.mark.parametrize("field", ["owner", "reason", "ticket", "approved_by"])
def test_a_text_that_looks_blank_is_not_filled_in(field: str, blank: str) -> None:
    assert fault(f'version: 1\nglobal:\n  - {{user: alice, {field}: "{blank}"}}\n') == (
        3,
        f"{field}: has no value.",
    )


@pytest.mark.parametrize("end", ["---\n", "...\n", "---\n# the end\n", "---\n---\n"])
def test_marks_at_the_end_of_a_file_begin_no_second_document(end: str) -> None:
    assert len(parsed(f"version: 1\nglobal: [alice]\n{end}").entries) == 1


def test_what_follows_such_a_mark_is_a_second_document() -> None:
    assert fault("version: 1\nglobal: []\n---\nglobal: [eve]\n") == (3, "A second YAML document begins here.")


@pytest.mark.parametrize("field", ["owner", "reason", "ticket", "approved_by"])
def test_a_hash_in_a_text_does_not_cut_it_off_without_a_word(field: str) -> None:
    line, problem = fault(f"version: 1\nglobal:\n  - user: alice\n    {field}: see #SEC-101\n")
    assert line == 4
    assert problem == f"{field}: a # begins a comment here, and the text ends before it."


@pytest.mark.parametrize("line", ["- alice  #SEC-101", "- {user: alice}  #x", "- {user: alice, owner: me}  #x"])
def test_a_comment_behind_an_entry_is_a_comment(line: str) -> None:
    assert len(entries(f"  {line}\n")) == 1


@pytest.mark.parametrize("text", ["see  # the ticket", '"see #SEC-101"', "see#SEC-101", "see SEC-101 ## old"])
def test_a_text_with_an_ordinary_comment_or_in_quotes_is_read(text: str) -> None:
    (entry,) = entries(f"  - user: alice\n    reason: {text}\n")
    assert str(entry.reason).startswith("see")


SLIPS = {  # the place that is named, and what is said of it
    "a colon in a text": ("  - user: alice\n    reason: Ticket: 12\n", "4:19", "a text with a colon and a space in it"),
    "a colon in a flow text": (
        "  - {user: alice, reason: Ticket: 12}\n",
        "3:33",
        "a comma is missing, or a text needs",
    ),
    "a tab": ("\t- alice\n", "3:1", "a tab stands where YAML needs spaces"),
    "a tab behind a key": ("  - user:\talice\n", "3:10", "a tab stands where YAML needs spaces"),
    "a key indented too little": (
        "  - user: alice\n   owner: me\n",
        "4:4",
        "(3) fits no line above. Indent it by 4 or 0 spaces.",
    ),
    "a key indented too far": (
        "  - user: alice\n      owner: me\n",
        "4:7",
        "(6) fits no line above. Indent it by 4 or 0 spaces.",
    ),
    "a dash indented otherwise": ("  - alice\n - bob\n", "4:2", "(1) fits no line above. Indent it by 2 spaces."),
    "a name with an @": ("  - user: @ops\n", "3:11", "a text that begins with @ needs quotes"),
    "a pattern without quotes": ("  - pattern: *-bot\n", "3:14", "An alias (*) is not allowed."),
    "a text with a dash": (
        "  - user: alice\n    reason: - none\n",
        "4:13",
        "a list cannot begin on the line of its key",
    ),
    "a text with a >": ("  - user: alice\n    reason: > 90 days\n", "4:15", "begins with | or > needs quotes"),
    "a text in brackets": ("  - user: alice\n    reason: [SEC-1] job\n", "4:21", "more text follows the closing quote"),
    "a text behind a quote": ('  - user: alice\n    owner: "A" (ops)\n', "4:16", "more text follows the closing quote"),
    "an apostrophe": ("  - user: alice\n    reason: 'it's'\n", "4:17", "more text follows the closing quote"),
    "a backslash": (
        '  - user: alice\n    reason: "C:\\dir"\n',
        "4:17",
        "a backslash in double quotes begins an escape",
    ),
    "an open quote": ('  - user: alice\n    reason: "x\n  - user: bob\n', "4:13", "the quote that opens here is not"),
    "an open bracket": ("  - {user: alice\n  - user: bob\n", "3:5", "the bracket that opens here is not closed"),
    "a hash in flow": ("  - {user: alice, reason: see #12}\n  - bob\n", "3", "the bracket in it closes nothing"),
    "a hash alone in flow": ("  - {user: alice, ticket: #12}\n", "3", "the bracket in it closes nothing"),
    "a key without a colon": (
        "  - user: alice\n    reason\n    owner: me\n",
        "4:5",
        "a colon is missing on this line",
    ),
    "an account without a colon": ("accounts:\n  123456789012\n    - user: bob\n", "4", "a colon is missing"),
    "an account in quotes without one": ('accounts:\n  "123456789012"\n    - bob\n', "4", "a colon is missing"),
    "a colon without a space": ("  - user: alice\n    owner:me\n", "4:5", "a colon needs a space after it"),
    "a colon without a space above": ("  - alice\nrevoked:x\nous:\n", "4:1", "a colon needs a space after it"),
    "a list that goes on elsewhere": ("  - user: alice\n   - bob\n", "4:4", "Indent it by 2 spaces."),
    "a section indented by one": ("  - alice\n ous: {}\n", "4:2", "Indent it by 0 spaces."),
    "a list with *": ("  * alice\n", "3:3", "a text that begins with * needs quotes"),
    "a bracket too many": ("  - {user: alice}}\n", "3:18", "this bracket closes nothing"),
    "a text with a bracket": ("  - user: alice\n    reason: ]x\n", "4:13", "a text that begins with ] needs quotes"),
}


@pytest.mark.parametrize(("lines", "place", "problem"), SLIPS.values(), ids=SLIPS)
def test_the_slips_that_are_made_most_often_are_said_in_plain_words(lines: str, place: str, problem: str) -> None:
    (fault,) = faults(f"version: 1\nglobal:\n{lines}")
    assert str(fault).startswith(f"a.yaml:{place}: ")
    assert problem in f"{fault.problem} {fault.remedy}"


def test_a_text_that_begins_with_a_hash_is_told_to_need_quotes() -> None:
    (fault,) = faults("version: 1\nglobal:\n  - user: alice\n    ticket: #12\n")
    assert str(fault) == (
        "a.yaml:4: ticket: has no value. Give it one, in quotes where it begins with #, or remove the key."
    )


@pytest.mark.parametrize("character", ["\ufffe", "\uffff"])
def test_what_is_no_character_is_refused_where_it_stands(character: str) -> None:
    assert [str(fault) for fault in faults(f"version: 1\nglobal: []  # {character}\n")] == [
        "a.yaml:2:15: Not valid YAML: a character is not text. Remove it."
    ]


def test_a_file_full_of_invisible_characters_says_how_many_lines_more_there_are() -> None:
    found = faults("version: 1\n" + "#\u200b\n" * 25)
    assert [fault.line for fault in found] == list(range(2, 23))
    assert found[-1].problem == "From here on, 5 more lines hold characters that cannot be seen."


@pytest.mark.parametrize("mark", ["!x", "&x"])
def test_a_mark_at_the_end_of_a_file_is_refused_as_elsewhere(mark: str) -> None:
    (fault,) = faults(f"version: 1\nglobal: []\n--- {mark}\n")
    assert str(fault).startswith("a.yaml:3:5: A")
