"""Nothing that remediation writes or prints holds a secret, whatever AWS puts into its answers, with --debug too."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scanner.model import Choice
from tests.aws_endpoint import Caller, Fault, Refuse, first, nth
from tests.aws_endpoint.iam_state import SECRETS, LiveAccount, LiveKey
from tests.cli.test_secrets import CALLER_KEY, EXTERNAL_ID, TOKEN, canonical, spellings
from tests.remediation.site import Site, furnish

CHECKOUT = str(Path(__file__).parents[2])


def command(site: Site, *arguments: object) -> "subprocess.CompletedProcess[bytes]":
    """As a process, so that what Python and the SDK write past the program would be there too."""
    environment = {
        **os.environ,
        "PYTHONPATH": CHECKOUT,
        "AWS_ACCESS_KEY_ID": CALLER_KEY,
        "AWS_SECRET_ACCESS_KEY": "planted-caller-secret",
        "AWS_SESSION_TOKEN": TOKEN,
        "IAM_SCANNER_EXTERNAL_ID": EXTERNAL_ID,
    }
    line = [sys.executable, "-m", "scanner", "remediate", *map(str, arguments), "--debug"]
    return subprocess.run(line, env=environment, capture_output=True, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture
def prod(site: Site) -> LiveAccount:
    prod = site.account()
    furnish(prod, service_credentials={"ACCA1": LiveKey()})
    furnish(prod, "bob", service_credentials={"ACCA2": LiveKey()})
    site.decide({"alice": Choice.QUARANTINE, "bob": Choice.QUARANTINE})
    return prod


def test_no_secret_is_written_or_printed_by_plan_apply_status_and_undo(site: Site, prod: LiveAccount) -> None:
    management = site.world.management_account_id
    arn = f"arn:aws:sts::{management}:assumed-role/Admin/somebody"
    caller = Caller(access_key_id=CALLER_KEY, account_id=management, arn=arn, session_token=TOKEN)
    quoted = " ".join(sorted(spellings(EXTERNAL_ID) | spellings(TOKEN)))
    faults = [  # STS quotes what it was sent, and IAM the request, the session token among it
        Fault("sts:AssumeRole", Refuse(400, "ValidationError", f"Value at 'externalId': {quoted}"), when=nth(3)),
        Fault("iam:UpdateAccessKey", canonical, when=first(1)),
    ]
    with site.serving(*faults, callers=[caller]) as endpoint:
        outputs = [command(site, "plan", site.removals, "--safelist", site.safelist)]
        (folder,) = site.output.glob("*-remediation/*")
        for words in (("apply", "--execute", "--yes"), ("apply", "--execute", "--yes")):
            name, *more = words
            safelist = ["--safelist", site.safelist] if name == "apply" else []
            outputs.append(command(site, name, folder, *more, *safelist))
        outputs.append(command(site, "undo", folder, "--execute", "--yes"))
        given = [f"secret-of-{session.access_key_id}" for session in endpoint.sessions]
    assert [done.returncode for done in outputs] == [0, 4, 0, 0], [done.stderr for done in outputs]
    found = {f"output {number}": done.stdout + done.stderr for number, done in enumerate(outputs)}
    found |= {str(path): path.read_bytes() for path in site.output.rglob("*") if path.is_file()}
    assert any("journal.jsonl" in name and "remediation" in name for name in found)
    assert len(given) > 5
    assert b"(external id)" in found["output 1"]
    assert b"(session token)" in found["output 1"]
    quotes = [*spellings(TOKEN), *spellings(EXTERNAL_ID), "session-token-", "x" * 40]
    secrets = [*SECRETS, *given, "planted-caller-secret", *quotes, "BEGIN CERTIFICATE"]
    for secret in secrets:
        assert [name for name, content in found.items() if secret.encode() in content] == [], secret
