"""Streams that a list endpoint answers whole: one declaration, one way to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from source_mixpanel.api.lists import Listing
from source_mixpanel.errors import DataError
from source_mixpanel.records.types import object_schema
from source_mixpanel.streams.base import MixpanelStream, Row


class ListStream(MixpanelStream, engine=True):
    """Every item of a list, in full; a subclass declares where it is and which columns it has."""

    declares = (*MixpanelStream.declares, "listing", "columns")
    listing: ClassVar[Listing]
    columns: ClassVar[Mapping[str, Any]]
    """JSON type or JSON Schema by column; further columns are emitted as they come."""

    def schema(self) -> Mapping[str, Any]:
        """The declared columns."""
        return object_schema(self.columns)

    def chunks(self, stream_slice: Mapping[str, Any]) -> Iterator[Iterable[Row]]:  # noqa: ARG002
        """The list, a page at a time."""
        for items in self.workshop.lists.pages(self.listing, self.name):
            yield [self.row(item) for item in items]

    def row(self, item: Any) -> Row:
        """The record of an item: the item itself.

        Raises:
            DataError: The item is no object.
        """
        if not isinstance(item, Mapping):
            raise DataError(f"Mixpanel's list for stream {self.name!r} has an item that is {item}.")
        return item
