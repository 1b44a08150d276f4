"""Columns that hold properties, in the schemas that are discovered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from source_mixpanel.records.catalog import RAW_NAME
from source_mixpanel.records.types import OBJECT, column_schema

TIMESTAMP: Mapping[str, Any] = {
    "type": ["null", "string"],
    "format": "date-time",
    "airbyte_type": "timestamp_with_timezone",
}
"""An instant as text, RFC 3339 in UTC."""


def object_columns() -> dict[str, Any]:
    """The one column of `property_layout: object`."""
    return {OBJECT: {"type": ["null", "object"], "additionalProperties": True}}


def columns_of(given: Mapping[str, str], type_of: Callable[[str], str]) -> dict[str, Any]:
    """The schema of each column, which names its property."""
    return {column: {**column_schema(type_of(raw)), RAW_NAME: raw} for raw, column in given.items()}
