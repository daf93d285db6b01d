"""The fields of a safelist file: what each may hold, and the sentence that says what is wrong with it.

The validators take nodes of the YAML tree rather than plain values, as only a node knows whether it was quoted.
"""

import re
from datetime import date
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, PlainValidator
from pydantic_core import PydanticCustomError

from scanner.model import Kind
from scanner.safelist.types import arn_parts
from scanner.text import is_account_id, is_blank, parse_day
from scanner.yaml.nodes import GLUED_COMMENT, REFUSED, TEXT, Node, Scalar, Sequence

REQUIRABLE = ("user_id", "kind", "owner", "reason", "approved_by", "approved_on", "expires_on", "ticket")

# CreateUser, `UserName` (64 characters) and GetUser, `UserName` (128: AWS reads more than it lets one create).
_USER_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_USER_ID = re.compile(r"\w{1,128}", re.ASCII)
_PATTERN = re.compile(r"[\w+=,.@*?-]{1,128}", re.ASCII)
_PATH = re.compile(r"/[\x21-\x7e]{1,510}/", re.ASCII)
_ORGANIZATION = re.compile(r"o-[0-9a-z]{10,32}", re.ASCII)

_LONGEST = 400  # characters of a fault; the longest name that is right has 128
REPORTED = "reported"  # type of the error of a node whose fault is reported already


def _fail(problem: str, remedy: str) -> NoReturn:
    """Refuse a value. A fault is a line to read: where the value in it is long, its middle is left out."""
    shown = problem if len(problem) <= _LONGEST else f"{problem[: _LONGEST - 100]} ... {problem[-100:]}"
    raise PydanticCustomError("fault", "{problem}", {"problem": shown, "remedy": remedy})


def scalar(node: Node) -> str:
    """The text of a scalar that is text for every reader of YAML."""
    if not isinstance(node, Scalar):
        _fail("must be one value, not a list or mapping.", "Write one value.")
    if node.kind == REFUSED:
        raise PydanticCustomError(REPORTED, "reported")
    if node.kind == "null" or is_blank(node.text):
        _fail("has no value.", "Give it one, in quotes where it begins with #, or remove the key.")
    if node.kind != TEXT:
        _fail(f"{node.text} without quotes is not text to YAML, but {_CALLED[node.kind]}.", f'Write "{node.text}".')
    return node.text


_CALLED = {
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
    "timestamp": "a date",
    "merge": "a merge",
    "value": "a default",
    "yaml": "a directive",
}


def _free_text(node: Node) -> str:
    """Text for people, on one line: reports show it in a cell."""
    if isinstance(node, Scalar) and node.has_glued_comment:
        _fail(*GLUED_COMMENT)
    return " ".join(scalar(node).split())


def _user_name(node: Node) -> str:
    name = scalar(node)
    if "*" in name or "?" in name:
        _fail(f"{name!r} holds a wildcard, which `user` does not support.", "Use `pattern`, or write the whole name.")
    if not _USER_NAME.fullmatch(name):
        remedy = "Use letters, digits and _+=,.@- only, 128 at most."
        _fail(f"{name!r} is not a valid IAM user name.", remedy)
    return name


def _user_id(node: Node) -> str:
    value = scalar(node)
    if not _USER_ID.fullmatch(value):
        _fail(f"{value!r} is not a valid user ID.", "Write the UserId as IAM shows it (AIDA...).")
    return value


def _arn(node: Node) -> str:
    value = scalar(node)
    if arn_parts(value) is None:
        _fail(f"{value!r} is not the ARN of an IAM user.", "Write arn:<partition>:iam::<12 digits>:user/<path><name>.")
    return value


def _pattern(node: Node) -> str:
    value = scalar(node)
    if not _PATTERN.fullmatch(value):
        _fail(
            f"{value!r} cannot match an IAM user name.", "Use letters, digits, _+=,.@- and the wildcards * and ? only."
        )
    if sum(character not in "*?" for character in value) < 3:
        _fail(f"{value!r} has fewer than three literal characters.", "Make it narrower.")
    return value


def _path(node: Node) -> str:
    value = scalar(node)
    if not _PATH.fullmatch(value):
        _fail(f"{value!r} is not a path to approve by.", "A path begins and ends with / and is not / alone.")
    return value


def _kind(node: Node) -> Kind:
    value = scalar(node)
    if value not in tuple(Kind):
        _fail(f"{value!r} is unknown.", f"Use one of: {', '.join(Kind)}.")
    return Kind(value)


def _day(node: Node) -> date:
    if isinstance(node, Scalar) and node.kind == "timestamp":
        node = Scalar(node.line, node.text)
    value = scalar(node)
    day = parse_day(value)
    if day is None:
        _fail(f"{value!r} is not a valid date.", "Write it as 2027-01-15.")
    return day


def account_id(node: Node) -> str:
    """An account id: quoted, since YAML would turn 012345678901 into a number."""
    if isinstance(node, Scalar) and node.kind in {"int", "float"}:
        _fail(f"the account ID {node.text} is not quoted.", f'Write "{node.text}": unquoted, YAML mangles it.')
    value = scalar(node)
    if not is_account_id(value):
        _fail(f"{value!r} is not a valid account ID.", "An account ID has 12 digits; write it in quotes.")
    return value


def ou_key(node: Node) -> str:
    """An OU's id, or its path from the root."""
    value = scalar(node)
    if any(is_blank(part) for part in value.split("/")):
        _fail(f"{value!r} is not the path of an OU.", "Write Root/Prod/Payments, or the OU's ID.")
    return value


def _organization(node: Node) -> str:
    value = scalar(node)
    if not _ORGANIZATION.fullmatch(value):
        _fail(f"{value!r} is not a valid organization ID.", "Write the ID as AWS Organizations shows it (o-...).")
    return value


def _version(node: Node) -> int:
    if isinstance(node, Scalar) and node.kind == "int" and node.text == "1":
        return 1
    shown = repr(node.text) if isinstance(node, Scalar) else "a list or mapping"
    _fail(f"{shown} is unknown.", "Write version: 1, without quotes.")


def _whole_number(node: Node) -> int:
    if isinstance(node, Scalar) and node.kind == "int" and re.fullmatch("[1-9][0-9]{0,4}", node.text):
        return int(node.text)
    _fail("must be a number of days.", "Write a whole number from 1 to 99999, without quotes.")


def _flag(node: Node) -> bool:
    if isinstance(node, Scalar) and node.kind == "bool" and node.text in {"true", "false"}:
        return node.text == "true"
    _fail("must be true or false.", "Write true or false, without quotes.")


def _texts(node: Node) -> tuple[str, ...]:
    if not isinstance(node, Sequence):
        _fail("must be a list.", "Write it as [one, two].")
    return tuple(_free_text(item) for item in node.items)


def _requirable(node: Node) -> tuple[str, ...]:
    names = _texts(node)
    if unknown := [name for name in names if name not in REQUIRABLE]:
        _fail(f"{unknown[0]!r} is not a field that can be required.", f"Use: {', '.join(REQUIRABLE)}.")
    return names


Text = Annotated[str, PlainValidator(_free_text)]
UserName = Annotated[str, PlainValidator(_user_name)]
UserIdText = Annotated[str, PlainValidator(_user_id)]
Day = Annotated[date, PlainValidator(_day)]


class Fields(BaseModel):
    """A mapping of a safelist file; a key that it does not name is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EntryFields(Fields):
    user: UserName | None = None
    arn: Annotated[str, PlainValidator(_arn)] | None = None
    pattern: Annotated[str, PlainValidator(_pattern)] | None = None
    path: Annotated[str, PlainValidator(_path)] | None = None
    user_id: UserIdText | None = None
    kind: Annotated[Kind, PlainValidator(_kind)] | None = None
    owner: Text | None = None
    reason: Text | None = None
    approved_by: Text | None = None
    approved_on: Day | None = None
    expires_on: Day | None = None
    ticket: Text | None = None


class RevocationFields(Fields):
    account: Annotated[str, PlainValidator(account_id)]
    user: UserName
    user_id: UserIdText | None = None
    by: Text | None = None
    on: Day | None = None
    ticket: Text | None = None


class PolicyFields(Fields):
    require: Annotated[tuple[str, ...], PlainValidator(_requirable)] = ()
    max_days: Annotated[int, PlainValidator(_whole_number)] | None = None
    allow_patterns: Annotated[bool, PlainValidator(_flag)] = False
    approvers: Annotated[tuple[str, ...], PlainValidator(_texts)] | None = None


class FileFields(Fields):
    """The top of a file; its sections are read one by one, each entry with its own faults."""

    version: Annotated[Literal[1], PlainValidator(_version)]
    organization: Annotated[str, PlainValidator(_organization)] | None = None
    policy: Any = None
    global_: Any = Field(default=None, alias="global")
    ous: Any = None
    accounts: Any = None
    revoked: Any = None
