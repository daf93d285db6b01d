"""The demonstration: an AWS emulator in a process of its own, holding a sample organization and its safelist.

    with sample(today) as demo:
        files = demo.write_files(folder)
        with demo.applied():
            ...  # the very same scan, with files.safelist and files.account_owners

Nothing here imports the emulator's packages; only its process does.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from scanner.demo.emulator import Emulator, EmulatorNotInstalledError, EmulatorNotStartedError, start
from scanner.demo.sample_files import SampleFiles, write_files, write_settings
from scanner.demo.sample_organization import MANAGEMENT, ORGANIZATION_ID, PAYMENTS

__all__ = [
    "MANAGEMENT",
    "ORGANIZATION_ID",
    "PAYMENTS",
    "Demo",
    "EmulatorNotInstalledError",
    "EmulatorNotStartedError",
    "SampleFiles",
    "sample",
    "write_settings",
]


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demonstration."""

    emulator: Emulator
    today: date

    def applied(self) -> AbstractContextManager[None]:
        """Point the AWS SDKs in this process at the sample organization, for as long as the context lasts."""
        return self.emulator.applied()

    def write_files(self, folder: Path) -> SampleFiles:
        """Write the safelist and the account owners that go with the sample into `folder`."""
        return write_files(folder, self.today)

    def shell_lines(self) -> list[str]:
        """What to paste into a POSIX shell to point the AWS CLI and this program at the sample organization."""
        return self.emulator.shell_lines()


@contextmanager
def sample(today: date) -> Iterator[Demo]:
    """The emulator with the sample organization, its dates counted back from `today`; gone when the context ends.

    Raises EmulatorNotInstalledError and EmulatorNotStartedError, both ScannerErrors.
    """
    with start(today) as running:
        yield Demo(running, today)
