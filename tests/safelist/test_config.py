"""What the repository ships under config/: an example that is right and approves nobody, a schema that agrees."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from scanner.errors import FaultsError
from scanner.model import Kind, Selector
from scanner.record import SafelistText
from scanner.safelist.entries import parse, read
from scanner.safelist.fields import REQUIRABLE, EntryFields, Fields, FileFields, PolicyFields, RevocationFields

CONFIG = Path(__file__).parents[2] / "config"
SCHEMA: dict[str, Any] = json.loads((CONFIG / "safelist.schema.json").read_text(encoding="utf-8"))


def test_nothing_that_is_shipped_approves_anybody() -> None:
    with pytest.raises(FaultsError, match="holds no safelist"):
        read([CONFIG / "safelists"])


def test_the_example_is_a_valid_safelist_that_keeps_its_own_policy() -> None:
    example = (CONFIG / "safelists/safelist.yaml.example").read_text(encoding="utf-8")
    safelist = parse([SafelistText(path="example", text=example)])
    assert {entry.selector for entry in safelist.entries} == set(Selector)
    assert [entry.invalid for entry in safelist.entries if entry.invalid] == []
    assert safelist.revocations
    assert safelist.warnings == ()


@pytest.mark.parametrize(
    ("schema", "fields"),
    [
        (SCHEMA, FileFields),
        (SCHEMA["$defs"]["entry"], EntryFields),
        (SCHEMA["$defs"]["policy"], PolicyFields),
        (SCHEMA["$defs"]["revocation"], RevocationFields),
    ],
    ids=["file", "entry", "policy", "revocation"],
)
def test_the_schema_knows_the_same_keys(schema: dict[str, Any], fields: type[Fields]) -> None:
    known = {each.alias or name: each.is_required() for name, each in fields.model_fields.items()}
    assert set(schema["properties"]) == set(known)
    assert set(schema.get("required", ())) == {name for name, required in known.items() if required}
    assert schema["additionalProperties"] is False


def test_the_schema_knows_the_same_words() -> None:
    entry, policy = SCHEMA["$defs"]["entry"], SCHEMA["$defs"]["policy"]
    assert entry["properties"]["kind"]["enum"] == list(Kind)
    assert policy["properties"]["require"]["items"]["enum"] == list(REQUIRABLE)
    assert [each["required"] for each in entry["oneOf"]] == [[each] for each in Selector]


@pytest.mark.parametrize("key", ["user", "arn", "pattern", "path", "user_id", "expires_on", "owner"])
@pytest.mark.parametrize(
    "value",
    [
        "alice",
        "a=b,c.d@e-f_g+h",
        "a b",
        "a*",
        "abc?*",
        "**a?b*",
        "a" * 129,
        "/",
        "//",
        "/x/",
        "/x/y/",
        "/x",
        "/\u00e9/",
        "2026-01-15",
        "2026-1-15",
        "arn:aws:iam::123456789012:user/alice",
        "arn:aws-us-gov:iam::123456789012:user/x/alice",
        "arn:aws:iam::123456789012:role/alice",
        "arn:aws:iam::12345:user/alice",
        " ",
    ],
)
def test_the_schema_accepts_the_same_values(key: str, value: str) -> None:
    user = "" if key in list(Selector) else "user: alice, "
    text = f"version: 1\nglobal: [{{{user}{key}: {json.dumps(value)}}}]\n"
    try:
        parse([SafelistText(path="a.yaml", text=text)])
        accepted = True
    except FaultsError:
        accepted = False
    assert accepted == fits(SCHEMA["$defs"]["entry"]["properties"][key], value)


def fits(schema: dict[str, Any], value: str) -> bool:
    """Whether a text fits, as far as the schema's own few keywords go."""
    if "$ref" in schema:
        return fits(SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], value)
    return re.search(schema["pattern"], value) is not None and len(value) <= schema.get("maxLength", len(value))
