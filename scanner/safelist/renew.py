"""An approval renewed in the text of a safelist: field by field, so that its comments and its place are kept."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ruamel.yaml.nodes import MappingNode

from scanner.model import Entry
from scanner.safelist.text_layout import Layout, Splice, UnknownLayoutError
from scanner.safelist.write import approval_fields, flow

_BLOCK_TEXT = re.compile(r"[|>][-+0-9]*")


def renewal(layout: Layout, number: int, entry: Entry) -> tuple[Splice, ...]:
    """Make the account entry with this number, counted from the top of the file, say what `entry` says."""
    item = [item for _, members in layout.lists("accounts") for item in members.value][number]
    fields = approval_fields(entry)
    if not isinstance(item, MappingNode):  # a bare name: `- bob  # why` becomes `- {user: bob, ...}  # why`
        return (Splice(item.start_mark.index, layout.end(item), flow(fields)),)
    edit = _in_flow if item.flow_style else _in_block
    return (*_changed(layout, item, entry), *edit(layout, item, dict(fields)))


def _changed(layout: Layout, item: Any, entry: Entry) -> Iterator[Splice]:
    """The values that change; one that stays keeps its quotes."""
    written = dict(approval_fields(entry))
    for key, value in item.value:
        if key.value not in written or key.value == entry.selector or value.value == str(getattr(entry, key.value)):
            continue
        start, end = value.start_mark.index, layout.end(value)
        if (head := _BLOCK_TEXT.match(layout.text, start)) is not None:  # a comment may stand behind the `|`
            yield Splice(start, head.end(), written[key.value])
            start, end = layout.next_line(start), layout.next_line(end)
            yield Splice(start, end, "")
        else:
            yield Splice(start, end, written[key.value])


def _without_first(layout: Layout, item: Any, fields: dict[str, str]) -> tuple[int, Sequence[Splice]]:
    """The place of the first key that stays, and what takes out those before it; no comment goes with them."""
    kept = next(place for place, (key, _) in enumerate(item.value) if key.value in fields)
    if not kept:
        return 0, ()
    start, end = item.value[0][0].start_mark.index, item.value[kept][0].start_mark.index
    between = [(layout.end(item.value[place][1]), item.value[place + 1][0].start_mark.index) for place in range(kept)]
    if any("#" in layout.text[slice(*gap)] for gap in between):
        raise UnknownLayoutError(f"a comment follows the beginning of the entry on line {item.start_mark.line + 1}")
    return kept, (Splice(start, end, ""),)


def _new(item: Any, fields: dict[str, str]) -> list[str]:
    known = {key.value for key, _ in item.value}
    return [f"{key}: {value}" for key, value in fields.items() if key not in known]


def _in_block(layout: Layout, item: Any, fields: dict[str, str]) -> Iterator[Splice]:
    first, taken = _without_first(layout, item, fields)
    yield from taken
    for key, value in item.value[first:]:
        if key.value in fields:
            continue
        start = layout.line_start(key.start_mark.index)
        if layout.text[start : key.start_mark.index].strip():
            raise UnknownLayoutError(f"line {key.start_mark.line + 1} holds more than {key.value}")
        yield Splice(start, layout.next_line(layout.end(value)), "")
    if lines := _new(item, fields):
        yield layout.inserted(layout.next_line(layout.end(item)), item.start_mark.column, lines)


def _in_flow(layout: Layout, item: Any, fields: dict[str, str]) -> Iterator[Splice]:
    first, taken = _without_first(layout, item, fields)
    yield from taken
    for place, (key, value) in enumerate(item.value):
        if place < first or key.value in fields:
            continue
        before = layout.end(item.value[place - 1][1])
        comma = layout.text.index(",", before)
        between = layout.text[comma + 1 : key.start_mark.index]
        kept = "" if between.isspace() or not between else between  # a comment behind the comma
        yield Splice(comma, layout.end(value), kept.rstrip())
    if pairs := _new(item, fields):
        at = layout.end(item.value[-1][1])
        yield Splice(at, at, "".join(f", {pair}" for pair in pairs))
