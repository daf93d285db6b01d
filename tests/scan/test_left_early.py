"""A scan that is left early: nothing that it started is still under way when it has ended."""

import asyncio
import io
import os
from pathlib import Path
from types import CoroutineType

import pytest
from rich.console import Console

from scanner.aws.clients import Clients
from scanner.cli.screen.progress import ScanProgress
from scanner.errors import OutputError
from scanner.model import Failed
from scanner.runs import folder as run_folder
from scanner.scan.account import scan_account
from scanner.scan.prepare import prepare
from scanner.scan.scan import keep
from scanner.settings import Settings
from tests.aws_endpoint import Endpoint, Fault, deny, hang
from tests.builders import header
from tests.program import calling, named, small_world
from tests.scan.entering import entrance, known, one_account

PACKAGE = str(Path(run_folder.__file__).parents[1])


def under_way() -> list[str]:
    """The tasks of the program; those of the simulated endpoint run in the same loop."""
    coroutines = [task.get_coro() for task in asyncio.all_tasks()]
    codes = [each.cr_code for each in coroutines if isinstance(each, CoroutineType)]
    return [code.co_qualname for code in codes if code.co_filename.startswith(PACKAGE)]


async def test_an_account_that_fails_leaves_no_call_behind() -> None:
    """Its credential report is asked for beside the list of its users, which is refused."""
    world, member = one_account()
    faults = [Fault("iam:ListUsers", deny), Fault("iam:GenerateCredentialReport", hang)]
    async with Endpoint(world, faults) as endpoint, entrance(endpoint) as way:
        assert isinstance(await scan_account(known(member), way, lambda: None), Failed)
        assert under_way() == []


async def test_a_journal_that_cannot_be_written_stops_the_accounts_in_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = small_world()
    faults = [Fault("iam:ListUsers", hang, account=named(world, name).id) for name in ("core", "dev", "prod")]
    folder = run_folder.create(tmp_path, run_folder.new_run_id(header().started_at))
    progress = ScanProgress(Console(file=io.StringIO()), quiet=True)

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    async with Endpoint(world, faults) as endpoint:
        with calling(endpoint), run_folder.Journal(folder) as journal:
            async with Clients(profile=None, concurrency=8) as clients:
                ready = await prepare(Settings(evidence="basic"), None, clients, progress)
                await journal.append(header())
                monkeypatch.setattr(os, "write", full)
                with pytest.raises(OutputError, match="No space left"):
                    await keep(ready, journal, progress)
                monkeypatch.undo()
                assert under_way() == []
