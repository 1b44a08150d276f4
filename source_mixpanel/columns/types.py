"""JSON types of columns and values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

JSON_TYPES: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}
"""JSON's name for the Python types that a parser makes."""

PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
    "any": (str, bool, int, float, list, dict, type(None)),
}
"""The Python types of the values that a JSON type allows; `any` stands for all of them."""

LONG_INTEGER = "long integer"
"""What `json_type_of` calls whole numbers that a double would round, and 64 bits hold."""

_EXACT_IN_A_DOUBLE = 2**53
_BEYOND_64_BITS = 2**63

COLUMN_SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "string": {"type": ["null", "string"]},
    "boolean": {"type": ["null", "boolean"]},
    "integer": {"type": ["null", "integer"]},
    "number": {"type": ["null", "number"]},
    "number or string": {"type": ["null", "number", "string"]},
    # Without `items`: destinations take an empty one for lists of objects, and drop texts in them.
    "array": {"type": ["null", "array"]},
    "array of strings": {"type": ["null", "array"], "items": {"type": "string"}},
    "object": {"type": ["null", "object"], "additionalProperties": True},
}
"""The JSON Schema of a column by its type; every column may be null."""


def column_schema(json_type: str) -> dict[str, Any]:
    """A copy of the JSON Schema of a column of a type; of text for an unknown type."""
    return deepcopy(dict(COLUMN_SCHEMAS.get(json_type, COLUMN_SCHEMAS["string"])))


OBJECT = "properties"
"""The one column of `property_layout: object`: all properties by raw name."""

RESCUED = "rescued_properties"
"""The column of values without a column or that do not fit it: by raw name, or null."""


def object_schema(columns: Mapping[str, Any], *, rescues: bool = True) -> dict[str, Any]:
    """The JSON Schema of a stream with these columns and, if it `rescues`, `rescued_properties`.

    A column is given by a JSON type, several, or a whole JSON Schema.
    """
    if rescues:
        columns = {**columns, RESCUED: "object"}

    def schema_of(declared: Any) -> dict[str, Any]:
        if isinstance(declared, Mapping):
            return dict(declared)
        return (
            column_schema(declared) if isinstance(declared, str) else {"type": ["null", *declared]}
        )

    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": True,
        "properties": {name: schema_of(declared) for name, declared in columns.items()},
    }


def declared_types(schema: Any) -> frozenset[str]:
    """The types in a column's schema; empty if there are none."""
    named = schema.get("type") if isinstance(schema, Mapping) else None
    every = named if isinstance(named, list) else [named]
    return frozenset(kind for kind in every if isinstance(kind, str))


def json_type_of(value: Any) -> str:
    """The JSON type of a parsed value, for `common_type`.

    Integers beyond 53 bits are `LONG_INTEGER`; those beyond 64 bits are numbers, since no
    warehouse can store them in a column of integers.
    """
    kind = JSON_TYPES[type(value)]
    if kind != "integer" or abs(value) <= _EXACT_IN_A_DOUBLE:
        return kind
    return LONG_INTEGER if -_BEYOND_64_BITS <= value < _BEYOND_64_BITS else "number"


def common_type(types: Mapping[str, int] | Iterable[str]) -> str:
    """The type of a column whose values were seen to have these types, so many of each.

    It is the type of nine in ten values, without nulls, so that rare exceptions do not change it;
    if no type is so common, text, which can hold all values in every warehouse. Integers count as
    numbers, since the next may have a fraction; if a double would round nine in ten of them, as
    with long ids, they stay integers.

    Args:
        types: How many values had each type, or only the types.
    """
    kinds = Counter(types)
    del kinds["null"]
    long = kinds[LONG_INTEGER]
    kinds["number"] += kinds.pop("integer", 0) + kinds.pop(LONG_INTEGER, 0)
    kind, count = kinds.most_common(1)[0]
    if not count or 10 * count < 9 * kinds.total():
        return "string"
    return "integer" if kind == "number" and 10 * long >= 9 * count else kind
