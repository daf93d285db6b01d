"""Killed at random calls, and resumed. No measure of time: it counts runs that did not end as they should."""

import random
import tempfile
from collections import Counter
from pathlib import Path

from tests.aws_endpoint import MANAGEMENT_KEY, organization, running
from tests.benchmarks.measuring import Sizes, environment
from tests.benchmarks.tables import Table


def kills(sizes: Sizes) -> Table:
    """Scans that are killed at a random call, each resumed and compared with an undisturbed one."""
    import pytest  # noqa: PLC0415  # what is measured elsewhere must not be charged with it

    from tests.killed import killed  # noqa: PLC0415
    from tests.program import NOBODY, calling, program  # noqa: PLC0415

    chance, counted = random.Random(sizes.kills), Counter[str]()
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as name:
        patch.chdir(name)
        Path("nobody.yaml").write_text(NOBODY, encoding="utf-8")
        with running(organization(*sizes.killed)) as endpoint:
            for key, value in environment(endpoint.url, MANAGEMENT_KEY).items():
                patch.setenv(key, value)
            with calling(endpoint):
                program("scan", "--safelist", "nobody.yaml", "--output", "whole", "--format", "csv")
            calls = len(endpoint.calls)
        for number in range(sizes.kills):
            with running(organization(*sizes.killed)) as endpoint:
                at = chance.randrange(1, calls * 9 // 10)  # not the very last ones, as their number differs a little
                found = killed(endpoint, environment(endpoint.url, MANAGEMENT_KEY), Path(f"run-{number}"), at)
            if found is None:
                counted["too early"] += 1
                continue
            counted.update(torn=found.torn, same=found.same, whole=found.whole, begun=1)
    lost = 2 * counted["begun"] - counted["same"] - counted["whole"]
    accounts, users = sizes.killed
    return Table(
        title=f"killed at a random one of some {calls:,} calls, {accounts} accounts of {users} users, full evidence",
        columns=("runs", "count"),
        rows=[
            ("killed", f"{sizes.kills}"),
            ("before they had a journal, so that nothing was lost", f"{counted['too early']}"),
            ("resumed", f"{counted['begun']}"),
            ("of them with a last line that was cut off", f"{counted['torn']}"),
            ("then with the same iam-users.csv as undisturbed", f"{counted['same']}"),
            ("then whole, says verify", f"{counted['whole']}"),
        ],
        notes=[f"Every run that had begun ends as if it had not been killed: {'NOT MET' if lost else 'met'}."],
    )
