"""The Evidence sheet: what an auditor asks of any list, answered by the facts of this run.

Source, scope and filters, completeness, accuracy, and that nobody edited it after extraction; then the particulars.
It is written after the sheets with other people's text, as it lists what had to be changed there.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from scanner.audit.assessment import Assessment, Part, Totals
from scanner.audit.diff import out_of_scope
from scanner.audit.ownership import unread_tags
from scanner.model import Account, Evidence, Scanned
from scanner.record import Record, Resumption, SafelistText
from scanner.report.changes import DIFFERENCES, counts_words
from scanner.report.columns import ACCOUNTS, SAFELIST, USERS, Column
from scanner.report.figures import reconciled, skipped_by_detail
from scanner.report.frames import columns_of
from scanner.report.review_rows import REVIEW
from scanner.report.summary import sha256
from scanner.report.view import View
from scanner.report.words import (
    days,
    many,
    moment,
    run_words,
    scope_words,
    settings_words,
    status_words,
    what_if_words,
    window,
)
from scanner.report.workbook.page import Book, Page
from scanner.report.workbook.prose import Prose, Span
from scanner.report.workbook.styles import HEAD, LABEL, PROSE, SECTION, STRONG, TITLE
from scanner.safelist.usage import EXPIRING

WIDTHS = (34, 122)
CHANGES_SHOWN = 200
ACCOUNTS_NAMED = 20  # of those not attempted for one reason
Fact = tuple[str, str]

NOT_COVERED = (
    ("Root users", "The root user of each account is not an IAM user; see IAM's credential report, <root_account>."),
    ("Identity Center users", "People who sign in through IAM Identity Center or a federation have no IAM user."),
    ("Roles", "Roles and who may assume them are not reviewed."),
    (
        "Other credentials",
        "SSH keys and certificates are not read. AWS does not say when service-specific credentials were used.",
    ),
    (
        "What limits rights",
        "Denies, permissions boundaries and SCPs are not weighed, and may leave less than is shown.",
    ),
    (
        "Other ways to become administrator",
        "Assuming roles, and passing one to a service (iam:PassRole), are not judged.",
    ),
    (
        "AWS's own policies",
        "They are judged by name; of one that the program does not know, escalation is empty.",
    ),
)


def evidence_sheet(book: Book) -> None:
    prose = Prose(book, Page(title="Evidence", repeat_rows=None, freeze=None), WIDTHS)
    prose.line(Span(1, "Evidence: where this list comes from, and why it can be relied on", TITLE, 2), height=28)
    if book.view.by_organization:
        _section(prose, "What is in this workbook: runs of different organizations", _runs(book.view))
    for run in book.view.runs:
        _run(prose, run, beside_others=book.view.by_organization)
    _columns(prose, book.view)
    _section(prose, "Text that had to be changed to fit a workbook", _changed(book))


def _runs(view: View) -> Iterable[Fact]:
    """Each with what proves it: its status, and the digest of its journal; the import reads them further below."""
    for run in view.runs:
        record, start, end = run.assessment.record, run.figures.read_from, run.figures.read_until
        read = f"accounts read {window(start, end)}" if start and end else "no account was read"
        digest = f"SHA-256 of its journal {record.digest}"
        yield f"Organization {run.organization_id}", f"{run_words(record)}; {_came_to(run)}\n{read}\n{digest}"
    yield "In all", _came_to(view)
    yield "Rows", "say in their first column, organization_id, which organization they are of"
    words = "each row is compared with its own run, and the decisions go into that run's review"
    yield "Decisions", f"are read back by iam-scanner review import, with all of these runs under --output: {words}"


def _came_to(view: View) -> str:
    return f"{status_words(view.in_all)}\n{_control_total(view.in_all.totals)}\n{_split(view)}"


def _run(prose: Prose, run: View, *, beside_others: bool) -> None:
    """All that is to be said of one run."""
    if beside_others:
        prose.new_page()
        prose.line(Span(1, f"Organization {run.organization_id}", TITLE, 2), height=28)
    record = run.assessment.record
    if record.what_if:
        _section(prose, "A what-if: what is other than in the run?", _what_if(record))
    _questions(prose, run, beside_others=beside_others)
    for heading, facts in (
        ("What is not covered", NOT_COVERED),
        ("Settings in force", settings_words(record.header)),
        ("Safelists as read", _safelists_used(record)),
        ("Session policies in force", sorted(record.header.session_policies.items())),
        ("Calls to AWS (attempts)", _calls(record)),
        ("Versions", _versions(record)),
    ):
        _section(prose, heading, facts)


def _what_if(record: Record) -> Iterable[Fact]:
    own = record.what_if
    assert own is not None
    yield "What this is", what_if_words(record)
    yield "Approvals judged on", f"{record.header.as_of.isoformat()}; in the run: {own.as_of.isoformat()}"
    yield "Decided by", "the safelists below, under Safelists as read; in the run, by these:"
    yield from _safelists(own.safelists, recorded=True)


def _questions(prose: Prose, run: View, *, beside_others: bool) -> None:
    """The five questions, on two printed pages: headings at the foot of a page get lost."""
    _section(prose, "1. Source: where does the list come from?", _source(run))
    _section(prose, "2. Scope and filters: what was asked for, and what was left out?", _scope(run))
    _section(prose, "3. Completeness: is everything in it?", _completeness(run))
    prose.new_page()
    _section(prose, "4. Accuracy: is what it says right?", _accuracy(run))
    unedited = _unedited(run.assessment, beside_others=beside_others)
    _section(prose, "5. Not edited after extraction: how can that be shown?", unedited)


def _section(prose: Prose, heading: str, facts: Iterable[Fact]) -> None:
    prose.gap()
    prose.line(Span(1, heading, SECTION, 2), height=20)
    listed = tuple(facts) or (("None", ""),)
    prose.lines((Span(1, label, LABEL), Span(2, value, PROSE)) for label, value in listed)


def _source(run: View) -> Iterable[Fact]:
    record = run.assessment.record
    header = record.header
    if header.organization:
        yield "Organization", header.organization.id
        yield "Management account", header.organization.management_account_id
    yield "Accounts known from", record.listing.source
    yield "Read by", f"{header.caller.arn} (account {header.caller.account_id}, partition {header.caller.partition})"
    yield "Read through", _read_through(run)
    yield "Run id", header.run_id
    yield "Program", f"iam-scanner {header.program_version}"
    yield "Started and finished", f"{moment(header.started_at)}; {moment(record.footer.finished_at)}"
    for resumption in record.resumptions:
        yield "Resumed", _resumption_words(resumption)
    if run.figures.read_from and run.figures.read_until:
        yield "Accounts were read", window(run.figures.read_from, run.figures.read_until)
    yield "Compared with", _compared_with(run)
    if owners := "; else ".join(_owners_from(run.assessment)):
        yield "Owners of accounts from", owners
    yield "Users come from", "IAM ListUsers, called in each account; a list that broke off counts as a failed account"


def _owners_from(assessment: Assessment) -> Iterable[str]:
    """What names them, the first that does."""
    record = assessment.record
    if assessment.owners_from is not None:
        yield f"{assessment.owners_from}, given when this was rendered; not the file that the run recorded"
    elif record.header.account_owners:
        yield str(record.header.settings.account_owners)
    if record.owner_tags is not None:
        unread = unread_tags(record)
        not_read = f" ({many(unread, 'account')} not read)" if unread else ""
        yield f"tag {record.header.settings.account_owner_tag} of the account in AWS Organizations{not_read}"


def _resumption_words(each: Resumption) -> str:
    words = [moment(each.resumed_at), f"iam-scanner {each.program_version}"]
    words.append(f"read by {each.caller.arn}" if each.caller else "only the reports were missing")
    if each.killed:
        words.append("the run had been killed: its calls to AWS up to then are not counted below")
    if each.torn:
        words.append("the last line of its journal was cut off and was dropped")
    return "; ".join(words)


def _compared_with(run: View) -> str:
    header = run.assessment.record.header
    previous, why = header.previous_run, header.previous_why
    if previous is None:
        return f"no earlier run; the column change of Users is empty{why and f': {why}'}"
    return f"{previous.run_id}, SHA-256 of its journal {previous.digest}{why and f'; {why}'}"


def _read_through(run: View) -> str:
    scans = [scan for scan in run.assessment.record.scans.values() if isinstance(scan, Scanned)]
    own = sorted(scan.account_id for scan in scans if scan.role_arn is None)
    words = f"the role named in Accounts, column role_arn, in {many(len(scans) - len(own), 'account')}"
    return f"{words}; the caller's own credentials in {', '.join(own)}" if own else words


def _scope(run: View) -> Iterable[Fact]:
    settings = run.assessment.record.header.settings
    yield from _part(run.assessment.part)
    yield "Asked for", scope_words(settings)
    yield "Excluded units", "\n".join(f"{one.ou} ({one.reason})" for one in settings.exclude_ou) or "none"
    yield "Excluded accounts", "\n".join(f"{one.account} ({one.reason})" for one in settings.exclude_account) or "none"
    for reason, accounts in skipped_by_detail(run.assessment).items():
        yield "Not attempted", f"{many(len(accounts), 'account')}: {_called(accounts)}\n{reason}"
    yield "Filter on users", "none: every IAM user of every account read is a row of Users, approved or not"
    yield "Approvals judged on", run.assessment.record.header.as_of.isoformat()


def _part(part: Part | None) -> Iterable[Fact]:
    if part is None:
        return
    yield "This is a part of the run", part.words
    yield "What is of the part", "its accounts, users and changes, and all totals of these"
    yield "What is of the whole run", "calls to AWS, settings, versions, notes, run id and journal"
    yield (
        "Entries of the safelist",
        "those that concern its accounts; status, users and remarks are of the whole run",
    )


def _called(accounts: Sequence[Account]) -> str:
    names = ", ".join(f"{account.id} ({account.name})" for account in accounts[:ACCOUNTS_NAMED])
    more = len(accounts) - ACCOUNTS_NAMED
    return f"{names}, and {more:,} more: see Accounts" if more > 0 else names


def _completeness(run: View) -> Iterable[Fact]:
    totals, listing = run.assessment.totals, run.assessment.record.listing
    yield "Status", status_words(run.assessment)
    if run.assessment.record.footer.interrupted:
        yield "The run was interrupted", "accounts that it did not reach count as failed; scan --resume resumes it"
    yield "Control total of accounts", _control_total(totals)
    yield "The control total", "adds up" if reconciled(totals) == totals.listed else "DOES NOT ADD UP"
    yield "Rows of Accounts", f"{len(run.accounts):,}, one for each of {totals.in_scope:,} accounts in scope"
    yield "Rows of Review", f"{len(run.review):,}: each holds at least one of: {_why_in_review(run)}"
    yield "Rows of Users", f"{len(run.users):,}; {_split(run)}"
    yield "Rows of Safelist", f"{len(run.assessment.safelist):,}"
    yield from _changes(run)
    if listing.problem:
        yield "The listing of accounts broke off", f"{listing.problem.call}: {listing.problem.detail}"
    yield from (("Note", note) for note in listing.notes)


def _control_total(totals: Totals) -> str:
    return (
        f"{totals.listed:,} listed; {totals.outside_scope:,} outside the scope + {totals.excluded:,} excluded + "
        f"{totals.inactive:,} inactive + {totals.scanned:,} scanned + {totals.failed:,} failed = {reconciled(totals):,}"
    )


def _split(view: View) -> str:
    totals = view.in_all.totals
    both = totals.approved + totals.unapproved
    return f"{totals.approved:,} approved + {totals.unapproved:,} unapproved = {both:,}; {totals.users:,} found"


def _why_in_review(run: View) -> str:
    every = days(run.assessment.record.header.settings.review_every_days)
    return (
        f"not approved; approval ends within {days(EXPIRING.days)}; recreated, renamed or gained privilege since the "
        f"previous run; decision not carried out or put off; neither approved nor reviewed in the last {every}"
    )


def _changes(run: View) -> Iterable[Fact]:
    """What became of the users of the previous run, and of this one's: the latter two have no row in Changes."""
    assessment = run.assessment
    previous = assessment.record.header.previous_run
    if previous is None or assessment.differences is None:
        return
    yield "Since the run compared with", f"{counts_words(assessment.differences)}; one with several counts for each"
    listing = assessment.record.listing
    outside = out_of_scope(previous, {account.id for account in listing.accounts} - listing.in_scope)
    yield "Not compared", f"{many(outside, 'user')} of that run, in accounts that are outside the scope of this one"


def _accuracy(run: View) -> Iterable[Fact]:
    counts = run.figures.accounts_by_evidence
    yield "Evidence asked for", run.assessment.record.header.settings.evidence
    yield "Evidence by account", "; ".join(f"{counts.get(level, 0):,} {level}" for level in Evidence)
    yield "An empty cell", "is unknown or does not apply; it never means false or 0"
    yield "Groups, policies, tags", "are empty where unknown and where there are none: then administrator is filled in"
    yield "Usage unknown", f"{many(run.figures.usage_unknown, 'user')}: no row of the credential report is theirs"
    yield "Rights unknown", f"{many(run.figures.rights_unknown, 'user')}: it is open whether they are administrators"
    yield (
        "Credential report",
        "may be up to four hours old; Accounts, column credential_report_at, says when it was made",
    )
    yield "A row of that report", "counts for a user only if the ARN and, to the second, the creation time agree"
    yield (
        "Dormant after",
        f"{days(run.assessment.record.header.settings.dormant_days)} without use, counted from the start of the run",
    )
    yield "Each user's account", "checked against the account in the user's ARN"


def _unedited(assessment: Assessment, *, beside_others: bool) -> Iterable[Fact]:
    record = assessment.record
    yield "SHA-256 of the journal", record.digest
    yield "What that is", "the append-only record of this run; each of its lines holds the hash of the line before it"
    yield (
        "To check",
        f"iam-scanner verify {record.header.run_id} --digest <the manifest's digest, noted when the run ended>",
    )
    if record.what_if:
        yield "What that shows", "that the run was not changed since it ended; this workbook is not one of its files"
        yield "This workbook", "is checked by evaluating the run again with the same safelists, day and program version"
        return
    files = _files(assessment, beside_others=beside_others)
    yield "What that shows", f"{files} and no line of the journal was changed since the run ended"
    yield "Reviewers", "decide in a copy of this workbook, on the sheet Review"
    yield "Their decisions", "are read back by iam-scanner review import, which checks each row against the journal"


def _files(assessment: Assessment, *, beside_others: bool) -> str:
    """What is verified; a part, a report on several runs, or one with other owners, is no file of the run."""
    if assessment.part is None and assessment.owners_from is None and not beside_others:
        return "no file, this workbook included,"
    return "no file of the run (this workbook is rendered from it and is not one of them)"


def _safelists(texts: Sequence[SafelistText], *, recorded: bool) -> Iterable[Fact]:
    where = "its text is in the journal" if recorded else "its text is recorded nowhere"
    for text in texts:
        yield text.path, f"SHA-256 {sha256(text.text)}; {many(text.text.count(chr(10)), 'line')}; {where}"


def _safelists_used(record: Record) -> Iterable[Fact]:
    own = record.what_if is None or record.what_if.safelists == record.header.safelists
    return _safelists(record.header.safelists, recorded=own)


def _calls(record: Record) -> Iterable[Fact]:
    footer = record.footer
    yield from ((call, f"{count:,}") for call, count in sorted(footer.api_calls.items()))
    yield "Throttled responses", f"{footer.throttled:,}"


def _versions(record: Record) -> Iterable[Fact]:
    header = record.header
    yield "iam-scanner", header.program_version
    yield "Journal's schema", str(header.schema_version)
    yield from sorted(header.versions.items())


def _columns(prose: Prose, view: View) -> None:
    prose.gap()
    prose.line(Span(1, "Where each column comes from", SECTION, 2), height=20)
    tables: tuple[tuple[str, Sequence[Column[Any]]], ...] = (
        ("Review", REVIEW),
        ("Users", USERS),
        ("Accounts", ACCOUNTS),
        ("Safelist", SAFELIST),
        ("Changes", DIFFERENCES),
    )
    for title, columns in tables:
        prose.line(Span(1, title, HEAD), Span(2, "What it says, and where that comes from", HEAD))
        prose.lines(
            (Span(1, column.key, STRONG), Span(2, f"{column.title}. From: {column.source}", PROSE))
            for column in columns_of(view, columns)
        )


def _changed(book: Book) -> Iterable[Fact]:
    """A copy: as this sheet is written, its own texts may add to the list."""
    changed = tuple(book.changed)
    yield from ((change.where, "; ".join(change.changes)) for change in changed[:CHANGES_SHOWN])
    if len(changed) > CHANGES_SHOWN:
        yield (
            "And more",
            f"{len(changed) - CHANGES_SHOWN:,} further cells; iam-users.json has every text as AWS gave it",
        )
