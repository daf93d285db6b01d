"""Editing a safelist's text: what is added is there, and nothing else has changed, whatever the file looks like."""

from dataclasses import replace
from datetime import date
from difflib import unified_diff
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.errors import UsageError
from scanner.model import AccountId, Entry, Kind, Revocation, Scope, Selector
from scanner.record import SafelistText
from scanner.safelist.edit import Edits, edited
from scanner.safelist.entries import parse
from scanner.safelist.types import Safelist
from scanner.text import first_invisible, is_blank

ROOT = Path(__file__).parents[2]


def approval(account: str = "000000000001", user: str = "alice", **more: object) -> Entry:
    fields = {"user_id": "AIDAALICE", "approved_on": date(2026, 11, 24), "approved_by": "ciso@example.com", **more}
    return Entry(
        scope=Scope.ACCOUNT,
        scope_value=account,
        selector=Selector.USER,
        value=user,
        file="",
        line=0,
        **fields,  # type: ignore[arg-type]
    )


def revocation(account: str = "000000000001", user: str = "bob") -> Revocation:
    return Revocation(
        account_id=AccountId(account), user=user, user_id="AIDABOB", by="ciso@example.com", file="", line=0
    )


def file_of(text: str) -> SafelistText:
    return SafelistText(path="prod.yaml", text=text)


def added(text: str, *what: Entry | Revocation) -> str:
    edits = Edits(
        approvals=tuple(each for each in what if isinstance(each, Entry)),
        revocations=tuple(each for each in what if isinstance(each, Revocation)),
    )
    return edited(file_of(text), edits)


def lifted(text: str, *lines: int) -> str:
    found = parse([file_of(text)]).revocations
    return edited(file_of(text), Edits(lifted=tuple(each for each in found if each.line in lines)))


def diff(before: str, after: str) -> str:
    """The lines that are new or gone, and nothing around them."""
    lines = unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def shown(text: str) -> str:
    return dedent(text).strip("\n")


# --- each layout -----------------------------------------------------------------------------------------------------


def test_the_example_of_the_repository_gets_an_entry_in_its_own_style() -> None:
    text = (ROOT / "config/safelists/safelist.yaml.example").read_text(encoding="utf-8")
    entry = approval("123456789012", kind=Kind.SERVICE, reason="Nightly: export", expires_on=date(2027, 5, 1))
    after = added(text, entry, revocation(), approval("000000000007"))
    assert diff(text, after) == shown("""
        +    - user: alice
        +      user_id: AIDAALICE
        +      kind: service
        +      reason: "Nightly: export"
        +      approved_by: ciso@example.com
        +      approved_on: 2026-11-24
        +      expires_on: 2027-05-01
        +  "000000000007":
        +    - user: alice
        +      user_id: AIDAALICE
        +      approved_by: ciso@example.com
        +      approved_on: 2026-11-24
        +  - {account: "000000000001", user: bob, user_id: AIDABOB, by: ciso@example.com}
    """)


def test_sections_that_are_not_there_are_added_at_the_end() -> None:
    after = added("version: 1\nglobal: []\n# the end\n", approval(), revocation())
    assert after == dedent("""\
        version: 1
        global: []
        # the end
        revoked:
          - {account: "000000000001", user: bob, user_id: AIDABOB, by: ciso@example.com}
        accounts:
          "000000000001":
            - user: alice
              user_id: AIDAALICE
              approved_by: ciso@example.com
              approved_on: 2026-11-24
        """)


def test_empty_sections_are_opened_and_their_comments_stay() -> None:
    before = "version: 1\naccounts: {}  # none yet\n\nrevoked: []\n"
    assert added(before, approval(approved_by=None, approved_on=None), revocation()) == dedent("""\
        version: 1
        accounts:  # none yet
          "000000000001":
            - user: alice
              user_id: AIDAALICE

        revoked:
          - {account: "000000000001", user: bob, user_id: AIDABOB, by: ciso@example.com}
        """)


def test_comments_stay_with_what_they_are_about() -> None:
    before = dedent("""\
        version: 1
        accounts:
          '000000000001':
          - user: one   # the first
            # his reason is a long one
            reason: >
              folded

            # the end of one
          # the second account
          '000000000002': [two]  # a bare name
        # who must go
        revoked:
        - account: "000000000009"
          user: gone
        # - nobody else
        """)
    bare = approval(approved_by=None, approved_on=None)
    after = added(before, bare, replace(bare, scope_value="000000000002"), revocation(), approval("000000000003"))
    assert after == dedent("""\
        version: 1
        accounts:
          '000000000001':
          - user: one   # the first
            # his reason is a long one
            reason: >
              folded
          - user: alice
            user_id: AIDAALICE

            # the end of one
          # the second account
          '000000000002': [two, {user: alice, user_id: AIDAALICE}]  # a bare name
          '000000000003':
          - user: alice
            user_id: AIDAALICE
            approved_by: ciso@example.com
            approved_on: 2026-11-24
        # who must go
        revoked:
        - account: "000000000009"
          user: gone
        - account: "000000000001"
          user: bob
          user_id: AIDABOB
          by: ciso@example.com
        # - nobody else
        """)


def test_a_file_in_flow_style_stays_in_it() -> None:
    before = '{version: 1, accounts: {"000000000001": [one, ]}}'
    assert added(before, approval(approved_by=None, approved_on=None), revocation()) == (
        '{version: 1, accounts: {"000000000001": [one, {user: alice, user_id: AIDAALICE}, ]}, '
        'revoked: [{account: "000000000001", user: bob, user_id: AIDABOB, by: ciso@example.com}]}'
    )


def test_line_ends_are_those_of_the_file() -> None:
    after = added("version: 1\r\nglobal: []\r\n", approval())
    assert after.count("\n") == after.count("\r\n") == 8


def test_a_last_line_without_an_end_stays_without_one() -> None:
    after = added("version: 1\nglobal: []", approval(approved_by=None, approved_on=None), revocation())
    assert after.startswith("version: 1\nglobal: []\nrevoked:\n")
    assert after.endswith("\n      user_id: AIDAALICE")


def test_an_end_of_the_document_stays_at_the_end() -> None:
    assert added("---\nversion: 1\nglobal: []\n...\n", revocation()).endswith("by: ciso@example.com}\n...\n")


# --- taking out ------------------------------------------------------------------------------------------------------


def test_a_revocation_is_taken_out_with_its_own_line_and_no_other() -> None:
    before = dedent("""\
        version: 1
        revoked:
          # the first
          - {account: "000000000001", user: one}  # SEC-1
          - account: "000000000001"
            user: two

          - {account: "000000000001", user: three}
        # the end
        """)
    assert diff(before, lifted(before, 4)) == '-  - {account: "000000000001", user: one}  # SEC-1'
    assert diff(before, lifted(before, 5)) == '-  - account: "000000000001"\n-    user: two'
    assert lifted(before, 4, 5, 8) == "version: 1\nrevoked: []\n  # the first\n\n# the end\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[{A, user: a}, {A, user: b}]", "[{A, user: b}]"),
        ("[{A, user: b}, {A, user: a}]", "[{A, user: b}]"),
        ("[{A, user: a}]", "[]"),
        ("[{A, user: a},]", "[]"),
        ("[ {A, user: b},  # b\n  {A, user: a}\n  ]", "[ {A, user: b}  # b\n  \n  ]"),
    ],
)
def test_a_revocation_in_a_flow_list_is_taken_out_with_its_comma(before: str, after: str) -> None:
    account = 'account: "000000000001"'
    text = f"version: 1\nrevoked: {before.replace('A', account)}\n"
    gone = tuple(each for each in parse([file_of(text)]).revocations if each.user == "a")
    expected = f"version: 1\nrevoked: {after.replace('A', account)}\n"
    assert edited(file_of(text), Edits(lifted=gone)) == expected


def test_a_layout_that_it_does_not_know_is_refused() -> None:
    text = 'version: 1\nrevoked:\n  -\n    account: "000000000001"\n    user: one\n'
    with pytest.raises(UsageError, match=r"prod\.yaml cannot be changed .* line 4 does not begin with the dash"):
        lifted(text, 4)


def test_what_a_safelist_cannot_hold_is_refused() -> None:
    with pytest.raises(UsageError, match="not a valid IAM user name"):
        added("version: 1\nglobal: []\n", approval(user="not a name"))


# --- renewing --------------------------------------------------------------------------------------------------------


def renewed(text: str, new: Entry) -> str:
    """The text after its first account entry was renewed."""
    old = next(entry for entry in parse([file_of(text)]).entries if entry.scope is Scope.ACCOUNT)
    return edited(file_of(text), Edits(renewals=((old, replace(new, selector=old.selector, value=old.value)),)))


RENEWAL = approval(owner="db@example.com", approved_on=date(2027, 1, 4), expires_on=date(2027, 6, 30))
RENEWED = {
    "a block": (
        """\
        version: 1
        accounts:
          '000000000001':
            # the nightly job
            - user: "alice"   # of finance
              user_id: AIDAALICE
              # asked for in SEC-1
              owner: db@example.com
              approved_by: ciso@example.com
              approved_on: 2026-01-04   # first
              expires_on: 2026-06-30
            - bob
        """,
        """\
        -      approved_on: 2026-01-04   # first
        -      expires_on: 2026-06-30
        +      approved_on: 2027-01-04   # first
        +      expires_on: 2027-06-30""",
    ),
    "a block with fields that come and go": (
        """\
        version: 1
        accounts:
          "000000000001":
            - user: alice
              ticket: SEC-1
              reason: |
                a long
                story
              approved_by: ciso@example.com

            # next
            - bob
        """,
        """\
        -      ticket: SEC-1
        -      reason: |
        -        a long
        -        story
        +      user_id: AIDAALICE
        +      owner: db@example.com
        +      approved_on: 2027-01-04
        +      expires_on: 2027-06-30""",
    ),
    "a flow entry": (
        """\
        version: 1
        accounts:
          "000000000001":
            - {user: alice, ticket: SEC-1, approved_by: ciso@example.com, user_id: AIDAALICE}  # of finance
        """,
        """\
        -    - {user: alice, ticket: SEC-1, approved_by: ciso@example.com, user_id: AIDAALICE}  # of finance
        +    - {user: alice, approved_by: ciso@example.com, user_id: AIDAALICE, owner: db@example.com, approved_on: 2027-01-04, expires_on: 2027-06-30}  # of finance""",  # noqa: E501
    ),
    "a bare name": (
        """\
        version: 1
        accounts:
          "000000000001":
            - alice   # of finance
            - bob
        """,
        """\
        -    - alice   # of finance
        +    - {user: alice, user_id: AIDAALICE, owner: db@example.com, approved_by: ciso@example.com, approved_on: 2027-01-04, expires_on: 2027-06-30}   # of finance""",  # noqa: E501
    ),
    "a block that begins with a field that goes": (
        """\
        version: 1
        accounts:
          "000000000001":
            - ticket: SEC-1
              reason: nightly
              user: alice  # of finance
              approved_by: ciso@example.com
        """,
        """\
        -    - ticket: SEC-1
        -      reason: nightly
        -      user: alice  # of finance
        +    - user: alice  # of finance
        +      user_id: AIDAALICE
        +      owner: db@example.com
        +      approved_on: 2027-01-04
        +      expires_on: 2027-06-30""",
    ),
    "a flow entry that begins with a field that goes": (
        """\
        version: 1
        accounts:
          "000000000001":
            - {ticket: SEC-1, user: alice, user_id: AIDAALICE, owner: db@example.com, approved_by: ciso@example.com}
        """,
        """\
        -    - {ticket: SEC-1, user: alice, user_id: AIDAALICE, owner: db@example.com, approved_by: ciso@example.com}
        +    - {user: alice, user_id: AIDAALICE, owner: db@example.com, approved_by: ciso@example.com, approved_on: 2027-01-04, expires_on: 2027-06-30}""",  # noqa: E501
    ),
    "a block with comments beside fields that go": (
        """\
        version: 1
        accounts:
          "000000000001":
            - user: alice
              ticket: SEC-1  # urgent
              reason: |  # in full
                nightly
                jobs
              # by
              approved_by: ciso@example.com
        """,
        """\
        -      ticket: SEC-1  # urgent
        -      reason: |  # in full
        -        nightly
        -        jobs
        +      # urgent
        +      # in full
        +      user_id: AIDAALICE
        +      owner: db@example.com
        +      approved_on: 2027-01-04
        +      expires_on: 2027-06-30""",
    ),
    "a flow on several lines": (
        """\
        version: 1
        accounts:
          "000000000001":
            - {user: alice,  # of finance
               ticket: SEC-1,  # urgent
               approved_by: ciso@example.com}  # twice
        """,
        """\
        -       ticket: SEC-1,  # urgent
        -       approved_by: ciso@example.com}  # twice
        +       # urgent
        +       approved_by: ciso@example.com, user_id: AIDAALICE, owner: db@example.com, approved_on: 2027-01-04, expires_on: 2027-06-30}  # twice""",  # noqa: E501
    ),
    "a flow whose end goes": (
        """\
        version: 1
        accounts:
          "000000000001":
            - {user: alice,  # of finance
               ticket: SEC-1, reason: nightly}
        """,
        """\
        -    - {user: alice,  # of finance
        -       ticket: SEC-1, reason: nightly}
        +    - {user: alice, user_id: AIDAALICE, owner: db@example.com, approved_by: ciso@example.com, approved_on: 2027-01-04, expires_on: 2027-06-30  # of finance
        +       }""",  # noqa: E501
    ),
    "a text on lines of its own": (
        """\
        version: 1
        accounts:
          "000000000001":
            - user: alice
              owner: >-  # asked in SEC-2
                the team
                of old
              # the chief
              approved_by: ciso@example.com
        """,
        """\
        -      owner: >-  # asked in SEC-2
        -        the team
        -        of old
        +      owner: db@example.com  # asked in SEC-2
        +      user_id: AIDAALICE
        +      approved_on: 2027-01-04
        +      expires_on: 2027-06-30""",
    ),
    "an ARN": (
        """\
        version: 1
        accounts:
          "000000000001":
            - arn: arn:aws:iam::000000000001:user/alice
              expires_on: 2026-06-30
        """,
        """\
        -      expires_on: 2026-06-30
        +      expires_on: 2027-06-30
        +      user_id: AIDAALICE
        +      owner: db@example.com
        +      approved_by: ciso@example.com
        +      approved_on: 2027-01-04""",
    ),
}


@pytest.mark.parametrize(("text", "expected"), RENEWED.values(), ids=RENEWED)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_renewal_changes_the_fields_of_its_entry_and_no_other_byte(text: str, expected: str, newline: str) -> None:
    before = dedent(text).replace("\n", newline)
    after = renewed(before, RENEWAL)
    assert diff(before, after) == dedent(expected)
    assert newline == "\n" or "\n" not in after.replace("\r\n", "")


@pytest.mark.parametrize(
    "first", ["ticket: SEC-1  # urgent", "ticket: SEC-1\n      # urgent", "ticket: |  # urgent\n        SEC-1"]
)
def test_a_renewal_that_would_take_a_comment_with_it_is_refused(first: str) -> None:
    text = f"version: 1\naccounts:\n  '000000000001':\n    - {first}\n      user: alice\n"
    with pytest.raises(UsageError, match="a comment follows the beginning of the entry on line 4"):
        renewed(text, RENEWAL)


def test_an_entry_renewed_four_times_is_one_entry() -> None:
    text = dedent(RENEWED["a bare name"][0])
    for year in range(2027, 2031):
        text = renewed(text, replace(RENEWAL, expires_on=date(year, 6, 30)))
    alice, bob = parse([file_of(text)]).entries
    assert (alice.value, alice.expires_on, bob.value) == ("alice", date(2030, 6, 30), "bob")
    assert text.count("# of finance") == 1


# --- whatever the file and the values --------------------------------------------------------------------------------

ONE = 'account: "000000000001"'
TOPS = ("version: 1\n", "# a comment\nversion: 1   # one\n\n", "---\nversion: 1\norganization: o-a1b2c3d4e5\n")
GLOBALS = ("global: []\n", "global:\n- one\n- {user: two}   # two\n", "global:\n    -   user: one\n        owner: me\n")
ACCOUNTS = (
    "",
    "accounts: {}\n",
    "accounts: {  # none\n  }\n",
    'accounts:\n  "000000000001": []  # none\n  # later\n',
    "accounts:\n    '000000000001':\n    # 1\n    - one\n    -   user: two\n        owner: |\n         me\n\n    # n\n",
    'accounts: {"000000000001": [one, {user: two,\n   owner: me},  # why\n  ], }\n',
    'accounts:\n  "000000000001":\n    - one\n  "000000000002":\n    - {user: two}\n      # two\n  # end\n',
)
REVOKED = (
    "",
    "revoked: []\n",
    f"revoked:\n  - {{{ONE}, user: eve}}  # eve\n\n  # all\n",
    f"revoked:\n-   {ONE}\n    user: eve\n# all\n",
    f"revoked: [{{{ONE}, user: eve}}]\n",
)
ENDS = ("", "# the end\n", "\n\n")
layouts = st.tuples(st.sampled_from(TOPS), st.permutations([0, 1, 2]), st.sampled_from(ENDS)).flatmap(
    lambda drawn: st.tuples(st.sampled_from(GLOBALS), st.sampled_from(ACCOUNTS), st.sampled_from(REVOKED)).map(
        lambda sections: drawn[0] + "".join(sections[number] for number in drawn[1]) + drawn[2]
    )
)
texts = st.text(min_size=1, max_size=20).map(lambda text: " ".join(text.split())).filter(str.strip)
plain_texts = texts.filter(lambda text: not is_blank(text) and first_invisible(text) is None)
odd_texts = st.sampled_from(
    ["yes", "N", "null", "~", "1e3", "012", "2026-01-01", "a: b", "a #b", "- x", "{x}", "=1", "x "]
)
values = st.none() | plain_texts | odd_texts.map(str.strip)
names = st.sampled_from(["alice", "null", "no", "=1+1", "1e3", "-", "a.b@c", "0x1F", "y"])
entries = st.builds(
    approval,
    st.sampled_from(["000000000001", "000000000002", "012345678901"]),
    names,
    owner=values,
    reason=values,
    ticket=values,
    kind=st.none() | st.sampled_from(Kind),
)
places = st.sampled_from(
    [
        *((Scope.ACCOUNT, "000000000001"), (Scope.ACCOUNT, "000000000002"), (Scope.GLOBAL, "")),
        *((Scope.OU, "Root/Prod"), (Scope.OU, "ou-abcd-12345678"), (Scope.OU, "Root/A: B"), (Scope.OU, "yes")),
    ]
)
anywhere = st.builds(lambda entry, place: replace(entry, scope=place[0], scope_value=place[1]), entries, places)
revocations = st.builds(revocation, st.sampled_from(["000000000001", "000000000002"]), names)


def told(each: Entry | Revocation) -> str:
    bare: Entry | Revocation = replace(each, file="", line=0)
    return str(bare)


def said(safelist: Safelist) -> list[str]:
    return sorted([*map(told, safelist.entries), *map(told, safelist.revocations)])


def is_subsequence(part: str, whole: str) -> bool:
    left = iter(whole)
    return all(each in left for each in part)


@settings(max_examples=80)
@given(layouts, st.lists(anywhere, max_size=4), st.lists(revocations, max_size=3), st.booleans(), st.booleans())
def test_what_is_added_is_there_and_all_else_is_as_it_was(
    text: str, more: list[Entry], gone: list[Revocation], crlf: bool, cut_off: bool
) -> None:
    text = text.replace("\n", "\r\n") if crlf else text
    text = text.rstrip() if cut_off else text
    after = added(text, *more, *gone)
    before = parse([file_of(text)])
    assert said(parse([file_of(after)])) == sorted([*said(before), *map(told, more), *map(told, gone)])
    # Nothing but the emptiness of a section was taken away.
    assert is_subsequence(text.replace("{}", "").replace("[]", "").replace(" ", ""), after.replace(" ", ""))
    assert crlf is False or "\n" not in after.replace("\r\n", "")


@settings(max_examples=40)
@given(layouts, st.lists(revocations, min_size=1, max_size=4), st.data())
def test_what_is_taken_out_is_gone_and_all_else_is_as_it_was(
    text: str, more: list[Revocation], data: st.DataObject
) -> None:
    text = added(text, *more)
    before = parse([file_of(text)])
    gone = tuple(data.draw(st.sets(st.sampled_from(before.revocations))))
    after = edited(file_of(text), Edits(lifted=gone))
    left = replace(before, revocations=tuple(each for each in before.revocations if each not in gone))
    assert said(parse([file_of(after)])) == said(left)
    assert is_subsequence(after.replace("[]", ""), text)


@settings(max_examples=60)
@given(layouts, st.lists(anywhere, min_size=1, max_size=3), st.data())
def test_what_is_renewed_says_what_was_asked_for_whatever_the_file(
    text: str, more: list[Entry], data: st.DataObject
) -> None:
    text = added(text, *more)
    before = parse([file_of(text)])
    old = data.draw(st.sampled_from([entry for entry in before.entries if entry.selector is Selector.USER]))
    new = replace(data.draw(entries), value=old.value, scope=old.scope, scope_value=old.scope_value)
    after = parse([file_of(edited(file_of(text), Edits(renewals=((old, new),))))])
    expected = [told(entry) for entry in before.entries]
    expected[before.entries.index(old)] = told(new)
    assert sorted(map(told, after.entries)) == sorted(expected)


def test_several_approvals_are_renewed_at_once_also_where_the_policy_stands_in_another_file() -> None:
    text = 'version: 1\naccounts:\n  "000000000001": [one, {user: two}]\n'
    text += "global:\n- three  # 3\n- user: four\n  owner: me\n"
    before = parse([file_of(text), SafelistText(path="policy.yaml", text="version: 1\npolicy: {require: [ticket]}\n")])
    assert all(entry.invalid for entry in before.entries)
    renewals = tuple((old, replace(old, ticket="SEC-1", owner=None)) for old in before.entries)
    assert edited(file_of(text), Edits(renewals=renewals)) == (
        'version: 1\naccounts:\n  "000000000001": [{user: one, ticket: SEC-1}, {user: two, ticket: SEC-1}]\n'
        "global:\n- {user: three, ticket: SEC-1}  # 3\n- user: four\n  ticket: SEC-1\n"
    )
