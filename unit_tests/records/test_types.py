"""What a column is declared as, and whether values fit it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from source_mixpanel.records.types import (
    JSON_TYPES,
    column_schema,
    common_type,
    declared_types,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"a"', "string"),
        ("true", "boolean"),
        ("1", "integer"),
        ("1.0", "number"),
        ("[]", "array"),
        ("{}", "object"),
        ("null", "null"),
    ],
)
def test_every_parsed_value_has_a_json_type_that_its_own_column_takes(
    text: str, expected: str
) -> None:
    kind = JSON_TYPES[type(json.loads(text))]
    assert kind == expected
    assert kind in declared_types(column_schema(kind)) - {"null"} or kind == "null"


@pytest.mark.parametrize("kind", [*JSON_TYPES.values(), "date", ""])
def test_every_column_may_be_null(kind: str) -> None:
    assert "null" in column_schema(kind)["type"]


def test_an_unknown_type_is_declared_as_text() -> None:
    assert column_schema("datetime") == {"type": ["null", "string"]}


def test_schemas_are_each_their_own() -> None:
    one = column_schema("array")
    one["items"] = {"type": "string"}
    one["type"].append("string")
    assert column_schema("array") == {"type": ["null", "array"], "items": {}}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, {"string"}),
        ({"type": ["null", "number"]}, {"null", "number"}),
        ({}, set()),
        ({"type": None}, set()),
    ],
)
def test_declared_types_reads_one_name_or_many(schema: dict[str, Any], expected: set[str]) -> None:
    assert declared_types(schema) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (["string"], "string"),
        (["boolean", "null"], "boolean"),
        (["integer"], "number"),
        (["integer", "number"], "number"),
        (["array"], "array"),
        (["string", "number"], "string"),
        (["boolean", "integer"], "string"),
        (["null"], "string"),
        ([], "string"),
    ],
)
def test_the_common_type_is_the_one_seen_or_text(found: list[str], expected: str) -> None:
    assert common_type(found) == expected
