"""Each benchmark runs, with sizes that say nothing, so that none rots unseen; and what a table looks like."""

import sys

import pytest

from tests.benchmarks.__main__ import main
from tests.benchmarks.measuring import Sizes, workplace
from tests.benchmarks.suite import BENCHMARKS
from tests.benchmarks.tables import Table, bound, render

TINY = Sizes(
    accounts=3,
    many_accounts=5,
    compared_accounts=2,
    users=2,
    many_users=3,
    latency=0.001,
    high_latency=0.01,
    report_delay="0,0",
    repeats=1,
    rounds=1,
)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_it_runs(name: str) -> None:
    table = BENCHMARKS[name](TINY)
    assert table.rows
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_a_name_that_is_no_benchmark_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "basic", "fulll"])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "no such benchmark: fulll" in capsys.readouterr().err


def test_a_process_that_fails_breaks_the_benchmark() -> None:
    with workplace(TINY) as place, pytest.raises(RuntimeError, match=r"scanner ended with 0, not 3: iam-scanner \d"):
        place.measure("scanner", "--version", exit_code=3)


def test_a_table_is_markdown() -> None:
    table = Table(
        title="two ways",
        columns=("way", "CPU"),
        rows=[("this one", "1.0 s"), ("that", "20.0 s")],
        notes=[bound("CPU", 0.04, 0.05, ""), bound("Peak memory", 250.4, 200, " MB")],
    )
    assert render(table) == (
        "### two ways\n"
        "\n"
        "| way      |    CPU |\n"
        "| -------- | -----: |\n"
        "| this one |  1.0 s |\n"
        "| that     | 20.0 s |\n"
        "\n"
        "- CPU: 0.04, bound 0.05: met.\n"
        "- Peak memory: 250 MB, bound 200 MB: NOT MET.\n"
    )
