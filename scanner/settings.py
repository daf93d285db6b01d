"""Settings: defaults, weakest; then the settings file, the environment, and the options, strongest.

A key is the name of the option with underscores: `--role-name` is `role_name` in the file and `IAM_SCANNER_ROLE_NAME`
in the environment, where a list is a JSON array. An unknown key is an error, as a misspelt exclusion or safelist would
otherwise silently change what is audited.
"""

import difflib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from scanner.errors import Fault, FaultsError
from scanner.files import read_text
from scanner.text import is_account_id, parse_day
from scanner.yaml import Values, values

DEFAULT_FILE = Path("config/scanner.yaml")
PREFIX = "IAM_SCANNER_"
NO_REASON = "no reason given"

Format = Literal["xlsx", "csv", "json"]


def _account_id(value: object) -> object:
    """Refuse unquoted numbers: YAML and spreadsheets drop leading zeros."""
    if isinstance(value, str) and is_account_id(value):
        return value
    raise ValueError("is not a valid account ID; give its 12 digits, and in a file put them in quotes")


def _day(value: object) -> object:
    day = parse_day(value) if isinstance(value, str) else value
    if day is None:
        raise ValueError("is not a valid date; write it as 2027-01-15")
    return day


def _text(pattern: str, otherwise: str) -> AfterValidator:
    """Compare a text with a pattern of AWS's, and say in words what is wrong where it does not fit."""

    def check(value: str) -> str:
        if re.fullmatch(pattern, value, re.ASCII) is None:
            raise ValueError(otherwise)
        return value

    return AfterValidator(check)


_RoleName = Annotated[
    str,
    _text(
        r"/?([!-9;-~]{1,510}/)?[\w+=,.@-]{1,64}",
        "is not a valid role name; give a name, or a path and a name, but not the ARN",
    ),
]
_ExternalId = Annotated[
    str, _text(r"[\w+=,.@:/-]{2,1224}", "is not a valid external ID: 2 to 1,224 letters, digits and +=,.@:/-")
]
_SessionName = Annotated[
    str, _text(r"[\w+=,.@-]{2,64}", "is not a valid session name: 2 to 64 letters, digits and +=,.@-")
]
_RoleArn = Annotated[
    str, _text(r"arn:aws[a-z-]*:iam::\d{12}:role/.+", "is not the ARN of a role: arn:aws:iam::123456789012:role/Name")
]
QuotedAccountId = Annotated[str, BeforeValidator(_account_id)]
Day = Annotated[date, BeforeValidator(_day)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ExcludedOu(_Frozen):
    ou: str = Field(min_length=1)
    reason: str = Field(min_length=1)


class ExcludedAccount(_Frozen):
    account: QuotedAccountId
    reason: str = Field(min_length=1)


class Settings(_Frozen):
    """Everything that a scan can be told; each field is an option, a variable and a key of the settings file."""

    # scope
    ou: tuple[str, ...] = ()
    exclude_ou: tuple[ExcludedOu, ...] = ()
    account: tuple[QuotedAccountId, ...] = ()
    exclude_account: tuple[ExcludedAccount, ...] = ()
    accounts_file: Path | None = None
    # access
    profile: str | None = None
    role_name: _RoleName = "OrganizationAccountAccessRole"
    external_id: _ExternalId | None = Field(default=None, repr=False)
    session_name: _SessionName = "iam-scanner"
    organizations_role_arn: _RoleArn | None = None
    hub_role_arn: _RoleArn | None = None
    session_policy: bool = True
    # evidence
    evidence: Literal["full", "basic"] = "full"
    dormant_days: int = Field(default=45, ge=1, le=3650)
    # decision
    safelist: tuple[Path, ...] = (Path("config/safelists"),)
    as_of: Day | None = None
    # output
    output: Path = Path("reports")
    format: tuple[Format, ...] = ("xlsx", "csv")
    account_owners: Path | None = None
    # review
    previous: str | None = None  # None: the newest complete run that covers the scope; "none": compare with nothing
    review_every_days: int = Field(default=180, ge=1, le=3650)
    # pace
    concurrency: int = Field(default=64, ge=1, le=1000)
    account_timeout: int = Field(default=120, ge=1, le=800)  # a role's session lasts 900 seconds

    @field_validator("ou", "account", "safelist", "format", "exclude_ou", "exclude_account", mode="before")
    @classmethod
    def _list_as_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("safelist", "format")
    @classmethod
    def _not_empty(cls, value: tuple[object, ...]) -> tuple[object, ...]:
        """An empty list would leave every user unapproved, or no report at all; nobody means that."""
        if not value:
            raise ValueError("is empty; leave the setting out to have its default")
        return value

    @field_validator("safelist", "output", "accounts_file", "account_owners", mode="before")
    @classmethod
    def _paths(cls, value: object) -> object:
        if isinstance(value, str):
            return Path(value)
        if isinstance(value, (list, tuple)):
            return tuple(Path(part) if isinstance(part, str) else part for part in value)
        return value

    def as_json(self) -> dict[str, Any]:
        """All settings but the ExternalId, as JSON values: what may be recorded and shown."""
        return self.model_dump(mode="json", exclude={"external_id"})

    def with_(self, **changes: object) -> "Settings":
        """The same settings, but for these; checked as any others."""
        return Settings(**{**dict(self), **changes})


# What to write for each setting, as a value of the settings file.
_EXAMPLES = {
    "ou": "[Root/Sandbox]",
    "exclude_ou": "[{ou: Root/Sandbox, reason: ...}]",
    "account": '["123456789012"]',
    "exclude_account": '[{account: "123456789012", reason: ...}]',
    "safelist": "[config/safelists]",
    "format": "[xlsx, csv]",
}
_LISTS = frozenset(_EXAMPLES)
_NUMBERS_AND_FLAGS = frozenset(
    {"dormant_days", "review_every_days", "concurrency", "account_timeout", "session_policy"}
)
_EXCLUSIONS = {"exclude_ou": "ou", "exclude_account": "account"}


@dataclass(slots=True)
class _Source:
    """The settings of one source, and where each stands in it."""

    values: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    file: Values | None = None  # None: options, or the environment
    name: str = ""  # of the settings file

    def at(self, path: tuple[str | int, ...]) -> dict[str, Any]:
        """The place of a value as a fault has it."""
        if self.file is not None:
            return {"file": self.name, "line": self.file.line(path)}
        key = str(path[0])
        return {"file": PREFIX + key.upper() if self.name == PREFIX else f"--{key.replace('_', '-')}"}


def load(options: Mapping[str, Any], environment: Mapping[str, str], config: Path | None = None) -> Settings:
    """Merge the sources; raise `FaultsError` with every fault and where it stands.

    `options` are those that were given; None and () are not given, as a list that nobody asked for must not empty that
    of the file. `config` is the file of `--config`; without it, `config/scanner.yaml` is read where it exists.
    """
    given = {key: value for key, value in options.items() if value not in (None, ())}
    sources = [_file(config), _environment(environment), _Source(values=_with_reasons(given))]
    origin = {key: source for source in sources for key in source.values}
    faults = [fault for source in sources for fault in source.faults]
    merged = {key: source.values[key] for key, source in origin.items() if key in Settings.model_fields}
    try:
        settings = Settings(**merged)
    except ValidationError as error:
        faults += [_fault(problem, origin) for problem in error.errors(include_url=False)]
    if faults:
        raise FaultsError(faults)
    return settings


def _file(config: Path | None) -> _Source:
    path = config or DEFAULT_FILE
    source = _Source(name=str(path))
    if config is None and not os.path.lexists(path):
        return source
    try:
        source.file = values(source.name, read_text(path))
    except FaultsError as error:
        source.faults += error.faults
        return source
    source.values = dict(source.file.content)
    for key in source.values:
        if key not in Settings.model_fields:
            source.faults.append(Fault(**source.at((key,)), problem=f"unknown setting {key!r}.", remedy=_nearest(key)))
    return source


def _environment(environment: Mapping[str, str]) -> _Source:
    source = _Source(name=PREFIX)
    for variable in sorted(environment):
        if not variable.startswith(PREFIX):
            continue
        key = variable.removeprefix(PREFIX).lower()
        text = environment[variable]
        if key not in Settings.model_fields:
            problem = f"unknown setting {variable!r}."
            source.faults.append(Fault(file=variable, problem=problem, remedy=_nearest(key, PREFIX)))
        elif key in _LISTS or key in _NUMBERS_AND_FLAGS:
            try:
                source.values[key] = json.loads(text)
            except ValueError:
                remedy = f"Write {json.dumps([text])}." if key in _LISTS else "Write a number, true or false."
                source.faults.append(Fault(file=variable, problem=f"{text!r} is not valid JSON.", remedy=remedy))
        else:
            source.values[key] = text
    source.values = _with_reasons(source.values)
    return source


def _with_reasons(given: Mapping[str, Any]) -> dict[str, Any]:
    """Let options and the environment exclude without a reason; a file has room for one, and needs it."""

    def exclusion(key: str, value: Any) -> Any:
        return value if isinstance(value, dict | BaseModel) else {_EXCLUSIONS[key]: value, "reason": NO_REASON}

    return {
        key: tuple(exclusion(key, one) for one in value)
        if key in _EXCLUSIONS and isinstance(value, list | tuple)
        else value
        for key, value in given.items()
    }


def _nearest(key: str, prefix: str = "") -> str:
    near = difflib.get_close_matches(key, Settings.model_fields, n=1, cutoff=0.5)
    if not near:
        return f"The keys are: {', '.join(Settings.model_fields)}."
    return f"Did you mean {prefix + near[0].upper() if prefix else near[0]}?"


def _fault(problem: Any, origin: Mapping[str, _Source]) -> Fault:
    path: tuple[str | int, ...] = problem["loc"]
    key = str(path[0])
    at = origin[key].at(path)
    # An option or a variable is named by where it comes from; in a file the key says more than the line.
    named = f"{key}: " if "line" in at else ""
    what, remedy = _wrong(key, path, problem, in_file=bool(named))
    return Fault(**at, problem=named + what, remedy=remedy)


def _wrong(key: str, path: tuple[str | int, ...], problem: Any, *, in_file: bool) -> tuple[str, str]:
    """What is wrong with a value, and what to write instead; never the ExternalId itself."""
    value = problem["input"]
    shown = "the value" if key == "external_id" else _shown(value)
    kind = str(problem["type"])
    if kind == "value_error":
        said = str(problem["msg"]).removeprefix("Value error, ")
        return f"{said if value == () else f'{shown} {said}'}.", ""
    if value is None:
        return "has no value.", "Write one, or remove the key."
    if key in _EXCLUSIONS and len(path) > 1:
        unknown = f"unknown key {path[-1]!r}." if kind == "extra_forbidden" else ""
        return unknown or "an exclusion in a file needs its reason.", f"Write {_EXAMPLES[key]}."
    if kind == "tuple_type":
        return f"{shown} is not a list.", f"Write {_as_list(key, value, in_file=in_file)}."
    return _of_other_type(key, shown, problem)


def _of_other_type(key: str, shown: str, problem: Any) -> tuple[str, str]:
    limits = [limit for limit in Settings.model_fields[key].metadata if hasattr(limit, "ge") or hasattr(limit, "le")]
    if limits:
        least, most = (next(getattr(limit, name) for limit in limits if hasattr(limit, name)) for name in ("ge", "le"))
        return f"{shown} is not a whole number from {least} to {most:,}.", "Write one, without quotes."
    match problem["type"]:
        case "literal_error":
            return f"{shown} is unknown.", f"Write {problem['ctx']['expected'].replace(chr(39), '')}."
        case "bool_type":
            return f"{shown} is not true or false.", "Write true or false, without quotes."
        case _:
            return f"{shown} is not a text.", "Write it in quotes."


def _shown(value: object) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)


def _as_list(key: str, value: object, *, in_file: bool) -> str:
    """What was meant, as a list; the example where that cannot be told."""
    if not isinstance(value, str) or key in _EXCLUSIONS:
        return _EXAMPLES[key]
    return f"[{value}]" if in_file and key != "account" else json.dumps([value])
