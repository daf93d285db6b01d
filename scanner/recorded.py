"""A recorded run, read and decided."""

from pathlib import Path

from scanner import run
from scanner.model import Assessment
from scanner.rule import assess
from scanner.safelist.entries import parse


def decide(folder: Path) -> Assessment:
    """Read a run's journal and decide it by the safelists that it holds."""
    record = run.read(folder)
    return assess(record, parse(record.header.safelists))
