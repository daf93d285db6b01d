"""What holds of every baseline, whatever the safelist says: who is approved by it, and who is not."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scanner.errors import FaultsError
from scanner.model import Basis
from scanner.record import Record, SafelistText
from scanner.safelist.additions import Additions, additions
from scanner.safelist.entries import parse
from scanner.safelist.import_request import Request
from scanner.safelist.match import Index
from tests.builders import AS_OF, account, listing, record, scanned, user

ACCOUNTS = (account(1, ou_path="Root/Prod"), account(2, ou_path="Root/Dev"))
IDS = ("AIDA1", "AIDA2")
NAMES = ("alice", "bob", "ci-1")
PATHS = ("/", "/ops/")

names = st.sampled_from([*NAMES, "ALICE"])
details = st.lists(
    st.sampled_from(["expires_on: 2026-01-01", "owner: x", "approved_on: 2026-12-24"]), max_size=2, unique=True
)
by_name = names.map(lambda name: f"user: {name}") | st.builds(
    "user: {}, user_id: {}".format, names, st.sampled_from(IDS)
)
by_pattern = names.map(lambda name: f"pattern: '{name[:3]}*'")


def entries(selectors: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    built = st.builds(lambda selector, more: f"{{{', '.join([selector, *more])}}}", selectors, details)
    return st.lists(built, max_size=2).map(lambda items: f"[{', '.join(items)}]")


def of_account(number: str) -> st.SearchStrategy[str]:
    arn = f"arn: 'arn:aws:iam::{number}:user{{}}{{}}'"
    return entries(by_name | st.builds(arn.format, st.sampled_from(PATHS), names))


revoked = st.builds(
    '{{account: "{}", user: {}{}}}'.format,
    st.sampled_from([each.id for each in ACCOUNTS]),
    names,
    st.sampled_from(["", ", user_id: AIDA1"]),
)
safelists = st.builds(
    "version: 1\npolicy: {{allow_patterns: true{}}}\nglobal: {}\nous:\n  Root/Dev: {}\naccounts:\n"
    '  "000000000001": {}\n  "000000000002": {}\nrevoked: [{}]\n'.format,
    st.sampled_from(["", ", require: [owner]"]),
    entries(by_name | by_pattern),
    entries(by_name),
    of_account(ACCOUNTS[0].id),
    of_account(ACCOUNTS[1].id),
    st.lists(revoked, max_size=1).map(", ".join),
)
runs = st.tuples(
    *(
        st.lists(
            st.builds(
                lambda name, user_id, path, at=each.id: user(name, user_id=user_id, in_account=at, path=path),
                st.sampled_from(NAMES),
                st.sampled_from(IDS),
                st.sampled_from(PATHS),
            ),
            max_size=3,
            unique_by=lambda found: found.user_name,
        )
        for each in ACCOUNTS
    )
).map(
    lambda users: record(
        *(scanned(each.id, *found) for each, found in zip(ACCOUNTS, users, strict=True)), listing=listing(*ACCOUNTS)
    )
)


def texts(text: str) -> list[SafelistText]:
    return [SafelistText(path="own.yaml", text=text)]


def baseline(run: Record, text: str) -> Additions:
    request = Request(lists=(), is_baseline=True, record=run, fields={"owner": "ops"})
    return additions(request, texts(text), None, AS_OF)


def decided(run: Record, text: str) -> dict[tuple[str, str], Basis]:
    index = Index(parse(texts(text)), AS_OF)
    return {
        (each.id, found.user_name): index.decide(each, found).basis
        for each in ACCOUNTS
        for scan in (run.scans[each.id],)
        for found in getattr(scan, "users", ())
    }


@settings(max_examples=40)
@given(safelists, runs)
def test_a_baseline_approves_all_but_who_is_revoked_or_recreated_and_once(safelist: str, run: Record) -> None:
    try:
        before = decided(run, safelist)
    except FaultsError:  # an approval that ends before it begins
        assume(False)
        pytest.fail("not reached")
    added = baseline(run, safelist)
    after = added.changes[0].after if added.changes else safelist
    refused = {(one.entry.scope_value, one.entry.value) for one in added.refused}
    for who, basis in decided(run, after).items():
        assert (basis is Basis.SAFELISTED) == (who not in refused), who
        assert before[who] not in {Basis.REVOKED, Basis.USER_RECREATED} or who in refused, who
        assert before[who] is not Basis.SAFELISTED or basis is Basis.SAFELISTED, who
    assert baseline(run, after).changes == ()
