"""Settings: defaults, weakest; then the settings file, the environment, and the options, strongest.

A key is the name of the option with underscores: `--role-name` is `role_name` in the file and `IAM_SCANNER_ROLE_NAME`
in the environment, where a list is a JSON array. An unknown key is an error, as a misspelt exclusion or safelist would
otherwise silently change what is audited.
"""

import difflib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from scanner.errors import Fault, FaultsError
from scanner.files import read_text
from scanner.model import FailOn
from scanner.text import is_account_id, is_blank, parse_day
from scanner.yaml import Values, values

DEFAULT_FILE = Path("config/scanner.yaml")
PREFIX = "IAM_SCANNER_"
NO_REASON = "no reason given"
_LONGEST_SHOWN = 80  # characters of a value that a fault quotes

Format = Literal["xlsx", "csv", "json"]


class _WrongValueError(ValueError):
    """What the checks below raise, for pydantic to collect: the problem, in which {} is the value, and the remedy."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem, self.remedy = problem, remedy


def _account_id(value: object) -> object:
    """Refuse unquoted numbers: YAML and spreadsheets drop leading zeros."""
    if isinstance(value, str) and is_account_id(value):
        return value
    if isinstance(value, str):
        raise _WrongValueError("{} is not a valid account ID", "Write its 12 digits.")
    raise _WrongValueError("{} is not an account ID", "Write its 12 digits in quotes.")


def _day(value: object) -> object:
    day = parse_day(value) if isinstance(value, str) else value
    if not isinstance(day, date):
        raise _WrongValueError("{} is not a valid date", "Write it as 2027-01-15.")
    return day


def _between(least: int, most: int) -> BeforeValidator:
    def check(value: object) -> object:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and isinstance(value, int) and least <= value <= most:
            return value
        shown = value if is_number else "{}"
        in_quotes = isinstance(value, str) and value in map(str, range(least, most + 1))
        remedy = "Write it without quotes." if in_quotes else "Write one."
        raise _WrongValueError(f"{shown} is not a whole number from {least} to {most}", remedy)

    return BeforeValidator(check)


def _text(pattern: str, kind: str, remedy: str) -> AfterValidator:
    """Compare a text with a pattern of AWS's."""

    def check(value: str) -> str:
        if re.fullmatch(pattern, value, re.ASCII) is None:
            raise _WrongValueError(f"{{}} is not {kind}", remedy)
        return value

    return AfterValidator(check)


_RoleName = Annotated[
    str,
    _text(
        r"/?([!-9;-~]{1,510}/)?[\w+=,.@-]{1,64}",
        "a valid role name",
        "Write its name, or its path and name, but not the ARN.",
    ),
]
_ExternalId = Annotated[
    str,
    _text(r"[\w+=,.@:/-]{2,1224}", "a valid external ID", "Write 2 to 1,224 letters, digits and +=,.@:/- characters."),
]
_SessionName = Annotated[
    str, _text(r"[\w+=,.@-]{2,64}", "a valid session name", "Write 2 to 64 letters, digits and +=,.@- characters.")
]
_RoleArn = Annotated[
    str,
    _text(
        r"arn:aws[a-z-]*:iam::\d{12}:role/.+", "the ARN of a role", "Write it as arn:aws:iam::123456789012:role/Name."
    ),
]


def _fail_on(value: object) -> object:
    if isinstance(value, str) and value in list(FailOn):
        return FailOn(value)
    raise _WrongValueError("{} is not a condition to fail on", f"Write one of: {', '.join(FailOn)}.")


_AccountId = Annotated[str, BeforeValidator(_account_id)]
_Day = Annotated[date, BeforeValidator(_day)]
_Path = Annotated[Path, BeforeValidator(lambda value: Path(value) if isinstance(value, str) else value)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ExcludedOu(_Frozen):
    ou: str
    reason: str


class ExcludedAccount(_Frozen):
    account: _AccountId
    reason: str


class Settings(_Frozen):
    """Everything that a scan can be told; each field is a key of the settings file and a variable, most an option."""

    # scope
    ou: tuple[str, ...] = ()
    exclude_ou: tuple[ExcludedOu, ...] = ()
    account: tuple[_AccountId, ...] = ()
    exclude_account: tuple[ExcludedAccount, ...] = ()
    accounts_file: _Path | None = None
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
    dormant_days: Annotated[int, _between(1, 3650)] = 45
    # decision
    safelist: tuple[_Path, ...] = (Path("config/safelists"),)
    as_of: _Day | None = None
    fail_on: tuple[Annotated[FailOn, BeforeValidator(_fail_on)], ...] = (FailOn.UNAPPROVED,)
    # output
    output: _Path = Path("reports")
    format: tuple[Format, ...] = ("xlsx", "csv")
    account_owners: _Path | None = None
    # review
    previous: str | None = None  # None: the newest complete run that covers the scope; "none": compare with nothing
    review_every_days: Annotated[int, _between(1, 3650)] = 180
    # remediation
    remediation_role_name: _RoleName = "IamScannerRemediation"  # never the scan's role by default
    removal_after_quarantine_days: Annotated[int, _between(0, 3650)] = 0  # 0: a removal needs no quarantine before it
    # pace
    concurrency: Annotated[int, _between(1, 1000)] = 64
    account_timeout: Annotated[int, _between(1, 800)] = 120  # a role's session lasts 900 seconds

    @field_validator("*", mode="before")
    @classmethod
    def _list_as_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("safelist", "format", "fail_on")
    @classmethod
    def _not_empty(cls, value: tuple[object, ...]) -> tuple[object, ...]:
        """An empty list would leave every user unapproved, or no report at all; nobody means that."""
        if not value:
            raise _WrongValueError("an empty list is of no use", "Leave the setting out to have its default.")
        return value

    @field_validator("fail_on")
    @classmethod
    def _none_alone(cls, value: tuple[FailOn, ...]) -> tuple[FailOn, ...]:
        if FailOn.NONE in value and len(value) > 1:
            raise _WrongValueError("none stands beside other conditions", "Leave none out, or the others.")
        return value

    def as_json(self) -> dict[str, Any]:
        """All settings but the ExternalId, as JSON values: what may be recorded and shown."""
        return self.model_dump(mode="json", exclude={"external_id"})

    def with_(self, **changes: object) -> "Settings":
        """The same settings, but for these; checked as any others."""
        return Settings(**{**dict(self), **changes})


_EXAMPLES = {  # an item of each list
    "ou": "Root/Sandbox",
    "exclude_ou": "Root/Sandbox",
    "account": "123456789012",
    "exclude_account": "123456789012",
    "safelist": "config/safelists",
    "format": "xlsx",
    "fail_on": "new",
}
_LISTS = {key for key, setting in Settings.model_fields.items() if get_origin(setting.annotation) is tuple}
_NUMBERS_AND_FLAGS = {key for key, setting in Settings.model_fields.items() if setting.annotation in {int, bool}}
_EXCLUSIONS = {"exclude_ou": "ou", "exclude_account": "account"}
_OPTIONS = {"session_policy": "--no-session-policy", "remediation_role_name": "--role-name"}  # named otherwise


# --- where settings come from ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Source:
    """The settings of one source, and where each stands in it."""

    removal: str  # how a setting is taken out of it, to have the default
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    file: Values | None = None  # None: options, or the environment
    name: str = ""  # of the settings file

    def fault(self, path: tuple[str | int, ...], problem: str, remedy: str) -> Fault:
        key = str(path[0])
        if self.file is not None:
            return Fault(file=self.name, line=self.file.line(path), problem=f"{key}: {problem}", remedy=remedy)
        name = PREFIX + key.upper() if self.name == PREFIX else option_name(key)
        return Fault(file=name, problem=problem, remedy=remedy)


def option_name(key: str) -> str:
    """The option that gives a setting: `--role-name`."""
    return _OPTIONS.get(key, f"--{key.replace('_', '-')}")


def load(options: Mapping[str, Any], environment: Mapping[str, str], config: Path | None = None) -> Settings:
    """Merge the sources; raise `FaultsError` with every fault and where it stands.

    `options` are those that were given; None and () are not given, as a list that nobody asked for must not empty that
    of the file. `config` is the file of `--config`; without it, `config/scanner.yaml` is read where it exists.
    """
    given = {key: value for key, value in options.items() if value not in (None, ())}
    sources = [
        _file(config),
        _environment(environment),
        _Source("leave the option out", values=_with_reasons(given)),
    ]
    origin = {key: source for source in sources for key in source.values if key in Settings.model_fields}
    merged = {key: source.values[key] for key, source in origin.items()}
    blanks = [path for key, value in merged.items() for path in _blanks(value, (key,))]
    faults = [fault for source in sources for fault in source.faults]
    faults += [_blank(path, origin[str(path[0])]) for path in blanks]
    try:
        settings = Settings(**merged)
    except ValidationError as error:
        errors = [problem for problem in error.errors(include_url=False) if problem["loc"] not in blanks]
        misspelt = {problem["loc"][:-1] for problem in errors if problem["type"] == "extra_forbidden"}
        faults += [
            _fault(problem, origin[str(problem["loc"][0])])
            for problem in errors
            if problem["type"] != "missing" or problem["loc"][:-1] not in misspelt
        ]
    if faults:
        raise FaultsError(faults)
    return settings


def _file(config: Path | None) -> _Source:
    path = config or DEFAULT_FILE
    source = _Source("remove the line", name=str(path))
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
            at = source.file.line((key,))
            remedy = _nearest(key, Settings.model_fields)
            source.faults.append(Fault(file=source.name, line=at, problem=f"unknown setting {key!r}.", remedy=remedy))
    return source


def _environment(environment: Mapping[str, str]) -> _Source:
    source = _Source("unset the variable", name=PREFIX)
    known = {PREFIX + key.upper(): key for key in Settings.model_fields}
    for variable in sorted(environment):
        if not variable.startswith(PREFIX):
            continue
        if variable in known:
            key = known[variable]
            is_json = key in _LISTS | _NUMBERS_AND_FLAGS
            source.values[key] = _json(environment[variable]) if is_json else environment[variable]
        else:
            problem = f"unknown setting {variable!r}."
            source.faults.append(Fault(file=variable, problem=problem, remedy=_nearest(variable, known)))
    source.values = _with_reasons(source.values)
    return source


def _json(text: str) -> Any:
    """The value that a JSON text stands for; the text itself where it is not JSON, which is no list, number or flag."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _with_reasons(given: Mapping[str, Any]) -> dict[str, Any]:
    """Let options and the environment exclude without a reason; a file has room for one, and needs it."""

    def exclusion(key: str, item: Any) -> Any:
        return {"reason": NO_REASON, **(item if isinstance(item, dict) else {key: item})}

    return {
        key: tuple(exclusion(_EXCLUSIONS[key], item) for item in value)
        if key in _EXCLUSIONS and isinstance(value, list | tuple)
        else value
        for key, value in given.items()
    }


# --- faults in our own words -----------------------------------------------------------------------------------------


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"Did you mean {near[0]}?" if near else f"The keys are: {', '.join(known)}."


def _blanks(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """The places of texts in which a person sees nothing: no setting and no reason is meant to be one."""
    if isinstance(value, str) and is_blank(value):
        yield path
    elif isinstance(value, dict | list | tuple):
        for place, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _blanks(item, (*path, place))


def _blank(path: tuple[str | int, ...], source: _Source) -> Fault:
    if len(path) == 1:
        return source.fault(path, "has no value.", f"Write one, or {source.removal}.")
    what = "an item of the list" if isinstance(path[-1], int) else f"the {path[-1]}"
    return source.fault(path, f"{what} is blank.", "Write it, or remove the item.")


def _fault(error: Any, source: _Source) -> Fault:
    """What pydantic refused, in our own words; never the ExternalId itself."""
    path: tuple[str | int, ...] = error["loc"]
    key, value, kind = str(path[0]), error["input"], str(error["type"])
    if value is None:
        return _blank(path, source)
    shown = "the value" if key == "external_id" and isinstance(value, str) else _shown(value)
    if kind == "value_error":
        wrong: _WrongValueError = error["ctx"]["error"]
        problem, remedy = f"{wrong.problem.format(shown)}.", wrong.remedy
    elif kind == "extra_forbidden":
        problem, remedy = f"unknown key {path[-1]!r}.", _nearest(str(path[-1]), {_EXCLUSIONS[key]: "", "reason": ""})
    elif kind in {"missing", "model_type"}:
        missing = path[-1] if kind == "missing" else "reason"
        problem, remedy = f"an exclusion needs its {missing}.", f"Write {_example(key, value, with_reason=True)}."
    elif kind == "tuple_type":
        example = _example(key, value, with_reason=source.file is not None)
        problem, remedy = f"{shown} is not a {'JSON ' if source.name == PREFIX else ''}list.", f"Write {example}."
    elif kind == "literal_error":
        choices = error["ctx"]["expected"].replace("'", "")
        problem, remedy = f"{shown} is not {choices}.", "Write one of them."
    elif kind == "bool_type":
        problem, remedy = f"{shown} is not true or false.", "Write one of them, without quotes."
    else:
        is_scalar = not isinstance(value, dict | list | tuple)
        problem, remedy = f"{shown} is not text.", "Write it in quotes." if is_scalar else "Write one text."
    return source.fault(path, problem, remedy)


def _shown(value: object) -> str:
    """A text as it is; of anything else what it is, as 0123 without quotes is 123 by now."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return repr(value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}...")
        case int() | float():
            return "a number"
        case dict():
            return "a mapping"
        case _:
            return "a list"


def _example(key: str, value: object, *, with_reason: bool) -> str:
    """How to write a list, with what was given where that will do; in JSON, which YAML takes as well."""
    if isinstance(value, dict):
        value = value.get(_EXCLUSIONS.get(key))
    given = str(value) if type(value) in {str, int} else ""
    texts = re.split(r"[\s\"']*,[\s\"']*", given.strip("[]\"' ")) if len(given) <= _LONGEST_SHOWN else []
    for items in (texts, [_EXAMPLES[key]]):
        written = [{_EXCLUSIONS[key]: item, "reason": "..."} if key in _EXCLUSIONS else item for item in items]
        if items and not any(map(is_blank, items)) and _is_valid({key: written}):
            break
    return json.dumps(written if with_reason else items, ensure_ascii=False)


def _is_valid(given: Mapping[str, Any]) -> bool:
    try:
        Settings.model_validate(given)
    except ValidationError:
        return False
    return True
