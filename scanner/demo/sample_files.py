"""The files that go with the sample organization: a safelist dated around the demo's day, account owners, settings."""

import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

from scanner.errors import UsageError
from scanner.settings import DEFAULT_FILE

_SETTINGS_HEAD = "# Settings of the sample; written anew by each `iam-scanner demo --serve`."
_DATE = re.compile(r"<today([+-]\d+)?>")


@dataclass(frozen=True, slots=True)
class SampleFiles:
    """Where the files of the sample were written."""

    safelist: Path
    account_owners: Path
    kept: Path | None = None  # the safelist that stood there, which was another one


def safelist_text(today: date) -> str:
    """The demo's safelist; `<today-30>` in its template is the day 30 days before `today`."""
    return _DATE.sub(lambda found: str(today + timedelta(days=int(found[1] or 0))), _packaged("safelist.yaml"))


def account_owners_text() -> str:
    """CSV: account_id, account_owner. One account has no owner, as in life."""
    return _packaged("account-owners.csv")


def write_files(folder: Path, today: date) -> SampleFiles:
    """Write them into `folder`, which is made where it is missing; a changed safelist there is kept as .bak."""
    folder.mkdir(parents=True, exist_ok=True)
    safelist = folder / "safelist.yaml"
    kept = _write(safelist, safelist_text(today))
    written = SampleFiles(safelist=safelist, account_owners=folder / "account-owners.csv", kept=kept)
    written.account_owners.write_text(account_owners_text(), encoding="utf-8")
    return written


def _write(file: Path, text: str) -> Path | None:
    """Write the file; return where one is kept that said something else."""
    kept = None
    if file.is_file() and file.read_text(encoding="utf-8", errors="replace") != text:
        kept = file.replace(file.with_name(f"{file.name}.bak"))
    file.write_text(text, encoding="utf-8")
    return kept


def write_settings(written: SampleFiles, output: Path) -> Path:
    """Write the settings file that a command started beside the sample's files finds; return the folder to start it in.

    In a file rather than in variables, so that they end where that folder does. Raises `UsageError` for a path that no
    settings file can hold.
    """
    folder = written.safelist.parent
    settings = {
        "output": str(output.absolute()),
        "safelist": [str(written.safelist.absolute())],
        "account_owners": str(written.account_owners.absolute()),
    }
    if not str(written.safelist.absolute()).isprintable():
        raise UsageError("--output: a settings file cannot hold this path. Choose a folder of printable characters.")
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in settings.items()]
    file = folder / DEFAULT_FILE
    file.parent.mkdir(exist_ok=True)
    _write(file, "\n".join([_SETTINGS_HEAD, *lines, ""]))
    return folder.absolute()


def _packaged(name: str) -> str:
    return (files("scanner.demo") / "data" / name).read_text(encoding="utf-8")
