"""The consolidated tables as pandas data frames: native Python values in object columns, None for what is unknown.

Object columns on purpose: pandas' own types would turn an account id into a number, None into NaN and dates into
nanoseconds. pandas is imported here and below only, so that a command that renders nothing does not wait for it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import pandas as pd

from scanner.audit.diff import Difference
from scanner.report.changes import DIFFERENCES
from scanner.report.columns import ACCOUNTS, ORGANIZATION, SAFELIST, USERS, Column, Row
from scanner.report.review_rows import REVIEW, ReviewRow
from scanner.report.rows import AccountRow, UserRow
from scanner.report.view import View
from scanner.safelist.usage import EntryUse


class Table(NamedTuple):
    """The columns of a table, and what stands in them."""

    columns: Sequence[Column[Any]]
    frame: pd.DataFrame


def users_table(view: View) -> Table:
    return table(view, USERS, lambda run: users_frame(run.users))


def accounts_table(view: View) -> Table:
    return table(view, ACCOUNTS, lambda run: accounts_frame(run.accounts))


def review_table(view: View) -> Table:
    return table(view, REVIEW, lambda run: review_frame(run.review))


def safelist_table(view: View) -> Table:
    return table(view, SAFELIST, lambda run: safelist_frame(run.assessment.safelist))


def table(view: View, columns: Sequence[Column[Any]], frame_of: Callable[[View], pd.DataFrame]) -> Table:
    """The rows of each run one after the other, which say first which organization they are of, where that is asked."""
    if not view.by_organization:
        return Table(columns, frame_of(view))
    frames = []
    for run in view.runs:
        frame = frame_of(run)
        beside = _frame((ORGANIZATION,), [run.organization_id] * len(frame))
        frames.append(pd.concat([beside, frame], axis="columns"))
    return Table(columns_of(view, columns), pd.concat(frames, ignore_index=True))


def columns_of(view: View, columns: Sequence[Column[Any]]) -> Sequence[Column[Any]]:
    """The columns of a table as this report has them."""
    return (ORGANIZATION, *columns) if view.by_organization else columns


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
