"""Where things stand in the text of a safelist, so that it can be changed there and nowhere else."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, SequenceNode


class UnknownLayoutError(Exception):
    """The text is laid out in a way that this room does not know how to cut open."""


@dataclass(frozen=True, slots=True)
class Splice:
    """Text in the place of what stands from `at` to `end`."""

    at: int
    end: int
    text: str


def spliced(text: str, splices: Iterable[Splice]) -> str:
    parts: list[str] = []
    done = 0
    for splice in sorted(splices, key=lambda each: each.at):
        parts += [text[done : splice.at], splice.text]
        done = splice.end
    return "".join((*parts, text[done:]))


Pair = tuple[Any, Any]  # a key and its value


class Layout:
    """A safelist's text, and the places in it. It was parsed before: it has neither aliases nor tags."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.root: Any = next(iter(YAML(typ="safe", pure=True).compose_all(text)))  # behind `---` there is nothing

    def section(self, name: str) -> Pair | None:
        return next(((key, value) for key, value in self.root.value if key.value == name), None)

    def lists(self, *sections: str) -> Iterator[Pair]:
        """The lists of entries in these sections, each with its key."""
        for name in sections:
            if (found := self.section(name)) is not None:
                yield from found[1].value if isinstance(found[1], MappingNode) else (found,)

    def end(self, node: Any) -> int:
        """Where the node's own text ends; its end mark may lie behind comments and blank lines that follow."""
        if isinstance(node, MappingNode | SequenceNode) and node.value and not node.flow_style:
            last = node.value[-1]
            return self.end(last[1] if isinstance(last, tuple) else last)
        return len(self.text[: node.end_mark.index].rstrip())

    def line_start(self, index: int) -> int:
        return self.text.rfind("\n", 0, index) + 1

    def next_line(self, index: int) -> int:
        found = self.text.find("\n", index)
        return len(self.text) if found < 0 else found + 1

    def below(self, index: int, column: int) -> int:
        """The start of a line below this place, and below the comments there that are indented beyond the column."""
        at = self.next_line(index)
        while self.text[at : at + column + 1].isspace() and self.text[at : self.next_line(at)].lstrip().startswith("#"):
            at = self.next_line(at)
        return at

    def inserted(self, at: int, column: int, lines: Iterable[str]) -> Splice:
        """Whole lines at the start of a line; where the last line of the file has no end, it gets none now."""
        block_ = self.newline.join(" " * column + line for line in lines)
        cut_off = at == len(self.text) and not self.text.endswith("\n")
        return Splice(at, at, self.newline + block_ if cut_off else block_ + self.newline)
