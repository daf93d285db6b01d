"""The caller's credentials that expire: when their source is asked again, and what comes of it where that fails."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from botocore.exceptions import CredentialRetrievalError

from scanner.aws import credentials
from scanner.aws.credentials import caller_credentials

Advance = Callable[[float], None]


@pytest.fixture
def advance(monkeypatch: pytest.MonkeyPatch) -> Advance:
    """The monotonic clock, which only the test moves."""
    now = [1000.0]

    def move(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(credentials, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return move


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of the profile `audit`, whose process prints `credentials.json` and counts its runs in `times`."""
    monkeypatch.chdir(tmp_path)
    Path("give").write_text("echo >> times\ncat credentials.json\n", encoding="utf-8")
    Path("aws-config").write_text("[profile audit]\ncredential_process = sh give\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    gives("AKIAFIRST0000000000", minutes=4)
    return tmp_path


def gives(key: str, *, minutes: int, **unusable: object) -> None:
    end = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
    values = {"Version": 1, "AccessKeyId": key, "SecretAccessKey": "secret", "Expiration": end} | unusable
    Path("credentials.json").write_text(json.dumps(values), encoding="utf-8")


def no_longer_gives() -> None:
    Path("credentials.json").unlink()


def times(folder: Path) -> int:
    return len((folder / "times").read_text(encoding="utf-8"))


async def test_all_calls_that_wait_for_new_credentials_get_them_from_one_run_of_the_source(
    source: Path, advance: Advance
) -> None:
    current = await caller_credentials("audit")
    before = times(source)
    gives("AKIASECOND000000000", minutes=60)
    advance(credentials.ASK_AGAIN_AFTER)
    renewed = await asyncio.gather(*(current() for _ in range(20)))
    assert {one.access_key for one in renewed} == {"AKIASECOND000000000"}
    assert times(source) == before + 1
    advance(3000)  # by the SDK's clock they are good for an hour still
    await current()
    assert times(source) == before + 1


async def test_credentials_that_are_good_still_are_used_where_the_source_fails(source: Path, advance: Advance) -> None:
    current = await caller_credentials("audit")
    no_longer_gives()
    advance(credentials.ASK_AGAIN_AFTER)
    assert (await current()).access_key == "AKIAFIRST0000000000"


@pytest.mark.parametrize("unusable", [{"AccessKeyId": None}, {"Expiration": "2030-01-01T00:00:00"}])
async def test_new_credentials_that_cannot_be_used_are_refused_until_the_source_gives_better_ones(
    source: Path, advance: Advance, unusable: dict[str, object]
) -> None:
    current = await caller_credentials("audit")
    gives("AKIASECOND000000000", minutes=60, **unusable)
    advance(credentials.ASK_AGAIN_AFTER)
    for _ in range(2):
        with pytest.raises(CredentialRetrievalError):
            await current()
    gives("AKIATHIRD0000000000", minutes=60)
    advance(credentials.ASK_AGAIN_AFTER)
    assert (await current()).access_key == "AKIATHIRD0000000000"
