"""A site in an empty folder; and no waiting between two looks at a user."""

from pathlib import Path

import pytest

from tests.remediation.site import Site


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.remediation.patience.PAUSES", (0.0,) * 7)
    monkeypatch.setattr("scanner.aws.clients.BACKOFF_CAP", 0.002)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.chdir(tmp_path)
    return Site()
