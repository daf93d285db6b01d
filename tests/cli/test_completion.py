"""What Tab offers for OUs, accounts and safelists, and how each shell is answered so that names stay what they are."""

import asyncio
import os
import shlex
import signal
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from scanner.model import OrganizationalUnit
from scanner.record import Listing
from scanner.runs import folder as run_folder
from tests.builders import account, header, listing, ou_id, scanned, user
from tests.completing import offered, values
from tests.program import program
from tests.runs.recording import append
from tests.subject import AT_IMPORT, Subject

RUN, LATER = "20261123T164100Z-1a2b3c", "20261125T000000Z-cccccc"
NASTY = (
    "Root/Prod Workloads",
    "Root/Prod Workloads/Pay: EU",
    "Root/a=b",
    'Root/Ops\'s "big" one',
    "Root/Zürich/日本",
    "Root/two  spaces and a trail ",
    "Root/$(touch PWNED)`touch PWNED`${HOME}~!",
    'Root/x\\";touch PWNED;"',
    "Root/y';touch PWNED;'",
    "Root/[red]*?{a,b}#&|<>()^",
    "Root/\\",
)
NAMES = ("payments: prod", "it's [red]x[/red] [/foo]", "\x1b[31mred\n", "')) ; touch PWNED; ((")


def units(paths: Iterable[str]) -> tuple[OrganizationalUnit, ...]:
    return tuple(OrganizationalUnit(id=ou_id(path), name=path.rpartition("/")[2], path=path) for path in paths)


def record_run(run_id: str, *lines: Listing) -> None:
    """A run that was killed: its header, an account, and what it had listed by then."""
    folder = run_folder.create(Path("reports"), run_id)
    asyncio.run(append(folder, [header(), scanned(1, user()), *lines]))


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`reports` holds a run of an organization with such names, and `config` some safelists."""
    monkeypatch.chdir(tmp_path)
    accounts = [account(number, name=name, ou_path=None) for number, name in enumerate(NAMES, 1)]
    record_run(RUN, replace(listing(*accounts), ous=units(["Root", *NASTY])))
    for name in ("prod.yaml", "o'neil.yml", "more stuff/eu.yaml", ".hidden.yaml", "new.yaml.example", "notes.txt"):
        file = Path("config/safelists", name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return tmp_path


# --- what is offered -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ["scan", "--ou"],
        ["scan", "--exclude-ou"],
        ["accounts", "--ou"],
        ["users", "latest", "--ou"],
        ["safelist", "explain", "--ou"],
    ],
    ids=" ".join,
)
def test_an_ou_is_offered_by_its_path_and_by_its_id(words: list[str]) -> None:
    lines = [f"Root\t{ou_id('Root')}", *(f"{path}\t{ou_id(path)}" for path in NASTY)]
    assert offered(*words, "")[: len(lines)] == lines
    assert offered(*words, ou_id("Root/a=b")) == [f"{ou_id('Root/a=b')}\tRoot/a=b"]
    assert values(*words, "Root/Prod\\ W") == ["Root/Prod Workloads", "Root/Prod Workloads/Pay: EU"]


@pytest.mark.parametrize(
    "words",
    [
        ["scan", "--account"],
        ["scan", "--exclude-account"],
        ["accounts", "--account"],
        ["users", "latest", "--account"],
        ["safelist", "explain", "--account"],
        ["remediate", "plan", "--account"],
    ],
    ids=" ".join,
)
def test_an_account_is_offered_with_its_name(words: list[str]) -> None:
    """A name may hold what Typer would take for markup, or what would end the line."""
    shown = ("payments: prod", "it's [red]x[/red] [/foo]", "\\x1b[31mred\\n", "')) ; touch PWNED; ((")
    assert offered(*words, "") == [f"{number:012}\t{name}" for number, name in enumerate(shown, 1)]


def test_a_path_that_two_ous_share_is_offered_by_the_ids_alone() -> None:
    twins = [replace(unit, id=f"ou-abcd-0000000{at}", addressable=False) for at, unit in enumerate(units(["R/x"] * 2))]
    record_run(LATER, replace(listing(account(ou_path=None)), ous=tuple(twins)))
    assert offered("scan", "--ou", "") == ["ou-abcd-00000000\tR/x", "ou-abcd-00000001\tR/x"]


def test_the_newest_run_counts_that_got_as_far_as_its_listing() -> None:
    record_run(LATER)
    assert values("scan", "--ou", "Root/a") == ["Root/a=b"]
    record_run("20261126T000000Z-dddddd", replace(listing(account(ou_path=None)), ous=units(["Root/abc"])))
    assert values("scan", "--ou", "Root/a") == ["Root/abc"]
    assert values("scan", "-o", "elsewhere", "--ou", "") == []


@pytest.mark.parametrize(
    "words", [["scan", "--safelist"], ["evaluate", "latest", "--safelist"], ["safelist", "check"]], ids=" ".join
)
def test_a_safelist_is_offered_by_folder_and_by_file(words: list[str]) -> None:
    files = ["config/safelists/more stuff/eu.yaml", "config/safelists/o'neil.yml", "config/safelists/prod.yaml"]
    assert offered(*words, "") == ["config/safelists\tall safelists in it", *files]


def test_a_file_to_write_into_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IAM_SCANNER_SAFELIST", '["config/safelists/prod.yaml", "nowhere.yaml"]')
    assert values("review", "import", "filled.xlsx", "--into", "") == ["config/safelists/prod.yaml"]


# --- how it is quoted ------------------------------------------------------------------------------------------------


def by_bash(code: str) -> list[str]:
    done = subprocess.run(["bash", "-c", code], check=True, capture_output=True, timeout=10)
    assert done.stderr == b""
    assert not Path("PWNED").exists()
    return done.stdout.decode().split("\0")[:-1]


def raw(*words: str, shell: str) -> list[str]:
    """What is answered; `words` as they are typed, quotes and all."""
    return [line for line in offered(*words, shell=shell) if line]


@pytest.mark.parametrize(("before", "behind"), [("", ""), ("'", "'"), ('"', '"')], ids=["bare", "single", "double"])
def test_bash_reads_each_name_back(before: str, behind: str) -> None:
    """bash puts what it gets behind the quote that is open, and closes that."""
    answered = raw("scan", "--ou", f"{before}Root/", shell="bash")
    assert by_bash("printf '%s\\0' " + " ".join(f"{before}{line}{behind}" for line in answered)) == list(NASTY)


@pytest.mark.parametrize(
    ("typed", "rest"),
    [
        (["Root/Prod\\ W"], ["Root/Prod\\ Workloads", "Root/Prod\\ Workloads/Pay\\:\\ EU"]),
        (['"Root/Prod Workloads/Pay:'], ["Root/Prod Workloads/Pay: EU"]),
        (["Root/Prod\\ Workloads/Pay\\:"], ["Root/Prod\\ Workloads/Pay\\:\\ EU"]),
        (["Root/Prod\\ Workloads/Pay", ":"], ["\\ EU"]),
        (["Root/Prod\\ Workloads/Pay", ":", "\\ E"], ["\\ EU"]),
        (["=", "Root/Prod\\ Workloads/Pay", ":", ""], ["\\ EU"]),
        (["Root/a", "=", ""], ["b"]),
        (["=", "Root/a", "="], ["b"]),
        (["="], [shlex.join(["Root"])]),
    ],
    ids=str,
)
def test_bash_gets_what_follows_the_words_that_it_broke(typed: list[str], rest: list[str]) -> None:
    assert raw("scan", "--ou", *typed, shell="bash")[: len(rest)] == rest


def by_zsh(*words: str) -> list[str]:
    """What zsh has for its menu: bash reads the quotes of that code as zsh does."""
    code = "\n".join(raw(*words, shell="zsh"))
    assert code.isprintable()
    assert "  " not in code, "zsh joins the words of an answer by one space"
    menu = "_describe() { printf '%s\\0' \"${offers[@]}\"; }; compset() { printf '%s\\0' \"$2\"; }"
    return by_bash(f"{menu}; f() {{ {code}; }}; f")


def test_zsh_reads_each_name_back() -> None:
    described = [path.replace("\\", "\\\\").replace(":", "\\:") + f":{ou_id(path)}" for path in NASTY]
    assert by_zsh("scan", "--ou", "Root/") == described
    assert by_zsh("scan", "--ou", "'Root/Prod ") == described[:2]
    assert by_zsh("scan", "--ou=Root/a") == ["--[^=]#=", described[2]]
    assert by_zsh("scan", "--account", "000000000004") == [f"000000000004:{NAMES[3]}"]


def test_fish_gets_plain_text_and_the_option_where_that_is_in_the_word(monkeypatch: pytest.MonkeyPatch) -> None:
    assert values("scan", "--ou", "Root/Prod\\ Workloads/Pay:") == ["Root/Prod Workloads/Pay: EU"]
    assert values("scan", "--ou=Root/a") == ["--ou=Root/a=b"]
    monkeypatch.setenv("_IAM_SCANNER_COMPLETE", "complete_fish")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "is-args")
    for line, code in (("scan --ou Root/a", 0), ("scan --ou nosuch", 1), ("scan --config con", 1)):
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", f"iam-scanner {line}")
        assert program().exit_code == code, "with 1, fish offers files"


@pytest.mark.parametrize("words", [["--config", "con"], ["--safelist", "./con"], ["--ou", "nosuch"]], ids=" ".join)
def test_where_nothing_of_ours_fits_the_shell_offers_files(words: list[str]) -> None:
    assert raw("scan", *words, shell="bash") == raw("scan", *words, shell="fish") == []
    assert raw("scan", *words, shell="zsh") == ["_files"]


def test_a_long_help_is_one_line() -> None:
    assert {line.partition("\t")[0] for line in offered("scan", "--fail")} == {"--fail-on"}


# --- whatever is wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", [b'{"type":"listing",\n', b'{"type":"listing","ous":3}\n', b"\xff\n"], ids=str)
def test_a_journal_that_cannot_be_read_offers_nothing(line: bytes) -> None:
    """`offered` sees that stderr is empty and the exit code 0."""
    (Path("reports") / RUN / run_folder.JOURNAL).write_bytes(b"{}\n" + line)
    for shell in ("bash", "zsh", "fish"):
        assert raw("scan", "--ou", "", shell=shell) == (["_files"] if shell == "zsh" else [])


def test_a_completion_that_is_stopped_says_nothing() -> None:
    """Ctrl-C, while fish waits for what it shows in grey."""
    asked = {"_IAM_SCANNER_COMPLETE": "complete_fish", "_TYPER_COMPLETE_ARGS": "iam-scanner scan --ou "}
    stopped = Subject().run({**os.environ, **asked}, signal.SIGINT.value, "scanner.runs.folder", before=AT_IMPORT)
    assert (stopped.returncode, stopped.stdout, stopped.stderr) == (-signal.SIGINT, "", "")
