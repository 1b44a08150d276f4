"""The days that have been read, and the spans that are still to be read. Pure.

Coverage is a set of intervals of days, each with a watermark: all that Mixpanel held of these days,
and had processed before the watermark, has been emitted. Intervals may have gaps between them, so
days may be read in any order, and a failure loses nothing that was read beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from itertools import pairwise
from typing import Any

from source_mixpanel.times.days import ONE_DAY, Days

_LAST_MS = 250_000_000_000_000
_QUARTER_MS = 15 * 60 * 1000
_QUARTER_OFFSET_MS = 7 * 60 * 1000
"""Quarters begin off the full hour, at which syncs are scheduled."""


class Only(Enum):
    """The filter of the events of a span."""

    ALL = "all"
    AGAIN = "all, of days that one answer says are empty"
    PROCESSED_SINCE = "processed since"


@dataclass(frozen=True)
class Span:
    """Consecutive days to read with one filter.

    Attributes:
        last: Last day, inclusive.
        since_ms: The watermark, for `Only.PROCESSED_SINCE`.
        unknown_from: The first day of which events without a processing time are requested as
            well; None for none.
    """

    first: date
    last: date
    only: Only = Only.ALL
    since_ms: int | None = None
    unknown_from: date | None = None

    @property
    def days(self) -> int:
        """Days from the first to the last."""
        return (self.last - self.first).days + 1

    def joins(self, earlier: Span) -> bool:
        """Whether it follows an earlier span without a gap, with the same filter."""
        alike = replace(earlier, first=self.first, last=self.last) == self
        return alike and earlier.last + ONE_DAY == self.first


@dataclass(frozen=True)
class CoveredDays:
    """Consecutive days that have been read.

    Attributes:
        first: First day; `date.min` if it is not known, as in a state of another connector.
        last: Last day, inclusive.
        watermark_ms: All that was processed before it has been read, UTC; None in states that
            hold no watermark.
    """

    first: date
    last: date
    watermark_ms: int | None

    def outside(self, first: date, last: date) -> Iterator[CoveredDays]:
        """Its days before `first` and after `last`."""
        if self.first < first:
            yield replace(self, last=min(self.last, first - ONE_DAY))
        if self.last > last:
            yield replace(self, first=max(self.first, last + ONE_DAY))

    def over_through(self, days: Days) -> date:
        """Its last day that was over at its watermark; the day before its first if none was."""
        if self.watermark_ms is None:
            return self.last
        return max(self.first - ONE_DAY, min(self.last, days.at(self.watermark_ms) - ONE_DAY))


@dataclass(frozen=True)
class Coverage:
    """All days that have been read.

    Attributes:
        parts: Ascending, without overlap; neighbours of one watermark are one part.
    """

    parts: tuple[CoveredDays, ...] = ()

    @property
    def first(self) -> date | None:
        """The first covered day; None if there is none or it is not known."""
        first = self.parts[0].first if self.parts else date.min
        return None if first == date.min else first

    @property
    def last(self) -> date | None:
        """The last covered day; None if there is none."""
        return self.parts[-1].last if self.parts else None

    def claims(self, day: date) -> bool:
        """Whether a state without a watermark says that this day or a later one has been read."""
        last = self.parts[-1] if self.parts else None
        return last is not None and last.watermark_ms is None and last.last >= day

    def anchored(self, start: date) -> Coverage:
        """With `start` as first day, if the first day is not known."""
        if not self.parts or self.parts[0].first > date.min:
            return self
        first, *more = self.parts
        return Coverage((*((replace(first, first=start),) if start <= first.last else ()), *more))

    def read(self, first: date, last: date, watermark_ms: int | None) -> Coverage:
        """With the days `first` to `last` read up to the watermark."""
        return _join_close(
            [*self.without(first, last).parts, CoveredDays(first, last, watermark_ms)]
        )

    def without(self, first: date, last: date) -> Coverage:
        """Without the days `first` to `last`."""
        return Coverage(tuple(rest for part in self.parts for rest in part.outside(first, last)))

    def vouched(self, before: Callable[[CoveredDays], date], watermark_ms: int) -> Coverage:
        """With a watermark for days that have none, in each part before the day `before(part)`.

        They are not read again in full, so only what is processed from now on is new.
        """
        coverage = self
        for part in self.parts:
            begin = before(part)
            if part.watermark_ms is None and part.first < begin:
                coverage = coverage.read(part.first, min(part.last, begin - ONE_DAY), watermark_ms)
        return coverage

    def joined(self, alike: Callable[[CoveredDays, CoveredDays], bool]) -> Coverage:
        """With neighbours joined where `alike` holds; the later watermark of the two counts."""
        return _join_neighbours(self.parts, alike, max)

    def within(self, start: date, end: date) -> Iterator[CoveredDays]:
        """The covered days of [start, end], part by part."""
        for part in self.parts:
            first, last = max(start, part.first), min(end, part.last)
            if first <= last:
                yield replace(part, first=first, last=last)

    def gaps(self, start: date, end: date) -> Iterator[Span]:
        """The days of [start, end] that are not covered."""
        for part in self.within(start, end):
            if start < part.first:
                yield Span(start, part.first - ONE_DAY)
            start = part.last + ONE_DAY
        if start <= end:
            yield Span(start, end)


def _join_close(parts: Iterable[CoveredDays]) -> Coverage:
    """Parts by day; neighbours whose watermarks are in the same quarter of an hour are joined.

    The older watermark counts: one more request costs more than reading again what was processed
    in a quarter of an hour.
    """

    def close(one: CoveredDays, other: CoveredDays) -> bool:
        marks = one.watermark_ms, other.watermark_ms
        if marks[0] is None or marks[1] is None:
            return marks[0] is marks[1]
        return (marks[0] + _QUARTER_OFFSET_MS) // _QUARTER_MS == (
            marks[1] + _QUARTER_OFFSET_MS
        ) // _QUARTER_MS

    return _join_neighbours(parts, close, min)


def _join_neighbours(
    parts: Iterable[CoveredDays],
    alike: Callable[[CoveredDays, CoveredDays], bool],
    choose: Callable[[list[int]], int],
) -> Coverage:
    """Parts by day; neighbours that are alike are joined, with the chosen watermark."""
    joined: list[CoveredDays] = []
    for part in sorted(parts, key=lambda part: part.first):
        last = joined[-1] if joined else None
        if last is not None and last.last + ONE_DAY == part.first and alike(last, part):
            marks = [mark for mark in (last.watermark_ms, part.watermark_ms) if mark is not None]
            joined[-1] = CoveredDays(last.first, part.last, choose(marks) if marks else None)
        else:
            joined.append(part)
    return Coverage(tuple(joined))


# -- as JSON ---------------------------------------------------------------------------------


def dump_coverage(coverage: Coverage) -> list[list[Any]]:
    """`[first day, last day, watermark in UTC milliseconds]` for each part, null where unknown."""
    return [
        [None if p.first == date.min else p.first.isoformat(), p.last.isoformat(), p.watermark_ms]
        for p in coverage.parts
    ]


def parse_coverage(value: Any) -> Coverage:
    """The coverage that `dump_coverage` wrote, in any order of its parts.

    Raises:
        ValueError: Parts overlap, end before they begin, or hold no days.
        TypeError: It is not a list of parts.
    """
    parts = sorted(
        (
            CoveredDays(
                date.min if first is None else parse_day(first), parse_day(last), parse_mark(at)
            )
            for first, last, at in value
        ),
        key=lambda part: part.first,
    )
    overlap = any(after.first <= before.last for before, after in pairwise(parts))
    if overlap or any(part.last < part.first for part in parts):
        raise ValueError("covered days overlap")
    return _join_close(parts)


def parse_mark(value: Any) -> int | None:
    """A watermark in UTC milliseconds.

    Raises:
        TypeError: It is not a whole number.
        ValueError: It is out of range.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is no watermark")
    if not 0 <= value <= _LAST_MS:
        raise ValueError(f"{value!r} is no watermark")
    return value


def parse_day(value: Any) -> date:
    """A day out of its ISO text, in the years 2 to 9998.

    Raises:
        TypeError: It is not a text.
        ValueError: It is not such a day.
    """
    day = date.fromisoformat(value)
    if not date.min.year < day.year < date.max.year:
        raise ValueError(f"{value!r} is no day of any event")
    return day
