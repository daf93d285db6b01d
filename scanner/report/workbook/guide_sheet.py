"""The Guide: one printed page for a reviewer who has never seen such a workbook."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from typing import TypeVar

from scanner.model import Choice, Kind
from scanner.report.review_facts import EVENTS_KEPT
from scanner.report.review_rows import FILLED_IN_AS
from scanner.report.view import View
from scanner.report.words import many, what_if_words
from scanner.report.workbook.page import Book, Page
from scanner.report.workbook.prose import LINE_HEIGHT, Prose, Span
from scanner.report.workbook.review_sheet import MEANING, SUMMARY, TITLE
from scanner.report.workbook.styles import (
    ALARM,
    BOX,
    CALM,
    INK,
    MUTED,
    PAPER,
    PROSE,
    SECTION,
    SHADE,
    STRONG,
    WARNING,
    Style,
)
from scanner.report.workbook.styles import TITLE as TITLE_STYLE
from scanner.safelist.types import Policy

_T = TypeVar("_T")

_HEAD = replace(SECTION, size=10, bold=False, colour=MUTED)
INDENTED = Style(wrap=True, across="left", indent=1)
WIDTHS = (17, 61, 18, 104)  # all of it on a screen of 1,440 pixels, and on one printed page
LAST = len(WIDTHS)
APPROVERS_NAMED = 3

WHAT = (
    "This workbook lists the IAM users of an AWS organization: logins for people and programs, with passwords or keys "
    f"that never expire. The sheet {TITLE} asks about those that nobody approved, or whose approval is due for review. "
    "Nothing in AWS changes when you fill it in: your decisions are read back, checked, and carried out by others."
)
_YOURS = (
    f"Work in a copy of this file. Open the sheet {TITLE}. To see only the accounts that you were asked about, click "
    "the arrow on account_name and tick them. All other rows may stay undecided."
)
_READ = (
    "Read a row from left to right: risk, facts, why it needs a decision, a suggestion. Ask whoever is named there. "
    "Choose a decision in its yellow cell, and fill in what the tables below say."
)
_ALIKE = (
    "Rows with the same answer: fill in one, select it and those below, press Ctrl+D (only rows shown are filled). "
    f"Name, day and ticket can be given once for all, in {SUMMARY}'s yellow cells."
)
STEPS = (
    _YOURS,
    _READ,
    _ALIKE,
    "Save as .xlsx, and send the file back to whoever sent it.",
)
WHEN: Mapping[Choice, str] = {
    Choice.APPROVE: "it is needed, and somebody answers for it",
    Choice.KEEP: "it is approved already, and should stay so",
    Choice.REMOVE: "nobody needs it, and whoever answers for it confirms it",
    Choice.QUARANTINE: "it should go, but nobody confirms it, or it may be needed",
    Choice.DEFER: "you cannot decide yet",
}
KINDS: Mapping[Kind, str] = {
    Kind.HUMAN: "for a person",
    Kind.SERVICE: "for a program",
    Kind.BREAK_GLASS: "for emergencies",
}
COLOURS = (
    ("Yellow", "to be filled in by you, under a brown heading", Style(fill=PAPER, border=BOX)),
    ("Grey", "written by the program; not to be changed", Style(fill=SHADE, border=BOX)),
    ("Green", "decided", Style(bold=True, colour=INK, fill=CALM, border=BOX)),
    ("Orange", "still needed for the decision in this row", Style(bold=True, fill=WARNING, border=BOX)),
    ("Dark red", "an administrator, or as good as one: look here first", Style(bold=True, colour=ALARM, fill=SHADE)),
    (
        "Grey italics",
        "a suggestion: it does not bind you",
        Style(italic=True, colour=MUTED, fill=SHADE),
    ),
)
WORDS = (
    ("Safelist", "the list of the users that are approved, and until when"),
    ("Administrator", "can do anything, or can give itself any right"),
    ("Console", "login to AWS's website; MFA: with a second proof, too"),
    (
        "Policy",
        "what gives rights in AWS; without one, a user can do only what a role or a resource lets it do",
    ),
    ("Key", "the access key that a program signs in with"),
    ("Service credential", "a key for one service alone; AWS does not say when it was last used"),
    ("Dormant", "has a password or key, and has used none for {unused_for}"),
    ("Recreated", "deleted and made again: another user of the same name, approved by nobody"),
    ("Its creator", f"AWS keeps the creator's name for {EVENTS_KEPT} days only"),
    ("Session of a role", "somebody who works with that role's rights; the name before it says who"),
    ("OU", "organizational unit: a folder of accounts"),
    ("Root user", "an account's first login, which can do anything; ask whoever keeps its password"),
    ("Risk: none listed", "no listed risk; not therefore safe: see needs_decision"),
    ("Revoked", "a review or the safelist took its approval away; it is still there as nobody removed it yet"),
)
LEAVE = (
    "Account, user name, ARN and IDs, the names of columns in the first row, the names of sheets, and the sheet "
    "Evidence. Changes there are rejected. You may sort, filter, hide and move "
    "columns, add your own, and delete rows: these stay undecided."
)
ASK = (
    "About a user: who made it, a tag that names an owner or a team, or the owner of its account. The suggestion names "
    "them; nobody has checked these names. Where nobody is named or nobody answers, and about this review: whoever "
    "sent this file."
)
ATTACK = (
    "A name that looks like an approved one, a user made again, or one made by another IAM user, may be an attack: "
    "first ask whoever sent this file."
)
HAND_ON = (
    "Your name is not among those above? To propose an approval, leave decision, reviewer and reviewed_on blank, fill "
    "in the rest, and hand the file to one of them. A typed name is no proof: others review the change to the safelist."
)
SEVERAL = (
    "An entry of the safelist may approve several users, by a pattern or for many accounts. What you decide is about "
    "the user of the row alone."
)


def guide_sheet(book: Book) -> None:
    prose = Prose(book, Page(title="Guide", repeat_rows=None, freeze=None), WIDTHS)
    prose.line(Span(1, "How to review IAM users in this workbook", TITLE_STYLE, LAST), height=28)
    prose.line(Span(1, WHAT, PROSE, LAST))
    part, runs = book.view.in_all.part, book.view.runs
    several = ""
    if book.view.by_organization:
        several = f"It is of {many(len(runs), 'organization')}: the column organization_id says which a row is of."
    what_if = what_if_words(runs[0].assessment.record)
    for words in (several, f"This workbook is a part of the run: {part.words}." if part else "", what_if):
        if words:
            prose.line(Span(1, words, STRONG, LAST))
    _section(prose, "In four steps")
    for number, step in enumerate(STEPS, 1):
        prose.line(Span(1, f"Step {number}", STRONG), Span(2, step, PROSE, LAST))
    _section(prose, "Which decision", "choose it when", "what it does")
    for choice, words in MEANING.items():
        prose.line(Span(1, choice, STRONG), Span(2, WHEN[choice], PROSE), Span(3, words, PROSE, LAST))
    prose.line(Span(1, "(blank)", STRONG), Span(2, "it is not yours to decide", PROSE), Span(3, "nothing", PROSE, LAST))
    _section(prose, "What to fill in", "needed for", "what to write")
    for column, needed, words in _fields(book.view):
        prose.line(Span(1, column, STRONG), Span(2, needed, PROSE), Span(3, words, PROSE, LAST))
    _section(prose, "What the colours mean")
    for (name, words, style), (other, other_words, other_style) in _pairs(COLOURS):
        prose.line(
            Span(1, name, style), Span(2, words, INDENTED), Span(3, other, other_style), Span(4, other_words, INDENTED)
        )
    _section(prose, "What the words mean")
    for (word, meaning), (other, other_meaning) in _pairs(WORDS):
        prose.line(
            Span(1, word, STRONG),
            Span(2, meaning.format(unused_for=book.view.unused_for), PROSE),
            Span(3, other, STRONG),
            Span(4, other_meaning, PROSE),
        )
    _section(prose, "Good to know")
    policies = [run.assessment.policy for run in runs]
    approvers = any(policy is not None and policy.approvers is not None for policy in policies)
    for label, words in (
        ("Whom to ask", ASK),
        ("Beware", ATTACK),
        *((("Who approves", HAND_ON),) if approvers else ()),
        ("Leave as it is", LEAVE),
        ("Wide approvals", SEVERAL),
    ):
        prose.line(Span(1, label, STRONG), Span(2, words, PROSE, LAST))


def _section(prose: Prose, words: str, *heads: str) -> None:
    """A heading; of a table, with the heads of its second and third column."""
    prose.gap(LINE_HEIGHT / 3)
    if heads:
        second, third = heads
        prose.line(Span(1, words, SECTION), Span(2, second, _HEAD), Span(3, third, _HEAD, LAST), height=18)
    else:
        prose.line(Span(1, words, SECTION, LAST), height=18)


def _fields(view: View) -> Iterator[tuple[str, str, str]]:
    """A line a column to fill in: for which decisions it is needed, and what belongs there.

    Of several organizations, whatever the policy of one of them asks for: what that is, the import knows by row.
    """
    policies = [run.assessment.policy or Policy() for run in view.runs]
    run_on = min(run.assessment.record.header.started_at for run in view.runs).astimezone(UTC).date()
    required = {FILLED_IN_AS.get(name, name) for policy in policies for name in policy.require}
    limits = [policy.max_days for policy in policies if policy.max_days is not None]
    if limits:
        required.add("approve_until")

    def approve(column: str) -> str:
        return "Approve" if column in required else "Approve, optional"

    yield "reviewer", "every decision", f"your name or e-mail address{_approvers_of(view)}"
    yield "reviewed_on", "every decision", f"the day on which you decide, as a date: {run_on} or later"
    yield "owner", approve("owner"), "who answers for the user from now on: a person or a team, best by e-mail address"
    yield "kind", approve("kind"), "; ".join(f"{kind}: {words}" for kind, words in KINDS.items())
    limit = f", at most {min(limits):,} days after reviewed_on" if limits else ""
    yield "approve_until", approve("approve_until"), f"the last day of the approval, as a date{limit}"
    yield "ticket", approve("ticket"), "the number of the ticket that goes with the decision"
    comment = "Defer, Approve" if "comment" in required else "Defer; Approve, optional"
    yield "comment", comment, "why, in a sentence or two"


def _approvers_of(view: View) -> str:
    """Who may approve: once where it is the same everywhere, else by organization."""
    words = {run.organization_id: _approvers(run.assessment.policy or Policy()) for run in view.runs}
    if len(set(words.values())) == 1:
        return next(iter(words.values()))
    return "".join(said.replace("to approve", f"to approve in {one}", 1) for one, said in words.items())


def _approvers(policy: Policy) -> str:
    if policy.approvers is None:
        return ""
    more = len(policy.approvers) - APPROVERS_NAMED
    others = f" and {more:,} more, as the safelist has them" if more > 0 else ""
    return f"; to approve, one of: {', '.join(policy.approvers[:APPROVERS_NAMED])}{others}"


def _pairs(lines: Sequence[_T]) -> Iterator[tuple[_T, _T]]:
    return zip(lines[::2], lines[1::2], strict=True)
