"""Ctrl-C and SIGTERM, at whatever moment: within two seconds, with a journal that is whole, and how to go on said."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.runs import folder as run_folder
from tests.aws_endpoint import Do, Drip, Endpoint, Fault, SimulatedOrganization, hang, nth, running
from tests.aws_endpoint.faults import Effect
from tests.program import calling, hurried, program, scan, small_world, workplace
from tests.subject import AT_FSYNC, AT_IMPORT, AT_LOOK_UP, Subject

__all__ = ["hurried", "workplace"]
pytestmark = pytest.mark.usefixtures("workplace", "hurried")

Environment = Callable[..., dict[str, str]]

# The promise is two seconds; what hangs here would hang for thirty and more. Between them is room for a slow machine.
SOON = 8.0
SCAN = ("scan", "--safelist", "nobody.yaml", "--format", "csv")


@pytest.fixture
def world() -> SimulatedOrganization:
    return small_world()


def faults(subject: Subject, action: str, effect: Effect, number: signal.Signals) -> list[Fault]:
    """All these calls go wrong; when the first one comes, the process gets the signal."""
    return [Fault(action, Do(subject.gets(number)), when=nth(1)), Fault(action, effect)]


def goes_on(endpoint: Endpoint, folder: Path) -> None:
    endpoint.faults.rules.clear()
    with calling(endpoint):
        again = program("scan", "--resume", folder, "--format", "csv")
    assert again.exit_code == 3, again.err
    assert program("verify", folder).exit_code == 0


@pytest.mark.parametrize(
    ("action", "effect", "number", "hammered"),
    [
        pytest.param("iam:ListUsers", hang, signal.SIGINT, False, id="accounts hang"),
        pytest.param("iam:ListUsers", hang, signal.SIGINT, True, id="accounts hang, and Ctrl-C comes again and again"),
        pytest.param("sts:AssumeRole", hang, signal.SIGINT, False, id="STS hangs"),
        pytest.param("iam:ListUsers", Drip(5.0), signal.SIGTERM, False, id="answers drip"),
    ],
)
def test_a_scan_ends_its_journal_and_says_how_to_go_on(
    endpoint_environment: Environment,
    world: SimulatedOrganization,
    action: str,
    effect: Effect,
    number: signal.Signals,
    hammered: bool,
) -> None:
    subject = Subject()
    with running(world, faults(subject, action, effect, number)) as endpoint:
        ended = subject.run(endpoint_environment(endpoint.url), *SCAN, hammered=hammered)
        assert subject.seconds < SOON
        assert ended.returncode == 130, ended.stderr
        assert "Traceback" not in ended.stderr
        (folder,) = Path("reports").iterdir()
        assert f"Resume with: iam-scanner scan --resume {folder}" in ended.stderr
        assert run_folder.read(folder).footer.interrupted
        assert not run_folder.is_sealed(folder)
        goes_on(endpoint, folder)


@pytest.mark.parametrize("action", ["sts:GetCallerIdentity", "organizations:ListRoots"])
def test_before_the_first_account_nothing_is_left(
    endpoint_environment: Environment, world: SimulatedOrganization, action: str
) -> None:
    subject = Subject()
    with running(world, faults(subject, action, hang, signal.SIGINT)) as endpoint:
        ended = subject.run(endpoint_environment(endpoint.url), *SCAN)
    assert subject.seconds < SOON
    assert ended.returncode == 130
    assert "Interrupted. No account was entered, and nothing was written." in ended.stderr
    assert not Path("reports").exists()


def test_a_run_that_is_stopped_before_it_goes_on_is_as_it_was(
    endpoint_environment: Environment, world: SimulatedOrganization
) -> None:
    subject = Subject()
    with running(world) as endpoint:
        folder = _unsealed(endpoint, whole=False)
        journal = (folder / run_folder.JOURNAL).read_bytes()
        endpoint.faults.rules += faults(subject, "organizations:ListRoots", hang, signal.SIGTERM)
        ended = subject.run(endpoint_environment(endpoint.url), "scan", "--resume", folder)
        assert ended.returncode == 130
        assert f"The run was not changed. Resume it with: iam-scanner scan --resume {folder}" in ended.stderr
        assert (folder / run_folder.JOURNAL).read_bytes() == journal
        goes_on(endpoint, folder)


def _unsealed(endpoint: Endpoint, *, whole: bool) -> Path:
    """A run that was killed: `whole`, when it had all but its reports."""
    folder = scan(endpoint).folder
    journal = (folder / run_folder.JOURNAL).read_bytes()
    (folder / run_folder.MANIFEST).unlink()
    if not whole:
        (folder / run_folder.JOURNAL).write_bytes(journal[: journal.index(b"\n") + 1])
    return folder


def test_while_the_reports_are_written_no_half_of_one_is_left(
    endpoint_environment: Environment, world: SimulatedOrganization
) -> None:
    with running(world) as endpoint:
        folder = _unsealed(endpoint, whole=True)
        arguments = (signal.SIGTERM.value, 2, "scan", "--resume", folder)  # the first fsync is that of the journal
        ended = Subject().run(endpoint_environment(endpoint.url), *arguments, before=AT_FSYNC)
        assert ended.returncode == 130, ended.stderr
        assert f"Write the reports with: iam-scanner scan --resume {folder}" in ended.stderr
        assert "Traceback" not in ended.stderr
        assert not run_folder.is_sealed(folder)
        assert not list(folder.glob(".*"))
        goes_on(endpoint, folder)


@pytest.mark.parametrize("module", ["typer", "pandas"])
def test_while_python_loads_the_program(endpoint_environment: Environment, module: str) -> None:
    arguments = (signal.SIGINT.value, module, *SCAN)
    ended = Subject().run(endpoint_environment("http://127.0.0.1:9"), *arguments, before=AT_IMPORT)
    assert ended.returncode == 130
    assert "Interrupted" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_name_look_up_that_hangs_is_not_waited_for(endpoint_environment: Environment) -> None:
    arguments = (signal.SIGINT.value, "", *SCAN)
    ended = Subject().run(endpoint_environment("http://hangs.invalid"), *arguments, before=AT_LOOK_UP)
    assert ended.returncode == 130
    assert "nothing was written" in ended.stderr
