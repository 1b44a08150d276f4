"""Raw events to RECORD lines, bytes to bytes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from source_mixpanel.columns.catalog import parse_columns
from source_mixpanel.columns.privacy import Privacy
from source_mixpanel.columns.properties import Shape
from source_mixpanel.columns.unstorable import mending
from source_mixpanel.events.rows import EVENT_CORE, EventRows, Found
from source_mixpanel.streams.lines import record_lines
from source_mixpanel.times.event_time import Stamper


@dataclass(frozen=True)
class Rendering:
    """The settings for making lines of events; they can be sent to another process.

    Attributes:
        stream: The stream's name.
        schema: The configured schema.
        shape: The layout of rows.
        privacy: The properties to exclude and to hash.
        in_place: Columns whose texts are escaped instead of rescued.
        bounds_ms: The first and the last wanted time, in UTC milliseconds.
    """

    stream: str
    schema: Mapping[str, Any]
    shape: Shape
    privacy: Privacy
    in_place: tuple[str, ...]
    bounds_ms: tuple[int, int]


class LineMaker:
    """Makes lines by a `Rendering`, with caches."""

    def __init__(self, rendering: Rendering) -> None:
        catalog = parse_columns(rendering.schema, EVENT_CORE)
        self._rendering = rendering
        self._rows = EventRows(catalog, Stamper(None), rendering.shape, rendering.privacy)
        self._mend: Callable[[Any], Any] | None = mending(catalog, EVENT_CORE, rendering.in_place)
        self._stampers: dict[ZoneInfo | None, Stamper] = {}

    def lines(
        self, blocks: Iterable[bytes], zone: ZoneInfo | None, emitted_at_ms: int
    ) -> Iterator[bytes]:
        """The lines of each block of events, whose times are in `zone`; None for UTC.

        Raises:
            DataError: A line is not an event.
        """
        if zone not in self._stampers:
            self._stampers[zone] = Stamper(zone)
        self._rows.stamper = self._stampers[zone]
        for block in blocks:
            rows = self._rows.rows(block, *self._rendering.bounds_ms)
            yield record_lines(self._rendering.stream, rows, emitted_at_ms, self._mend)[0]

    def taken(self) -> Found:
        """The findings on the events since the last call."""
        return self._rows.taken()
