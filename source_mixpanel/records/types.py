"""JSON types: what a column is declared as, and whether values fit it."""

from __future__ import annotations

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

_SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "string": {"type": ["null", "string"]},
    "boolean": {"type": ["null", "boolean"]},
    "integer": {"type": ["null", "integer"]},
    "number": {"type": ["null", "number"]},
    "number or string": {"type": ["null", "number", "string"]},
    "array": {"type": ["null", "array"], "items": {}},
    "object": {"type": ["null", "object"], "additionalProperties": True},
}


def column_schema(json_type: str) -> dict[str, Any]:
    """The JSON Schema of a column of that type; every column may be null."""
    return deepcopy(dict(_SCHEMAS.get(json_type, _SCHEMAS["string"])))


RESCUED = "rescued_properties"
"""The column of what has no other, or does not fit its own: an object by raw name, or null."""


def object_schema(columns: Mapping[str, Any], *, rescues: bool = True) -> dict[str, Any]:
    """The JSON Schema of a stream with these columns and, unless told, `rescued_properties`.

    A column is given by a JSON type, several, or a whole JSON Schema.
    """
    if rescues:
        columns = {**columns, RESCUED: "object"}

    def schema_of(told: Any) -> dict[str, Any]:
        if isinstance(told, Mapping):
            return dict(told)
        return column_schema(told) if isinstance(told, str) else {"type": ["null", *told]}

    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": True,
        "properties": {name: schema_of(told) for name, told in columns.items()},
    }


def declared_types(schema: Any) -> frozenset[str]:
    """The types a column's schema names; empty where it names none that is one."""
    named = schema.get("type") if isinstance(schema, Mapping) else None
    every = named if isinstance(named, list) else [named]
    return frozenset(kind for kind in every if isinstance(kind, str))


def common_type(found: Iterable[str]) -> str:
    """The type of a column whose values were seen to have these types.

    One type is that type (whole numbers count as numbers: the next may have a fraction);
    anything mixed is text, the one type that every warehouse can hold all of.
    """
    kinds = {"number" if kind == "integer" else kind for kind in found} - {"null"}
    return kinds.pop() if len(kinds) == 1 else "string"
