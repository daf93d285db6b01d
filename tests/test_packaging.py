"""Wheel and source archive: what they hold, and that installers make the whole program of them, without a network."""

import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import sbom, shelf
from tests.aws_endpoint import running
from tests.program import small_world

CHECKOUT = Path(__file__).parents[1]
TOOLS = Path(sys.executable).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    wheel: Path
    sdist: Path


def build(source: Path, folder: Path, **environment: str) -> Built:
    """The source archive, and the wheel from it, as `python -m build` makes them."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | environment)
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    return Built(wheel=wheel, sdist=sdist)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(CHECKOUT, tmp_path_factory.mktemp("dist"))


def run(command: Path, *arguments: object, cwd: Path, code: int = 0, env: Mapping[str, str] = os.environ) -> str:
    """What a command prints; on stderr, where it is to fail."""
    environment = {name: value for name, value in env.items() if name != "PYTHONPATH"}
    texts = [str(command), *map(str, arguments)]
    done = subprocess.run(texts, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr if code else done.stdout


# --- what they hold --------------------------------------------------------------------------------------------------


def test_the_wheel_holds_the_package_and_no_tests(built: Built) -> None:
    names = zipfile.ZipFile(built.wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"scanner"}
    ours = {str(file.relative_to(CHECKOUT)) for file in (CHECKOUT / "scanner").rglob("*.py")}
    assert ours <= set(names)


def test_the_wheel_holds_the_data_beside_the_code(built: Built) -> None:
    names = set(zipfile.ZipFile(built.wheel).namelist())
    beside = [
        file for file in (CHECKOUT / "scanner").rglob("*") if file.is_file() and file.suffix not in {".py", ".pyc"}
    ]
    assert beside
    assert {str(file.relative_to(CHECKOUT)) for file in beside} <= names


def test_the_front_page_names_the_wheel(built: Built) -> None:
    assert f"dist/{built.wheel.name}[demo]" in (CHECKOUT / "README.md").read_text(encoding="utf-8")


def test_linters_of_packages_find_nothing(built: Built, tmp_path: Path) -> None:
    run(TOOLS / "twine", "check", "--strict", built.wheel, built.sdist, cwd=tmp_path)
    run(TOOLS / "check-wheel-contents", "--no-config", built.wheel, cwd=tmp_path)


def test_the_source_archive_builds_the_same_bytes_elsewhere(built: Built, tmp_path: Path) -> None:
    """Also where hashes are seeded otherwise, and new files are for their owner alone."""
    with tarfile.open(built.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    before = os.umask(0o077)
    try:
        again = build(source, tmp_path / "again", PYTHONHASHSEED="1")
    finally:
        os.umask(before)
    assert again.sdist.read_bytes() == built.sdist.read_bytes()
    assert again.wheel.read_bytes() == built.wheel.read_bytes()


def test_the_program_names_no_file_that_only_its_repository_has() -> None:
    beside = ("*.md", "config/*.json", "config/**/*.example", "config/aws/*")
    names = {file.name for pattern in beside for file in CHECKOUT.glob(pattern)}
    assert {"README.md", "scanner.yaml.example", "safelist.schema.json", "member-role.yaml"} <= names
    for source in (CHECKOUT / "scanner").rglob("*.py"):
        text = source.read_text(encoding="utf-8")
        assert [name for name in names if name in text] == [], source


# --- the SBOM --------------------------------------------------------------------------------------------------------


def test_the_pins_of_a_scan_are_those_of_all_without_the_extras() -> None:
    """A job installs them for each scan: the emulator would double them."""
    of_a_scan, of_all = sbom.pinned(CHECKOUT / "requirements.txt"), sbom.pinned()
    assert of_a_scan.keys() == sbom.graph(map(Requirement, sbom.PROJECT["dependencies"])).keys()
    for name, pins in of_a_scan.items():
        assert {pin.specifier for pin in pins} <= {pin.specifier for pin in of_all[name]}


def test_the_sbom_is_that_of_the_pins_and_of_this_version() -> None:
    assert sbom.SBOM.read_text(encoding="utf-8") == sbom.sbom(), "it is out of date; write it again: make sbom"


def test_the_sbom_is_valid_and_names_no_host() -> None:
    text = sbom.SBOM.read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    assert "://" not in text.replace(document["$schema"], "")


def test_all_in_the_sbom_is_needed_by_the_program_or_by_what_it_needs() -> None:
    """A package that nothing leads to would be one whose need is not understood."""
    document = json.loads(sbom.SBOM.read_text(encoding="utf-8"))
    edges = {entry["ref"]: entry.get("dependsOn", []) for entry in document["dependencies"]}
    reached, waiting = set(), [document["metadata"]["component"]["bom-ref"]]
    while waiting:
        if (ref := waiting.pop()) not in reached:
            reached.add(ref)
            waiting += edges[ref]
    assert reached == edges.keys()
    assert len(edges) == 1 + sum(len(pins) for pins in sbom.pinned().values())


def test_the_wheel_carries_the_sbom(built: Built) -> None:
    carried = [name for name in zipfile.ZipFile(built.wheel).namelist() if ".dist-info/sboms/" in name]
    (name,) = carried
    assert zipfile.ZipFile(built.wheel).read(name) == sbom.SBOM.read_bytes()


# --- installed -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    command: Path
    packages: Path  # its site-packages


Installer = Callable[[str, Path], Installed]


def with_pip(wheel: str, place: Path) -> Installed:
    venv.create(place, with_pip=False, symlinks=True)
    run(TOOLS / "python", "-m", "pip", "--python", place / "bin/python", "install", "--quiet", wheel, cwd=place)
    return at(place, place / "bin")


def with_uv(wheel: str, place: Path) -> Installed:
    folders = {"UV_TOOL_DIR": str(place / "tools"), "UV_TOOL_BIN_DIR": str(place / "bin")}
    run(TOOLS / "uv", "tool", "install", "--python", sys.executable, wheel, cwd=place, env=os.environ | folders)
    return at(place / "tools/iam-scanner", place / "bin")


def with_pipx(wheel: str, place: Path) -> Installed:
    folders = {"PIPX_HOME": str(place), "PIPX_BIN_DIR": str(place / "bin"), "PIPX_MAN_DIR": str(place / "man")}
    run(TOOLS / "pipx", "install", wheel, cwd=place, env=os.environ | folders)
    return at(place / "venvs/iam-scanner", place / "bin")


def at(environment: Path, commands: Path) -> Installed:
    (packages,) = environment.glob("lib/python*/site-packages")
    return Installed(command=commands / "iam-scanner", packages=packages)


@pytest.fixture(scope="module")
def shelved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shelf.fill(tmp_path_factory.mktemp("shelf"))


@pytest.fixture
def from_the_shelf(shelved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installers take what they install from the shelf, and from nowhere else."""
    settings = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(shelved),
        "UV_NO_CONFIG": "1",
        "UV_OFFLINE": "1",
        "UV_NO_INDEX": "1",
        "UV_FIND_LINKS": str(shelved),
        "UV_CACHE_DIR": str(tmp_path / "cache"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def listed(*, extras: bool) -> dict[str, str]:
    """The packages that the SBOM lists, less those for other machines than this."""
    document = json.loads(sbom.SBOM.read_text(encoding="utf-8"))
    here = {
        (pin.name, str(pin.specifier).removeprefix("=="))
        for pins in sbom.pinned().values()
        for pin in pins
        if pin.marker is None or pin.marker.evaluate()
    }
    program = document["metadata"]["component"]
    scopes = {"required", "optional"} if extras else {"required"}
    parts = [part for part in document["components"] if part["scope"] in scopes]
    return {part["name"]: part["version"] for part in parts if (part["name"], part["version"]) in here} | {
        program["name"]: program["version"]
    }


def installed_in(packages: Path) -> dict[str, str]:
    names = [folder.stem.rsplit("-", 1) for folder in packages.glob("*.dist-info")]
    return {canonicalize_name(name): version for name, version in names}


@pytest.mark.usefixtures("from_the_shelf")
@pytest.mark.parametrize("install", [with_pip, with_uv, with_pipx])
def test_an_installer_installs_what_the_sbom_lists(built: Built, tmp_path: Path, install: Installer) -> None:
    """With all extras and without any; and the command that it puts on the path is the wheel's."""
    for name, extras in ("plain", False), ("extras", True):
        place = tmp_path / name
        place.mkdir()
        installed = install(f"{built.wheel}[demo,ocsf]" if extras else str(built.wheel), place)
        assert installed_in(installed.packages) == listed(extras=extras)
        told = run(installed.command, "--version", cwd=tmp_path)
        assert told == f"iam-scanner {built.wheel.name.split('-')[1]}\n"


@pytest.mark.usefixtures("from_the_shelf")
def test_the_installed_program_scans_with_nothing_but_what_it_declares(
    built: Built, tmp_path: Path, endpoint_environment: Callable[..., dict[str, str]]
) -> None:
    """It needs no file of its repository, and says how to get the demo, which is not installed."""
    command = with_uv(str(built.wheel), tmp_path).command
    missing = run(command, "scan", cwd=tmp_path, code=2)
    to_paste = [line for line in missing.splitlines() if line.startswith("  ")]
    run(Path("/bin/sh"), "-ec", "\n".join(to_paste), cwd=tmp_path)
    assert run(command, "safelist", "check", cwd=tmp_path).startswith("Valid: 0 entries in 1 file.")

    with running(small_world()) as endpoint:
        run(command, "scan", "--quiet", cwd=tmp_path, code=3, env=endpoint_environment(endpoint.url))
    (folder,) = (tmp_path / "reports").iterdir()
    assert (folder / "iam-users.xlsx").stat().st_size > 10_000

    assert "Install iam-scanner again, with its extra demo" in run(command, "demo", cwd=tmp_path, code=1)


@pytest.mark.usefixtures("from_the_shelf")
def test_with_the_extra_the_installed_program_runs_the_demo(built: Built, tmp_path: Path) -> None:
    installed = with_uv(f"{built.wheel}[demo]", tmp_path)
    folder = tmp_path / run(installed.command, "demo", "--output", "runs", "--quiet", cwd=tmp_path).strip()
    assert (folder / "iam-users.xlsx").stat().st_size > 10_000
