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
from pathlib import Path
from typing import Annotated, Any, Literal, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from scanner.errors import Fault, FaultsError
from scanner.files import read_text
from scanner.model import FailOn
from scanner.setting_types import (
    AccountIdText,
    ArchiveUri,
    Day,
    ExternalId,
    FailOnText,
    KmsKey,
    PathText,
    RoleArn,
    RoleName,
    SessionName,
    TagKey,
    WrongValueError,
    between,
)
from scanner.text import is_account_id, is_blank
from scanner.yaml.values import Values, values

DEFAULT_FILE = Path("config/scanner.yaml")
PREFIX = "IAM_SCANNER_"
NO_REASON = "no reason given"
_LONGEST_SHOWN = 80  # characters of a value that a fault quotes

Format = Literal["xlsx", "csv", "json", "ocsf"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ExcludedOu(_Frozen):
    ou: str
    reason: str


class ExcludedAccount(_Frozen):
    account: AccountIdText
    reason: str


class Settings(_Frozen):
    """Every setting of a scan; each field is a key of the settings file and a variable, most an option."""

    # scope
    ou: tuple[str, ...] = ()
    exclude_ou: tuple[ExcludedOu, ...] = ()
    account: tuple[AccountIdText, ...] = ()
    exclude_account: tuple[ExcludedAccount, ...] = ()
    accounts_file: PathText | None = None
    # access
    profile: str | None = None
    role_name: RoleName = "OrganizationAccountAccessRole"
    external_id: ExternalId | None = Field(default=None, repr=False)
    session_name: SessionName = "iam-scanner"
    organizations_role_arn: RoleArn | None = None
    hub_role_arn: RoleArn | None = None
    session_policy: bool = True
    # evidence
    evidence: Literal["full", "basic"] = "full"
    dormant_days: Annotated[int, between(1, 3650)] = 45
    # decision
    safelist: tuple[PathText, ...] = (Path("config/safelists"),)
    as_of: Day | None = None
    fail_on: tuple[FailOnText, ...] = (FailOn.UNAPPROVED,)
    # output
    output: PathText = Path("reports")
    format: tuple[Format, ...] = ("xlsx", "csv")
    account_owners: PathText | None = None
    account_owner_tag: TagKey | None = None  # key of a tag in AWS Organizations; None: no tags are read
    # archive
    archive: ArchiveUri | None = None
    archive_role_arn: RoleArn | None = None
    archive_kms_key: KmsKey | None = None  # None: as the bucket encrypts by default
    # review
    previous: str | None = None  # None: the newest complete run that covers the scope; "none": compare with nothing
    review_every_days: Annotated[int, between(1, 3650)] = 180
    # remediation
    remediation_role_name: RoleName = "IamScannerRemediation"  # never the scan's role by default
    removal_after_quarantine_days: Annotated[int, between(0, 3650)] = 0  # 0: a removal needs no quarantine before it
    # pace
    concurrency: Annotated[int, between(1, 1000)] = 64
    account_timeout: Annotated[int, between(1, 800)] = 120  # a role's session lasts 900 seconds

    @field_validator("*", mode="before")
    @classmethod
    def _list_as_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("safelist", "format", "fail_on")
    @classmethod
    def _not_empty(cls, value: tuple[object, ...]) -> tuple[object, ...]:
        """An empty list would leave every user unapproved, or no report at all; nobody means that."""
        if not value:
            raise WrongValueError("the list is empty", "Remove the setting to use its default.")
        return value

    @field_validator("fail_on")
    @classmethod
    def _none_alone(cls, value: tuple[FailOn, ...]) -> tuple[FailOn, ...]:
        if FailOn.NONE in value and len(value) > 1:
            raise WrongValueError("none stands beside other conditions", "Leave none out, or the others.")
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

    @property
    def is_environment(self) -> bool:
        return self.name == PREFIX

    def fault(self, path: tuple[str | int, ...], problem: str, remedy: str, *, of_key: bool = False) -> Fault:
        key = str(path[0])
        if self.file is not None:
            line = self.file.key_lines[path] if of_key else self.file.line(path)
            return Fault(file=self.name, line=line, problem=f"{key}: {problem}", remedy=remedy)
        name = PREFIX + key.upper() if self.is_environment else option_name(key)
        return Fault(file=name, problem=problem, remedy=remedy)

    def written(self, path: tuple[str | int, ...], value: object) -> str | None:
        """How a value that is a number or a flag is written there; None for any other."""
        if self.file is not None:
            return self.file.texts.get(path)
        return json.dumps(value) if isinstance(value, int | float) else None


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
            at = source.file.key_lines[key,]
            remedy = _nearest(key.lower().replace("-", "_").removeprefix(PREFIX.lower()), Settings.model_fields)
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
    if len(path) == 1 or not source.name:  # of an option, one of its values
        return source.fault(path, "has no value.", f"Write one, or {source.removal}.")
    what = "an item of the list" if isinstance(path[-1], int) else f"the {path[-1]}"
    return source.fault(path, f"{what} is blank.", "Write it, or remove the item.")


def _fault(error: Any, source: _Source) -> Fault:
    """What pydantic refused, in our own words; never the ExternalId itself."""
    path: tuple[str | int, ...] = error["loc"]
    key, value, kind = str(path[0]), error["input"], str(error["type"])
    if value is None:
        return _blank(path, source)
    if kind == "extra_forbidden":
        remedy = _nearest(str(path[-1]), {_EXCLUSIONS[key]: "", "reason": ""})
        return source.fault(path, f"unknown key {path[-1]!r}.", remedy, of_key=source.file is not None)
    is_secret = key == "external_id"
    shown = "the value" if is_secret and isinstance(value, str) else _shown(value)
    written = None if is_secret else source.written(path, value)
    match kind:
        case "value_error":
            wrong: WrongValueError = error["ctx"]["error"]
            problem, remedy = f"{wrong.problem.format(shown)}.", wrong.remedy
            if key in {"account", "exclude_account"} and is_account_id(written):
                problem, remedy = _without_quotes(written)
        case "missing" | "model_type":
            missing = path[-1] if kind == "missing" else "reason"
            example = _example(key, value, with_reason=True)
            problem, remedy = f"the {missing} of an exclusion is missing.", f"Write {example}."
        case "tuple_type":
            example = _example(
                key, value if isinstance(value, bool) else written or value, with_reason=source.file is not None
            )
            is_json = source.is_environment
            problem = f"{shown} is not a {'JSON ' if is_json else ''}list."
            remedy = f"Write '{example}'." if is_json else f"Write {example}."
        case "literal_error":
            choices = error["ctx"]["expected"].replace("'", "")
            near = difflib.get_close_matches(str(value).lower(), re.split(", | or ", choices), n=1)
            problem, remedy = f"{shown} is not {choices}.", f"Write {near[0]}." if near else "Write one of them."
        case "bool_type":
            problem, remedy = f"{shown} is not true or false.", _flag(written or str(value))
        case _ if isinstance(value, dict | list | tuple):
            only = value[0] if isinstance(value, list | tuple) and len(value) == 1 else None
            item = json.dumps(only, ensure_ascii=False) if isinstance(only, str) and not is_secret else "one value"
            problem, remedy = f"{shown} stands where one value is expected.", f"Write {item}."
        case _:
            problem, remedy = _without_quotes(written)
    return source.fault(path, problem, remedy)


def _without_quotes(written: str | None) -> tuple[str, str]:
    """What to say of a number or flag that should be text; None: it is not to be shown."""
    if written is None:
        return "a number is not text.", "Write it in quotes."
    return f"{written} without quotes is not text.", f'Write "{written}".'


def _flag(written: str) -> str:
    """What to write for something that is not `true` or `false`."""
    if written.lower() in {"true", "yes", "on", "y", "1"}:
        return "Write true, without quotes."
    if written.lower() in {"false", "no", "off", "n", "0"}:
        return "Write false, without quotes."
    return "Write one of them, without quotes."


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
    texts = re.split(r"[\s\"']*,[\s\"']*", given.strip("[]\"' ").lstrip("- ")) if len(given) <= _LONGEST_SHOWN else []
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
