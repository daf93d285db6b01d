"""One LibreOffice for all the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.office import NEEDED, Office, missing


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    if absent := missing():
        (pytest.fail if NEEDED else pytest.skip)(absent)
    at_work = Office(tmp_path_factory.mktemp("office"))
    yield at_work
    at_work.close()
