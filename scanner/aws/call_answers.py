"""What AWS said to a call that changes something: the types. No SDK here, so that a journal is read without it."""

from dataclasses import dataclass
from enum import StrEnum


class CallResult(StrEnum):
    """What a changing call came to."""

    DONE = "DONE"
    ABSENT = "ABSENT"  # NoSuchEntity: what it is about is not there
    TRY_AGAIN = "TRY_AGAIN"  # what AWS knows has not settled yet
    UNSUPPORTED = "UNSUPPORTED"  # InvalidAction: this partition does not have the action
    QUOTA = "QUOTA"  # LimitExceeded
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswer:
    """What AWS said to a changing call."""

    result: CallResult
    code: str | None = None  # AWS's error code
    detail: str | None = None  # AWS's own message

    @property
    def words(self) -> str:
        return ": ".join(filter(None, (self.code, self.detail))) or self.result
