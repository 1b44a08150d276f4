"""How the user wants properties: which columns, and of what type. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from source_mixpanel.records.columns import Shape
from source_mixpanel.records.types import declared_types


@dataclass(frozen=True)
class Layout:
    """The user's choices for the properties of events and of profiles.

    Attributes:
        as_object: One `properties` column instead of one a property.
        to_text: Custom properties as text.
        only_configured: Emit only the columns of the configured catalog.
    """

    as_object: bool = False
    to_text: bool = False
    only_configured: bool = False

    def shape(self, schema: Mapping[str, Any] | None, native: Iterable[str]) -> Shape:
        """What rows are to look like.

        Args:
            schema: The configured one.
            native: Raw names of Mixpanel's own properties, which keep their JSON types.
        """
        columns = (schema or {}).get("properties") or {}
        return Shape(
            as_object=self.as_object,
            only=frozenset(columns) if self.only_configured else None,
            to_text=self.to_text,
            native=frozenset(native),
            declared={column: declared_types(spec) for column, spec in columns.items()},
        )
