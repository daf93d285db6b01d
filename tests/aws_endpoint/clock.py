"""The endpoint's time: the real one, or one that stands still; either can be put forward instead of slept through."""

from datetime import UTC, datetime, timedelta


class Clock:
    def __init__(self, standing_at: datetime | None = None) -> None:
        self._standing_at = standing_at
        self._ahead = timedelta()

    def now(self) -> datetime:
        return (self._standing_at or datetime.now(UTC)) + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)
