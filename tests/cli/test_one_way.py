"""Every command takes its settings in one way: the settings file, the environment, then the options."""

import shutil
from pathlib import Path

import pytest

from tests.aws_endpoint import running
from tests.program import Done, calling, program, scan, small_world

SETTINGS = "output: elsewhere\nsafelist: [ours.yaml]\nformat: [csv]\n"
VARIABLES = {
    "IAM_SCANNER_OUTPUT": "elsewhere",
    "IAM_SCANNER_SAFELIST": '["ours.yaml"]',
    "IAM_SCANNER_FORMAT": '["csv"]',
}
OPTIONS = {"output": ("--output", "elsewhere"), "safelist": ("--safelist", "ours.yaml"), "format": ("--format", "csv")}
# Each command, the settings that it takes of these, and its exit code where it has them.
COMMANDS = {
    "report RUN": (("output", "format"), 0),
    "evaluate RUN --as-of 2027-01-15": (("output", "format"), 3),
    "diff RUN RUN": (("output",), 0),
    "users RUN": (("output",), 0),
    "verify RUN": (("output",), 0),
    "scan --resume RUN": (("output",), 2),
    "review import review.xlsx": (("output", "safelist"), 0),
    "safelist check": (("safelist",), 0),
    "safelist explain --account 000000000001 --user alice": (("safelist",), 0),
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run in `elsewhere`, its workbook as `review.xlsx`, and its safelist."""
    folder = tmp_path_factory.mktemp("recorded")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("AWS_REGION", "us-east-1")
        Path("ours.yaml").write_text("version: 1\nglobal: []\n", encoding="utf-8")
        with running(small_world()) as endpoint:
            done = scan(endpoint, "--format", "xlsx", safelist="ours.yaml")
        shutil.copy(done.folder / "iam-users.xlsx", "review.xlsx")
        Path("reports").rename("elsewhere")
    return folder


@pytest.fixture
def place(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same for one test to work in."""
    place = shutil.copytree(recorded, tmp_path / "place")
    monkeypatch.chdir(place)
    return place


def run(place: Path, command: str, *more: str) -> Done:
    (folder,) = (place / "elsewhere").glob("2*Z-??????")
    return program(*(folder.name if word == "RUN" else word for word in command.split()), *more)


@pytest.mark.parametrize(("command", "code"), [(command, code) for command, (_, code) in COMMANDS.items()])
@pytest.mark.parametrize("way", ["file", "--config", "environment", "options"])
def test_a_command_finds_what_the_settings_name(
    place: Path, command: str, code: int, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    more: list[str] = []
    match way:
        case "file":
            Path("config").mkdir()
            Path("config/scanner.yaml").write_text(SETTINGS, encoding="utf-8")
        case "--config":
            Path("mine.yaml").write_text(SETTINGS, encoding="utf-8")
            more += ["--config", "mine.yaml"]
        case "environment":
            for name, value in VARIABLES.items():
                monkeypatch.setenv(name, value)
        case _ if command == "safelist check":
            more += ["ours.yaml"]
        case _:
            more += [word for key in COMMANDS[command][0] for word in OPTIONS[key]]
    done = run(place, command, *more)
    assert done.exit_code == code, done.err
    if command.startswith("scan"):
        assert "is complete: there is nothing to resume" in done.err
    assert not Path("reports").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_without_these_settings_it_is_not_found(place: Path, command: str) -> None:
    done = run(place, command)
    assert done.exit_code == 2
    assert "There is no run" in done.err or "There is no safelist" in done.err or "no such file" in done.err, done.err


@pytest.mark.parametrize("command", [*COMMANDS, "scan", "accounts"])
def test_a_fault_in_the_settings_file_is_said_by_every_command(place: Path, command: str) -> None:
    Path("config").mkdir()
    Path("config/scanner.yaml").write_text(f"{SETTINGS}safelists: [other.yaml]\n", encoding="utf-8")
    done = run(place, command)
    assert done.exit_code == 2
    assert "config/scanner.yaml:4: unknown setting 'safelists'. Did you mean safelist?" in done.err


@pytest.mark.parametrize("option", ["--output", "--safelist", "--profile", "--ou", "--accounts-file", "--previous"])
def test_an_option_that_is_empty_stops_the_scan_before_any_call(workplace: Path, option: str) -> None:
    """As `--output "$REPORTS"` is where that variable is not set: it is not the current folder."""
    before = set(workplace.iterdir())
    with running(small_world()) as endpoint, calling(endpoint):
        done = program("scan", option, "")
    assert done.exit_code == 2
    assert f"error: {option}: " in done.err
    assert endpoint.calls == []
    assert set(workplace.iterdir()) == before
