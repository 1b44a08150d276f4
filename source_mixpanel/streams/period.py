"""The time that the settings ask for, and the days that it covers. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from source_mixpanel.times.dates import DEFAULT_START
from source_mixpanel.times.days import ONE_DAY, Days
from source_mixpanel.times.event_time import EPOCH

_FAR_MS = 1 << 62


@dataclass(frozen=True)
class Cut:
    """The part of a day that is wanted.

    Attributes:
        since_ms: The first wanted instant, UTC; None for the start of the day.
        until_ms: The last wanted instant, UTC; None for the end of the day.
    """

    day: date
    since_ms: int | None = None
    until_ms: int | None = None

    def clipped(self, days: Days) -> Cut:
        """The same without bounds that lie outside the day."""
        begins, ends = days.ends(self.day - ONE_DAY), days.ends(self.day)
        since, until = self.since_ms, self.until_ms
        return Cut(
            self.day,
            None if since is not None and since <= begins else since,
            None if until is not None and until >= ends - 1 else until,
        )

    @property
    def is_whole(self) -> bool:
        """Whether the whole day is wanted."""
        return self.since_ms is None and self.until_ms is None

    def wants_more_than(self, other: Cut) -> bool:
        """Whether this part contains an instant that the other does not."""
        (since, until), (other_since, other_until) = _bounds(self), _bounds(other)
        return since < other_since or until > other_until

    def within(self, other: Cut) -> Cut:
        """The part of the day that is in both."""
        pairs = zip(_bounds(self), _bounds(other), strict=True)
        (since, later), (until, sooner) = pairs
        begin, end = max(since, later), min(until, sooner)
        return Cut(self.day, None if begin == -_FAR_MS else begin, None if end == _FAR_MS else end)


@dataclass(frozen=True)
class Period:
    """The time that is wanted of a dated stream.

    Attributes:
        start: First day or instant; None for the first day of the saved state, or a year ago.
        end: Last day or instant; None for now.
        look_back_days: Complete days that an incremental sync reads again.
        window_days: The most days in one request; None for no limit.
    """

    start: date | datetime | None = None
    end: date | datetime | None = None
    look_back_days: int = 5
    window_days: int | None = None

    def first_day(self, days: Days, now: datetime, covered_from: date | None = None) -> date:
        """The first day to request."""
        if self.start is None:
            return covered_from or days.today(now) - DEFAULT_START
        if not isinstance(self.start, datetime):
            return self.start
        day = days.of(self.start)
        # While the zone of days is not known, start a day early: the instant itself decides.
        return day - ONE_DAY if days.kind is None else day

    def last_day(self, days: Days, now: datetime) -> date:
        """The last day to request, never later than Mixpanel's today."""
        today = days.today(now)
        if self.end is None:
            return today
        return min(today, days.of(self.end) if isinstance(self.end, datetime) else self.end)

    def cuts(self, days: Days) -> Iterator[Cut]:
        """The days that are wanted in part; with neighbours while the zone of days is not known."""
        begins, ends = (
            [days.of(edge) + ONE_DAY * n for n in ((-1, 0, 1) if days.kind is None else (0,))]
            if isinstance(edge, datetime)
            else []
            for edge in (self.start, self.end)
        )
        for day in sorted({*begins, *ends}):
            since = self.since_ms if day in begins else None
            yield Cut(day, since, self.until_ms if day in ends else None)

    @property
    def since_ms(self) -> int | None:
        """The first wanted instant, UTC; None if `start` is a day."""
        return in_ms(self.start) if isinstance(self.start, datetime) else None

    @property
    def until_ms(self) -> int | None:
        """The last wanted instant, UTC; None if `end` is a day."""
        return in_ms(self.end) if isinstance(self.end, datetime) else None

    def bounds_ms(self) -> tuple[int, int]:
        """`since_ms` and `until_ms`, with far values instead of None."""
        return _bounds(self)


def _bounds(part: Cut | Period) -> tuple[int, int]:
    since, until = part.since_ms, part.until_ms
    return (-_FAR_MS if since is None else since, _FAR_MS if until is None else until)


def in_ms(moment: datetime) -> int:
    """UTC milliseconds of an aware instant."""
    return (moment - EPOCH) // timedelta(milliseconds=1)
