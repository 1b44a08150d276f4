"""The columns of properties in discovered schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from source_mixpanel.columns.catalog import RAW_NAME
from source_mixpanel.columns.naming import ColumnNames, Core
from source_mixpanel.columns.privacy import Privacy
from source_mixpanel.columns.types import OBJECT, column_schema
from source_mixpanel.columns.unstorable import can_be_stored

TIMESTAMP: Mapping[str, Any] = {
    "type": ["null", "string"],
    "format": "date-time",
    "airbyte_type": "timestamp_with_timezone",
}
"""An instant as text, RFC 3339 in UTC."""


def object_columns() -> dict[str, Any]:
    """The one column of `property_layout: object`."""
    return {OBJECT: {"type": ["null", "object"], "additionalProperties": True}}


@dataclass(frozen=True)
class Naming:
    """What the columns of properties depend on besides their names and types.

    Attributes:
        core: The fixed columns.
        reserved: The types of Mixpanel's own properties, by raw name.
        pinned: The columns that the user has pinned, by raw name.
        privacy: Which properties are left out, or hashed and so text.
        to_text: Whether custom properties are text.
    """

    core: Core
    reserved: Mapping[str, str]
    pinned: Mapping[str, str]
    privacy: Privacy
    to_text: bool


def columns_of(
    types: Mapping[str, str | None], naming: Naming, if_free: Iterable[str] = ()
) -> dict[str, Any]:
    """The schema of each property's column, with the property's name in `RAW_NAME`.

    Properties whose name no warehouse can store have no column.

    Args:
        types: JSON type by raw name; None if it is not known.
        naming: What else the columns depend on.
        if_free: Properties that get a column only if their plain name is free.
    """
    privacy = naming.privacy
    seen = [raw for raw in types if can_be_stored(raw) and not privacy.excludes(raw)]
    free_names = [raw for raw in if_free if not privacy.excludes(raw)]
    names = ColumnNames(naming.core, naming.pinned)
    names.add(seen)
    names.add_if_free(free_names)

    def type_of(raw: str) -> str:
        if privacy.hashes(raw):
            return "string"
        custom = "string" if naming.to_text else types.get(raw)
        return naming.reserved.get(raw) or custom or "string"

    present = {*seen, *free_names} - naming.core.properties.keys()
    return {
        column: {**column_schema(type_of(raw)), RAW_NAME: raw}
        for raw, column in names.columns.items()
        if raw in present
    }
