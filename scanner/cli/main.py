"""`iam-scanner`: the commands, and the one place where an error becomes a message and an exit code."""

import dataclasses
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from scanner import __version__
from scanner.cli import accounts, demo, diff, report, review, safelist, scan, verify
from scanner.cli.options import print_json
from scanner.errors import ExitCode, FaultsError, ScannerError
from scanner.text import for_terminal

app = typer.Typer(
    name="iam-scanner",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find the IAM users that nobody approved, in every account of an AWS organization (rule IAM-058).",
    epilog="Try it without AWS: iam-scanner demo",
)
app.command("scan")(scan.scan_command)
app.command("accounts")(accounts.accounts_command)
app.add_typer(safelist.app)
app.command("report")(report.report_command)
app.command("diff")(diff.diff_command)
app.add_typer(review.app)
app.command("verify")(verify.verify_command)
app.command("demo")(demo.demo_command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"iam-scanner {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line. Whatever goes wrong ends here, with a message, a remedy and an exit code."""
    try:
        app()
    except SystemExit as end:  # the ways in which Typer itself ends the program
        if end.code == ExitCode.USAGE and "--json" in sys.argv:
            _print_error("wrong usage; stderr says how", ExitCode.USAGE)
        if end.code == ExitCode.INTERRUPTED:
            typer.echo("Interrupted. Where a run's folder is there already, scan --resume goes on with it.", err=True)
            sys.stdout.flush()
            os._exit(ExitCode.INTERRUPTED)  # half-written sheets would complain while they are taken apart
        raise
    except ScannerError as error:
        _tell(str(error), error.exit_code, error)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _tell(f"{where}{error.strerror or error}. Check the path, its permissions and the space left.", ExitCode.ERROR)
    except Exception as error:  # noqa: BLE001  # the last boundary
        _tell(
            f"The program failed ({type(error).__name__}). Please report it, with what --debug prints.", ExitCode.ERROR
        )


def _tell(message: str, code: ExitCode, error: ScannerError | None = None) -> None:
    if "--debug" in sys.argv:
        traceback.print_exc()
    if "--json" in sys.argv:
        faults = [dataclasses.asdict(fault) for fault in error.faults] if isinstance(error, FaultsError) else []
        _print_error(message, code, faults)
    prefix = "" if code is ExitCode.INTERRUPTED else "error: "
    for line in message.splitlines():
        typer.echo(prefix + for_terminal(line), err=True)
    sys.exit(code)


def _print_error(message: str, code: ExitCode, faults: Sequence[Mapping[str, object]] = ()) -> None:
    print_json({"error": {"exit_code": code, "message": message, "faults": faults}})
