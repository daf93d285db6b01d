"""The sheets that are tables: Users, Accounts and Safelist.

They print on A3: on A4 they would be either too small to read or spread over many pages. Users, forty columns wide,
takes three pages side by side, each with the account and the user's name; nothing is left out of the print.
"""

from scanner.report.columns import ACCOUNTS, SAFELIST, USERS
from scanner.report.frames import accounts_frame, safelist_frame, users_frame
from scanner.report.sheets.page import A3, Book, Page
from scanner.report.sheets.styles import ALARM, PALE, WARNING, WHITE
from scanner.report.sheets.table import Highlight, write_table


def users_sheet(book: Book) -> None:
    write_table(
        book,
        Page(title="Users", paper=A3, pages_wide=3, repeat_columns="A:E", freeze="F2", gridlines=True),
        USERS,
        users_frame(book.users),
        (
            Highlight(column="determination", condition='{determination}="UNAPPROVED"', fill=ALARM, colour=WHITE),
            # An empty cell equals FALSE in a spreadsheet: unknown MFA must not look like missing MFA.
            Highlight(
                column="mfa_active",
                condition="AND({console_access}=TRUE,ISLOGICAL({mfa_active}),{mfa_active}=FALSE)",
                fill=WARNING,
            ),
            Highlight(column="dormant", condition="{dormant}=TRUE", fill=PALE),
            Highlight(column="administrator", condition="{administrator}=TRUE", fill=PALE),
        ),
    )


def accounts_sheet(book: Book) -> None:
    write_table(
        book,
        Page(title="Accounts", paper=A3, freeze="C2", gridlines=True),
        ACCOUNTS,
        accounts_frame(book.accounts),
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
        Page(title="Safelist", paper=A3, freeze="A2", gridlines=True),
        SAFELIST,
        safelist_frame(book.assessment.safelist),
        (
            Highlight(
                column="status",
                condition='OR({status}="expired",{status}="invalid",{status}="revocation")',
                fill=ALARM,
                colour=WHITE,
            ),
            Highlight(
                column="status",
                condition='OR({status}="expiring",{status}="unmatched",{status}="unused",{status}="not started")',
                fill=WARNING,
            ),
        ),
    )
