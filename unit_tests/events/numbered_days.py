"""Days by their numbers."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from hypothesis import strategies as st

from source_mixpanel.streams.coverage import Coverage, CoveredDays, Span
from source_mixpanel.streams.period import in_ms

FIRST = date(2026, 1, 1)
ONE_DAY = timedelta(days=1)
HOUR_MS = 3_600_000
APART_MS = 16 * 60_000
"""Watermarks that differ by less may count as one."""
Step = tuple[int, int, int | None]


def apart(number: int) -> int:
    """The watermark of a number; no two lie close together."""
    return number * APART_MS


steps = st.lists(
    st.tuples(st.integers(0, 25), st.integers(0, 10), st.none() | st.integers(1, 1000).map(apart)),
    min_size=1,
    max_size=8,
)
"""Windows: the number of the first day, how many follow it, and the watermark."""


def nth(number: int) -> date:
    """The day of a number; the first has 0."""
    return FIRST + timedelta(days=number)


def number_of(of: date) -> int:
    """The number of a day."""
    return (of - FIRST).days


def days_of(some: Span | CoveredDays) -> list[date]:
    """Its days in order."""
    return [some.first + n * ONE_DAY for n in range((some.last - some.first).days + 1)]


def marks_of(coverage: Coverage) -> dict[date, int | None]:
    """The watermark of each covered day."""
    return {day: part.watermark_ms for part in coverage.parts for day in days_of(part)}


def read(windows: list[Step]) -> Coverage:
    """Coverage after some windows, in this order."""
    coverage = Coverage()
    for first, more, mark in windows:
        coverage = coverage.read(nth(first), nth(first + more), mark)
    return coverage


coverages = steps.map(read)


def at(day: int, hour: int = 0) -> int:
    """UTC milliseconds of an hour of a day."""
    midnight = datetime.combine(nth(day), datetime.min.time(), timezone.utc)
    return in_ms(midnight) + hour * HOUR_MS


def covered(*parts: tuple[int, int, int | None]) -> Coverage:
    """Coverage of these parts: number of the first day and of the last, watermark."""
    return Coverage(tuple(CoveredDays(nth(first), nth(last), mark) for first, last, mark in parts))


def _lived(part: Step) -> Step:
    first, more, mark = part
    return first, more, None if mark is None else at(0) + mark // apart(1) * HOUR_MS


lived = steps.map(lambda many: read(list(map(_lived, many))))
"""Coverage of windows that were read in the time of their days or soon after, on the hour."""
