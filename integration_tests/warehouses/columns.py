"""What destinations make of a column's JSON Schema, before each gives it its own type."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any


class Kind(Enum):
    """A column's kind."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    INSTANT = "timestamp with time zone"
    CLOCK = "timestamp without time zone"
    DAY = "date"
    ARRAY = "array"
    OBJECT = "object"
    ANY = "several types"


_SIMPLE = {
    frozenset({"string"}): Kind.TEXT,
    frozenset({"number"}): Kind.NUMBER,
    frozenset({"number", "integer"}): Kind.NUMBER,
    frozenset({"integer"}): Kind.INTEGER,
    frozenset({"boolean"}): Kind.BOOLEAN,
    frozenset({"array"}): Kind.ARRAY,
    frozenset({"object"}): Kind.OBJECT,
}
SIXTY_FOUR_BITS = range(-(1 << 63), 1 << 63)


def kind_of(spec: Mapping[str, Any]) -> Kind:
    """The kind that a schema says.

    Raises:
        ValueError: It has no type, or an array says nothing of its items: some destinations fail
            on the one, and take the items of the other for objects.
    """
    told = spec.get("type")
    types = frozenset(told if isinstance(told, list) else [told]) - {"null"}
    if not types or None in types:
        raise ValueError(f"no type in {dict(spec)!r}")
    if spec.get("items") == {}:
        raise ValueError(f"items of no type in {dict(spec)!r}")
    kind = _SIMPLE.get(types, Kind.ANY)
    if kind is Kind.TEXT and spec.get("format") == "date":
        return Kind.DAY
    if kind is Kind.TEXT and spec.get("format") == "date-time":
        zoneless = spec.get("airbyte_type") == "timestamp_without_timezone"
        return Kind.CLOCK if zoneless else Kind.INSTANT
    return kind


def kinds(stream: Mapping[str, Any]) -> dict[str, Kind]:
    """The kind of each column that a stream declares."""
    return {name: kind_of(spec) for name, spec in stream["json_schema"]["properties"].items()}
