"""For every test of the scan: the fixtures that `tests.program` has."""

from tests.program import hurried, workplace

__all__ = ["hurried", "workplace"]
