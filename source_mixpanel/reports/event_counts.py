"""`event_counts`: how often each event happened, by day (Query API: events)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import quote

from source_mixpanel.api.lists import MOST_EVENT_NAMES
from source_mixpanel.columns.fitting import Row
from source_mixpanel.errors import DataError
from source_mixpanel.reports.stream import DatedDeclaration, DatedStream
from source_mixpanel.streams.base import StreamContext
from source_mixpanel.streams.coverage import Span
from source_mixpanel.streams.parts import Part
from source_mixpanel.streams.period import Period

_MOST_CHARACTERS = 6_000
"""Characters of event names in one URL; servers commonly accept 8 KB."""

EVENT_COUNTS = DatedDeclaration(
    "event_counts",
    "/api/query/events",
    "data",
    "event count:integer",
    key="event date",
)


class EventCounts(DatedStream):
    """Counts by day of the project's zone, without duplicates; 0 on days without the event."""

    def __init__(self, context: StreamContext, period: Period) -> None:
        super().__init__(context, EVENT_COUNTS, period)

    def requests_planned(self) -> int | None:
        """One for the list of names, and one for each URL full of them."""
        return 1 + len(list(in_urls(self._names())))

    def ask(self, part: Part, span: Span) -> Mapping[str, Any]:
        """Counts by day and event."""
        days: dict[str, dict[str, Any]] = {}
        for event_array in in_urls(self._names()):
            part_of_names = replace(part, params={"event": event_array, "type": "general"})
            counts = self.turned(super().ask(part_of_names, span).get("values"))
            if counts is None:
                raise DataError(f"Mixpanel's answer to GET {self.paths[0]} has no values by days.")
            for day, numbers in counts.items():
                days.setdefault(day, {}).update(numbers)
        return days

    def rows(self, part: Part, day: date, counts: Any) -> list[Row]:
        """A row for each event."""
        return [
            row
            for event, count in counts.items()
            for row in super(EventCounts, self).rows(part, day, {"event": event, "count": count})
        ]

    def _names(self) -> list[str]:
        """The names of all events of the wanted days, requested once a sync."""
        days, now = self.context.project_days(), self.context.time.now_utc()
        first, last = self.period.first_day(days, now), self.period.last_day(days, now)
        if last < first:
            return []
        return self.context.cache.get("events/names", lambda: self._ask_names(first, last))

    def _ask_names(self, first: date, last: date) -> list[str]:
        names = self.context.lists.event_names(first, last, self.name)
        if len(names) >= MOST_EVENT_NAMES:
            self.logger.warning(
                f"Mixpanel names the {MOST_EVENT_NAMES} most common events and no more: stream "
                f"{self.name!r} has no counts of others."
            )
        return names


def in_urls(names: Iterable[str]) -> Iterator[str]:
    """JSON arrays of names, each short enough for a URL."""
    batch: list[str] = []
    characters_left = _MOST_CHARACTERS
    for name in names:
        length = len(quote(json.dumps(name))) + 3
        if batch and length > characters_left:
            yield _array(batch)
            batch, characters_left = [], _MOST_CHARACTERS
        batch.append(name)
        characters_left -= length
    if batch:
        yield _array(batch)


def _array(names: list[str]) -> str:
    return json.dumps(names, separators=(",", ":"))
