"""The types of settings: what a value may be, and what is said of one that may not."""

import re
import unicodedata
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from scanner.model import FailOn
from scanner.text import is_account_id, parse_day

LONGEST_PREFIX = 200  # characters of an archive's prefix: session policies hold 2,048, and name it twice


class WrongValueError(ValueError):
    """What the checks raise, for pydantic to collect: the problem, in which {} is the value, and the remedy."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem, self.remedy = problem, remedy


def _account_id(value: object) -> object:
    """Refuse unquoted numbers: YAML and spreadsheets drop leading zeros."""
    if isinstance(value, str) and is_account_id(value):
        return value
    if isinstance(value, str):
        raise WrongValueError("{} is not a valid account ID", "Write its 12 digits.")
    raise WrongValueError("{} is not an account ID", "Write its 12 digits in quotes.")


def _day(value: object) -> object:
    day = parse_day(value) if isinstance(value, str) else value
    if not isinstance(day, date):
        raise WrongValueError("{} is not a valid date", "Write it as 2027-01-15.")
    return day


def _fail_on(value: object) -> object:
    if isinstance(value, str) and value in list(FailOn):
        return FailOn(value)
    raise WrongValueError("{} is not a condition to fail on", f"Write one of: {', '.join(FailOn)}.")


def _archive(value: str) -> str:
    """Compare with the rules for names of buckets; a wildcard in the prefix would widen the policies that name it."""
    found = re.fullmatch(r"s3://([^/]*)(/[^/].*?)?/?", value)
    if found is None:
        raise WrongValueError("{} is not a place in S3", "Write it as s3://BUCKET/PREFIX.")
    bucket, prefix = found[1], found[2] or ""
    if re.fullmatch(r"(?!xn--)(?!.*\.\.)(?![\d.]+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?<!--x-s3)", bucket) is None:
        rules = "3 to 63 lower-case letters, digits, dots and hyphens; not an ARN, and not a directory bucket"
        raise WrongValueError("{} does not name a valid bucket", f"A name is {rules}.")
    if re.fullmatch(r"(/(?!\.{1,2}(/|$))[\w!.'()=+@:,-]+)*", prefix, re.ASCII) is None or len(prefix) > LONGEST_PREFIX:
        rules = "letters, digits and _-.!'()=+@:, characters, up to 200 in all"
        raise WrongValueError("the prefix in {} cannot be used", f"Write parts between single slashes, of {rules}.")
    return f"s3://{bucket}{prefix}"


def between(least: int, most: int) -> BeforeValidator:
    def check(value: object) -> object:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and isinstance(value, int) and least <= value <= most:
            return value
        shown = value if is_number else "{}"
        digits = re.sub(r"[\s,_']", "", value) if isinstance(value, str) else ""
        remedy = f"Write {digits}, without quotes." if digits in map(str, range(least, most + 1)) else "Write one."
        raise WrongValueError(f"{shown} is not a whole number from {least} to {most}", remedy)

    return BeforeValidator(check)


def _text(pattern: str, kind: str, remedy: str) -> AfterValidator:
    """Compare a text with a pattern of AWS's."""

    def check(value: str) -> str:
        if re.fullmatch(pattern, value, re.ASCII) is None:
            raise WrongValueError(f"{{}} is not {kind}", remedy)
        return value

    return AfterValidator(check)


def _tag_key(value: str) -> str:
    """Compare with what AWS takes for the key of a tag: letters, digits and spaces of any script among it."""
    if len(value) > 128 or any(unicodedata.category(char)[0] not in "LNZ" and char not in "_.:/=+-@" for char in value):
        remedy = "Write 1 to 128 letters, digits, spaces and _.:/=+-@ characters."
        raise WrongValueError("{} is not a valid tag key", remedy)
    return value


RoleName = Annotated[
    str,
    _text(
        r"/?([!-9;-~]{1,510}/)?[\w+=,.@-]{1,64}",
        "a valid role name",
        "Write its name, or its path and name, but not the ARN.",
    ),
]
ExternalId = Annotated[
    str,
    _text(r"[\w+=,.@:/-]{2,1224}", "a valid external ID", "Write 2 to 1,224 letters, digits and +=,.@:/- characters."),
]
SessionName = Annotated[
    str, _text(r"[\w+=,.@-]{2,64}", "a valid session name", "Write 2 to 64 letters, digits and +=,.@- characters.")
]
RoleArn = Annotated[
    str,
    _text(
        r"arn:aws[a-z-]*:iam::\d{12}:role/.+", "the ARN of a role", "Write it as arn:aws:iam::123456789012:role/Name."
    ),
]
TagKey = Annotated[str, AfterValidator(_tag_key)]
KmsKey = Annotated[
    str,
    _text(
        r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/[\w/-]+|alias/[\w/-]+|[0-9a-f]{8}-[0-9a-f-]{27}|mrk-[0-9a-f]{32}",
        "a KMS key",
        "Write its ARN, its ID, or alias/ and its alias.",
    ),
]
ArchiveUri = Annotated[str, AfterValidator(_archive)]  # "s3://bucket/prefix", without a slash at its end
AccountIdText = Annotated[str, BeforeValidator(_account_id)]
Day = Annotated[date, BeforeValidator(_day)]
PathText = Annotated[Path, BeforeValidator(lambda value: Path(value) if isinstance(value, str) else value)]
FailOnText = Annotated[FailOn, BeforeValidator(_fail_on)]
