"""An import where there is an archive: the ledger has grown here, and a scan elsewhere does not know of it yet."""

import pytest

from tests.review.desk import Desk, decided


def test_the_command_that_archives_the_ledger_is_shown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IAM_SCANNER_ARCHIVE", "s3://example-audit/iam-058/")
    book = desk.filled({"dev/carol": decided("keep")})
    push = f"iam-scanner archive push {desk.folder.name} --archive s3://example-audit/iam-058\n"
    assert push not in desk.imported(book).out, "nothing was written"
    assert desk.imported(book, "--write").out.endswith(push)
    assert "archive" not in desk.imported(book, "--write", "--quiet").out
    monkeypatch.delenv("IAM_SCANNER_ARCHIVE")
    assert "archive push" not in desk.imported(book, "--write").out
