"""A terminal or a pipe that cannot show a character: it is spelled out, and the command ends as it should."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.aws_endpoint import SimulatedOrganization, running
from tests.program import calling, named, program, scan, small_world
from tests.subject import Subject

Environment = Callable[..., dict[str, str]]
ASCII = {"PYTHONIOENCODING": "ascii:strict"}
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
NAME = "Złoty é 決済 \ud800"
SPELLED = {"ascii": r"Z\u0142oty \xe9 \u6c7a\u6e08 \ud800", "latin-1": r"Z\u0142oty é \u6c7a\u6e08 \ud800"}  # for NAME
OPTIONS: list[tuple[str, ...]] = [(), ("--json",), ("--quiet",), ("--debug",)]
SCAN = ("scan", "--safelist", "nobody.yaml", "--format", "csv")
SAFELIST = 'version: 1\nglobal:\n  - {user: alice, owner: "Zoë 決済", expires_on: 2020-01-01}\n'


@pytest.fixture
def world() -> SimulatedOrganization:
    world = small_world()
    named(world, "prod").name = NAME
    return world


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize("encoding", SPELLED)
@pytest.mark.parametrize("more", OPTIONS, ids=str)
def test_a_scan_ends_as_it_should_whatever_stdout_can_show(
    world: SimulatedOrganization, encoding: str, more: tuple[str, ...]
) -> None:
    with running(world) as endpoint, calling(endpoint):
        done = program(*SCAN, *more, encoding=encoding)
    assert done.exit_code == 3, done.err
    if "--json" in more:
        assert done.document["status"] == "COMPLETE"
    elif "--quiet" not in more:
        assert SPELLED[encoding] in done.out


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize(("environment", "more"), [(ASCII, ()), *((C_LOCALE, more) for more in OPTIONS)], ids=str)
def test_so_does_a_process(
    endpoint_environment: Environment, world: SimulatedOrganization, environment: dict[str, str], more: tuple[str, ...]
) -> None:
    with running(world) as endpoint:
        ended = Subject().run(endpoint_environment(endpoint.url) | environment, *SCAN, *more, encoding="ascii")
    assert ended.returncode == 3, ended.stderr
    if "--json" in more:
        assert json.loads(ended.stdout)["status"] == "COMPLETE"
    elif "--quiet" not in more:
        assert SPELLED["ascii"] in ended.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of accounts whose names are not ASCII, and a safelist with such a name."""
    folder = tmp_path_factory.mktemp("names")
    world = small_world()
    named(world, "prod").name = NAME
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("AWS_REGION", "us-east-1")
        Path("żółw.yaml").write_text(SAFELIST, encoding="utf-8")
        with running(world) as endpoint:
            scan(endpoint, "--format", "xlsx", safelist="żółw.yaml")
    return folder


EXPLAIN = ("safelist", "explain", "--account", "000000000001", "--user", "alice", "--safelist", "żółw.yaml")
COMMANDS: list[tuple[tuple[str, ...], int]] = [
    (("safelist", "check", "żółw.yaml"), 0),
    (EXPLAIN, 0),
    (("report", "RUN"), 0),
    (("report", "RUN", "--split-by", "ou_path", "--format", "csv"), 0),
    (("evaluate", "RUN", "--safelist", "żółw.yaml", "--as-of", "2019-01-01", "--format", "csv"), 3),
    (("diff", "RUN", "RUN"), 0),
    (("verify", "RUN"), 0),
    (("review", "import", "RUN/iam-users.xlsx", "--safelist", "żółw.yaml"), 0),
    (("safelist", "check", "gęś.yaml"), 2),
    (("safelist", "check", "żółw.yaml", "--no-such-óption"), 2),
]


@pytest.mark.parametrize(("command", "code"), COMMANDS, ids=[" ".join(command) for command, _ in COMMANDS])
def test_every_command_ends_as_it_should_where_only_ascii_can_be_shown(
    place: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], code: int
) -> None:
    monkeypatch.chdir(place)
    (run,) = place.glob("reports/2*Z-??????")
    done = program(*(part.replace("RUN", str(run)) for part in command), encoding="ascii")
    assert done.exit_code == code, done.err
    assert "Traceback" not in done.err


def test_accounts_ends_as_it_should_where_only_ascii_can_be_shown(world: SimulatedOrganization) -> None:
    with running(world) as endpoint, calling(endpoint):
        done = program("accounts", encoding="ascii")
    assert done.exit_code == 0, done.err
    assert SPELLED["ascii"] in done.out


@pytest.mark.usefixtures("workplace")
def test_an_error_that_names_what_cannot_be_shown_spells_it_out() -> None:
    done = program("safelist", "check", "żółw.yaml", encoding="ascii")
    assert done.exit_code == 2
    assert r"error: \u017c\xf3\u0142w.yaml: There is no such file or folder." in done.err


@pytest.mark.usefixtures("workplace")
def test_the_folder_on_stdout_is_the_one_on_the_disk_in_the_c_locale(
    endpoint_environment: Environment, world: SimulatedOrganization
) -> None:
    """As `$(iam-scanner scan --quiet)` needs it."""
    with running(world) as endpoint:
        ended = Subject().run(
            endpoint_environment(endpoint.url) | C_LOCALE, *SCAN, "--quiet", "--output", "żółw", encoding="utf-8"
        )
    assert Path(ended.stdout.removesuffix("\n"), "iam-users.csv").is_file()
