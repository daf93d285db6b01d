"""Credentials that ask, block or are broken: the program asks where it can, and says what is wrong where it cannot."""

import json
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.aws_endpoint import MANAGEMENT_KEY, Fault, Refuse, SimulatedOrganization, SimulatedRole, running
from tests.program import Done, calling, program, small_world
from tests.subject import PROGRAM, ROOT

pytestmark = pytest.mark.usefixtures("workplace")

Environment = Callable[..., dict[str, str]]
SCAN = ("scan", "--safelist", "nobody.yaml", "--format", "csv", "--profile", "audit")


@pytest.fixture
def world() -> SimulatedOrganization:
    world = small_world()
    world.accounts[world.management_account_id].roles = None  # any role
    return world


def configured(world: SimulatedOrganization, environment: dict[str, str]) -> dict[str, str]:
    """The profile `audit`: a role that asks for an MFA code."""
    management = world.management_account_id
    Path("aws-config").write_text(
        f"[profile audit]\nrole_arn = arn:aws:iam::{management}:role/Auditor\nsource_profile = base\n"
        f"mfa_serial = arn:aws:iam::{management}:mfa/auditor\n"
        f"[profile base]\naws_access_key_id = {MANAGEMENT_KEY}\naws_secret_access_key = secret\n",
        encoding="utf-8",
    )
    kept = {name: value for name, value in environment.items() if not name.startswith("AWS_ACCESS")}
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        kept.pop(name, None)
    return {**kept, "AWS_CONFIG_FILE": str(Path("aws-config").resolve()), "PYTHONPATH": str(ROOT), "TERM": "xterm"}


class Terminal:
    """The program in a terminal of its own, as a person has it."""

    def __init__(self, process: subprocess.Popen[bytes], screen: int) -> None:
        self.process = process
        self._screen = screen
        self.shown = ""

    def until(self, text: str) -> None:
        """Read what is shown until this is there."""
        while text not in self.shown:
            chunk = os.read(self._screen, 4096)
            assert chunk, f"ended with: {self.shown}"
            self.shown += chunk.decode(errors="replace")

    def types(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def echoes(self) -> bool:
        """Whether what is typed is shown."""
        return bool(termios.tcgetattr(self._screen)[3] & termios.ECHO)

    def ends(self) -> int:
        """Read the rest, and return the exit code."""
        try:
            while chunk := os.read(self._screen, 4096):
                self.shown += chunk.decode(errors="replace")
        except OSError:  # Linux says EIO where the other side is gone
            pass
        return self.process.wait(timeout=60)


@contextmanager
def terminal(environment: dict[str, str], *arguments: str, before: str = "") -> Iterator[Terminal]:
    screen, line = pty.openpty()
    take = f"import fcntl, termios\nfcntl.ioctl({line}, termios.TIOCSCTTY, 0)\n{before}"
    with subprocess.Popen(
        [sys.executable, "-c", take + PROGRAM, *arguments],
        env=environment,
        stdin=line,
        stdout=line,
        stderr=line,
        pass_fds=[line],
        start_new_session=True,
    ) as process:
        os.close(line)
        try:
            yield Terminal(process, screen)
        finally:
            process.kill()
            os.close(screen)


def test_a_profile_that_asks_for_an_mfa_code_is_asked_for_it_and_then_scans(
    endpoint_environment: Environment, world: SimulatedOrganization
) -> None:
    with running(world) as endpoint:
        environment = configured(world, endpoint_environment(endpoint.url))
        with terminal(environment, *SCAN) as screen:
            screen.until("Enter MFA code for")
            prompt = len(screen.shown)
            screen.types("123456\n")
            assert screen.ends() == 3, screen.shown
    assert "\x1b[2K" not in screen.shown[screen.shown.index("Enter MFA code") : prompt]  # nothing erased the prompt
    assert "123456" not in screen.shown  # what is typed is not shown
    assert "COMPLETE" in screen.shown
    assert [session.mfa_code for session in endpoint.sessions if session.mfa_code] == ["123456"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("command", [SCAN, ("accounts", "--profile", "audit")], ids=["scan", "accounts"])
def test_the_prompt_can_be_interrupted(
    endpoint_environment: Environment, world: SimulatedOrganization, number: signal.Signals, command: tuple[str, ...]
) -> None:
    with running(world) as endpoint:
        environment = configured(world, endpoint_environment(endpoint.url))
        with terminal(environment, *command) as screen:
            screen.until("Enter MFA code for")
            screen.process.send_signal(number)
            assert screen.ends() == 130, screen.shown
            assert screen.echoes()
    assert "Interrupted. " in screen.shown
    assert not Path("reports").exists()


def test_a_scan_in_the_background_of_a_terminal_is_not_stopped(
    endpoint_environment: Environment, world: SimulatedOrganization
) -> None:
    """A job in the background that sets the terminal gets SIGTTOU; as the shell does, this waits for that too."""
    background = (
        "import os, sys\n"
        "if child := os.fork():\n"
        "    status = os.waitpid(child, os.WUNTRACED)[1]\n"
        "    sys.exit(99 if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status))\n"
        "os.setpgid(0, 0)\n"
    )
    with (
        running(world) as endpoint,
        terminal(endpoint_environment(endpoint.url), *SCAN[:-2], before=background) as screen,
    ):
        assert screen.ends() == 3, screen.shown


MISTYPED = {
    "123457\n": "If the MFA code was mistyped or used before (each works once)",
    "123\n": "the MFA code is not one of six digits",
    "\x04": "none was typed",  # Ctrl-D
}


@pytest.mark.parametrize("typed", MISTYPED)
def test_a_code_that_is_mistyped_is_said_to_be_that(
    endpoint_environment: Environment, world: SimulatedOrganization, typed: str
) -> None:
    role = SimulatedRole(name="Auditor", mfa_code="123456")
    world.accounts[world.management_account_id].roles = [role]
    with running(world) as endpoint:
        environment = configured(world, endpoint_environment(endpoint.url))
        with terminal(environment, *SCAN) as screen:
            screen.until("Enter MFA code for")
            screen.types(typed)
            assert screen.ends() == 5, screen.shown
    assert MISTYPED[typed] in " ".join(screen.shown.split())


@pytest.mark.parametrize("more", [(), ("--json",)], ids=["", "json"])
def test_without_a_terminal_nobody_can_be_asked(
    endpoint_environment: Environment, world: SimulatedOrganization, more: tuple[str, ...]
) -> None:
    with running(world) as endpoint:
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, *SCAN, *more],
            env=configured(world, endpoint_environment(endpoint.url)),
            stdin=subprocess.PIPE,  # open, and nothing ever comes
            capture_output=True,
            text=True,
            start_new_session=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 5
    assert "there is no terminal to type it in" in ended.stderr
    assert "Traceback" not in ended.stderr
    if more:
        error = json.loads(ended.stdout)["error"]
        assert error["exit_code"] == 5
        assert "aws sts get-session-token" in error["message"]


def test_a_role_of_the_profile_that_aws_refuses_is_said_in_aws_s_words(
    monkeypatch: pytest.MonkeyPatch, world: SimulatedOrganization
) -> None:
    world.accounts[world.management_account_id].roles = []
    with running(world) as endpoint:
        for name, value in configured(world, {"AWS_ENDPOINT_URL": endpoint.url}).items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name)
        config = Path("aws-config")
        lines = config.read_text(encoding="utf-8").splitlines(keepends=True)
        config.write_text("".join(line for line in lines if "mfa_serial" not in line), encoding="utf-8")
        done = program(*SCAN)
    assert done.exit_code == 5
    assert "AccessDenied: User: arn:aws:iam::" in done.err
    assert "Check in this account that the role exists" in done.err


@pytest.mark.parametrize("option", ["--hub-role-arn", "--organizations-role-arn"])
def test_a_role_on_the_way_that_is_refused_has_the_remedy_that_helps(world: SimulatedOrganization, option: str) -> None:
    too_large = Fault("sts:AssumeRole", Refuse(400, "PackedPolicyTooLarge", "Packed size 103%"))
    role = f"arn:aws:iam::{world.management_account_id}:role/Hub"
    with running(world, [too_large]) as endpoint, calling(endpoint):
        done = program(*SCAN[:-2], option, role)
    assert done.exit_code == 5
    assert f"The role {role} cannot be assumed. PackedPolicyTooLarge: Packed size 103% " in done.err
    assert "give --no-session-policy" in done.err


# --- sources that give what cannot be used ---------------------------------------------------------------------------

GIVEN = {
    "an expiry without a time zone": {"Expiration": "2030-01-01T00:00:00"},
    "an expiry that is no time": {"Expiration": "soon"},
    "a null key": {"AccessKeyId": None},
    "a null secret": {"SecretAccessKey": None},
    "a number for a key": {"AccessKeyId": 12},
    "an empty secret": {"SecretAccessKey": ""},
    "a list for a token": {"SessionToken": ["x"]},
}


def given_by_a_process(values: dict[str, object]) -> Done:
    credentials = {"Version": 1, "AccessKeyId": "AKIAPLANTED000000000", "SecretAccessKey": "planted-secret"} | values
    Path("credentials.json").write_text(json.dumps(credentials), encoding="utf-8")
    return with_the_profile("credential_process = cat credentials.json")


def with_the_profile(settings: str) -> Done:
    Path("aws-config").write_text(f"[profile audit]\n{settings}\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_CONFIG_FILE", str(Path("aws-config").resolve()))
        return program(*SCAN, "--debug")


@pytest.mark.parametrize(
    "process",
    ["absent-program", "true", "echo planted", "sh -c 'echo planted-secret >&2; exit 1'", "echo {}", "echo []", "'"],
)
def test_a_process_that_gives_nothing_is_said_so(process: str) -> None:
    done = with_the_profile(f"credential_process = {process}")
    assert done.exit_code == 5
    assert "error: The AWS credentials could not be loaded: their source failed" in done.err
    assert "planted" not in done.err + done.out


def test_a_process_that_hangs_is_given_up_where_nobody_can_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.aws.credentials.SOURCE_SECONDS", 0.3)
    monkeypatch.setattr("scanner.aws.credentials._has_terminal", lambda: False)
    os.mkfifo("never")
    done = with_the_profile("credential_process = cat never")
    os.close(os.open("never", os.O_RDWR))  # ends the process
    assert done.exit_code == 5
    assert "their source did not answer within 0 seconds" in done.err


LOGIN = "login_session = arn:aws:iam::123456789012:user/auditor"
BY_A_ROLE = "role_arn = arn:aws:iam::123456789012:role/Auditor\nsource_profile = base\n[profile base]\n"


@pytest.mark.parametrize("settings", [LOGIN, BY_A_ROLE + LOGIN])
def test_a_profile_of_aws_login_gets_the_way_round(settings: str) -> None:
    done = with_the_profile(settings)
    assert done.exit_code == 5
    assert "aws configure export-credentials" in done.err


@pytest.mark.parametrize("minutes", [4, 10])
def test_a_process_whose_credentials_expire_soon_is_not_run_for_every_call(
    world: SimulatedOrganization, minutes: int
) -> None:
    """The SDK runs it again for every call from 15 minutes before their end."""
    end = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
    values = {"Version": 1, "AccessKeyId": MANAGEMENT_KEY, "SecretAccessKey": "secret", "Expiration": end}
    Path("credentials.json").write_text(json.dumps(values), encoding="utf-8")
    Path("give").write_text("echo >> times\ncat credentials.json\n", encoding="utf-8")
    with running(world) as endpoint, calling(endpoint):
        done = with_the_profile("credential_process = sh give")
    assert done.exit_code == 3, done.err
    assert Path("times").read_text(encoding="utf-8") == "\n" * 2  # once to load them, once as they expire soon


@pytest.mark.parametrize("values", GIVEN.values(), ids=GIVEN)
def test_a_source_that_gives_what_cannot_be_used_is_said_so(values: dict[str, object]) -> None:
    done = given_by_a_process(values)
    assert done.exit_code == 5
    assert "error: The AWS credentials could not be loaded: their source failed" in done.err
    assert "planted" not in done.err + done.out


SPOILT = {
    "access key ID": {"AccessKeyId": "AKIAPLANTED000000000\n"},
    "secret access key": {"SecretAccessKey": " planted-secret"},
    "session token": {"SessionToken": "planted\r\n"},
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_key_with_a_blank_or_a_line_break_around_it_is_named(name: str) -> None:
    done = given_by_a_process(dict(SPOILT[name]))
    assert done.exit_code == 5
    assert f"The {name} of the AWS credentials contains a space, a line break or a similar character" in done.err
    assert "planted" not in done.err + done.out


def test_a_key_in_the_environment_with_a_line_break_is_named(
    monkeypatch: pytest.MonkeyPatch, world: SimulatedOrganization
) -> None:
    with running(world) as endpoint, calling(endpoint):
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret\n")
        done = program(*SCAN[:-2])
    assert done.exit_code == 5
    assert "The secret access key of the AWS credentials contains a space" in done.err
    assert not endpoint.calls
