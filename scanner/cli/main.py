"""`iam-scanner`: the commands, and the one place where an error becomes a message and an exit code."""

import codecs
import contextlib
import dataclasses
import io
import os
import shutil
import signal
import sys
import textwrap
import traceback
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, NoReturn

import typer

from scanner import __version__
from scanner.cli import (
    accounts,
    archive,
    demo,
    diff,
    doctor,
    evaluate,
    init,
    remediate,
    report,
    review,
    role,
    safelist,
    scan,
    shells,
    users,
    verify,
)
from scanner.cli.options import Command, Group, print_json
from scanner.errors import ExitCode, FaultsError, ScannerError

app = typer.Typer(
    cls=Group,
    name="iam-scanner",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find the IAM users that nobody approved, in every account of an AWS organization (rule IAM-058).",
    epilog="Example, without AWS: iam-scanner demo",
)
app.command("scan", cls=Command)(scan.scan_command)
app.command("accounts", cls=Command)(accounts.accounts_command)
app.command("doctor", cls=Command)(doctor.doctor_command)
app.add_typer(safelist.app)
app.command("report", cls=Command)(report.report_command)
app.command("evaluate", cls=Command)(evaluate.evaluate_command)
app.command("users", cls=Command)(users.users_command)
app.command("diff", cls=Command)(diff.diff_command)
app.add_typer(review.app)
app.add_typer(remediate.app)
app.command("role", cls=Command)(role.role_command)
app.command("verify", cls=Command)(verify.verify_command)
app.command("init", cls=Command)(init.init_command)
app.add_typer(archive.app)
app.command("demo", cls=Command)(demo.demo_command)


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
    codecs.register_error("show", _as_it_can_be_shown)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that it cannot show must not end a scan
            stream.reconfigure(errors="show")
    try:
        _run()
    except SystemExit as end:  # the ways in which Typer itself ends the program
        if end.code == ExitCode.USAGE and "--json" in sys.argv:
            _print_error("usage error; see stderr", ExitCode.USAGE)
        if end.code == ExitCode.INTERRUPTED:
            _tell("Interrupted.", ExitCode.INTERRUPTED)
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


def _as_it_can_be_shown(error: UnicodeError) -> tuple[str | bytes, int]:
    r"""Stand in for what a stream cannot encode: `\u017c`; of a path, the bytes that it has on the disk."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.backslashreplace_errors(error)


def _run() -> None:
    try:
        if os.environ.get(shells.VARIABLE):
            with contextlib.suppress(Exception):  # what went wrong would land in the line that is being typed
                shells.answer(app)
        else:
            app()
    finally:
        sys.stdout.flush()  # now, where it can still be said that it did not work


def _tell(message: str, code: ExitCode, error: ScannerError | None = None) -> NoReturn:
    from scanner.text import for_terminal, lines_for_terminal  # keeps --help quick

    if code is ExitCode.INTERRUPTED:
        for number in (signal.SIGINT, signal.SIGTERM):  # it is being obeyed
            signal.signal(number, signal.SIG_IGN)
    if "--debug" in sys.argv:
        sys.stderr.write(lines_for_terminal(traceback.format_exc()))
    if "--json" in sys.argv:
        faults = [dataclasses.asdict(fault) for fault in error.faults] if isinstance(error, FaultsError) else []
        with contextlib.suppress(OSError):  # stdout may be what could not be written
            _print_error(message, code, faults)
    prefix = "" if code is ExitCode.INTERRUPTED else "error: "
    for line in _lines(message, error):
        sys.stderr.write(f"{_wrapped(prefix + for_terminal(line))}\n")
    for line in error.advice if isinstance(error, FaultsError) else ():
        sys.stderr.write(f"{for_terminal(line)}\n")
    if code is ExitCode.INTERRUPTED:
        sys.stdout.flush()
        # At once: half-written sheets would complain, and a name look-up that hangs in a thread would be waited for.
        os._exit(code)
    try:
        sys.stdout.flush()
    except OSError:  # Python would try once more, and end with a code of its own
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _wrapped(line: str) -> str:
    """On a terminal, broken between words, as a terminal itself would break in them."""
    if not sys.stderr.isatty():
        return line
    width = shutil.get_terminal_size().columns
    return textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False) or line


def _lines(message: str, error: ScannerError | None) -> Iterable[str]:
    """The lines of a message. A fault is one line, also where the name of its file holds a line feed."""
    if isinstance(error, FaultsError):
        return filter(None, (*map(str, error.faults), error.outcome))
    return message.splitlines()


def _print_error(message: str, code: ExitCode, faults: Sequence[Mapping[str, object]] = ()) -> None:
    print_json({"error": {"exit_code": code, "message": message, "faults": faults}})
