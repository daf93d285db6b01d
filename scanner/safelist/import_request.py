"""What an import of users is asked for by its options: checked as the same would be in a safelist."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from scanner.errors import Fault, UsageError
from scanner.model import Scope
from scanner.record import Record, ReviewDecision, UserKey
from scanner.safelist.entries import entry_of
from scanner.safelist.explain import ous_known_by
from scanner.safelist.name_lists import Place
from scanner.text import is_account_id

_WHOLE = (
    "a baseline approves each user in its own account. For a part of a run, import the CSV of iam-scanner users instead"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be imported, and how."""

    lists: tuple[Path, ...]
    is_baseline: bool  # the users of `record`, in place of lists
    record: Record | None  # the run that lists are compared with, or whose users they are
    account: str | None = None
    ou: str | None = None
    everywhere: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)  # of entries that have none of their own
    decisions: Mapping[UserKey, ReviewDecision] = field(default_factory=dict)  # the last of each user
    forbidden: Mapping[UserKey, str] = field(default_factory=dict)  # the run shows them revoked or recreated
    columns: Collection[str] = ()  # of a CSV that say nothing here, and are no fault


def place_of(request: Request, faults: list[Fault]) -> Place | None:
    """Where the users of lists are approved, as options say it; None where they do not."""
    given = [name for name in ("account", "ou") if getattr(request, name) is not None]
    given += ["global"] if request.everywhere else []
    if len(given) > 1 or (given and request.is_baseline):
        reason = _WHOLE if request.is_baseline else "give one of them"
        raise UsageError(f"{' and '.join(f'--{name}' for name in given)}: {reason}.")
    if request.account is not None:
        if not is_account_id(request.account):
            problem = f"{request.account!r} is not a valid account ID."
            faults.append(Fault(file="--account", problem=problem, remedy="Give its 12 digits."))
        return Scope.ACCOUNT, request.account
    if request.ou is not None:
        try:
            ous_known_by(request.ou)
        except UsageError as error:
            faults.append(Fault(file="--ou", problem=str(error).removeprefix("--ou "), remedy=""))
        return Scope.OU, request.ou
    return (Scope.GLOBAL, "") if request.everywhere else None


def fields_of(request: Request, faults: list[Fault]) -> Mapping[str, Any]:
    """The fields that options give, checked as those of a safelist."""
    given: dict[str, Any] = {}
    for name, text in request.fields.items():
        entry, wrong = entry_of({"user": "anybody", name: text}, (Scope.GLOBAL, ""), option(name), 0)
        faults += (replace(fault, line=None, problem=fault.problem.removeprefix(f"{name}: ")) for fault in wrong)
        if entry is not None:
            given[name] = getattr(entry, name)
    return given


def option(name: str) -> str:
    """The option that gives a field of entries."""
    return f"--{name.replace('_', '-')}"
