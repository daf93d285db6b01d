"""`iam-scanner review`: read the reviewers' decisions back."""

import os
import pwd
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from scanner.cli import completion, options
from scanner.text import for_terminal

app = typer.Typer(
    cls=options.Group,
    name="review",
    help="Read the decisions of a review back. Does not call AWS.",
    epilog="Example: iam-scanner review import review.xlsx",
    no_args_is_help=True,
)


@app.callback()
def _group() -> None:
    """Keep `import` a command of its own, though it is the only one."""


@app.command("import", cls=options.Command)
def import_command(
    context: typer.Context,
    workbooks: Annotated[
        list[Path],
        typer.Argument(metavar="WORKBOOK", help="Filled workbooks (.xlsx), all of one run, or of the same runs."),
    ],
    *,
    safelist: options.Safelists = None,
    into: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Safelist file that takes the changes; needed where there are several; repeatable, for several "
            "organizations.",
            autocompletion=completion.safelist_files,
        ),
    ] = None,
    write: options.Write = False,
    supersede: Annotated[
        bool,
        typer.Option("--supersede", help="Let decisions take the place of earlier ones, and lift revocations."),
    ] = False,
    output: options.Output = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Show what the decisions in filled workbooks would change; with --write, make the changes.

    The changes are the safelist entries, shown as a diff, the users to remove (removals.json) and the ledger of
    decisions. If one decision cannot be used as it is, all are refused, and every fault is listed by cell and user.
    Exit code: 0 shown or imported, 2 refused and nothing written, 1 could not write.

    Of a report on several organizations, each run gets its own decisions. All its runs must be under --output. Name the
    safelists of all: a file is for the organization that it names, or, if it names none, for all of them.

    Example: iam-scanner review import review.xlsx --write
    """
    from scanner.cli.screen import review_outcome
    from scanner.cli.screen.next_step import options_of
    from scanner.review.importing import Request, import_review
    from scanner.review.opening import unsaved

    options.log_to_stderr(debug)
    settings = options.settings(context.params)
    warnings = tuple(unsaved(workbooks))
    for warning in warnings:
        options.stderr().print(f"warning: {for_terminal(warning)}", style="yellow", soft_wrap=True)
    imported = import_review(
        Request(
            workbooks=tuple(workbooks),
            safelist=settings.safelist,
            output=settings.output,
            into=tuple(into or ()),
            write=write,
            supersede=supersede,
            imported_by=_operator(),
            now=datetime.now(UTC),
        )
    )
    if as_json:
        options.print_json(review_outcome.document(imported, warnings))
    else:
        review_outcome.show(imported, options.stdout(), quiet=quiet, settings=settings)
        if write and settings.archive is not None and not quiet:
            archive = f"--archive {settings.archive}{options_of(settings, 'output')}"
            # The ledger is one, whichever of the runs it goes with.
            push = f"iam-scanner archive push {imported.runs[0].run_id} {archive}"
            options.stdout().print(f"Archive the ledger, for the next scan to know of it:\n{push}", soft_wrap=True)


def _operator() -> str:
    """Who runs this, by the operating system; an environment variable could say anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a user that it has no name for
        return f"uid {os.getuid()}"
