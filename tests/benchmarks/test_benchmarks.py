"""Each benchmark runs, with sizes that say nothing, so that none rots unseen; and what a table looks like."""

import sys
from contextlib import chdir

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.benchmarks.__main__ import main
from tests.benchmarks.hand_signed import signed
from tests.benchmarks.measuring import Measured, Sizes, Workplace, workplace
from tests.benchmarks.suite import BENCHMARKS
from tests.benchmarks.tables import Table, bound, render
from tests.program import calling_at, program

TINY = Sizes(
    accounts=3,
    many_accounts=5,
    compared_accounts=2,
    users=2,
    many_users=3,
    latency=0.001,
    high_latency=0.01,
    report_delay="0,0",
    repeats=1,
    rounds=1,
    kills=1,
    killed=(5, 2),
    at_once=(64,),
    removed=(2, 2),
)


@pytest.fixture
def scanner_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program is not started anew each time: here its figures say nothing anyway. All else stays a process."""
    as_a_process = Workplace.measure

    def measure(place: Workplace, module: str, *arguments: str, exit_code: int = 0) -> Measured:
        if module != "scanner":
            return as_a_process(place, module, *arguments, exit_code=exit_code)
        aws = place.environment
        with chdir(place.folder), calling_at(aws["AWS_ENDPOINT_URL"], aws["AWS_ACCESS_KEY_ID"]):
            done = program(*arguments)
        assert done.exit_code == exit_code, done.err
        return Measured(wall=1.0, cpu=1.0, peak=1.0, out=done.out)

    monkeypatch.setattr(Workplace, "measure", measure)


@pytest.mark.usefixtures("scanner_in_this_process")
@pytest.mark.parametrize("name", BENCHMARKS)
def test_it_runs(name: str) -> None:
    table = BENCHMARKS[name](TINY)
    assert table.rows
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_a_name_that_is_no_benchmark_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "basic", "fulll"])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "no such benchmark: fulll" in capsys.readouterr().err


def test_a_process_that_fails_breaks_the_benchmark() -> None:
    with workplace(TINY) as place, pytest.raises(RuntimeError, match=r"scanner ended with 0, not 3: iam-scanner \d"):
        place.measure("scanner", "--version", exit_code=3)


def test_a_table_is_markdown() -> None:
    table = Table(
        title="two ways",
        columns=("way", "CPU"),
        rows=[("this one", "1.0 s"), ("that", "20.0 s")],
        notes=[bound("CPU", 0.04, 0.05, ""), bound("Peak memory", 250.4, 200, " MB")],
    )
    assert render(table) == (
        "### two ways\n"
        "\n"
        "| way      |    CPU |\n"
        "| -------- | -----: |\n"
        "| this one |  1.0 s |\n"
        "| that     | 20.0 s |\n"
        "\n"
        "- CPU: 0.04, bound 0.05: met.\n"
        "- Peak memory: 250 MB, bound 200 MB: NOT MET.\n"
    )


@pytest.mark.parametrize("token", [None, "session-token"])
def test_what_is_signed_by_hand_is_signed_as_the_sdk_signs(token: str | None) -> None:
    headers = {"host": "127.0.0.1:4566", "x-amz-date": "20261123T164100Z", "content-type": "application/json"}
    body = b'{"ParentId": "r-ex01"}'
    by_hand = signed(headers, body, ("AKIAEXAMPLE", "secret", token), "organizations")

    request = AWSRequest("POST", "http://127.0.0.1:4566/", headers=headers | _token(token), data=body)
    request.context["timestamp"] = headers["x-amz-date"]
    sdk = SigV4Auth(Credentials("AKIAEXAMPLE", "secret", token), "organizations", "us-east-1")
    signature = sdk.signature(sdk.string_to_sign(request, sdk.canonical_request(request)), request)
    assert by_hand["authorization"].endswith(f"Signature={signature}")


def _token(token: str | None) -> dict[str, str]:
    return {"x-amz-security-token": token} if token else {}
