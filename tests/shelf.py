"""A shelf of wheels for installers to take from without a network: one for each package that requirements-all.txt pins.

A wheel on it has the name, the version and the requirements of the package that these tests run with. Its code is a
path to a folder with links to that package's files, and to no other's: an installer resolves as it does for a user, and
what it did not install cannot be imported.
"""

import zipfile
from importlib import metadata
from pathlib import Path

from tests.sbom import pinned


def fill(folder: Path) -> Path:
    """Put the wheels into a new folder; packages that are pinned for other machines only are not on the shelf."""
    shelf = folder / "shelf"
    shelf.mkdir(parents=True)
    for name in pinned():
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        links = folder / "packages" / name
        links.mkdir(parents=True)
        _link(package, links)
        _wheel(package, name.replace("-", "_"), links, shelf)
    return shelf


def _link(package: metadata.Distribution, links: Path) -> None:
    tops = {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}
    for top in tops:
        if not top.endswith(".dist-info"):
            (links / top).symlink_to(Path(str(package.locate_file(top))))


def _wheel(package: metadata.Distribution, name: str, links: Path, shelf: Path) -> None:
    info = f"{name}-{package.version}.dist-info"
    contents = {
        f"{name}.pth": f"{links}\n",
        f"{info}/METADATA": package.read_text("METADATA") or "",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests.shelf\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    contents[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*contents, f"{info}/RECORD"))
    with zipfile.ZipFile(shelf / f"{name}-{package.version}-py3-none-any.whl", "w") as wheel:
        for path, text in contents.items():
            wheel.writestr(path, text)
