"""`iam-scanner init`: lay out a repository of one's own, with settings and a first safelist."""

import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scanner.cli import options

if TYPE_CHECKING:
    from scanner.own_repository.answers import Answers, Question

_ANSWERS = "Answers, which are asked for on a terminal"


def init_command(
    context: typer.Context,
    *,
    role_name: Annotated[
        str | None,
        options.option(_ANSWERS, "NAME", "Role to assume in each account.  \\[default: OrganizationAccountAccessRole]"),
    ] = None,
    ou: Annotated[
        list[str] | None, options.option(_ANSWERS, "ID|PATH", "Scan only this OU and all below it; repeatable.")
    ] = None,
    organization: Annotated[
        str | None, options.option(_ANSWERS, "ID", "Organization that the safelists are for (o-...).")
    ] = None,
    approver: Annotated[
        list[str] | None, options.option(_ANSWERS, "TEXT", "Who may approve; repeatable.  \\[default: anybody]")
    ] = None,
    max_days: Annotated[
        str | None, options.option(_ANSWERS, "N", "Days that an approval lasts at most.  \\[default: 365]")
    ] = None,
    code_owner: Annotated[
        list[str] | None,
        options.option(_ANSWERS, "NAME", "GitHub team or user who reviews changes (@org/team); repeatable."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask: take the defaults.")] = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    debug: options.Debug = False,
) -> None:
    """Lay out a repository of your own in the current folder: settings, a safelist, a job that checks safelists.

    It writes config/scanner.yaml with every setting, a first safelist that approves nobody, a GitHub Actions workflow,
    .gitignore, and with --code-owner also CODEOWNERS. It overwrites nothing: what is there is left, and named. Without
    a terminal it asks nothing. Exit code: 0 laid out, 2 an answer is wrong and nothing was written, 1 could not write.

    Example: iam-scanner init --role-name audit/IamScanner --approver ciso@example.com
    """
    from scanner.cli.screen import init_screen as screen
    from scanner.errors import FaultsError
    from scanner.own_repository.answers import Answers
    from scanner.own_repository.lay_out import lay_out

    options.log_to_stderr(debug)
    given = _given(context.params)
    answers = Answers(**given)
    if not (yes or as_json or quiet) and sys.stdin.isatty() and sys.stderr.isatty():
        if faults := answers.faults():
            raise FaultsError(faults)
        answers = _asked(answers, given)
    if faults := answers.faults():
        raise FaultsError(faults)
    laid_out = lay_out(answers)
    if as_json:
        options.print_json(screen.document(laid_out, answers, given))
    elif quiet:
        options.stdout().print("\n".join(map(str, laid_out.written)), soft_wrap=True)
    else:
        screen.show(laid_out, answers, given, options.stdout())


def _given(parameters: dict[str, Any]) -> dict[str, Any]:
    """The answers that options give."""
    from scanner.own_repository.answers import QUESTIONS

    names = [question.name for questions in QUESTIONS.values() for question in questions]
    given = {name: parameters[name] for name in names if parameters[name] not in (None, [], ())}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


def _asked(answers: "Answers", given: Collection[str]) -> "Answers":
    """The answers with those of a person to all that was not given and is to be written."""
    from scanner.own_repository.answers import QUESTIONS
    from scanner.own_repository.lay_out import standing

    to_write = [question for path, questions in QUESTIONS.items() if standing(path) is None for question in questions]
    to_ask = [question for question in to_write if question.name not in given]
    if to_ask:
        options.stderr().print("Press Enter to take the value in brackets. Nothing is written before the last answer.")
    for question in to_ask:
        answers = _ask(question, answers)
    return answers


def _ask(question: "Question", answers: "Answers") -> "Answers":
    """Ask until the answer will do; raise `UsageError` at the end of the input."""
    from scanner.errors import UsageError

    console = options.stderr()
    while True:
        console.print(f"{question.text} [{question.default}]: ", end="", soft_wrap=True)
        line = sys.stdin.readline()
        if not line:
            raise UsageError("The questions were not answered: nothing was written. Give --yes to take the defaults.")
        if (said := line.strip()) in {"", question.default}:
            return answers
        answered = question.answered(answers, said)
        if not (faults := answered.faults()):
            return answered
        for fault in faults:
            console.print(f"  {fault.problem} {fault.remedy}", soft_wrap=True, style="yellow")
