"""Streams that a list endpoint answers whole: one declaration, one way to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from source_mixpanel.api.lists import Listing
from source_mixpanel.errors import (
    ConfigError,
    DataError,
    ForbiddenError,
    RefusedError,
    SourceError,
)
from source_mixpanel.records.types import object_schema
from source_mixpanel.streams.base import MixpanelStream, Row

DATE_TIME: Mapping[str, Any] = {"type": ["null", "string"], "format": "date-time"}
"""A column that Mixpanel documents as an RFC 3339 instant."""


class ListStream(MixpanelStream, engine=True):
    """Every item of a list, in full; a subclass declares where it is and which columns it has."""

    declares = (*MixpanelStream.declares, "listing", "columns")
    listing: ClassVar[Listing]
    columns: ClassVar[Mapping[str, Any]]
    """JSON type or JSON Schema by column; further columns are emitted as they come."""
    also: ClassVar[Mapping[str, str]] = {}
    """Columns that repeat one of the item's own under the name that the stream's key needs."""

    def schema(self) -> Mapping[str, Any]:
        """The declared columns."""
        return object_schema(self.columns)

    def requests_planned(self) -> int | None:
        """One, or one for each data view."""
        if "{workspace}" not in self.listing.path:
            return 1
        return len(self.workshop.lists.paths(self.listing, self.name))

    def chunks(self, stream_slice: Mapping[str, Any]) -> Iterator[Iterable[Row]]:  # noqa: ARG002
        """The list, a page at a time."""
        try:
            for page, items in enumerate(self.workshop.lists.pages(self.listing, self.name), 1):
                yield [self.row(item) for item in items]
                # Most lists are a single page, which the stream's last line tells of as well.
                if page > 1:
                    self.progressed(f"page {page}", page, None, "pages")
        except (ForbiddenError, RefusedError, DataError) as error:
            if self.documented or self.workshop.client.access.project_id is None:
                raise
            raise changed(self.name, error) from error

    def row(self, item: Any) -> Row:
        """The record of an item: the item itself.

        Raises:
            DataError: The item is no object.
        """
        if not isinstance(item, Mapping):
            raise DataError(
                f"Mixpanel's list for stream {self.name!r} has an item that is no object."
            )
        return {**{column: item.get(own) for column, own in self.also.items()}, **item}


def changed(stream: str, error: SourceError) -> SourceError:
    """What a refusal, or an answer of another form, means where nothing is promised."""
    return ConfigError(
        f"{error} The endpoint is undocumented, and Mixpanel may have changed or closed it. Leave "
        f"stream {stream!r} out if this stays so.",
        detail=str(error.internal_message),
    )
