"""Safelists that are not meant to be read: each is refused or read in bounded time and memory, and by its line."""

import tracemalloc
from pathlib import Path

import pytest

from scanner.errors import FaultsError
from scanner.files import MAX_BYTES
from scanner.record import SafelistText
from scanner.safelist.entries import parse
from scanner.safelist.read import read

HEAD = "version: 1\nglobal:\n"
REFUSED = {
    "lists in lists": (HEAD + "  - " + "[" * 200_000, 3, "nested too deep"),
    "mappings in mappings": (HEAD + "  - " + "{a: " * 100_000, 3, "nested too deep"),
    "indented ever deeper": (HEAD + "".join("  " * depth + "-\n" for depth in range(1, 1000)), 18, "nested too deep"),
    "a tab": (HEAD + "\t- alice\n", 3, "Not valid YAML"),
    "a tab behind the dash": (HEAD + "  -\talice\n", 3, "Not valid YAML"),
    "a long key": ("a" * 200_000 + ": 1\n", 1, "Not valid YAML"),
    "a quote without end": (HEAD + '  - "' + "a\n" * 5_000, 5003, "Not valid YAML"),
    "a long name": (HEAD + "  - " + "a" * 200_000 + "\n", 3, "is not a valid IAM user name"),
    "a long name in quotes": (HEAD + '  - "' + "a" * 200_000 + '"\n', 3, "is not a valid IAM user name"),
    "line ends of old": ((HEAD + "  - alice\n").replace("\n", "\r"), 1, "U+000D"),
    "an alias of itself": (HEAD + "  - &a [*a, *a]\n", 3, "is not allowed"),
}
READ = {
    "a byte order mark": ("\ufeff" + HEAD + "  - alice\n", 1),
    "line ends of Windows": ((HEAD + "  - alice\n").replace("\n", "\r\n"), 1),
    "a long comment": (HEAD + "  - alice # " + "x" * 200_000 + "\n", 1),
    "many on one line": (HEAD + "  [" + "alice, " * 1_000 + "]\n", 1_000),
}


@pytest.mark.parametrize(("text", "line", "problem"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_by_its_line_in_a_message_that_can_be_read(text: str, line: int, problem: str) -> None:
    with pytest.raises(FaultsError) as raised:
        parse([SafelistText(path="a.yaml", text=text)])
    fault = raised.value.faults[0]
    assert fault.line == line
    assert problem in fault.problem
    assert len(str(fault)) < 600


@pytest.mark.parametrize(("text", "count"), READ.values(), ids=READ)
def test_it_is_read_all_the_same(text: str, count: int, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(text.encode())
    assert len(parse(read([file])).entries) == count


def test_a_file_of_100_mb_is_refused_before_it_is_read_whole(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    with large.open("wb") as stream:
        stream.truncate(100_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(FaultsError, match="Larger than 20 MB"):
            read([large])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2.5 * MAX_BYTES
