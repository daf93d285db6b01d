"""What the user's files say, and whether a run can be written: checked without a call."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from scanner.account_files import read_owners
from scanner.doctor.checks import Examination, Outcome, Part
from scanner.errors import UsageError
from scanner.report.words import many
from scanner.runs import folder as run_folder
from scanner.safelist.check import check
from scanner.safelist.entries import Safelist, parse, read
from scanner.scan.account_sources import FromFile
from scanner.scan.prepare import check_owner_tag
from scanner.settings import Settings

SETTINGS, SAFELISTS, OWNERS, ACCOUNTS_FILE = "Settings", "Safelists", "Account owners", "Accounts file"
OUTPUT = "Output folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What the files say; None: it could not be read, or no file was named."""

    safelist: Safelist | None
    accounts_file: FromFile | None


def expected(settings: Settings) -> Iterator[str]:
    """The checks of this part."""
    yield SETTINGS
    yield SAFELISTS
    if settings.account_owners:
        yield OWNERS
    if settings.accounts_file:
        yield ACCOUNTS_FILE
    yield OUTPUT


def check_files(config: Path, examination: Examination) -> Files:
    """Read what a scan reads before its first call, and try to write where it writes."""
    settings = examination.settings
    said = f"{config} was read" if config.exists() else f"there is no {config}; options, environment and defaults count"
    examination.tried(Part.FILES, SETTINGS, lambda: check_owner_tag(settings), lambda _: said)
    safelist = _safelist(examination)
    if owners := settings.account_owners:
        examination.tried(
            Part.FILES, OWNERS, lambda: read_owners(owners), lambda rows: f"{many(len(rows), 'account')} in {owners}"
        )
    accounts_file = None
    if path := settings.accounts_file:
        accounts_file = examination.tried(
            Part.FILES,
            ACCOUNTS_FILE,
            lambda: FromFile(path),
            lambda file: f"{many(len(file.rows), 'account')} in {path}",
        )
    _output(examination)
    return Files(safelist=safelist, accounts_file=accounts_file)


def _safelist(examination: Examination) -> Safelist | None:
    settings = examination.settings

    def counted(safelist: Safelist) -> str:
        revocations = [many(len(safelist.revocations), "revocation")] if safelist.revocations else []
        return ", ".join([many(len(safelist.entries), "entry", "entries"), *revocations])

    safelist = examination.tried(Part.FILES, SAFELISTS, lambda: parse(read(settings.safelist)), counted)
    if safelist is not None:
        checked = check(safelist, settings.as_of or datetime.now(UTC).date())
        kinds = {
            "expired": checked.expired,
            "expiring": checked.expiring,
            "not started": checked.not_started,
            "breaking the policy": checked.invalid,
            "duplicate": checked.duplicates,
            "revoked": safelist.warnings,
        }
        if found := ", ".join(f"{len(entries):,} {kind}" for kind, entries in kinds.items() if entries):
            remedy = "iam-scanner safelist check names them."
            examination.add(Part.FILES, SAFELISTS, Outcome.WARNING, f"of the entries: {found}", remedy)
    return safelist


def _output(examination: Examination) -> None:
    output = examination.settings.output

    def trial() -> Path:
        run_folder.try_out(output)
        return output

    said = "a run can be written and locked there"
    examination.tried(Part.FILES, OUTPUT, trial, lambda folder: f"{folder}: {said}")
    for folder in run_folder.all_under(output):
        if not run_folder.is_sealed(folder):
            try:
                with run_folder.locked(folder):
                    pass
            except UsageError as error:
                examination.add(Part.FILES, OUTPUT, Outcome.WARNING, str(error))
            except OSError:
                continue  # another user's run
