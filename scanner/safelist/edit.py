"""Changes in the text of a safelist that leave all else in it as it is: comments, order, quotes, line ends.

ruamel.yaml only says where things stand; the text itself is cut open there, and nothing of it is written anew. What
comes out is read again and must say exactly what was asked for, or nothing is changed.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from ruamel.yaml.nodes import MappingNode

from scanner.errors import FaultsError, UsageError
from scanner.model import Entry, Revocation, Scope
from scanner.record import SafelistText
from scanner.safelist.entries import parse
from scanner.safelist.renew import renewal
from scanner.safelist.text_layout import Layout, Pair, Splice, UnknownLayoutError, spliced
from scanner.safelist.types import Safelist
from scanner.safelist.write import Fields, approval_fields, block, flow, quoted, revocation_fields, scalar

STEP = 2  # columns, where the file shows no habit of its own
_SECTIONS = {Scope.GLOBAL: "global", Scope.OU: "ous", Scope.ACCOUNT: "accounts"}
_DASH = re.compile(r" *-[ \t]+")
_REST = re.compile(r"[ \t]*(?:[ \t]#.*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """What is to change in one file."""

    approvals: tuple[Entry, ...] = ()  # each for one user, by name or ARN, in whatever scope
    renewals: tuple[tuple[Entry, Entry], ...] = ()  # an approval as it was read from the file, and the one in its place
    revocations: tuple[Revocation, ...] = ()
    lifted: tuple[Revocation, ...] = ()  # those to take out, as they were read from the file


def edited(file: SafelistText, edits: Edits) -> str:
    """The text with these changes; raise `UsageError` where they cannot be made without touching anything else.

    A comment on the line of a revocation that is taken out goes with it; those of an approval that is renewed stay.
    """
    before = parse([file])
    gone = [number for number, revocation in enumerate(before.revocations) if revocation in edits.lifted]
    text = file.text
    try:
        if edits.renewals:  # first, as the others move the entries
            text = spliced(text, _renewals(before, Layout(text), edits.renewals))
        # One after the other, so that two new sections, or a list and a section behind it, keep their order.
        if edits.revocations:
            text = spliced(text, _revocations(Layout(text), edits.revocations))
        for scope in Scope:
            if approvals := [entry for entry in edits.approvals if entry.scope is scope]:
                text = spliced(text, _approvals(Layout(text), scope, approvals))
        for number in reversed(gone):
            text = spliced(text, _removal(Layout(text), number))
        done = _said(parse([replace(file, text=text)]))
    except (FaultsError, UnknownLayoutError) as error:
        raise _refusal(file, str(error)) from error
    taken = _counted(before.revocations[number] for number in gone)
    taken += _counted(old for old, _ in edits.renewals)
    given = _counted(edits.approvals) + _counted(new for _, new in edits.renewals) + _counted(edits.revocations)
    if done != _said(before) - taken + given:
        raise _refusal(file, "the result would not say what was asked for")
    return text


def _said(safelist: Safelist) -> Counter[object]:
    """All that a file says, wherever it says it."""
    head = Counter[object]([(safelist.policy, safelist.organization)])
    return head + _counted(safelist.entries) + _counted(safelist.revocations)


def _counted(values: Iterable[Entry] | Iterable[Revocation]) -> Counter[object]:
    """Without what follows from the place and from the policy, which may stand in another file."""
    return Counter(
        replace(value, file="", line=0, invalid=()) if isinstance(value, Entry) else replace(value, file="", line=0)
        for value in values
    )


def _refusal(file: SafelistText, why: str) -> UsageError:
    return UsageError(
        f"{file.path} cannot be changed without risk, as it is laid out: {why}. "
        "Make the change by hand, or lay the file out as in the example."
    )


@dataclass(frozen=True, slots=True)
class _Habit:
    """How lists are written in a file."""

    indent: int  # columns from a key to the dashes of its list
    gap: int  # columns from a dash to its item
    is_flow: bool  # items are {...}
    quote: str = '"'

    def lines(self, items: Iterable[Fields]) -> list[str]:
        if self.is_flow:
            return [f"{'-':<{self.gap}}{flow(item)}" for item in items]
        return [line for item in items for line in block(item, self.gap)]


def _habit(lists: Iterable[Pair], *, otherwise_flow: bool) -> _Habit:
    """Take it from the first of the lists that shows it."""
    shown = [(key, value) for key, value in lists if not value.flow_style and value.value]
    indent = next((value.start_mark.column - key.start_mark.column for key, value in shown), STEP)
    for key, value in shown:
        for item in reversed(value.value):
            if isinstance(item, MappingNode):
                gap = item.start_mark.column - value.start_mark.column
                return _Habit(indent, max(gap, STEP), bool(item.flow_style), key.style or '"')
    return _Habit(indent, STEP, otherwise_flow)


def _renewals(before: Safelist, layout: Layout, renewals: Sequence[tuple[Entry, Entry]]) -> Iterator[Splice]:
    for scope in Scope:
        members = (member for _, members in layout.lists(_SECTIONS[scope]) for member in members.value)
        entries = (replace(entry, invalid=()) for entry in before.entries if entry.scope is scope)
        items = dict(zip(entries, members, strict=True))
        for old, new in renewals:
            if old.scope is scope:  # what the policy, which may stand in another file, has against it does not count
                yield from renewal(layout, items[replace(old, invalid=())], new)


# --- adding ----------------------------------------------------------------------------------------------------------


def _revocations(layout: Layout, revocations: Sequence[Revocation]) -> Iterator[Splice]:
    items = [revocation_fields(revocation) for revocation in revocations]
    habit = _habit(layout.lists("revoked"), otherwise_flow=True)
    if (section := layout.section("revoked")) is not None:
        yield from _into_list(layout, section, items, habit)
    else:
        yield _new_section(layout, "revoked", _list("revoked", items, habit), _flow_list(items))


def _approvals(layout: Layout, scope: Scope, entries: Sequence[Entry]) -> Iterator[Splice]:
    section = layout.section(_SECTIONS[scope])
    if scope is Scope.GLOBAL:
        items = [approval_fields(entry) for entry in entries]
        yield from _global_approvals(layout, section, items)
        return
    by_key = {
        key: [approval_fields(entry) for entry in group] for key, group in groupby(sorted(entries, key=_key), key=_key)
    }
    known = {key.value: (key, value) for key, value in section[1].value} if section else {}
    for key in sorted(by_key.keys() & known.keys()):
        habit = _habit((known[key], *layout.lists(*_beginning_with(scope))), otherwise_flow=False)
        yield from _into_list(layout, known[key], by_key[key], habit)
    if new := {key: items for key, items in by_key.items() if key not in known}:
        yield from _new_keys(layout, scope, section, new)


def _key(entry: Entry) -> str:
    return entry.scope_value


def _beginning_with(scope: Scope) -> tuple[str, ...]:
    """The sections that have entries, the one of this scope first: its habits count before those of others."""
    return _SECTIONS[scope], *(section for other, section in reversed(_SECTIONS.items()) if other is not scope)


def _global_approvals(layout: Layout, section: Pair | None, items: Sequence[Fields]) -> Iterator[Splice]:
    habit = _habit(layout.lists(*_beginning_with(Scope.GLOBAL)), otherwise_flow=False)
    if section is not None:
        yield from _into_list(layout, section, items, habit)
    else:
        yield _new_section(layout, "global", _list("global", items, habit), _flow_list(items))


def _new_keys(layout: Layout, scope: Scope, section: Pair | None, new: dict[str, list[Fields]]) -> Iterator[Splice]:
    """Accounts or OUs that the file does not have yet."""
    name = _SECTIONS[scope]
    habit = _habit(layout.lists(*_beginning_with(scope)), otherwise_flow=False)
    keys = section[1].value if section else ()
    quote = keys[-1][0].style if keys else None if scope is Scope.OU else '"'
    written = {scalar(key) if quote is None else quoted(key, quote): items for key, items in new.items()}
    lines = [line for key, items in written.items() for line in _list(key, items, habit)]
    in_flow = ", ".join(f"{key}: {_flow_list(items)}" for key, items in written.items())
    if section is None:
        yield _new_section(layout, name, [f"{name}:", *_indented(lines, STEP)], f"{{{in_flow}}}")
    elif not section[1].flow_style:
        key, value = section
        at = layout.below(layout.end(value), key.start_mark.column)
        yield layout.inserted(at, value.start_mark.column, lines)
    elif (opened := _opened(layout, section)) is not None:
        yield opened
        yield _first_lines(layout, section, lines, STEP)
    else:
        yield _into_flow(layout, section[1], in_flow)


def _list(key: str, items: Iterable[Fields], habit: _Habit) -> list[str]:
    return [f"{key}:", *_indented(habit.lines(items), habit.indent)]


def _flow_list(items: Iterable[Fields]) -> str:
    return f"[{', '.join(map(flow, items))}]"


def _indented(lines: Iterable[str], columns: int) -> list[str]:
    return [" " * columns + line for line in lines]


def _into_list(layout: Layout, pair: Pair, items: Sequence[Fields], habit: _Habit) -> Iterator[Splice]:
    """Items at the end of a list."""
    key, value = pair
    if not value.flow_style:
        at = layout.below(layout.end(value), key.start_mark.column)
        yield layout.inserted(at, value.start_mark.column, habit.lines(items))
    elif (opened := _opened(layout, pair)) is not None:
        yield opened
        yield _first_lines(layout, pair, habit.lines(items), habit.indent)
    else:
        yield _into_flow(layout, value, ", ".join(map(flow, items)))


def _opened(layout: Layout, pair: Pair) -> Splice | None:
    """Take away an empty `[]` or `{}`, so that lines can stand below its key; None where it is not that simple."""
    key, value = pair
    start, end = key.start_mark.index, value.end_mark.index
    alone = layout.text[layout.line_start(start) : start].isspace() or layout.line_start(start) == start
    rest = layout.text[end : layout.next_line(end)].rstrip("\r\n")
    if value.value or not alone or "\n" in layout.text[start:end] or not _REST.fullmatch(rest):
        return None
    return Splice(layout.text.index(":", key.end_mark.index) + 1, end, "")


def _first_lines(layout: Layout, pair: Pair, lines: Sequence[str], indent: int) -> Splice:
    key, value = pair
    column = key.start_mark.column
    return layout.inserted(layout.below(value.end_mark.index, column), column + indent, lines)


def _into_flow(layout: Layout, node: Any, text: str) -> Splice:
    """Text right behind the last member of a `[...]` or `{...}`; a comma that stands there closes the new one."""
    if not node.value:
        at = node.start_mark.index + 1
        return Splice(at, at, text)
    at = layout.span(node.value[-1])[1]
    return Splice(at, at, f", {text}")


def _new_section(layout: Layout, key: str, lines: Sequence[str], in_flow: str) -> Splice:
    """At the end of the document."""
    if layout.root.flow_style:
        return _into_flow(layout, layout.root, f"{key}: {in_flow}")
    return layout.inserted(layout.root.end_mark.index, layout.root.start_mark.column, lines)


# --- taking out ------------------------------------------------------------------------------------------------------


def _removal(layout: Layout, number: int) -> Iterable[Splice]:
    """Take one revocation out."""
    section = layout.section("revoked")
    assert section is not None
    if section[1].flow_style:
        return layout.out_of_flow(section[1].value, (number,))
    return _from_block(layout, section, number)


def _from_block(layout: Layout, section: Pair, number: int) -> list[Splice]:
    key, value = section
    item = value.value[number]
    start = layout.line_start(item.start_mark.index)
    if not _DASH.fullmatch(layout.text[start : item.start_mark.index]):
        raise UnknownLayoutError(f"line {item.start_mark.line + 1} does not begin with the dash of its revocation")
    lines = Splice(start, layout.next_line(layout.end(item)), "")
    if len(value.value) > 1:
        return [lines]
    after_key = layout.text.index(":", key.end_mark.index) + 1
    return [Splice(after_key, after_key, " []"), lines]
