"""The consolidated tables as pandas data frames: native Python values in object columns, None for what is unknown.

Object columns on purpose: pandas' own types would turn an account id into a number, None into NaN and dates into
nanoseconds. pandas is imported here and below only, so that a command that renders nothing does not wait for it.
"""

from collections.abc import Iterable, Sequence

import pandas as pd

from scanner.audit.diff import Difference
from scanner.report.changes import DIFFERENCES
from scanner.report.columns import ACCOUNTS, SAFELIST, USERS, Column, Row
from scanner.report.review_rows import REVIEW, ReviewRow
from scanner.report.rows import AccountRow, UserRow
from scanner.safelist.usage import EntryUse


def users_frame(rows: Iterable[UserRow]) -> pd.DataFrame:
    """One row a user of every account that was read."""
    return _frame(USERS, rows)


def accounts_frame(rows: Iterable[AccountRow]) -> pd.DataFrame:
    """One row an account in scope, whatever became of it."""
    return _frame(ACCOUNTS, rows)


def review_frame(rows: Iterable[ReviewRow]) -> pd.DataFrame:
    """One row a user that needs a decision."""
    return _frame(REVIEW, rows)


def safelist_frame(uses: Iterable[EntryUse]) -> pd.DataFrame:
    """One row an entry or revocation of the safelists."""
    return _frame(SAFELIST, uses)


def differences_frame(rows: Iterable[Difference]) -> pd.DataFrame:
    """One row a user that changed."""
    return _frame(DIFFERENCES, rows)


def _frame(columns: Sequence[Column[Row]], rows: Iterable[Row]) -> pd.DataFrame:
    held = list(rows)
    columnar = {column.key: pd.Series([column.get(row) for row in held], dtype=object) for column in columns}
    return pd.DataFrame(columnar, copy=False)  # a copy would double what 100,000 users take
