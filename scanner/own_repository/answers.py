"""What `init` asks, and whether an answer will do: by the rules of the files that it goes into."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from scanner.errors import Fault, FaultsError
from scanner.record import SafelistText
from scanner.safelist import starter
from scanner.safelist.entries import parse
from scanner.settings import DEFAULT_FILE, Settings, load

SETTINGS: Final = DEFAULT_FILE
SAFELIST: Final = Settings().safelist[0] / "safelist.yaml"
WORKFLOW: Final = Path(".github/workflows/safelists.yml")
OWNERS: Final = Path(".github/CODEOWNERS")
IGNORED: Final = Path(".gitignore")

_OWNER = re.compile(r"@[A-Za-z0-9][A-Za-z0-9-]*(/[\w.-]+)?|[^@\s]+@[^@\s]+\.[^@\s]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What goes into the files; where it was not said, the default."""

    role_name: str = Settings().role_name
    ou: tuple[str, ...] = ()  # none: the whole organization
    organization: str | None = None
    approver: tuple[str, ...] = ()  # none: anybody may approve
    max_days: str = starter.MAX_DAYS
    code_owner: tuple[str, ...] = ()  # none: no CODEOWNERS is written

    def faults(self) -> list[Fault]:
        """What is wrong, by option."""
        return [*self._of_settings(), *self._of_safelist(), *self._of_owners()]

    def _of_settings(self) -> Iterator[Fault]:
        if SETTINGS.exists():  # it is left as it is
            return
        try:
            load({"role_name": self.role_name, "ou": self.ou}, {})
        except FaultsError as error:
            yield from error.faults

    def _of_safelist(self) -> Iterator[Fault]:
        said: Mapping[str, dict[str, Any]] = {
            "organization": {"organization": self.organization},
            "approver": {"approvers": self.approver},
            "max_days": {"max_days": self.max_days},
        }
        for name, answer in said.items():
            try:
                parse([SafelistText(path=SAFELIST.as_posix(), text=starter.text(**answer))])
            except FaultsError as error:
                for fault in error.faults:
                    key = next(iter(answer))
                    yield Fault(file=option(name), problem=fault.problem.removeprefix(f"{key}: "), remedy=fault.remedy)

    def _of_owners(self) -> Iterator[Fault]:
        for owner in self.code_owner:
            if not _OWNER.fullmatch(owner):
                problem = f"{owner!r} is not a user or a team of GitHub."
                yield Fault(
                    file="--code-owner", problem=problem, remedy="Write @user, @organization/team or an address."
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    name: str  # the field of `Answers`
    text: str
    nothing: str = ""  # what no answer means, where the default is none
    is_list: bool = False

    @property
    def default(self) -> str:
        return self.nothing or str(getattr(Answers(), self.name))

    def answered(self, answers: Answers, text: str) -> Answers:
        """With this answer too."""
        value: Any = tuple(part.strip() for part in text.split(",") if part.strip()) if self.is_list else text
        return replace(answers, **{self.name: value})


# By the file that the answers go into: what is left as it is needs none.
QUESTIONS: Final = {
    SETTINGS: (
        Question(name="role_name", text="Role to assume in each account"),
        Question(name="ou", text="OUs to scan, with commas between", nothing="all", is_list=True),
    ),
    SAFELIST: (
        Question(name="organization", text="Organization that the safelists are for (o-...)", nothing="any"),
        Question(name="approver", text="Who may approve, with commas between", nothing="anybody", is_list=True),
        Question(name="max_days", text="Days that an approval lasts at most"),
    ),
    OWNERS: (
        Question(
            name="code_owner",
            text="GitHub teams or users who review changes (@example/approvers)",
            nothing="none yet",
            is_list=True,
        ),
    ),
}


def option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
