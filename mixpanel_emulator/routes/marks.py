"""The events (marks) and the buckets of funnels, retention and frequency."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from mixpanel_emulator.buckets import label, series
from mixpanel_emulator.event_counts import expression, matches, segment_name
from mixpanel_emulator.events import EventQuery
from mixpanel_emulator.http import ApiError, Call
from mixpanel_emulator.person_events import Moments, by_person
from mixpanel_emulator.routes.reading import choice, whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from mixpanel_emulator.world import World

UNITS = ("day", "week", "month")
MOST_DAYS = 90


class Mark(NamedTuple):
    """One event: when it was, whose, and in which segment."""

    moment: int
    who: Any
    segment: str


@dataclass(frozen=True)
class Buckets:
    """Calendar buckets, or buckets of a number of days counted from the first day asked for.

    Attributes:
        start: First day.
        end: Last day.
        zone: The project's.
        unit: day, week or month.
        days: Days in a bucket; None means the calendar buckets of the unit.
    """

    start: date
    end: date
    zone: ZoneInfo
    unit: str = "day"
    days: int | None = None

    def label(self, ms: int) -> str:
        """The name of the bucket of an instant: its first day."""
        if self.days is None:
            return label(ms, self.unit, self.zone)
        past = (date.fromisoformat(label(ms, "day", self.zone)) - self.start).days
        return (self.start + timedelta(past // self.days * self.days)).isoformat()

    def names(self) -> list[str]:
        """The names of all buckets in order."""
        if self.days is None:
            return series(self.start, self.end, self.unit, self.zone)
        count = (self.end - self.start).days // self.days + 1
        return [(self.start + timedelta(n * self.days)).isoformat() for n in range(count)]


def buckets(call: Call, dates: tuple[date, date], zone: ZoneInfo) -> Buckets:
    """Read `unit`, or `interval` in days instead of it.

    Raises:
        ApiError: 400 for both at once.
    """
    if call.text("interval") is None:
        return Buckets(*dates, zone, choice(call, "unit", UNITS, "day"))
    if call.text("unit") is not None:
        raise ApiError(400, "Invalid parameter: interval cannot be used together with unit")
    return Buckets(*dates, zone, days=whole(call, "interval", 1, 1, MOST_DAYS))


@dataclass(frozen=True)
class Wanted:
    """Which events of people a report reads.

    Attributes:
        names: Event names.
        first: First instant.
        last: First instant after the range.
        where: Name and text of the parameter that holds the condition.
        on: Text of the expression to split by, or None.
    """

    names: tuple[str, ...]
    first: int
    last: int
    where: tuple[str, str | None] = ("where", None)
    on: str | None = None

    def marks(self, world: World) -> list[Mark]:
        """The events, in order of time within each name."""
        where, on = expression(*self.where), expression("on", self.on)
        if where is None and on is None:
            return [
                Mark(moment, who, name)
                for name in self.names
                for moment, who in world.events.moments(name, self.first, self.last)
            ]
        found = matches(world, EventQuery(self.first, self.last, names=self.names), where, on)
        return sorted(
            (Mark(moment, who, segment_name(segment)) for moment, who, segment in found),
            key=lambda mark: mark.moment,
        )


def people(marks: Sequence[Mark]) -> Moments:
    """The instants by person."""
    return by_person((mark.moment, mark.who) for mark in marks)


def largest(marks: Sequence[Mark], limit: int) -> list[str]:
    """The segments with the most events, at most `limit` of them."""
    counts = Counter(mark.segment for mark in marks)
    return sorted(counts, key=lambda name: (-counts[name], name))[:limit]


def people_of(marks: Sequence[Mark], segment: str) -> Moments:
    """The instants by person of one segment's events."""
    return people([mark for mark in marks if mark.segment == segment])
