"""The wheel: installed elsewhere, it is the whole program, with what it ships beside its code."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(CHECKOUT)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with the wheel installed; its dependencies are those of these tests, lent to it."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, with_pip=False, symlinks=True)
    python = place / "bin" / "python"
    install = ["-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "--quiet", str(wheel)]
    subprocess.run([sys.executable, *install], check=True, capture_output=True, text=True)
    (packages,) = place.glob("lib/python*/site-packages")
    # After the wheel, so that pip does not take the checkout's own installation for it. A .pth found by way of this
    # one is not read: the checkout does not come in.
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python.parent


def run(command: Path, *arguments: str, cwd: Path, code: int = 0) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(command), *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done


def test_the_wheel_holds_the_package_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"scanner"}
    ours = {str(file.relative_to(CHECKOUT)) for file in (CHECKOUT / "scanner").rglob("*.py")}
    assert ours <= set(names)


def test_the_wheel_holds_the_data_beside_the_code(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    beside = [
        file for file in (CHECKOUT / "scanner").rglob("*") if file.is_file() and file.suffix not in {".py", ".pyc"}
    ]
    assert beside
    assert {str(file.relative_to(CHECKOUT)) for file in beside} <= names


def test_the_wheel_s_program_is_not_the_checkout_s(installed: Path, tmp_path: Path) -> None:
    where = run(installed / "python", "-c", "import scanner; print(scanner.__file__)", cwd=tmp_path).stdout
    assert Path(where.strip()).is_relative_to(installed.parent)


def test_the_version_is_that_of_the_wheel(installed: Path, wheel: Path, tmp_path: Path) -> None:
    told = run(installed / "iam-scanner", "--version", cwd=tmp_path).stdout
    assert told == f"iam-scanner {wheel.name.split('-')[1]}\n"


def test_the_installed_program_runs_the_demo_from_another_folder(installed: Path, tmp_path: Path) -> None:
    pytest.importorskip("moto")
    done = run(installed / "iam-scanner", "demo", "--output", "runs", "--quiet", cwd=tmp_path)
    folder = tmp_path / done.stdout.strip()
    assert (folder / "iam-users.xlsx").stat().st_size > 10_000
    assert folder.parent == tmp_path / "runs"


def test_a_first_safelist_needs_nothing_but_the_installed_program(installed: Path, tmp_path: Path) -> None:
    missing = run(installed / "iam-scanner", "scan", cwd=tmp_path, code=2).stderr
    to_paste = [line for line in missing.splitlines() if line.startswith("  ")]
    run(Path("/bin/sh"), "-ec", "\n".join(to_paste), cwd=tmp_path)
    checked = run(installed / "iam-scanner", "safelist", "check", cwd=tmp_path)
    assert checked.stdout.startswith("Valid: 0 entries in 1 file.")


def test_the_program_names_no_file_that_only_its_repository_has() -> None:
    beside = ("*.md", "config/*.json", "config/**/*.example", "config/aws/*")
    names = {file.name for pattern in beside for file in CHECKOUT.glob(pattern)}
    assert {"README.md", "scanner.yaml.example", "safelist.schema.json", "member-role.yaml"} <= names
    for source in (CHECKOUT / "scanner").rglob("*.py"):
        text = source.read_text(encoding="utf-8")
        assert [name for name in names if name in text] == [], source
