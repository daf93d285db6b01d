"""What a person reads of a plan, of what apply and undo did, and of where a plan stands; and the same for scripts."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scanner.aws.attachments import AttachmentKind, LiveUser
from scanner.cli.screen.layout import labelled, print_parts
from scanner.cli.screen.remediation_outcomes import (
    TO_DO,
    account_words,
    moment,
    outcome_document,
    outcome_words,
    outcomes_table,
    plain_table,
    target_document,
)
from scanner.model import Choice
from scanner.record import RemediationOutcome
from scanner.remediation.apply import Ended, Pending
from scanner.remediation.calls import ATTACH, DETACH, PlannedCall
from scanner.remediation.last_use import unknown_uses, uses
from scanner.remediation.make_plan import Made
from scanner.remediation.plan_document import PlannedUser, Spared
from scanner.remediation.plan_folder import COMMANDS, PLAN_CSV
from scanner.remediation.remediation_journal import Doing
from scanner.report.words import many
from scanner.text import for_terminal, iso

# --- a plan that was made --------------------------------------------------------------------------------------------


def show_plan(made: Made, console: Console, *, again: str) -> None:
    """Print who is planned, with what hangs on each and why, then who is spared, and what is next.

    `again` are the options that were typed, for the next command.
    """
    commands = [f"iam-scanner remediate apply {made.plan.plan_id}{again}"] if made.plan.users else []
    print_parts(console, _plan_parts(made), commands)


def _plan_parts(made: Made) -> Iterator[RenderableType]:
    plan = made.plan
    yield Text(f"Plan {plan.plan_id}: {_counts(plan.users)}", style="bold")
    yield Text("Nothing was changed.", style="dim")
    for choice, title in (Choice.REMOVE, "To be removed"), (Choice.QUARANTINE, "To be quarantined"):
        users = [user for user in plan.users if user.target.choice is choice]
        if users:
            yield _users_table(title, users)
    yield from _notes(plan.users)
    if plan.spared:
        yield from _spared(plan.spared)
    yield Text()
    yield labelled(
        ("Files", Text(for_terminal(str(made.folder))).append(f"\n{PLAN_CSV}, {COMMANDS}", style="dim")),
        ("Digest", Text(made.digest).append("\nof the plan; note it elsewhere", style="dim")),
        ("Valid", Text(f"until {moment(plan.expires_at)}")),
        ("Next", Text(_next_of_plan(made))),
    )


def _counts(users: Sequence[PlannedUser]) -> str:
    counts = Counter(user.target.choice for user in users)
    accounts = len({user.target.account.id for user in users})
    parts = [f"{many(counts[choice], 'user')} to {TO_DO[choice]}" for choice in TO_DO if counts[choice]]
    return f"{', '.join(parts)}, in {many(accounts, 'account')}" if parts else "nobody is planned"


def _users_table(title: str, users: Sequence[PlannedUser]) -> RenderableType:
    table = plain_table(f"\n{title}", "User", "What hangs on it", "Last use", "Why")
    for user in users:
        who = f"{for_terminal(user.target.user_name)}\n{account_words(user.target)}"
        table.add_row(who, _hangs_on(user.before), _last_use(user.before), for_terminal(user.target.why))
    return table


def _notes(users: Sequence[PlannedUser]) -> Iterator[RenderableType]:
    noted = [user for user in users if user.notes]
    if noted:
        yield Text("\nTo know before", style="bold")
    for user in noted:
        yield Text(f"{for_terminal(user.target.user_name)} ({user.target.account.id})")
        yield from (Text(f"  {for_terminal(note)}") for note in user.notes)


def _spared(spared: Sequence[Spared]) -> Iterator[RenderableType]:
    """Who is spared, and below why: in a column of a table, the options that it names would be cut in two."""
    yield Text("\nSpared: not in the plan", style="bold")
    for user in spared:
        target = user.target
        reason = (user.reason, "bold red" if user.failed else "yellow")
        yield Text.assemble(reason, f"  {for_terminal(target.user_name)} in {account_words(target)}: {target.choice}")
        yield Padding(Text(for_terminal(user.detail)), (0, 0, 0, 2))


def _next_of_plan(made: Made) -> str:
    if not made.plan.users:
        return "nothing is to be carried out; see why each user is spared"
    return "read the plan; this shows each call, and makes them with --execute:"


def _hangs_on(user: LiveUser) -> str:
    """Count what hangs on a user by kind: "console password, 2 access keys (1 inactive), 1 group"."""
    parts = []
    for kind in AttachmentKind:
        things = user.of_kind(kind)
        if not things:
            continue
        inactive = sum(thing.active is False for thing in things)
        plural = f"{kind[:-1]}ies" if kind.endswith("policy") else f"{kind}s"
        words = kind.value if kind is AttachmentKind.LOGIN_PROFILE else many(len(things), kind, plural)
        parts.append(f"{words} ({inactive} inactive)" if inactive else words)
    return ", ".join(parts) or "nothing"


def _last_use(user: LiveUser) -> str:
    used = next((use for use in uses(user) if not use.by_setting), None)
    known = f"{used.at:%Y-%m-%d} {used.used_for or ''}".rstrip() if used else "never"
    return f"{known}; unknown for {', '.join(unknown_uses(user))}" if unknown_uses(user) else known


# --- a plan about to be carried out ----------------------------------------------------------------------------------


def show_pending(pending: Pending, console: Console, *, again: str, quiet: bool) -> None:
    """Print each call that would be made, and that none was; `again` are the options that were typed."""
    command = f"iam-scanner remediate {pending.request.doing} {pending.plan.plan_id}{again} --execute"
    print_parts(console, _pending_parts(pending, quiet=quiet), [] if quiet else [command])


def _pending_parts(pending: Pending, *, quiet: bool) -> Iterator[RenderableType]:
    undo = pending.request.doing is Doing.UNDO
    for user in pending.todo:
        target = user.target
        to_do = "undo the quarantine of" if undo else TO_DO[target.choice]
        yield Text(
            f"{to_do} {for_terminal(target.user_name)} ({target.user_id}) in {account_words(target)}", style="bold"
        )
        lines = _undo_lines(pending.made[target.key]) if undo else [(_call(call), _takes(call)) for call in user.calls]
        yield _numbered(lines)
    if quiet:
        return
    ready = [outcome for outcome in pending.outcomes if outcome.planned not in pending.todo]
    if ready:
        yield outcomes_table(ready)
    yield Text("\nNothing was changed. To do it:")


def _undo_lines(made: Sequence[PlannedCall]) -> list[tuple[str, str]]:
    """Say what undo would do about each call that was made, as the journal has it: the user is read only then."""
    lines = []
    for call in reversed(made):
        if not call.reversible:
            lines.append((_call(call), "cannot be undone: this user will be refused"))
        elif call.action == ATTACH:
            lines.append((f"{DETACH} {call.thing}", "takes the deny off again"))
        else:
            lines.append((_call(call), f"makes the {call.kind} active again"))
    return lines


def _numbered(lines: Sequence[tuple[str, str]]) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(justify="right", min_width=4)
    grid.add_column(overflow="fold")
    grid.add_column(overflow="fold", style="dim")
    for number, (call, words) in enumerate(lines, start=1):
        grid.add_row(f"{number}.", call, words)
    return grid


def _call(call: PlannedCall) -> str:
    return for_terminal(call.words)


def _takes(call: PlannedCall) -> str:
    return f"takes away {call.takes_away}"


def ask_for_number(pending: Pending, console: Console) -> None:
    """Ask to type how many users it is about."""
    doing = "To be undone" if pending.request.doing is Doing.UNDO else "To be carried out"
    console.print(f"{doing}: {_counts(pending.todo)}.", soft_wrap=True)
    for user in pending.todo:
        to_do = "undo" if pending.request.doing is Doing.UNDO else TO_DO[user.target.choice]
        who = f"{for_terminal(user.target.user_name)} in {account_words(user.target)}"
        console.print(f"  {to_do} {who}", soft_wrap=True)
    console.print(f"Type the number of users, {len(pending.todo)}, to confirm: ", end="", soft_wrap=True)


# --- what was done ---------------------------------------------------------------------------------------------------


def show_ended(ended: Ended, console: Console, *, again: str, where: str) -> None:
    """Print what was done, and what is next; `again` are the options that were typed, `where` those on places."""
    words, commands = _next_of_ended(ended, again, where)
    print_parts(console, _ended_parts(ended, words), commands)


def _ended_parts(ended: Ended, what_next: str) -> Iterator[RenderableType]:
    plan = ended.pending.plan
    yield Text(f"Plan {plan.plan_id}: {outcome_words(ended.outcomes)}", style="bold")
    yield outcomes_table(ended.outcomes)
    names = {user.target.key: user.target.user_name for user in plan.users}
    for conclusion in ended.concluded:
        if conclusion.doing is Doing.UNDO and conclusion.outcome is RemediationOutcome.REFUSED:
            name = for_terminal(names[conclusion.account_id, conclusion.user_id])
            yield Text(f"Not undone: {name}. {for_terminal(conclusion.detail)}", style="yellow")
    yield Text()
    yield labelled(
        ("Results", Text(for_terminal(str(ended.results)))),
        ("Next", Text(what_next)),
    )


def _next_of_ended(ended: Ended, again: str, where: str) -> tuple[str, Sequence[str]]:
    """Say what is next, and the commands for it."""
    plan_id = ended.pending.plan.plan_id
    words = {outcome.word for outcome in ended.outcomes}
    if RemediationOutcome.FAILED in words:
        is_now = any(conclusion.outcome is RemediationOutcome.FAILED for conclusion in ended.concluded)
        doing = ended.pending.request.doing if is_now else Doing.APPLY
        return "fix the cause, then resume:", [f"iam-scanner remediate {doing} {plan_id}{again} --execute"]
    if RemediationOutcome.DONE in words:
        commands = [f"iam-scanner remediate status {plan_id}{where}", f"iam-scanner scan{where}"]
        return "see what may still be valid; then scan again, to see that all of it was carried out:", commands
    return "scan again, to see that all of it was carried out:", [f"iam-scanner scan{where}"]


# --- for scripts -----------------------------------------------------------------------------------------------------


def plan_document(made: Made) -> Mapping[str, object]:
    plan = made.plan
    return {
        "plan_id": plan.plan_id,
        "folder": str(made.folder),
        "sha256": made.digest,
        "expires_at": iso(plan.expires_at),
        "users": [
            target_document(user.target) | {"calls": [call.words for call in user.calls], "notes": list(user.notes)}
            for user in plan.users
        ],
        "spared": [
            target_document(user.target)
            | {"outcome": "FAILED" if user.failed else "REFUSED", "reason": user.reason, "detail": user.detail}
            for user in plan.spared
        ],
    }


def pending_document(pending: Pending) -> Mapping[str, object]:
    """Return the calls that would be made; for undo, the calls that would be taken back."""
    undo = pending.request.doing is Doing.UNDO
    calls = [
        target_document(user.target)
        | {"action": call.action, "parameters": dict(call.parameters), "resource": call.resource}
        for user in pending.todo
        for call in (pending.made[user.target.key] if undo else user.calls)
    ]
    users = [target_document(user.target) for user in pending.todo]
    return {
        "plan_id": pending.plan.plan_id,
        "executed": False,
        "users": users,
        "calls_to_take_back" if undo else "calls": calls,
    }


def ended_document(ended: Ended) -> Mapping[str, object]:
    return {
        "plan_id": ended.pending.plan.plan_id,
        "executed": True,
        "results": str(ended.results),
        "users": [outcome_document(outcome) for outcome in ended.outcomes],
    }
