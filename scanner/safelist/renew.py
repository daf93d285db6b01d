"""An approval renewed in the text of a safelist: field by field, so that its comments and its place are kept."""

from collections.abc import Iterator
from typing import Any

from ruamel.yaml.nodes import MappingNode

from scanner.model import Entry
from scanner.safelist.text_layout import Layout, Splice, UnknownLayoutError
from scanner.safelist.write import approval_fields, flow


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
        if key.value in written and key.value != entry.selector and value.value != str(getattr(entry, key.value)):
            yield Splice(value.start_mark.index, layout.end(value), written[key.value])


def _new(item: Any, fields: dict[str, str]) -> list[str]:
    known = {key.value for key, _ in item.value}
    return [f"{key}: {value}" for key, value in fields.items() if key not in known]


def _in_block(layout: Layout, item: Any, fields: dict[str, str]) -> Iterator[Splice]:
    for place, (key, value) in enumerate(item.value):
        if key.value in fields:
            continue
        start = layout.line_start(key.start_mark.index)
        if place == 0 or layout.text[start : key.start_mark.index].strip():
            raise UnknownLayoutError(f"line {key.start_mark.line + 1} holds more than {key.value}")
        yield Splice(start, layout.next_line(layout.end(value)), "")
    if lines := _new(item, fields):
        yield layout.inserted(layout.next_line(layout.end(item)), item.start_mark.column, lines)


def _in_flow(layout: Layout, item: Any, fields: dict[str, str]) -> Iterator[Splice]:
    for place, (key, value) in enumerate(item.value):
        if key.value in fields:
            continue
        if place == 0:
            raise UnknownLayoutError(f"line {key.start_mark.line + 1} begins with {key.value}")
        before = layout.end(item.value[place - 1][1])
        comma = layout.text.index(",", before)
        between = layout.text[comma + 1 : key.start_mark.index]
        kept = "" if between.isspace() or not between else between  # a comment behind the comma
        yield Splice(comma, layout.end(value), kept.rstrip())
    if pairs := _new(item, fields):
        at = layout.end(item.value[-1][1])
        yield Splice(at, at, "".join(f", {pair}" for pair in pairs))
