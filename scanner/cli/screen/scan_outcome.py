"""What a person reads when a run has ended: the status, what changed, who is most urgent, and what to do next.

On a terminal it is as high as the terminal allows, so that the status does not scroll away. All that stands here is in
`summary.json`, under the same names.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.text import Text

from scanner.audit.assessment import Assessment
from scanner.audit.outstanding import Outstanding
from scanner.audit.rule import failing
from scanner.cli.options import print_json, stdout
from scanner.cli.screen.layout import labelled, print_parts
from scanner.cli.screen.next_step import Step, next_of_several, next_step
from scanner.cli.screen.organizations_outcome import STATUS_STYLES, show_organizations
from scanner.cli.screen.scan_tables import accounts_table, failures, urgent_users
from scanner.model import RULE_ID, RULE_TITLE, Change, Choice, FailOn, Status
from scanner.report.changes import WORDS, counts
from scanner.report.figures import Figures
from scanner.report.render import Rendered
from scanner.report.summary import MOST_URGENT, summary
from scanner.report.urgency import GRAVE
from scanner.report.view import View
from scanner.report.words import many, status_words, users_named, what_if_words
from scanner.safelist.usage import EntryStatus
from scanner.text import for_terminal

FEWEST_USERS = 3
NAMED_CHANGED = 2  # users of a kind of change that are named, if there are no more
_NOT_CARRIED_OUT = {
    Choice.REMOVE: "to be removed and still there",
    Choice.QUARANTINE: "to be quarantined and still there",
    Choice.APPROVE: "approved in a review and on no safelist",
}


def print_outcome(rendered: Rendered, *, as_json: bool, quiet: bool) -> None:
    """Print the outcome to stdout: as JSON, as a summary, or with `quiet` the folder's path alone."""
    if as_json:
        print_json(summary(rendered.view) | ({"parts": parts(rendered)} if rendered.parts else {}))
    elif quiet:
        print(rendered.folder)  # noqa: T201  # the result
    else:
        show(rendered, stdout())


def show(rendered: Rendered, console: Console) -> None:
    """Print the outcome of a run; on a terminal as much of it as leaves the status in sight."""
    if rendered.run_folder is None:
        files = _files(rendered, named=True)
        show_organizations(rendered.view, files, console, next_of_several(rendered.view, rendered.files))
        return
    words, commands = next_step(rendered.view, rendered.run_folder, rendered.files)
    room = console.height - 1 - sum(1 + len(command) // console.width for command in commands)
    layout: list[RenderableType] = []
    for layout in _layouts(rendered, console, (words, commands)):  # the last one is the least that there is
        if not console.is_terminal or len(console.render_lines(Group(*layout), pad=False)) <= room:
            break
    print_parts(console, layout, [for_terminal(command) for command in commands])


def _layouts(rendered: Rendered, console: Console, step: Step) -> Iterator[list[RenderableType]]:
    """From all that there is to the least: without the table of accounts, then closely, then with fewer users."""
    view = rendered.view
    status = [_banner(view.assessment), labelled(*_facts(view)), *_listing(view.assessment)]
    facts = [*status, *failures(view, brief=False)]

    def users(most: int) -> list[RenderableType]:
        return list(urgent_users(view, console, most))

    if view.assessment.record.what_if:  # below who flips
        yield [*facts, _end(rendered, step, explained=False)]
        return
    end = [_end(rendered, step, explained=True)]
    yield _spaced(facts, users(MOST_URGENT), list(accounts_table(view, console)), end)
    yield _spaced(facts, users(MOST_URGENT), end)
    for most in range(MOST_URGENT, FEWEST_USERS - 1, -1):
        yield [*facts, *users(most), _end(rendered, step, explained=False)]
    if view.failures:
        brief = [*status, *failures(view, brief=True)]
        yield [*brief, *users(FEWEST_USERS), _end(rendered, step, explained=False)]
        yield [*brief, _end(rendered, step, explained=False)]


def _spaced(*groups: Sequence[RenderableType]) -> list[RenderableType]:
    """The groups with a blank line between them."""
    filled = [group for group in groups if group]
    return [part for group in filled[:-1] for part in (*group, Text())] + [*filled[-1]]


def _end(rendered: Rendered, step: Step, *, explained: bool) -> RenderableType:
    """Where the files are, unless the next command says it; the digest; what is next."""
    words, commands = step
    said = not explained and any(str(rendered.folder) in command for command in commands)
    files = [] if said else [("Files", _files(rendered, named=explained))]
    digest = [("Digest", _digest(rendered.manifest_digest, explained=explained))] if rendered.manifest_digest else []
    return labelled(*files, *digest, ("Next", Text(words)))


def _digest(digest: str, *, explained: bool) -> Text:
    why = "\nof manifest.json; note it elsewhere, to show later that nobody rewrote this run"
    return Text(digest).append(why if explained else "", style="dim")


def _banner(assessment: Assessment) -> Text:
    header = assessment.record.header
    organization = header.organization.id if header.organization else assessment.record.listing.source
    text = Text(f"{for_terminal(status_words(assessment))}\n")
    text.stylize(STATUS_STYLES[assessment.status], 0, len(assessment.status))
    if what_if := what_if_words(assessment.record):
        return text.append(what_if, style="bold yellow")
    return text.append(f"{RULE_ID} {RULE_TITLE}: {for_terminal(organization)}, as of {header.as_of}", style="dim")


def _facts(view: View) -> Iterator[tuple[str, Text]]:
    assessment = view.assessment
    yield "Accounts", _coverage(assessment)
    yield "Users", _users(assessment, view.figures)
    if not assessment.record.what_if:  # of the run itself, and who flips stands above
        yield "Changes", _changes(assessment)
        unknown = view.removals_not_known
        if view.outstanding or unknown:
            yield "Decisions", _outstanding(view.outstanding, unknown)
    yield "Safelist", _safelist(assessment, view.figures.safelist)
    if assessment.record.header.settings.fail_on != (FailOn.UNAPPROVED,) and assessment.status is Status.COMPLETE:
        yield "Fail on", _gate(assessment)


def _coverage(assessment: Assessment) -> Text:
    """The equation, without the terms that are nothing; what was read and what failed always stands in it."""
    totals = assessment.totals
    terms = (totals.outside_scope, "outside the scope"), (totals.excluded, "excluded"), (totals.inactive, "inactive")
    line = Text(f"{totals.listed:,} listed = ")
    line.append("".join(f"{count:,} {what} + " for count, what in terms if count))
    line.append(f"{totals.scanned:,} scanned + ")
    return line.append(f"{totals.failed:,} failed", style="bold red" if totals.failed else "")


def _users(assessment: Assessment, counted: Figures) -> Text:
    totals = assessment.totals
    line = Text(f"{totals.users:,} found = {totals.approved:,} approved + ")
    line.append(f"{totals.unapproved:,} unapproved", style="bold red" if totals.unapproved else "")
    if assessment.record.what_if:
        return line
    return line.append(_among(totals.unapproved, counted), style="dim")


def _among(unapproved: int, counted: Figures) -> str:
    """What makes some of the unapproved users more urgent than others."""
    remarks = (
        (counted.unapproved_administrators, "administrator", "administrators"),
        (counted.unapproved_console_without_mfa, "with console and no MFA", "with console and no MFA"),
        (counted.unapproved_dormant, "dormant", "dormant"),
    )
    if unapproved == 1:
        urgent = ", ".join(one for count, one, _ in remarks if count)
        return f"\nit is: {urgent}" if urgent else ""
    urgent = ", ".join(many(count, one, several) for count, one, several in remarks if count)
    return f"\nof the {unapproved:,}: {urgent}" if urgent else ""


def _changes(assessment: Assessment) -> Text:
    """How many users changed in which way, and since which run; or why that is not known."""
    header = assessment.record.header
    if header.previous_run is None or assessment.differences is None:
        return Text(f"unknown{header.previous_why and f': {for_terminal(header.previous_why)}'}")
    text = Text()
    for change, count in counts(assessment.differences).items():
        text.append(", " if text else "").append(
            f"{count:,} {WORDS[change]}", style="bold red" if change in GRAVE else ""
        )
        if change in (*GRAVE, Change.NEW) and count <= NAMED_CHANGED:
            names = [row.user.user_name for row in assessment.differences if change in row.changes]
            text.append(f" ({for_terminal(', '.join(names))})")
    why = f", {for_terminal(header.previous_why)}" if header.previous_why else ""
    return text.append(f"\nsince {header.previous_run.run_id}{why}" if text else "no user", style="dim")


def _outstanding(found: Sequence[Outstanding], unknown: int) -> Text:
    """The decisions that were not carried out, by kind, with the first users of each."""
    text = Text()
    for choice, state in _NOT_CARRIED_OUT.items():
        if of_kind := [one.finding for one in found if one.decision.choice is choice]:
            text.append("\n" if text else "").append(f"{len(of_kind):,} {state}: ", style="bold red")
            text.append(for_terminal(users_named(of_kind)))
    if unknown:
        words = f"{unknown:,} to be removed or quarantined: not known, as their accounts were not read"
        text.append("\n" if text else "").append(words, style="bold red")
    return text


def _safelist(assessment: Assessment, by_status: Mapping[str, int]) -> Text:
    """How many entries, and what became of all of them: the numbers add up. Revocations are counted apart."""
    words = ", ".join(f"{count:,} {status}" for status, count in by_status.items() if status != EntryStatus.REVOCATION)
    revoked = by_status.get(EntryStatus.REVOCATION, 0)
    total = many(len(assessment.safelist) - revoked, "entry", "entries")
    counted = f"{total}: {words}" if words else total
    return Text(f"{counted}; {many(revoked, 'revocation')}" if revoked else counted)


def _gate(assessment: Assessment) -> Text:
    """What the exit code was to depend on, and what came of it."""
    conditions, count = ", ".join(assessment.record.header.settings.fail_on), failing(assessment)
    return Text(
        f"{conditions}: {many(count, 'user')}, exit code {3 if count else 0}", style="bold red" if count else ""
    )


def _listing(assessment: Assessment) -> Iterator[RenderableType]:
    problem = assessment.record.listing.problem
    if problem is not None:
        broke_off = f"The listing of accounts broke off at {problem.call}: {problem.detail} {problem.remedy}"
        yield Text(for_terminal(broke_off), style="bold red")
    for note in assessment.record.listing.notes:
        yield Text(f"Note: {for_terminal(note)}", style="dim")


def parts(rendered: Rendered) -> list[dict[str, object]]:
    """Each part for scripts: whose it is, where it lies, and its figures."""
    return [
        {
            "value": part.value,
            **({"organization_id": part.organization_id} if rendered.view.by_organization else {}),
            "folder": str(part.folder),
            "status": part.status,
            "accounts": part.totals.listed,
            "users": part.totals.users,
            "unapproved": part.totals.unapproved,
        }
        for part in rendered.parts
    ]


def _files(rendered: Rendered, *, named: bool) -> Text:
    if rendered.parts:
        return _parts_by_name(rendered)
    names = ", ".join(file.name for file in most_wanted_first(rendered.files))
    return Text(for_terminal(str(rendered.folder))).append(f"\n{names}" if named else "", style="dim")


def _parts_by_name(rendered: Rendered) -> Text:
    text = Text(f"{many(len(rendered.parts), 'part')} in {for_terminal(str(rendered.folder))}:")
    width = max(len(part.folder.name) for part in rendered.parts)
    for part in rendered.parts:
        totals = part.totals
        text.append(f"\n{part.folder.name:<{width}}", style="bold")
        users = f"{many(totals.users, 'user')}, {totals.unapproved:,} unapproved"
        text.append(f"  {many(totals.listed, 'account')}, {users}")
    return text


def most_wanted_first(files: Sequence[Path]) -> list[Path]:
    order = [".xlsx", "iam-users.csv", "iam-users.json"]
    return sorted(files, key=lambda file: (*(not file.name.endswith(suffix) for suffix in order), file.name))
