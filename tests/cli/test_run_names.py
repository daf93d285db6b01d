"""RUN on the command line: which run a command took, and what Tab offers."""

import itertools
from pathlib import Path

import pytest

from scanner.report.render import render_run
from scanner.runs import folder as run_folder
from tests.aws_endpoint import Fault, deny, running
from tests.completing import offered, values
from tests.program import calling, named, program, scan, small_world
from tests.runs.recording import recorded

OLDER, NEWER, NEWEST = "20261001T000000Z-aaaaaa", "20261120T000000Z-bbbbbb", "20261125T000000Z-cccccc"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`reports` holds two finished runs, a newer one that is not, and an evaluation."""
    place = tmp_path_factory.mktemp("place")
    for run_id in (OLDER, NEWER, NEWEST):
        folder = run_folder.create(place / "reports", run_id)
        recorded(folder, footer=run_id != NEWEST)
        if run_id != NEWEST:
            render_run(folder, ("csv",))
    (place / "reports" / f"{NEWER}-evaluated-1a2b3c4d").mkdir()
    return place


@pytest.fixture
def place(runs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(runs)
    return runs


# --- which one was taken ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        "verify RUN",
        "users RUN",
        "diff RUN RUN",
        "report RUN --format csv",
        "evaluate RUN --as-of 2027-01-15 --format csv",
    ],
)
def test_every_command_takes_the_short_forms_and_says_which_run_that_is(place: Path, command: str) -> None:
    for run, told in (
        ("latest", f"latest is run {NEWER}. The later run {NEWEST} is not finished."),
        ("202610", f"202610 is run {OLDER}."),
    ):
        words = [run if word == "RUN" else word for word in command.split()]
        done = program(*words)
        assert done.exit_code in {0, 4}, done.err
        assert told in done.err.splitlines()
        assert told not in program(*words, "--quiet").err
    whole = [NEWER if word == "RUN" else word for word in command.split()]
    assert " is run " not in program(*whole).err


def test_a_beginning_that_fits_several_is_refused_with_the_candidates(place: Path) -> None:
    done = program("verify", "202611", "--json")
    assert done.exit_code == 2
    assert done.document["error"]["message"] == f"2 runs begin with '202611': {NEWEST}, {NEWER}. Write more of the ID."


@pytest.mark.usefixtures("workplace", "hurried")
def test_a_scan_takes_them_for_its_previous_run_and_to_resume(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = itertools.count()
    monkeypatch.setattr("scanner.runs.folder.secrets.token_hex", lambda _: f"{next(numbers):06x}")
    world = small_world()
    quick = ("--evidence", "basic", "--json")
    with running(world, [Fault("sts:AssumeRole", deny, account=named(world, "core").id)]) as endpoint:
        nothing_yet = scan(endpoint, *quick, "--previous", "latest")
        assert nothing_yet.exit_code == 2
        assert "There is no finished run under reports" in nothing_yet.err
        assert endpoint.calls == [], "it is refused before anything is asked"
        first = scan(endpoint, *quick).document["run_id"]
        second = scan(endpoint, *quick, "--previous", "latest")
        assert f"latest is run {first}." in second.err
        assert second.document["changes"]["since"]["run_id"] == first
        header = run_folder.read(Path("reports") / str(second.document["run_id"])).header
        assert header.settings.previous == f"reports/{first}", "the record names the very run"
        endpoint.faults.rules.clear()
        (Path("reports") / str(second.document["run_id"]) / run_folder.MANIFEST).unlink()  # as one that was stopped
        with calling(endpoint):
            resumed = program("scan", "--resume", "latest", "--json")
            complete = program("scan", "--resume", "latest")
    assert resumed.document["run_id"] == second.document["run_id"]
    assert f"latest is run {second.document['run_id']}." in resumed.err
    assert complete.exit_code == 2, "the first run could still be resumed, but it is not the latest"
    assert "is complete: there is nothing to resume" in complete.err


# --- what Tab offers -------------------------------------------------------------------------------------------------

FOUND = "INCOMPLETE, 1 of 1 users unapproved"


@pytest.mark.parametrize(
    "words", [["verify", ""], ["users", ""], ["report", ""], ["evaluate", ""], ["diff", OLDER, ""]]
)
def test_a_run_is_offered_with_its_day_and_outcome_the_newest_first(place: Path, words: list[str]) -> None:
    assert offered(*words) == [
        "latest\tthe newest finished run",
        f"{NEWEST}\t2026-11-25, not finished",
        f"{NEWER}\t2026-11-20, {FOUND}",
        f"{OLDER}\t2026-10-01, {FOUND}",
    ]
    assert values(*words[:-1], "202611", shell="bash") == [NEWEST, NEWER]


def test_a_run_to_resume_is_one_that_lacks_something(place: Path) -> None:
    summary = Path("reports") / OLDER / "summary.json"
    before = summary.read_text(encoding="utf-8")
    try:
        summary.write_text(before.replace('"INCOMPLETE"', '"COMPLETE"'), encoding="utf-8")
        assert values("scan", "--resume", "") == ["latest", NEWEST, NEWER]
    finally:
        summary.write_text(before, encoding="utf-8")
    assert values("scan", "--previous", "") == ["latest", NEWEST, NEWER, OLDER, "none"]


def test_latest_is_not_offered_to_resume_where_it_is_complete(tmp_path: Path) -> None:
    for run_id in (OLDER, NEWER):
        recorded(run_folder.create(tmp_path, run_id), footer=run_id == NEWER)
    render_run(tmp_path / NEWER, ())
    summary = tmp_path / NEWER / "summary.json"
    summary.write_text(summary.read_text(encoding="utf-8").replace('"INCOMPLETE"', '"COMPLETE"'), encoding="utf-8")
    assert values("scan", "-o", str(tmp_path), "--resume", "") == [OLDER]


def test_latest_is_offered_where_there_is_one(tmp_path: Path) -> None:
    assert values("verify", "-o", str(tmp_path), "") == []
    recorded(run_folder.create(tmp_path, NEWEST), footer=False)
    assert values("verify", "-o", str(tmp_path), "") == [NEWEST]
    assert values("scan", "-o", str(tmp_path), "--resume", "") == ["latest", NEWEST]


@pytest.mark.parametrize("way", ["-o", "--output", "--output=", "--output = ", "environment", "--config", "file"])
def test_runs_are_offered_from_where_the_line_or_the_settings_say(
    runs: Path, tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """bash hands over `--output=DIR` as three words."""
    monkeypatch.chdir(tmp_path)
    settings, reports = f"output: {runs}/reports\n", str(runs / "reports")
    words: list[str] = []
    match way:
        case "-o" | "--output":
            words = [way, reports]
        case "--output=":
            words = [f"--output={reports}"]
        case "--output = ":
            assert values("verify", "--output", "=", reports, "", shell="bash") == ["latest", NEWEST, NEWER, OLDER]
            return
        case "environment":
            monkeypatch.setenv("IAM_SCANNER_OUTPUT", reports)
        case "--config":
            Path("mine.yaml").write_text(settings, encoding="utf-8")
            words = ["--config", "mine.yaml"]
        case _:
            Path("config").mkdir()
            Path("config/scanner.yaml").write_text(settings, encoding="utf-8")
    assert values("verify", *words, "") == ["latest", NEWEST, NEWER, OLDER]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["scan", "--format", ""], ["xlsx", "csv", "json", "ocsf"]),
        (["scan", "--format", "=", "c"], ["csv"]),
        (["scan", "--evidence", ""], ["full", "basic"]),
        (["report", "--split-by", ""], ["account_owner", "ou_path"]),
        (["users", "latest", "--format", ""], ["table", "csv", "json"]),
        (["users", "latest", "--change", "ne"], ["new", "newly-unapproved", "newly-approved"]),
    ],
    ids=str,
)
def test_an_option_that_takes_some_values_alone_offers_them(place: Path, words: list[str], expected: list[str]) -> None:
    assert values(*words, shell="bash") == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_whatever_is_wrong_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    """`offered` sees that stderr is empty and the exit code 0."""
    monkeypatch.chdir(tmp_path)
    recorded(run_folder.create(tmp_path / "reports", NEWEST))
    (tmp_path / "reports" / NEWEST / run_folder.MANIFEST).write_text("{", encoding="utf-8")
    (tmp_path / "reports" / NEWEST / "summary.json").write_text("[]", encoding="utf-8")
    assert NEWEST in str(offered("verify", "", shell=shell)), "offered by its name alone"
    for words in (["verify", "-o", "nowhere", ""], ["verify", "--config", "nowhere", ""], ["nosuch", ""]):
        offered(*words, shell=shell)
    monkeypatch.setenv("IAM_SCANNER_OUTPUTS", "misspelt")
    offered("verify", "", shell=shell)
    offered("scan", "--concurrency", "x", "--resume", "", shell=shell)


def test_a_shell_that_asks_in_a_way_of_its_own_gets_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_IAM_SCANNER_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "iam-scanner\nverify")
    monkeypatch.setenv("COMP_CWORD", "one")
    done = program()
    assert (done.exit_code, done.out, done.err) == (0, "", "")
