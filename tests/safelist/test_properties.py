"""What must hold for every name, pattern and safelist, whatever they are."""

import dataclasses
import string

from hypothesis import example, given
from hypothesis import strategies as st

from scanner.model import Determination, Entry, Revocation, Scope, Selector
from scanner.safelist.match import Index
from scanner.safelist.near import Neighbours
from scanner.safelist.patterns import Patterns
from scanner.safelist.types import Policy, Safelist, fold
from tests.builders import AS_OF, account, account_id, user

IAM = string.ascii_letters + string.digits + "_+=,.@-"
names = st.text(alphabet=IAM, min_size=1, max_size=12)
any_text = st.text(max_size=12)
few_names = st.text(alphabet="aAbB", min_size=1, max_size=3)  # so that names meet
ids = st.sampled_from(["AIDA1", "AIDA2"])


def selecting(selector: Selector, value: str, user_id: str | None = None) -> Entry:
    return Entry(
        scope=Scope.GLOBAL, scope_value="", selector=selector, value=value, user_id=user_id, file="a.yaml", line=1
    )


def approved(safelist: Safelist, name: str, user_id: str = "AIDA1") -> bool:
    decision = Index(safelist, AS_OF).decide(account(1), user(name, user_id=user_id))
    return decision.determination is Determination.APPROVED


def oracle_fold(name: str) -> str:
    return "".join(chr(ord(each) + 32) if "A" <= each <= "Z" else each for each in name)


def oracle_match(pattern: str, name: str) -> bool:
    """Matching by its definition, a letter at a time; slow and obvious."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(oracle_match(pattern[1:], name[skip:]) for skip in range(len(name) + 1))
    return bool(name) and pattern[0] in {"?", name[0]} and oracle_match(pattern[1:], name[1:])


@given(names, any_text)
@example("katie", "\u212aatie")
@example("strasse", "stra\u00dfe")
@example("a", "a\u0301")
def test_a_name_approves_itself_and_no_other_name(name: str, other: str) -> None:
    safelist = Safelist(entries=(selecting(Selector.USER, name),))
    assert approved(safelist, name)
    assert approved(safelist, name.swapcase())
    assert approved(safelist, other) is (oracle_fold(name) == oracle_fold(other))


@given(st.text(alphabet="ab*?.[]^$\\", min_size=1, max_size=5), st.text(alphabet="abAB.[]^$\\*?\n", max_size=6))
def test_a_name_with_wildcards_is_no_pattern(name: str, other: str) -> None:
    assert approved(Safelist(entries=(selecting(Selector.USER, name),)), other) is (fold(name) == fold(other))


@given(st.text(alphabet="abB*?.-[]", max_size=8), st.text(alphabet="abA.-[]\n", max_size=10))
@example("a*", "")
@example("ab*ab", "ab")
@example("[a]*", "[a]x")
def test_a_pattern_matches_where_the_definition_says_so(pattern: str, name: str) -> None:
    expected = oracle_match(oracle_fold(pattern), oracle_fold(name))
    assert Patterns([(0, pattern)]).matching(name) == ([0] if expected else [])


@given(st.lists(st.text(alphabet="ab*?", max_size=4), max_size=8), st.text(alphabet="ab", max_size=6))
@example(["a*", "aba*"], "a")
@example(["*a", "*aba"], "a")
def test_many_patterns_match_as_each_of_them_alone(patterns: list[str], name: str) -> None:
    alone = [number for number, pattern in enumerate(patterns) if oracle_match(pattern, name)]
    assert Patterns(enumerate(patterns)).matching(name) == alone


def edits(name: str) -> set[str]:
    letters = "ab01"
    cuts = [(name[:at], name[at:]) for at in range(len(name) + 1)]
    return {
        *(a + b[1:] for a, b in cuts if b),
        *(a + c + b for a, b in cuts for c in letters),
        *(a + c + b[1:] for a, b in cuts if b for c in letters),
        *(a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1),
    } - {name}


@given(st.text(alphabet="ab01", min_size=4, max_size=7), st.text(alphabet="ab01", min_size=4, max_size=7))
def test_near_is_one_edit_and_no_more(name: str, other: str) -> None:
    near = Neighbours([name])
    assert near.one_letter_away(other) == (name if other in edits(name) else None)
    for edited in edits(name):
        assert near.one_letter_away(edited) == (name if len(edited) >= 4 else None)


entry = st.builds(selecting, st.just(Selector.USER), few_names, st.none() | ids) | st.builds(
    selecting, st.just(Selector.PATTERN), st.sampled_from(["a*", "*b", "?"])
)
revocation = st.builds(
    Revocation,
    account_id=st.just(account_id(1)),
    user=few_names,
    user_id=st.none() | ids,
    file=st.just("a.yaml"),
    line=st.just(9),
)
safelists = st.builds(
    Safelist,
    entries=st.lists(entry, max_size=5).map(tuple),
    revocations=st.lists(revocation, max_size=2).map(tuple),
    policy=st.just(Policy(allow_patterns=True)),
)


@given(safelists, revocation, few_names, ids)
def test_a_further_revocation_never_approves_more(safelist: Safelist, more: Revocation, name: str, who: str) -> None:
    stricter = dataclasses.replace(safelist, revocations=(*safelist.revocations, more))
    assert approved(safelist, name, who) or not approved(stricter, name, who)


@given(safelists, st.data(), few_names, ids)
def test_an_approval_less_never_approves_more(safelist: Safelist, data: st.DataObject, name: str, who: str) -> None:
    """Except where the entry taken away said that the user was recreated: that one forbids as well as it approves."""
    kept = [each for each in safelist.entries if data.draw(st.booleans()) or each.user_id not in {None, who}]
    fewer = dataclasses.replace(safelist, entries=tuple(kept))
    assert approved(safelist, name, who) or not approved(fewer, name, who)


@given(safelists, few_names, ids)
def test_a_user_is_approved_only_by_an_entry_about_it(safelist: Safelist, name: str, who: str) -> None:
    if not approved(safelist, name, who):
        return
    about = [
        each
        for each in safelist.entries
        if each.user_id in {None, who}
        and oracle_match(oracle_fold(each.value), oracle_fold(name))  # a `user` here holds no wildcard
    ]
    assert about
    others = {each.user_id for each in safelist.entries if fold(each.value) == fold(name)} - {None, who}
    assert not others or any(each.user_id == who for each in about)
    assert not any(
        each.user_id == who or (each.user_id is None and fold(each.user) == fold(name)) for each in safelist.revocations
    )
