"""What a column is declared as, and whether values fit it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from source_mixpanel.columns.types import (
    JSON_TYPES,
    LONG_INTEGER,
    column_schema,
    common_type,
    declared_types,
    json_type_of,
    object_schema,
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
    one = column_schema("array of strings")
    one["items"]["type"] = "number"
    one["type"].append("string")
    kept = {"type": ["null", "array"], "items": {"type": "string"}}
    assert column_schema("array of strings") == kept


def test_nothing_is_said_of_the_items_of_just_any_list() -> None:
    assert column_schema("array") == {"type": ["null", "array"]}


def test_a_stream_has_its_columns_and_one_for_what_fits_none() -> None:
    whole = {"type": "string", "format": "date"}
    told = {"name": "string", "id": ["integer", "string"], "date": whole}
    columns = {
        "name": column_schema("string"),
        "id": {"type": ["null", "integer", "string"]},
        "date": whole,
    }
    expected = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": True,
        "properties": columns,
    }
    assert object_schema(told, rescues=False) == expected
    expected["properties"] = {**columns, "rescued_properties": column_schema("object")}
    assert object_schema(told) == expected


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, {"string"}),
        ({"type": ["null", "number"]}, {"null", "number"}),
        ({}, set()),
        ({"type": None}, set()),
        (True, set()),
    ],
)
def test_declared_types_reads_one_name_or_many(schema: Any, expected: set[str]) -> None:
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
    assert common_type(set(found)) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"number": 9, "string": 1}, "number"),
        ({"number": 89, "string": 11}, "string"),
        ({"boolean": 27, "string": 3}, "boolean"),
        ({"string": 9, "integer": 1}, "string"),
        ({"integer": 5, "number": 4, "object": 1}, "number"),
        ({"object": 9, "array": 1}, "object"),
        ({"number": 1, "null": 99}, "number"),
        ({"null": 100}, "string"),
        ({"number": 45, "string": 45, "boolean": 10}, "string"),
        ({LONG_INTEGER: 1, "integer": 99}, "number"),
        ({LONG_INTEGER: 9, "integer": 1}, "integer"),
        ({LONG_INTEGER: 9, "string": 1}, "integer"),
        ({LONG_INTEGER: 8, "string": 1}, "string"),
        ({LONG_INTEGER: 99, "number": 1}, "integer"),
        ({LONG_INTEGER: 89, "number": 11}, "number"),
    ],
)
def test_the_common_type_is_what_nine_in_ten_values_have(
    found: dict[str, int], expected: str
) -> None:
    kept = dict(found)
    assert common_type(found) == expected
    assert found == kept


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "integer"),
        (2**53, "integer"),
        (-(2**53), "integer"),
        (2**53 + 1, LONG_INTEGER),
        (-(2**53) - 1, LONG_INTEGER),
        (2**63 - 1, LONG_INTEGER),
        (-(2**63), LONG_INTEGER),
        (2**63, "number"),
        (-(2**63) - 1, "number"),
        (2.0**60, "number"),
        (True, "boolean"),
    ],
)
def test_only_integers_that_a_double_rounds_and_64_bits_hold_are_long(
    value: Any, expected: str
) -> None:
    assert json_type_of(value) == expected
