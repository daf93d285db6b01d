"""No credential and no ExternalId is stored or shown, whatever goes wrong and whoever quotes it, with --debug too."""

import os
import subprocess
import sys
import zipfile
from base64 import b32decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.aws_endpoint import Caller, Fault, Raw, Refuse, SimulatedOrganization, deny, running
from tests.aws_endpoint.faults import Call, Effect
from tests.aws_endpoint.wire import AwsError
from tests.program import Done, calling, named, program, small_world, table

pytestmark = pytest.mark.usefixtures("workplace")

CHECKOUT = str(Path(__file__).parents[2])
CALLER_KEY = "ASIACALLER0000000000"
EXTERNAL_ID = "planted/external+id=7f3a"
SECRET = "planted-secret-91bc"
TOKEN = "planted/token+55de=="

Environment = Callable[..., dict[str, str]]


def spellings(secret: str) -> set[str]:
    once = quote(secret, safe="")
    return {secret, once, once.lower(), quote(secret), quote(once, safe="")}


@dataclass(frozen=True)
class Quoting(Refuse):
    """Quotes the request, as SignatureDoesNotMatch does: the session token is one of its headers."""

    def error(self, call: Call, principal: str) -> AwsError:
        number = int.from_bytes(b32decode(call.access_key_id[4:])) if call.access_key_id != CALLER_KEY else 0
        token = f"session-token-{number}-{'x' * 200}==" if number else TOKEN
        return AwsError(self.status, self.code, f"{self.message} {' '.join(sorted(spellings(token)))}")


canonical = Quoting(403, "SignatureDoesNotMatch", "The Canonical String should have been 'x-amz-security-token:")
echo = Refuse(400, "ValidationError", f"Value at 'externalId': {' '.join(sorted(spellings(EXTERNAL_ID)))}")
malformed = Refuse(400, "MalformedPolicyDocument", f"Syntax error near 'sts:ExternalId={EXTERNAL_ID}' in policy.")
empty = Raw(
    200,
    b'<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult/></AssumeRoleResponse>',
    "text/xml",
)
broken = Raw(200, f"<AssumeRoleResponse><SecretAccessKey>{SECRET}</SecretAccess".encode(), "text/xml")
strange = Raw(200, f"<AssumeRoleResponse>{SECRET}</AssumeRoleResponse>".encode(), "text/xml")
FAULTS = {
    "management": Fault("iam:ListUsers", canonical),
    "dev": Fault("iam:ListUsers", canonical),
    "sandbox": Fault("sts:AssumeRole", echo),
    "core": Fault("sts:AssumeRole", empty),
    "payments-2": Fault("sts:AssumeRole", malformed),
    "prod": Fault("iam:GetAccountSummary", deny),
}
REASONS = {
    "management": "CREDENTIALS_EXPIRED",
    "dev": "CREDENTIALS_EXPIRED",
    "sandbox": "ROLE_NOT_ASSUMABLE",
    "core": "BAD_RESPONSE",
    "payments-1": "",
    "payments-2": "ROLE_NOT_ASSUMABLE",
    "prod": "",
}


def caller(world: SimulatedOrganization) -> Caller:
    account = world.management_account_id
    arn = f"arn:aws:sts::{account}:assumed-role/Audit/reviewer"
    return Caller(access_key_id=CALLER_KEY, account_id=account, arn=arn, session_token=TOKEN)


def as_a_process(environment: dict[str, str], *options: str) -> "subprocess.CompletedProcess[bytes]":
    """With a real stderr: what Python and the SDK write past the program would be there too."""
    command = [sys.executable, "-m", "scanner", "scan", "--safelist", "nobody.yaml", "--debug", *options]
    return subprocess.run(command, env=environment | {"PYTHONPATH": CHECKOUT}, capture_output=True, check=False)


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below the folder, and every part of those that are archives."""
    for file in folder.rglob("*"):
        if file.is_file():
            yield file.name, file.read_bytes()
        if file.suffix == ".xlsx":
            with zipfile.ZipFile(file) as archive:
                yield from ((f"{file.name}!{name}", archive.read(name)) for name in archive.namelist())


def test_a_scan_with_faults_neither_stores_nor_prints_a_secret(
    workplace: Path, endpoint_environment: Environment
) -> None:
    """The ExternalId, the caller's secret and token, and those that STS gave out, wherever AWS quotes them."""
    world = small_world()
    faults = [Fault(fault.action, fault.effect, account=named(world, name).id) for name, fault in FAULTS.items()]
    mine = {
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": TOKEN,
        "IAM_SCANNER_EXTERNAL_ID": EXTERNAL_ID,
    }
    with running(world, faults, callers=[caller(world)]) as endpoint:
        environment = endpoint_environment(endpoint.url, CALLER_KEY, **mine)
        done = as_a_process(environment, "--format", "json", "--format", "csv", "--format", "xlsx")
        given = [f"secret-of-{session.access_key_id}" for session in endpoint.sessions]
    assert done.returncode == 4, done.stderr
    (accounts,) = (workplace / "reports").rglob("accounts.csv")
    assert {row["account_name"]: row["reason"] for row in table(accounts)} == REASONS
    found = {"stdout": done.stdout, "stderr": done.stderr} | dict(contents(workplace / "reports"))
    assert len(found) > 20  # the parts of the workbook among them
    assert b"(external id)" in found["journal.jsonl"]
    assert b"(session token)" in found["journal.jsonl"]
    for secret in [SECRET, *spellings(TOKEN), *spellings(EXTERNAL_ID), *given, "session-token-", "x" * 40]:
        assert [name for name, content in found.items() if secret.encode() in content] == [], secret


HUB = "arn:aws:iam::{}:role/Hub"
NO_START = {
    "a caller that is not accepted": ("sts:GetCallerIdentity", canonical, "x-amz-security-token:"),
    "a hub role that is refused": ("sts:AssumeRole", canonical, "x-amz-security-token:"),
    "a hub role whose answer breaks off": ("sts:AssumeRole", broken, "is not one that AWS documents"),
    "a hub role whose answer is strange": ("sts:AssumeRole", strange, "is not one that AWS documents"),
}


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(("call", "effect", "expected"), NO_START.values(), ids=NO_START)
def test_a_scan_that_cannot_start_says_why_without_a_secret(
    call: str, effect: Effect, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = small_world()
    with running(world, [Fault(call, effect)], callers=[caller(world)]) as endpoint, calling(endpoint, CALLER_KEY):
        monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
        done = debugged("--hub-role-arn", HUB.format(named(world, "core").id))
    assert done.exit_code == 5
    assert expected in done.err
    assert "Traceback" in done.err
    for spelling in (*spellings(TOKEN), SECRET):
        assert spelling not in done.err + done.out


# --- what a credential_process prints --------------------------------------------------------------------------------

PROCESS_ANSWER = f'{{"Version":1,"AccessKeyId":"A","SecretAccessKey":"B","SessionToken":"C","Expiration":"{SECRET}"}}'
PROCESSES = {
    "no JSON": f"printf {SECRET}",
    "another JSON": f"""printf '["{SECRET}"]'""",
    "an error": f"""sh -c 'echo {SECRET} >&2; exit 1'""",
    "another version": f"""printf '{{"Version":"{SECRET}"}}'""",
    "no key id": f"""printf '{{"Version":1,"SecretAccessKey":"{SECRET}"}}'""",
    "no time": f"printf '{PROCESS_ANSWER}'",
}


@pytest.mark.parametrize("process", PROCESSES.values(), ids=PROCESSES)
def test_what_a_credential_process_prints_is_not_quoted(process: str, monkeypatch: pytest.MonkeyPatch) -> None:
    profile(f"credential_process = {process}", monkeypatch)
    done = debugged()
    assert done.exit_code == 5
    assert "credential_process" in done.err
    assert "Traceback" in done.err
    assert SECRET not in done.err + done.out


def test_what_it_prints_when_it_fails_later_is_not_quoted_either(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK logs that with a traceback, and Python prints what is logged and not handled."""
    script = workplace / "process.sh"
    answer = PROCESS_ANSWER.replace(SECRET, "2020-01-01T00:00:00Z")
    script.write_text(f"if [ -e once ]; then echo {SECRET} >&2; exit 1; fi\ntouch once\necho '{answer}'\n")
    profile(f"credential_process = sh {script}", monkeypatch)
    done = as_a_process(dict(os.environ))
    assert (workplace / "once").exists()
    assert done.returncode == 5, done.stderr
    assert SECRET.encode() not in done.stderr + done.stdout


@pytest.mark.parametrize(
    "text", ["[default\n{}", "[default]\naws_secret_access_key {}", "[default]\na={}\n[default]\n"]
)
def test_a_broken_configuration_of_aws_is_not_quoted(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    profile("", monkeypatch, text.format(SECRET))
    done = debugged()
    assert done.exit_code == 5
    assert "credentials" in done.err
    assert SECRET not in done.err + done.out


def profile(line: str, monkeypatch: pytest.MonkeyPatch, credentials: str = "") -> dict[str, str]:
    """Configure the AWS SDK by files alone."""
    Path("config.ini").write_text(f"[default]\n{line}\n", encoding="utf-8")
    Path("credentials.ini").write_text(credentials, encoding="utf-8")
    files = {"AWS_CONFIG_FILE": "config.ini", "AWS_SHARED_CREDENTIALS_FILE": "credentials.ini"}
    for name, value in files.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    return files


def debugged(*options: str) -> Done:
    return program("scan", "--safelist", "nobody.yaml", "--debug", "--json", *options)


# --- what stands in the settings -------------------------------------------------------------------------------------

SETTINGS = {
    "too odd": "external_id: 'planted !'",
    "twice": "external_id: planted\nexternal_id: planted-too",
    "a list": "external_id: [planted]",
    "a mapping": "external_id: {a: planted}",
    "an alias": "external_id: *planted",
    "a number": "external_id: !!int planted",
    "a time": "external_id: !!timestamp planted",
    "a set": "external_id: !!set planted",
    "a colon": "external_id: planted: x",
    "a tab": "external_id: planted\n\tx: 1",
    "another fault": "external_id: planted\nformat: [pdf]",
    "another key": "external-id: planted",
}


@pytest.mark.parametrize("text", SETTINGS.values(), ids=SETTINGS)
def test_a_fault_in_a_settings_file_does_not_quote_the_external_id(text: str) -> None:
    Path("settings.yaml").write_text(text, encoding="utf-8")
    done = debugged("--config", "settings.yaml")
    assert done.exit_code == 2
    assert "settings.yaml" in done.document["error"]["message"]
    assert "Traceback" in done.err
    assert "planted" not in done.err + done.out


def test_a_bad_external_id_of_an_option_or_the_environment_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    by_option = debugged("--external-id", "planted !")
    monkeypatch.setenv("IAM_SCANNER_EXTERNAL_ID", "planted !")
    by_variable = debugged()
    for done, name in ((by_option, "--external-id"), (by_variable, "IAM_SCANNER_EXTERNAL_ID")):
        assert done.exit_code == 2
        assert name in done.err
        assert "planted" not in done.err + done.out


def test_an_external_id_that_is_missing_when_a_run_is_resumed_was_stored_nowhere(workplace: Path) -> None:
    world = small_world()
    with running(world, [Fault("iam:ListUsers", deny)]) as endpoint, calling(endpoint):
        done = program("scan", "--safelist", "nobody.yaml", "--quiet", "--external-id", EXTERNAL_ID)
        again = debugged("--resume", done.out.strip())
    assert (done.exit_code, again.exit_code) == (4, 2)
    found = {"out": (again.out + again.err).encode()} | dict(contents(workplace / "reports"))
    assert [name for name, content in found.items() if EXTERNAL_ID.encode() in content] == []
