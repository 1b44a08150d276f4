"""Columns that hold properties: in the schemas we discover, and in a catalog that comes back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from source_mixpanel.records.types import column_schema

RAW_NAME = "mixpanel_property"
"""The keyword that tells, in a column's schema, which property it holds."""

TIMESTAMP: Mapping[str, Any] = {
    "type": ["null", "string"],
    "format": "date-time",
    "airbyte_type": "timestamp_with_timezone",
}
"""An instant as text, RFC 3339 in UTC."""


def object_columns() -> dict[str, Any]:
    """The one column of `property_layout: object`."""
    return {"properties": {"type": ["null", "object"], "additionalProperties": True}}


def columns_of(given: Mapping[str, str], type_of: Callable[[str], str]) -> dict[str, Any]:
    """The schema of each column, which names its property."""
    return {column: {**column_schema(type_of(raw)), RAW_NAME: raw} for raw, column in given.items()}


def remembered(saved: Mapping[str, str], schema: Mapping[str, Any] | None) -> dict[str, str]:
    """The columns of properties that were given before, by raw name.

    The state's come first, in order and in value: what it has given away, the catalog cannot give
    again.
    """
    return {**saved, **_of_catalog(schema or {}), **saved}


def _of_catalog(schema: Mapping[str, Any]) -> dict[str, str]:
    columns = schema.get("properties") or {}
    return {
        spec[RAW_NAME]: column
        for column, spec in columns.items()
        if isinstance(spec, Mapping) and isinstance(spec.get(RAW_NAME), str)
    }
