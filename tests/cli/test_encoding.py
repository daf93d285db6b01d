"""A terminal or a pipe that cannot show a character: it is spelled out, and the command ends as it should."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.aws_endpoint import SimulatedOrganization, running
from tests.program import named, scan, small_world, workplace
from tests.subject import Subject

__all__ = ["workplace"]

Environment = Callable[..., dict[str, str]]
ASCII = {"PYTHONIOENCODING": "ascii:strict"}
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
LATIN_1 = {"PYTHONIOENCODING": "latin-1:strict"}
NAME = "Złoty é 決済 \ud800"
SPELLED = {  # what stands for NAME
    "ASCII": (ASCII, r"Z\u0142oty \xe9 \u6c7a\u6e08 \ud800"),
    "Latin-1": (LATIN_1, r"Z\u0142oty é \u6c7a\u6e08 \ud800"),
    "the C locale": (C_LOCALE, r"Z\u0142oty \xe9 \u6c7a\u6e08 \ud800"),
}
SCAN = ("scan", "--safelist", "nobody.yaml", "--format", "csv")
SAFELIST = 'version: 1\nglobal:\n  - {user: alice, owner: "Zoë 決済", expires_on: 2020-01-01}\n'


@pytest.fixture
def world() -> SimulatedOrganization:
    world = small_world()
    named(world, "prod").name = NAME
    return world


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize(("environment", "spelled"), SPELLED.values(), ids=SPELLED)
@pytest.mark.parametrize("more", [(), ("--json",), ("--quiet",), ("--debug",)], ids=str)
def test_a_scan_ends_as_it_should_whatever_stdout_can_show(
    endpoint_environment: Environment,
    world: SimulatedOrganization,
    environment: dict[str, str],
    spelled: str,
    more: tuple[str, ...],
) -> None:
    with running(world) as endpoint:
        ended = Subject().run(
            endpoint_environment(endpoint.url) | environment, *SCAN, *more, encoding=_encoding(environment)
        )
    assert ended.returncode == 3, ended.stderr
    if "--json" in more:
        assert json.loads(ended.stdout)["status"] == "COMPLETE"
    elif "--quiet" not in more:
        assert spelled in ended.stdout


def _encoding(environment: dict[str, str]) -> str:
    return "latin-1" if environment == LATIN_1 else "ascii"


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
    endpoint_environment: Environment, place: Path, command: tuple[str, ...], code: int
) -> None:
    (run,) = place.glob("reports/2*Z-??????")
    environment = endpoint_environment("http://127.0.0.1:9") | ASCII
    ended = Subject().run(
        environment, *(part.replace("RUN", str(run)) for part in command), encoding="ascii", folder=place
    )
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr


def test_accounts_ends_as_it_should_where_only_ascii_can_be_shown(
    endpoint_environment: Environment, world: SimulatedOrganization
) -> None:
    with running(world) as endpoint:
        ended = Subject().run(endpoint_environment(endpoint.url) | ASCII, "accounts", encoding="ascii")
    assert ended.returncode == 0, ended.stderr
    assert SPELLED["ASCII"][1] in ended.stdout


def test_an_error_that_names_what_cannot_be_shown_spells_it_out(endpoint_environment: Environment) -> None:
    environment = endpoint_environment("http://127.0.0.1:9") | ASCII
    ended = Subject().run(environment, "safelist", "check", "żółw.yaml", encoding="ascii")
    assert ended.returncode == 2
    assert r"error: \u017c\xf3\u0142w.yaml: There is no such file or folder." in ended.stderr


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
