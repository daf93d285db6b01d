"""The workbook of the sample, made once for all tests of a file."""

import pytest
from openpyxl.workbook import Workbook

from tests.report.samples import sample
from tests.report.workbooks import opened


@pytest.fixture(scope="module")
def book() -> Workbook:
    return opened(sample())
