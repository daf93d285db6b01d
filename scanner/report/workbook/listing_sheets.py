"""The sheets that are tables: Users, Accounts and Safelist.

They are wider than a page can show in print that one can read, so each takes several pages side by side, every one of
them with the columns that say what a row is about: nothing is left out. Users, forty columns wide, prints on A3.
"""

from scanner.report.frames import accounts_table, safelist_table, users_table
from scanner.report.workbook.page import A3, Book, Page
from scanner.report.workbook.styles import ALARM, PALE, WARNING, WHITE
from scanner.report.workbook.table_sheet import Highlight, write_table
from scanner.safelist.usage import NOT_JUDGED


def users_sheet(book: Book) -> None:
    write_table(
        book,
        Page(title="Users", paper=A3, pages_wide=3, repeat_columns="A:E", freeze="F2", gridlines=True),
        users_table(book.view),
        (
            Highlight(column="determination", condition='{determination}="UNAPPROVED"', fill=ALARM, colour=WHITE),
            Highlight(
                column="mfa_active",
                condition='AND({console_access}="true",{mfa_active}="false")',
                fill=WARNING,
            ),
            Highlight(column="dormant", condition='{dormant}="true"', fill=PALE),
            Highlight(column="administrator", condition='{administrator}="true"', fill=PALE),
        ),
    )


def accounts_sheet(book: Book) -> None:
    write_table(
        book,
        Page(title="Accounts", pages_wide=2, repeat_columns="A:B", freeze="C2", gridlines=True),
        accounts_table(book.view),
        (
            Highlight(column="outcome", condition='{outcome}="FAILED"', fill=ALARM, colour=WHITE),
            Highlight(condition='{outcome}="FAILED"', fill=WARNING, bold=False),
            Highlight(condition='{outcome}="SKIPPED"', fill=PALE, bold=False),
            Highlight(column="unapproved", condition="{unapproved}>0", fill=PALE),
        ),
    )


def safelist_sheet(book: Book) -> None:
    write_table(
        book,
        Page(title="Safelist", pages_wide=2, repeat_columns="A:F", freeze="A2", gridlines=True),
        safelist_table(book.view),
        (
            Highlight(
                column="status",
                condition='OR({status}="expired",{status}="invalid",{status}="revocation")',
                fill=ALARM,
                colour=WHITE,
            ),
            Highlight(
                column="status",
                condition='OR({status}="expiring",{status}="unmatched",{status}="not started",'
                f'AND({{status}}="unused",LEFT({{remark}},{len(NOT_JUDGED)})<>"{NOT_JUDGED}"))',
                fill=WARNING,
            ),
        ),
    )
