"""Raw events to ready RECORD lines, by themselves: nothing but bytes goes in and out. Pure."""

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
    """What has to be known to make lines of events; a process can be told all of it.

    Attributes:
        schema: The configured one.
        in_place: Columns whose texts stay where they are.
        bounds_ms: The times between which events are wanted, UTC, inclusive.
    """

    stream: str
    schema: Mapping[str, Any]
    shape: Shape
    privacy: Privacy
    in_place: tuple[str, ...]
    bounds_ms: tuple[int, int]


class LineMaker:
    """Makes lines by a rendering; it remembers what is the same for many events."""

    def __init__(self, rendering: Rendering) -> None:
        catalog = parse_columns(rendering.schema, EVENT_CORE)
        self._rendering = rendering
        self._rows = EventRows(catalog, Stamper(None), rendering.shape, rendering.privacy)
        self._mend: Callable[[Any], Any] | None = mending(catalog, EVENT_CORE, rendering.in_place)
        self._stampers: dict[ZoneInfo | None, Stamper] = {}

    def lines(
        self, blocks: Iterable[bytes], zone: ZoneInfo | None, emitted_at_ms: int
    ) -> Iterator[bytes]:
        """The lines of each block of events, whose times are told in a zone, None for UTC.

        Raises:
            DataError: A line is no event.
        """
        if zone not in self._stampers:
            self._stampers[zone] = Stamper(zone)
        self._rows.stamper = self._stampers[zone]
        for block in blocks:
            rows = self._rows.rows(block, *self._rendering.bounds_ms)
            yield record_lines(self._rendering.stream, rows, emitted_at_ms, self._mend)[0]

    def taken(self) -> Found:
        """What the events since the last call have told."""
        return self._rows.taken()
