"""The options of a command line that a further command repeats."""

from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from scanner.cli import options
from scanner.cli.again import typed
from tests.documents import COMMANDS

app = typer.Typer()


@app.command()
def some_command(
    context: typer.Context,
    *,
    account: Annotated[list[str] | None, typer.Option()] = None,
    remediation_role_name: Annotated[str | None, typer.Option("--role-name")] = None,
    external_id: options.ExternalId = None,
    output: options.Output = None,
    include_active: Annotated[bool, typer.Option("--include-active")] = False,
    max_users: Annotated[int, typer.Option()] = 25,
    execute: Annotated[bool, typer.Option("--execute")] = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Say again what was typed: all of it, and what there is of places."""
    typer.echo(f"{typed(context, but={'account'})}|{typed(context, only={'output'})}")


@pytest.mark.parametrize(
    ("arguments", "again", "where"),
    [
        ([], "", ""),
        (["--json", "-q", "--execute"], "", ""),  # each command has its own
        (["-o", "a b"], " --output 'a b'", " --output 'a b'"),
        (["--external-id", "s3cr3t"], " --external-id ...", ""),
        (["--account", "1", "--role-name", "x/Y", "--include-active"], " --role-name x/Y --include-active", ""),
        (["--max-users", "25"], " --max-users 25", ""),  # typed, though it is the default
    ],
)
def test_what_was_typed_is_repeated(arguments: list[str], again: str, where: str) -> None:
    result = CliRunner().invoke(app, arguments, env={"IAM_SCANNER_OUTPUT": "elsewhere"})
    assert result.output.rstrip("\n") == f"{again}|{where}"


def test_a_list_is_repeated_once_for_each() -> None:
    def told(context: typer.Context, *, account: Annotated[list[str] | None, typer.Option()] = None) -> None:
        typer.echo(typed(context))

    one = typer.Typer()
    one.command()(told)
    assert CliRunner().invoke(one, ["--account", "1", "--account", "2"]).output == " --account 1 --account 2\n"


@pytest.mark.parametrize(
    ("command", "further"),
    [("remediate plan", "remediate apply"), ("remediate undo", "remediate apply"), ("doctor", "scan")],
)
def test_a_further_command_takes_what_it_is_given(command: str, further: str) -> None:
    def names(of: str) -> set[str]:
        return {form for parameter in COMMANDS[of].params for form in parameter.opts if form.startswith("--")}

    assert names(command) - names(further) <= {"--quarantine", "--all"}  # which are not repeated
