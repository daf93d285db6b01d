"""Settings: defaults, weakest; then the settings file, the environment, and the options, strongest.

A key is the name of the option with underscores: `--role-name` is `role_name` in the file and `IAM_SCANNER_ROLE_NAME`
in the environment, where a list is a JSON array. An unknown key is an error, as a misspelt exclusion or safelist would
otherwise change what is audited without a word.
"""

import difflib
import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.parser import ParserError
from ruamel.yaml.scanner import ScannerError

from scanner.errors import Fault, FaultsError
from scanner.files import read_text
from scanner.text import is_account_id

DEFAULT_FILE = Path("config/scanner.yaml")
PREFIX = "IAM_SCANNER_"
NO_REASON = "no reason given"

Format = Literal["xlsx", "csv", "json"]


def _account_id(value: object) -> object:
    """Refuse unquoted numbers: YAML and spreadsheets drop leading zeros."""
    if isinstance(value, str) and is_account_id(value):
        return value
    raise ValueError("is no account id; give its 12 digits, and in a file put them in quotes")


def _as_date(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
            return date.fromisoformat(value)
    except ValueError:
        pass  # no such day, as 2026-02-30
    raise ValueError("is no day; write it as 2027-01-15")


def _text(pattern: str, otherwise: str) -> AfterValidator:
    """Hold a text to a pattern of AWS's, and say in words what is asked for where it does not fit."""

    def check(value: str) -> str:
        if re.fullmatch(pattern, value, re.ASCII) is None:
            raise ValueError(otherwise)
        return value

    return AfterValidator(check)


_RoleName = Annotated[
    str,
    _text(
        r"/?([!-9;-~]{1,510}/)?[\w+=,.@-]{1,64}", "is no role name; give a name or a path and a name, and not its ARN"
    ),
]
_ExternalId = Annotated[
    str, _text(r"[\w+=,.@:/-]{2,1224}", "is no external id: 2 to 1,224 letters, digits and +=,.@:/-")
]
_SessionName = Annotated[str, _text(r"[\w+=,.@-]{2,64}", "is no session name: 2 to 64 letters, digits and +=,.@-")]
_RoleArn = Annotated[
    str, _text(r"arn:aws[a-z-]*:iam::\d{12}:role/.+", "is no ARN of a role: arn:aws:iam::123456789012:role/Name")
]
QuotedAccountId = Annotated[str, BeforeValidator(_account_id)]
Day = Annotated[date, BeforeValidator(_as_date)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ExcludedOu(_Frozen):
    ou: str = Field(min_length=1)
    reason: str = Field(min_length=1)


class ExcludedAccount(_Frozen):
    account: QuotedAccountId
    reason: str = Field(min_length=1)


class Settings(_Frozen):
    """All that a scan can be told. The field descriptions are the help of the options."""

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
    def _one_or_many(cls, value: object) -> object:
        """Take a list from a file or JSON as the tuple that it becomes."""
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

    def recorded(self) -> dict[str, object]:
        """Return the settings as the journal keeps them: JSON values, without the ExternalId."""
        return self.model_dump(mode="json", exclude={"external_id"}) | {
            "external_id_given": self.external_id is not None
        }


_LISTS = frozenset({"ou", "exclude_ou", "account", "exclude_account", "safelist", "format"})
_NUMBERS_AND_FLAGS = frozenset(
    {"dormant_days", "review_every_days", "concurrency", "account_timeout", "session_policy"}
)
_EXCLUSIONS = {"exclude_ou": "ou", "exclude_account": "account"}


def load(options: Mapping[str, Any], environment: Mapping[str, str], config: Path | None = None) -> Settings:
    """Merge the sources; raise `FaultsError` with every fault and where it stands.

    `options` are those that were given; None and () are not given, as a list that nobody asked for must not empty that
    of the file. `config` is the file of `--config`; without it, `config/scanner.yaml` is read where it exists.
    """
    faults: list[Fault] = []
    merged: dict[str, Any] = {}
    origins: dict[str, tuple[str, int | None]] = {}
    for source, values, lines in (
        _file(config, faults),
        _environment(environment, faults),
        ("", {key: value for key, value in options.items() if value not in (None, ())}, {}),
    ):
        for key, value in values.items():
            merged[key] = _reasoned(key, value) if source != str(config or DEFAULT_FILE) else value
            origins[key] = (_origin(source, key), lines.get(key))
    try:
        settings = Settings(**{key: value for key, value in merged.items() if key in Settings.model_fields})
    except ValidationError as error:
        faults += [_fault(problem, origins) for problem in error.errors()]
    if faults:
        raise FaultsError(faults)
    return settings


def _origin(source: str, key: str) -> str:
    if source == "environment":
        return PREFIX + key.upper()
    return source or f"--{key.replace('_', '-')}"


def _reasoned(key: str, value: Any) -> Any:
    """Let options and the environment exclude without a reason; in a file there is room for one, and it is asked."""
    if key not in _EXCLUSIONS or not isinstance(value, (list, tuple)):
        return value
    return tuple({_EXCLUSIONS[key]: one, "reason": NO_REASON} if isinstance(one, str) else one for one in value)


def _file(config: Path | None, faults: list[Fault]) -> tuple[str, dict[str, Any], dict[str, int]]:
    path = config or DEFAULT_FILE
    name = str(path)
    if config is None and not path.exists():
        return name, {}, {}
    try:
        content = YAML().load(read_text(path))
    except FaultsError as error:
        faults += error.faults
        return name, {}, {}
    except (YAMLError, ValueError, AttributeError) as error:  # the latter two come out of ruamel.yaml for odd tags
        faults.append(_no_yaml(name, error))
        return name, {}, {}
    if content is None:
        return name, {}, {}
    if not isinstance(content, CommentedMap):
        faults.append(
            Fault(file=name, line=1, problem="holds no settings.", remedy="Write them as `key: value` lines.")
        )
        return name, {}, {}
    lines = {str(key): content.lc.key(key)[0] + 1 for key in content}
    faults += [_unknown(name, line, key, key) for key, line in lines.items() if key not in Settings.model_fields]
    return name, {str(key): _plain(value) for key, value in content.items()}, lines


def _no_yaml(name: str, error: Exception) -> Fault:
    """Say what is wrong, without the values that ruamel.yaml may quote: one of them is the ExternalId."""
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    if isinstance(error, DuplicateKeyError):
        what = "a key stands there twice"
    elif isinstance(error, (ScannerError, ParserError)):
        what = str(error.problem)
    else:
        what = "a tag, an alias or a value cannot be read"
    return Fault(
        file=name,
        line=mark.line + 1 if mark else None,
        problem=f"is not valid YAML: {what}.",
        remedy="Mend this line." if mark else "Write settings as plain `key: value` lines.",
    )


def _plain(value: Any) -> Any:
    """Strip what the YAML reader keeps for writing back."""
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list) else value


def _environment(environment: Mapping[str, str], faults: list[Fault]) -> tuple[str, dict[str, Any], dict[str, int]]:
    values: dict[str, Any] = {}
    for variable in sorted(environment):
        if not variable.startswith(PREFIX):
            continue
        key = variable.removeprefix(PREFIX).lower()
        text = environment[variable]
        if key not in Settings.model_fields:
            faults.append(_unknown(variable, None, variable, key, prefix=PREFIX))
        elif key in _LISTS or key in _NUMBERS_AND_FLAGS:
            try:
                values[key] = json.loads(text)
            except ValueError:
                example = '["a","b"]' if key in _LISTS else "a number, true or false"
                problem = f"{text!r} is no JSON."
                faults.append(Fault(file=variable, line=None, problem=problem, remedy=f"Write {example}."))
        else:
            values[key] = text
    return "environment", values, {}


def _unknown(file: str, line: int | None, shown: str, key: str, *, prefix: str = "") -> Fault:
    near = difflib.get_close_matches(key, Settings.model_fields, n=1, cutoff=0.5)
    meant = (prefix + near[0].upper() if prefix else near[0]) if near else ""
    remedy = f"Did you mean {meant}?" if meant else f"The keys are: {', '.join(Settings.model_fields)}."
    return Fault(file=file, line=line, problem=f"unknown setting {shown!r}.", remedy=remedy)


def _fault(problem: Any, origins: Mapping[str, tuple[str, int | None]]) -> Fault:
    key, *inside = (str(part) for part in problem["loc"])
    file, line = origins.get(key, (key, None))
    shown = "" if key == "external_id" else f"{problem['input']!r} "
    if "reason" in inside or problem["type"] == "model_type":
        kind = _EXCLUSIONS[key]
        remedy = f'Write it as {{{kind}: "...", reason: ...}}.'
        return Fault(file=file, line=line, problem=f"{key}: an exclusion in a file needs its reason.", remedy=remedy)
    # An option or a variable is named by its origin; in a file the key says more than the line.
    named = ".".join([key, *inside]) + ": " if line is not None else ""
    message = problem["msg"].removeprefix("Value error, ")
    own_words = problem["type"] == "value_error"
    text = f"{named}{shown}{message if own_words else f'does not fit: {message}'}."
    return Fault(file=file, line=line, problem=text, remedy="")
