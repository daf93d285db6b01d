"""`iam-scanner accounts`: the organization as a tree, with what a scan would do with each account."""

import typer

from scanner.cli import options


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
    import asyncio

    from scanner.cli.screen.accounts_tree import document, totals, tree
    from scanner.cli.screen.progress import ScanProgress
    from scanner.cli.stopping import stoppable
    from scanner.scan.survey import survey

    options.log_to_stderr(debug)
    settings = options.settings(context.params)
    with ScanProgress(options.stderr(), quiet=quiet or as_json) as progress:
        found = asyncio.run(stoppable(survey(settings, progress), "Nothing was written."))
    if as_json:
        options.print_json(document(found))
    else:
        options.stdout().print(tree(found))
        options.stdout().print(totals(found))
