"""Decisions compared with the ledger: which are new, which stand already, which a later review has overtaken. Pure."""

from collections.abc import Sequence
from enum import StrEnum

from scanner.errors import Fault
from scanner.record import ReviewDecision
from scanner.review.decisions import Decided, Key
from scanner.runs.ledger import latest


class Standing(StrEnum):
    NEW = "new"
    RECORDED = "recorded"  # imported before, and it still stands
    OVERTAKEN = "overtaken"  # imported before, and the review of another run has decided since


class Ledger:
    """What was decided before about the users of a run."""

    def __init__(self, decisions: Sequence[ReviewDecision], run_id: str) -> None:
        self._run_id = run_id
        self._last = latest(decisions)
        self._of_run = latest([decision for decision in decisions if decision.run_id == run_id])

    def standing(self, decided: Decided) -> Standing:
        if self._last.get(decided.key) == decided.decision:
            return Standing.RECORDED
        same = self._of_run.get(decided.key) == decided.decision
        return Standing.OVERTAKEN if same else Standing.NEW

    def contradiction(self, decided: Decided) -> Fault | None:
        """What a new decision would take the place of, in this review or in a later one; None where nothing."""
        last = self._last.get(decided.key)
        if last is None or last.run_id < self._run_id or self.standing(decided) is not Standing.NEW:
            return None
        where = "" if last.run_id == self._run_id else f" in the later run {last.run_id}"
        problem = f"{last.reviewer} decided {last.choice} on {last.reviewed_on}{where}, which was imported already."
        return decided.fault("decision", problem, "Give --supersede to have this decision take its place.")

    def of_run(self) -> dict[Key, ReviewDecision]:
        """The decisions of this run's review that still stand."""
        return {key: decision for key, decision in self._last.items() if decision.run_id == self._run_id}
