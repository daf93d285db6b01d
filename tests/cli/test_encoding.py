"""A terminal or a pipe that cannot show a character: it is replaced, and the command ends as it should."""

import json
from collections.abc import Callable

import pytest

from scanner.text import REPLACEMENT
from tests.aws_endpoint import running
from tests.program import named, small_world, workplace
from tests.subject import Subject

__all__ = ["workplace"]
pytestmark = pytest.mark.usefixtures("workplace")

Environment = Callable[..., dict[str, str]]
SCAN = ("scan", "--safelist", "nobody.yaml", "--format", "csv")
ENCODINGS = {
    "ASCII": {"PYTHONIOENCODING": "ascii"},
    "Latin-1": {"PYTHONIOENCODING": "latin-1"},
    "ASCII, strict": {"PYTHONIOENCODING": "ascii:strict"},
    "the C locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.mark.parametrize("encoding", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("more", [(), ("--json",), ("--quiet",), ("--debug",)], ids=str)
def test_a_scan_that_is_done_ends_as_it_should_whatever_stdout_can_show(
    endpoint_environment: Environment, encoding: dict[str, str], more: tuple[str, ...]
) -> None:
    world = small_world()
    named(world, "prod").name = "Złoty 決済 \ud800"
    with running(world) as endpoint:
        ended = Subject().run(endpoint_environment(endpoint.url) | encoding, *SCAN, *more)
    assert ended.returncode == 3, ended.stderr
    if "--json" in more:
        assert json.loads(ended.stdout)["status"] == "COMPLETE"
    elif not more:
        assert "COMPLETE" in ended.stdout
    assert REPLACEMENT not in ended.stdout


def test_an_error_that_names_what_cannot_be_shown_keeps_its_exit_code(endpoint_environment: Environment) -> None:
    environment = endpoint_environment("http://127.0.0.1:9") | ENCODINGS["ASCII, strict"]
    ended = Subject().run(environment, "safelist", "check", "żółw.yaml")
    assert ended.returncode == 2
    assert ".yaml: There is no such file or folder." in ended.stderr
