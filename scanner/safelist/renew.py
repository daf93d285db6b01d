"""An approval renewed in the text of a safelist: field by field, so that its comments and its place are kept."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from ruamel.yaml.nodes import MappingNode

from scanner.model import Entry
from scanner.safelist.text_layout import Layout, Splice, UnknownLayoutError
from scanner.safelist.write import approval_fields, flow

_BLOCK_TEXT = re.compile(r"[|>][-+0-9]*")


def renewal(layout: Layout, item: Any, entry: Entry) -> tuple[Splice, ...]:
    """Make this item of a list say what `entry` says."""
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


def _new(item: Any, fields: dict[str, str]) -> list[str]:
    known = {key.value for key, _ in item.value}
    return [f"{key}: {value}" for key, value in fields.items() if key not in known]


def _in_block(layout: Layout, item: Any, fields: dict[str, str]) -> Iterator[Splice]:
    first = next(place for place, (key, _) in enumerate(item.value) if key.value in fields)
    for (_, value), (key, _) in pairwise(item.value[: first + 1]):
        if _beside(layout, value) >= 0 or "#" in layout.text[layout.end(value) : key.start_mark.index]:
            raise UnknownLayoutError(f"a comment follows the beginning of the entry on line {item.start_mark.line + 1}")
    if first:  # the dash stays where it is
        yield Splice(item.start_mark.index, item.value[first][0].start_mark.index, "")
    for key, value in item.value[first:]:
        if key.value in fields:
            continue
        start = layout.line_start(key.start_mark.index)
        if layout.text[start : key.start_mark.index].strip():
            raise UnknownLayoutError(f"line {key.start_mark.line + 1} holds more than {key.value}")
        yield from _line_taken(layout, key, value)
    if lines := _new(item, fields):
        yield layout.inserted(layout.next_line(layout.end(item)), item.start_mark.column, lines)


def _line_taken(layout: Layout, key: Any, value: Any) -> Iterator[Splice]:
    """Take out a key with its value; a comment beside it stays, on a line of its own."""
    start, end = key.start_mark.index, layout.end(value)
    if (beside := _beside(layout, value)) < 0:
        yield Splice(layout.line_start(start), layout.next_line(end), "")
        return
    yield Splice(start, beside, "")
    if beside < end:  # a block text follows
        yield Splice(layout.next_line(start), layout.next_line(end), "")


def _beside(layout: Layout, value: Any) -> int:
    """Where the comment beside a value begins; -1 where there is none."""
    head = _BLOCK_TEXT.match(layout.text, value.start_mark.index)
    at = head.end() if head else layout.end(value)
    return layout.text.find("#", at, layout.next_line(at))


def _in_flow(layout: Layout, item: Any, fields: dict[str, str]) -> Iterator[Splice]:
    gone = [place for place, (key, _) in enumerate(item.value) if key.value not in fields]
    yield from layout.out_of_flow(item.value, gone)
    if pairs := _new(item, fields):
        _, at = layout.span(next(pair for pair in reversed(item.value) if pair[0].value in fields))
        yield Splice(at, at, "".join(f", {pair}" for pair in pairs))
