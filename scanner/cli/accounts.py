"""`iam-scanner accounts`: the organization as a tree, with what a scan would do with each account."""

import asyncio
import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import typer
from rich.text import Text
from rich.tree import Tree

from scanner.cli import options
from scanner.text import for_terminal

if TYPE_CHECKING:  # imports the AWS SDK
    from scanner.scan.use_case import Survey

_STYLES = {"scan": "green", "excluded": "yellow", "inactive": "dim", "outside the scope": "dim", "OU unknown": "red"}
_TOTALS = {plan: "to scan" if plan == "scan" else plan for plan in _STYLES}
_UNPLACED = "(place in the organization unknown)"


def accounts_command(
    context: typer.Context,
    *,
    ou: options.Ou = None,
    exclude_ou: options.ExcludeOu = None,
    account: options.AccountIds = None,
    exclude_account: options.ExcludeAccount = None,
    accounts_file: options.AccountsFile = None,
    profile: options.Profile = None,
    organizations_role_arn: options.OrganizationsRoleArn = None,
    no_session_policy: options.NoSessionPolicy = False,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Show the organization as a tree, with what a scan would do with each account. Assumes no role in any of them.

    Example: iam-scanner accounts --ou Root/Workloads
    """
    from scanner.cli.progress import ScanProgress
    from scanner.scan.use_case import survey
    from scanner.settings import load

    options.log_to_stderr(debug)
    settings = load(options.given(context.params), os.environ, config)
    with ScanProgress(options.stderr(), quiet=quiet or as_json) as progress:
        found = asyncio.run(survey(settings, progress))
    if as_json:
        options.print_json(_document(found))
    else:
        options.stdout().print(_tree(found))
        options.stdout().print(_totals(found))


def _document(found: "Survey") -> dict[str, Any]:
    return {
        "organization": found.organization and found.organization.id,
        "accounts_from": found.listing.source,
        "population_known": found.listing.problem is None,
        "notes": list(found.listing.notes),
        "accounts": [
            {
                "account_id": account.id,
                "account_name": account.name,
                "state": account.state,
                "ou_path": account.ou_path,
                "ou_id": account.ou_id,
                "plan": found.placements[account.id].plan,
                "detail": found.placements[account.id].detail,
            }
            for account in found.listing.accounts
        ],
    }


def _tree(found: "Survey") -> Tree:
    name = found.organization.id if found.organization else found.listing.source
    top = Tree(Text(for_terminal(name), style="bold"))
    branches: dict[str, Tree] = {}
    for unit in sorted(found.listing.ous, key=lambda unit: unit.path):
        parent = branches.get(unit.path.removesuffix(unit.name).rstrip("/"), top)
        label = Text(for_terminal(unit.name), style="bold")
        branches[unit.path] = parent.add(label.append(f"  {unit.id}" if unit.id else "", style="not bold dim"))
    for account in found.listing.accounts:
        path = account.ou_path or _UNPLACED
        if path not in branches:
            branches[path] = top.add(Text(for_terminal(path), style="bold red"))
        placement = found.placements[account.id]
        line = Text(f"{account.id}  {for_terminal(account.name)}  ")
        line.append(placement.plan, style=_STYLES[placement.plan])
        if placement.detail:
            line.append(f"  {for_terminal(placement.detail)}", style="dim")
        branches[path].add(line)
    return top


def _totals(found: "Survey") -> Text:
    counts = Counter(placement.plan for placement in found.placements.values())
    told = " + ".join(f"{count:,} {_TOTALS[plan]}" for plan, count in sorted(counts.items()))
    text = Text(f"\n{len(found.placements):,} accounts listed = {told}")
    if found.listing.problem is not None:
        text.append("\nThe listing broke off: there may be more accounts (population unknown).", style="bold red")
    for note in found.listing.notes:
        text.append(f"\nNote: {for_terminal(note)}", style="dim")
    return text
