"""config/aws/ holds what `role` prints: the policies stand once, in the program."""

import pytest

from tests.aws_documents import AWS, files


@pytest.mark.parametrize("name", files())
def test_a_file_is_what_role_prints(name: str) -> None:
    assert (AWS / name).read_text(encoding="utf-8") == files()[name], "write it again: python -m tests.aws_documents"


def test_no_other_file_lies_there() -> None:
    assert {file.name for file in AWS.iterdir()} == files().keys()
