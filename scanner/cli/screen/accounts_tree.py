"""What `iam-scanner accounts` shows: the organization as a tree, or as a document.

Apart from the command itself, so that --help waits for none of it.
"""

from collections import Counter
from typing import Any

from rich.text import Text
from rich.tree import Tree

from scanner.report.words import many
from scanner.scan.survey import Survey
from scanner.text import for_terminal

_STYLES = {"scan": "green", "excluded": "yellow", "inactive": "dim", "outside the scope": "dim", "OU unknown": "red"}
_TOTALS = {plan: "to scan" if plan == "scan" else plan for plan in _STYLES}
_UNPLACED = "(place in the organization unknown)"


def document(survey: Survey) -> dict[str, Any]:
    return {
        "organization": survey.organization and survey.organization.id,
        "accounts_from": survey.listing.source,
        "population_known": survey.listing.problem is None,
        "notes": list(survey.listing.notes),
        "accounts": [
            {
                "account_id": account.id,
                "account_name": account.name,
                "state": account.state,
                "ou_path": account.ou_path,
                "ou_id": account.ou_id,
                "plan": survey.placements[account.id].plan,
                "detail": survey.placements[account.id].detail,
            }
            for account in survey.listing.accounts
        ],
    }


def tree(survey: Survey) -> Tree:
    name = survey.organization.id if survey.organization else survey.listing.source
    top = Tree(Text(for_terminal(name), style="bold"))
    branches: dict[str, Tree] = {}
    for unit in sorted(survey.listing.ous, key=lambda unit: unit.path):
        parent = branches.get(unit.path.removesuffix(unit.name).rstrip("/"), top)
        label = Text(for_terminal(unit.name), style="bold")
        branches[unit.path] = parent.add(label.append(f"  {unit.id}" if unit.id else "", style="not bold dim"))
    for account in survey.listing.accounts:
        path = account.ou_path or _UNPLACED
        if path not in branches:
            branches[path] = top.add(Text(for_terminal(path), style="bold red"))
        placement = survey.placements[account.id]
        line = Text(f"{account.id}  {for_terminal(account.name)}  ")
        line.append(placement.plan, style=_STYLES[placement.plan])
        if placement.detail:
            line.append(f"  {for_terminal(placement.detail)}", style="dim")
        branches[path].add(line)
    return top


def totals(survey: Survey) -> Text:
    counts = Counter(placement.plan for placement in survey.placements.values())
    terms = " + ".join(f"{count:,} {_TOTALS[plan]}" for plan, count in sorted(counts.items()))
    text = Text(f"\n{many(len(survey.placements), 'account')} listed = {terms}")
    if survey.listing.problem is not None:
        text.append("\nThe listing broke off: there may be more accounts (population unknown).", style="bold red")
    for note in survey.listing.notes:
        text.append(f"\nNote: {for_terminal(note)}", style="dim")
    return text
