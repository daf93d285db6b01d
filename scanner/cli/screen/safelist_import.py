"""What a person reads after `safelist import`: the diff, who is approved by it and who is not, and what is next."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console, RenderableType
from rich.text import Text

from scanner.audit.assessment import Assessment
from scanner.cli.screen.layout import labelled, print_parts
from scanner.cli.screen.safelist_edits import edits_document, edits_text, show_diff
from scanner.model import Entry, Selector, Status
from scanner.report.words import many, status_words
from scanner.safelist.additions import Additions
from scanner.safelist.import_request import Request
from scanner.safelist.run_comparison import RunUsers
from scanner.safelist.types import selected_name
from scanner.text import for_terminal

MOST_NAMED = 10  # users that are refused, on the screen; --json has all
MOST_MEANT = 3  # users for which a name is looked for that may have been meant: each takes a second among 100,000


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import would do, or, where it was `written`, what it did."""

    request: Request
    additions: Additions
    run: Assessment | None  # of --baseline, or of --run
    written: bool

    @property
    def notes(self) -> Iterator[str]:
        yield from self.additions.notes
        if self.run is None:
            if self.additions.added:
                yield "Not compared with a run: give --run latest, to see whether these accounts, OUs and users exist."
        elif self.run.status is not Status.COMPLETE or self.run.totals.outside_scope:
            lost = " Users of accounts that it did not read are not among these." if self.request.is_baseline else ""
            yield f"The run is {status_words(self.run)}.{lost}"
        if administrators := self._administrators():
            users = many(administrators, "of these users is an administrator", "of these users are administrators")
            yield f"{users}: is each of them to be approved?"
        if otherwise := self.additions.otherwise:
            users = many(len(otherwise), "user is", "users are")
            yield (
                f"{users} approved already, but not as the list says: {_names(otherwise)}. Nothing of that was taken; "
                "change the entry by hand or by a review."
            )
        compared = self.additions.compared
        if compared.absent:
            name = many(len(compared.absent), "new entry names", "new entries name")
            yield f"{name} no user of the run there: {self._absent()}."
        if compared.unread:
            places = ", ".join(sorted({entry.scope_value for entry in compared.unread})[:MOST_NAMED])
            entries = many(len(compared.unread), "new entry", "new entries")
            yield f"{entries} could not be compared, as the run read no account there: {places}."

    def _administrators(self) -> int:
        """How many administrators a baseline would approve, of whom that is known."""
        if self.run is None or not self.request.is_baseline:
            return 0
        added = {(entry.scope_value, entry.user_id) for entry in self.additions.added}
        users = (finding.user for finding in self.run.findings if (finding.account.id, finding.user.user_id) in added)
        return sum(user.access is not None and user.access.administrator is True for user in users)

    def _absent(self) -> str:
        """The users that were not there, with what may have been meant."""
        assert self.run is not None
        users, absent, named = RunUsers(self.run.record), self.additions.compared.absent, []
        for number, entry in enumerate(absent[:MOST_NAMED]):
            of_id = f" with user ID {entry.user_id}" if entry.user_id else ""
            who = entry.value if entry.selector is Selector.ARN else f"{selected_name(entry)}{of_id}"
            near = users.meant(entry) if number < MOST_MEANT else None
            named.append(f"{who} (did you mean {near}?)" if near else who)
        return _first(named, len(absent))


def _names(entries: Sequence[Entry]) -> str:
    return _first([selected_name(entry) or "" for entry in entries[:MOST_NAMED]], len(entries))


def _first(named: Sequence[str], total: int) -> str:
    """The first of some entries, and how many there are beside them."""
    more = total - len(named)
    return ", ".join(named) + (f", and {more:,} more" if more else "")


def show(imported: Imported, console: Console, *, quiet: bool, options: str = "") -> None:
    """Print the diff, and below it the rest; with `quiet` the diff alone."""
    is_changed = show_diff(imported.additions.changes, console)
    if not quiet:
        print_parts(console, _parts(imported, below_diff=is_changed), _commands(imported, options))


def document(imported: Imported) -> Mapping[str, object]:
    """The one JSON document; `written` tells a preview from an import, and the figures are the same in both."""
    additions = imported.additions
    return {
        "written": imported.written,
        "files": [str(path) for path in imported.request.lists],
        "run_id": imported.run.record.header.run_id if imported.run else None,
        "users": additions.read,
        "repeated": additions.repeated,
        "approved_already": [
            {**_user(entry), "safelist_entry": approving.at} for entry, approving in additions.already
        ],
        "approved_otherwise": [_user(entry) for entry in additions.otherwise],
        "absent": [_user(entry) for entry in additions.compared.absent],
        "unread": [_user(entry) for entry in additions.compared.unread],
        "refused": [{**_user(refused.entry), "reason": refused.why} for refused in additions.refused],
        "safelist": edits_document(additions.wanted, additions.changes),
        "notes": list(imported.notes),
    }


def _user(entry: Entry) -> dict[str, object]:
    return {"safelist_scope": entry.scope_text, "user_name": selected_name(entry), "user_id": entry.user_id}


def _parts(imported: Imported, *, below_diff: bool) -> Iterator[RenderableType]:
    if below_diff:
        yield Text()
    title = Text(_title(imported), style="bold")
    yield title if imported.written else title.append(": PREVIEW, nothing was written", style="yellow")
    additions = imported.additions
    lines = [("Users", Text(_users(additions)))]
    if additions.refused:
        lines.append(("Refused", Text("\n".join(_refused(imported)), style="yellow")))
    lines.append(("Safelist", _safelist(imported)))
    if notes := "\n".join(map(for_terminal, imported.notes)):
        lines.append(("Note", Text(notes, style="yellow")))
    lines.append(("Next", Text(_advice(imported))))
    yield labelled(*lines)


def _title(imported: Imported) -> str:
    if imported.request.is_baseline and imported.run is not None:
        return f"Baseline of run {imported.run.record.header.run_id}"
    return for_terminal(f"Import of {', '.join(map(str, imported.request.lists))}")


def _users(additions: Additions) -> str:
    new = len(additions.wanted.approvals) + len(additions.wanted.renewals)
    counts = (
        (len(additions.already), "approved already"),
        (new, "new or renewed"),
        (len(additions.refused), "refused"),
    )
    named = " + ".join(f"{count:,} {what}" for count, what in counts if count)
    again = f"; {many(additions.repeated, 'line')} named one again" if additions.repeated else ""
    return f"{additions.read:,} = {named}{again}" if additions.read else "none"


def _refused(imported: Imported) -> Iterator[str]:
    refused = imported.additions.refused
    for one in refused[:MOST_NAMED]:
        yield for_terminal(f"{selected_name(one.entry)} in {one.entry.scope_value}: {one.why}")
    if len(refused) > MOST_NAMED:
        yield f"and {len(refused) - MOST_NAMED:,} more: --json has them all"


def _safelist(imported: Imported) -> Text:
    additions = imported.additions
    if not additions.changes:
        return Text("unchanged")
    text = edits_text(additions.wanted, additions.changes, written=imported.written)
    ends = sorted({entry.expires_on for entry in imported.additions.added if entry.expires_on})
    if ends:
        until = f"{ends[0]}" if len(ends) == 1 else f"{ends[0]} to {ends[-1]}"
        text.append(f"\napproved until {until}", style="not bold default")
    return text


def _advice(imported: Imported) -> str:
    if not imported.additions.changes:
        return "nothing is left to add; scan, to see who is not approved"
    if not imported.written:
        return "check all of this, then run the same command with --write"
    paths = for_terminal(", ".join(change.path for change in imported.additions.changes))
    words = f"have the change of {paths} reviewed and merged: that is what approves"
    return f"{words}. To see what it decides in the run:" if imported.run else words


def _commands(imported: Imported, options: str) -> tuple[str, ...]:
    if imported.run is None or not (imported.written and imported.additions.changes):
        return ()
    named = options or " --safelist config/safelists"
    return (for_terminal(f"iam-scanner evaluate {imported.run.record.header.run_id}{named}"),)
