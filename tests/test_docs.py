"""The commands of the documents run, and the documents lead where they say."""

import os
import re
import shlex
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pytest

from scanner.cli import demo
from scanner.demo import ORGANIZATION_ID, Demo
from scanner.errors import ExitCode
from scanner.report.render import Rendered
from scanner.runs import folder as run_folder
from scanner.settings import Settings
from tests.demo.clients import client
from tests.documents import (
    COMMANDS,
    CONFIG,
    CONTRIBUTING,
    GUIDES,
    PROJECT,
    README,
    ROOT,
    TEXTS,
    blocks,
    command_of,
    firsts,
    lines,
    parses,
    section,
    tables,
)
from tests.program import program
from tests.readme_picture import PICTURES, scanned, words
from tests.readme_summary import SUMMARY

RECORDED = "20261123T164100Z-1a2b3c"  # the run id that the documents use
LATER = "20270222T081500Z-4d5e6f"  # and that of a later run
PLAN = "20261124T101500Z-4d5e6f"  # and a plan of remediate; tests/remediation/test_quarter.py carries one out
DONE = {ExitCode.OK, ExitCode.UNAPPROVED}  # the command did what it is for

# First words of commands that are not run, and why.
NOT_RUN = {
    "aws": "another program, and it needs an AWS account",
    "pipx": "it downloads packages; its extras are compared with pyproject.toml, and test_packaging.py installs them",
    ".venv/bin/python": "the bucket of the documents is made before any of them",
    "make": "it would run these very tests; its targets are compared with the Makefile",
}
RUN_BY_A_SHELL = {"cp", "git", "mkdir", "printf", "sha256sum"}
ONLY_PARSED = (
    ["demo", "--serve"],  # it serves until Ctrl-C
    ["scan", "--resume", RECORDED],  # the run here is complete; tests/cli/test_resume.py resumes others
)
# A run of another organization, and its safelist: the sample is one organization. tests/companies.py has several.
OTHER_ORGANIZATION = {"20261123T171500Z-7c8d9e", "beta.yaml"}


OWN_REPOSITORY = "A repository of your own"


# --- the place where the commands run ---


@pytest.fixture(scope="module")
def place(sample_organization: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a newcomer's folder holds after the demo, a first safelist and a list of accounts."""
    folder = tmp_path_factory.mktemp("newcomer")
    shutil.copytree(ROOT / "config", folder / "config", ignore=shutil.ignore_patterns("*.yaml"))
    safelist = blocks(CONFIG, "yaml")[0].replace("o-a1b2c3d4e5", ORGANIZATION_ID)
    (folder / "config/safelists/safelist.yaml").write_text(safelist, encoding="utf-8")
    (folder / "accounts.csv").write_text(
        "account_id,account_name,ou_path\n557190284613,payments-prod,Root/Workloads/Prod/Payments\n", encoding="utf-8"
    )
    client("s3", sample_organization.emulator).create_bucket(Bucket="example-audit")  # the archive of the documents
    profile = {key.lower(): value for key, value in sample_organization.emulator.credentials.items()}
    (folder / "aws-config").write_text(
        "\n".join(["[profile audit]", *(f"{key} = {value}" for key, value in profile.items())]), encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def published(sample_organization: Demo, place: Path) -> Rendered:
    return scanned(sample_organization, place)


@dataclass(frozen=True)
class Newcomer:
    """Somebody who types a document's commands, one after the other, and is known to git."""

    variables: pytest.MonkeyPatch

    def __post_init__(self) -> None:
        for name in [name for name in os.environ if name.startswith("GIT_")]:  # a hook's would lead to its repository
            self.variables.delenv(name)
        for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
            self.variables.setenv(name, "newcomer@example.com")
        for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
            self.variables.setenv(name, os.devnull)

    def types(self, line: str) -> None:
        said = shlex.split(line)
        match said[0]:
            case "iam-scanner":
                self._calls(said[1 : said.index(">")] if ">" in said else said[1:])
            case "export":
                self.variables.setenv(*said[1].split("=", 1))
            case "make":
                assert said[1] in targets(), line
            case "pipx" | "uv" | "python3" | "~/iam-scanner/bin/python":
                extras = re.findall(r"\[(.*)\]", line)
                assert set(extras) <= PROJECT["project"]["optional-dependencies"].keys(), line
            case name if name in RUN_BY_A_SHELL:
                subprocess.run(line, shell=True, check=True, timeout=10)
            case name:
                assert name in NOT_RUN, f"{line}: say in NOT_RUN why it is not run, or run it"

    def _calls(self, arguments: list[str]) -> None:
        elsewhere = PLAN in arguments or arguments[0] == "remediate" or not OTHER_ORGANIZATION.isdisjoint(arguments)
        if arguments in ONLY_PARSED or elsewhere:
            parses(arguments)
            return
        done = program(*arguments)
        assert done.exit_code in DONE, f"iam-scanner {shlex.join(arguments)}: {done.err}"


@pytest.fixture
def newcomer(
    sample_organization: Demo, place: Path, published: Rendered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Newcomer]:
    folder = tmp_path / "checkout"
    shutil.copytree(place, folder)
    for run_id in (RECORDED, LATER):
        shutil.copytree(folder / published.folder, folder / Settings().output / run_id)
    monkeypatch.chdir(folder)
    with sample_organization.applied():
        monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "aws-config"))
        yield Newcomer(monkeypatch)


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


# --- commands ---


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(block, id=f"{name}-{lines(block)[-1][:60]}")
        for name, text in TEXTS.items()
        for block in blocks(text, "sh")
    ],
)
def test_the_commands_of_a_document_run(newcomer: Newcomer, block: str) -> None:
    for line in lines(block):
        newcomer.types(line)


def test_the_guides_run_each_kind_of_command() -> None:
    run = [shlex.split(line) for text in GUIDES.values() for block in blocks(text, "sh") for line in lines(block)]
    assert {command_of(said[1:])[0] for said in run if said[0] == "iam-scanner" and said[1] != "--version"} == set(
        COMMANDS
    )
    assert {said[1] for said in run if said[0] == "make"} == {"demo", "test"}


def test_the_front_page_shows_what_the_demo_offers_to_try() -> None:
    serve, to_try = blocks(section(README, "Try it"), "sh")[1:]
    assert lines(serve)[-1] == "iam-scanner demo --serve"
    assert lines(to_try) == list(demo.TO_TRY)


def test_a_repository_of_one_s_own_holds_what_the_guide_says_and_no_more(
    sample_organization: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set up in an empty folder by the guide's own commands; a scan there finds its settings and safelists."""
    monkeypatch.chdir(tmp_path)
    newcomer = Newcomer(monkeypatch)
    for line in lines(blocks(section(CONFIG, OWN_REPOSITORY), "sh")[0]):
        newcomer.types(line)
    with sample_organization.applied():
        scan = program("scan", "--json").document
    run_id = scan["run_id"]
    assert run_folder.read(Path("reports", run_id)).header.settings.role_name == "audit/IamScanner"
    assert scan["users"]["approved"] == 0
    Path("reports", f"{run_id}-review").mkdir()
    for filled in ("review.xlsx", f"reports/{run_id}-review/payments.xlsx"):
        shutil.copy(f"reports/{run_id}/iam-users.xlsx", filled)
    Path("reports/decisions.csv").touch()

    newcomer.types("git add .")
    committed = git("ls-files")
    assert git("diff", "--cached", "--name-only") == []
    for path, is_in_git, _ in tables(section(CONFIG, OWN_REPOSITORY))[0]:
        place = Path(path.strip("`").replace("<run id>", run_id))
        assert place.exists(), path
        tracked = [name for name in committed if Path(name).is_relative_to(place)]
        assert bool(tracked) == (is_in_git == "yes"), path
        committed = [name for name in committed if name not in tracked]
    assert committed == []


def git(*arguments: str) -> list[str]:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.splitlines()


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_an_example_that_parses(name: str) -> None:
    example = re.search(r"Example: iam-scanner (.+)", COMMANDS[name].help)
    assert example, "it shows none"
    arguments = shlex.split(example[1])
    assert command_of(arguments)[0] == name
    parses(arguments)


@pytest.mark.parametrize("name", TEXTS)
def test_a_document_names_only_commands_that_there_are(name: str) -> None:
    code = "\n".join([*re.findall(r"`([^`\n]+)`", TEXTS[name]), *blocks(TEXTS[name], "sh")])
    for named in re.findall(r"iam-scanner ([a-z]+(?: [a-z]+)?)", code):
        command_of(named.split())


@pytest.mark.parametrize("name", TEXTS)
def test_a_document_names_only_make_targets_that_there_are(name: str) -> None:
    assert set(re.findall(r"`make ([a-z]+)", TEXTS[name])) <= targets()


def test_contributing_names_every_make_target() -> None:
    assert set(firsts(tables(section(CONTRIBUTING, "Set-up"))[0])) == {f"make {target}" for target in targets()}


# --- the documents themselves ---


def anchors(text: str) -> set[str]:
    """The anchors of a document's headings, as the usual renderers make them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", TEXTS)
def test_links_within_the_repository_lead_somewhere(name: str) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", TEXTS[name]):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.exists(), link
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), link


def test_contributing_says_why_each_dependency_is_there() -> None:
    rows = [name for table in tables(section(CONTRIBUTING, "Dependencies")) for name in firsts(table)]
    project = PROJECT["project"]
    extras = chain.from_iterable(project["optional-dependencies"].values())
    wanted = [*project["dependencies"], *extras, *PROJECT["dependency-groups"]["dev"]]
    assert rows == [re.split(r"[\[=<>]", each)[0] for each in wanted]


def test_the_front_page_shows_the_pictures() -> None:
    for picture in (*PICTURES.values(), SUMMARY):
        assert f"({picture.relative_to(ROOT)})" in README


@pytest.mark.parametrize("picture", PICTURES.values(), ids=lambda file: file.stem)
def test_a_picture_fetches_nothing_and_names_no_path_of_a_machine(picture: Path) -> None:
    drawn = picture.read_text(encoding="utf-8")
    assert re.findall(r"https?://[^\"]+", drawn) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"(?<![\w…])/\w+/\w+/", "\n".join(words(drawn)))
    assert os.sep + ROOT.name + os.sep not in drawn


def test_the_front_page_fits_on_one() -> None:
    assert len(README.splitlines()) <= 250


def test_the_picture_of_the_workbook_is_small_enough_for_a_front_page() -> None:
    assert SUMMARY.read_bytes().startswith(b"\x89PNG")
    assert SUMMARY.stat().st_size < 200_000


def test_nothing_is_said_twice() -> None:
    """No sentence of some length and no block of several commands stands twice, in one document or in two."""
    outside = [re.sub(r"^```.*?^```$|^\|[^\n]*$", "", text, flags=re.MULTILINE | re.DOTALL) for text in GUIDES.values()]
    flowing = [" ".join(paragraph.split()) for text in outside for paragraph in text.split("\n\n")]
    sentences = [part for paragraph in flowing for part in re.split(r"(?<=[.:]) ", paragraph) if len(part) > 60]
    several = [block for text in GUIDES.values() for block in blocks(text, "sh") if len(lines(block)) > 1]
    assert sentences
    assert [text for text, times in Counter([*sentences, *several]).items() if times > 1] == []
