"""The size of requests: windows that grow, shrink and split. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timezone

from source_mixpanel.streams.coverage import Span
from source_mixpanel.times.days import ONE_DAY, days_before

TARGET_BYTES = 96 << 20
"""Compressed bytes that one request should not exceed by much."""

TARGET_SECONDS = 90.0
"""Seconds that one request should not exceed by much."""

GROWTH = 4
"""The most times by which a window may be longer than the one before."""

_HOUR_S = 3600
_DAY_S = 86_400
_DAY_MS = 1000 * _DAY_S
_UNLIMITED_DAYS = 3650
_MAX_DOUBLINGS = 12
_MAX_WAIT_DAYS = 8


@dataclass(frozen=True)
class Strain:
    """The limit of days in a request after failures, which the state keeps.

    Attributes:
        days: The most days that succeeded.
        at_ms: When more days last failed, in UTC milliseconds.
        wait_days: Days without failure after which the limit doubles.
    """

    days: int
    at_ms: int
    wait_days: int = 1

    def bound(self, now_ms: int) -> int:
        """The most days to request now: the limit doubles with time."""
        return min(_UNLIMITED_DAYS, self.days << min(self._waits(now_ms), _MAX_DOUBLINGS))

    def is_over(self, now_ms: int) -> bool:
        """Whether it is no limit any more."""
        return self.bound(now_ms) >= _UNLIMITED_DAYS

    def managed(self, days: int, now_ms: int) -> Strain:
        """After a window of `days` that succeeded: the limit doubles if it was reached."""
        if self._waits(now_ms) and days >= self.bound(now_ms):
            return Strain(days, now_ms - _DAY_MS)
        return replace(self, days=max(self.days, days))

    def again(self, days: int, now_ms: int) -> Strain:
        """After more than `days` have failed again: the wait is twice as long."""
        longer = 2 if self._waits(now_ms) else 1
        return Strain(days, now_ms, min(_MAX_WAIT_DAYS, longer * self.wait_days))

    def _waits(self, now_ms: int) -> int:
        return max(0, (now_ms - self.at_ms) // (self.wait_days * _DAY_MS))


@dataclass(frozen=True)
class Pace:
    """The size of the next window.

    Attributes:
        days: Its days.
        most: The most days of a window.
        target_bytes: Compressed bytes to aim at.
        longest_s: The longest part of a day in seconds, if days have to be split; else None.
        calm_s: Seconds of small parts in a row since the last one that was too large.
        managed_days: The most days in one request that succeeded.
        fitting: Days that would reach the targets, by the last answer; None before the first.
        strained_days: The fewest days in one request that failed; None if none have.
    """

    days: int = 1
    most: int = _UNLIMITED_DAYS
    target_bytes: int = TARGET_BYTES
    longest_s: int | None = None
    calm_s: int = 0
    managed_days: int = 0
    fitting: int | None = None
    strained_days: int | None = None

    @property
    def bound(self) -> int | None:
        """The most days that may succeed, if more have failed; else None."""
        if self.strained_days is None:
            return None
        if 0 < self.managed_days < self.strained_days:
            return self.managed_days
        return max(1, self.strained_days // 2)

    def after(self, days: int, stored: int, seconds: float, until_first_s: float = 0.0) -> Pace:
        """The pace after a window of `days` with `stored` compressed bytes in `seconds`.

        Seconds until the first byte do not count, as long as the window is not too slow.
        """
        coming = seconds if seconds > TARGET_SECONDS else seconds - until_first_s
        load = max(stored / self.target_bytes, coming / TARGET_SECONDS, 1e-9)
        fitting = int(days / load)
        managed = max(self.managed_days, days)
        next_days = max(1, min(fitting, self._grown(managed), self.most))
        return replace(self, days=next_days, managed_days=managed, fitting=fitting)

    def _grown(self, days: int) -> int:
        """More days than have succeeded: halfway to those that failed, until these are near."""
        if self.strained_days is None:
            return days * GROWTH
        near = 10 * (self.strained_days - days) <= max(10, days)
        return days if near else min(days * GROWTH, (days + self.strained_days) // 2)

    def after_split(self, days: int) -> Pace:
        """The pace after a window had to be split: no window is as long any more."""
        fewest = days if self.strained_days is None else min(days, self.strained_days)
        return replace(self, days=max(1, days // 2), strained_days=fewest if days > 1 else None)

    def after_too_large(self, window: Window) -> Pace:
        """The pace after a window that was too large for the disk."""
        longest_s = _within_a_day(window.length_s // 2)
        days = max(1, min(self.days, window.days // 2))
        return replace(self, days=days, longest_s=longest_s, calm_s=0)

    def after_part(self, window: Window, stored: int) -> Pace:
        """The pace after a part of a day with `stored` bytes: longer after a day of small ones."""
        if self.longest_s is None:
            return self
        calm_s = self.calm_s + window.length_s if stored <= self.target_bytes else 0
        if calm_s < _DAY_S:
            return replace(self, calm_s=calm_s)
        return replace(self, longest_s=_within_a_day(2 * self.longest_s), calm_s=0)

    def allows(self, window: Window) -> bool:
        """Whether a window is not longer than `longest_s`."""
        return self.longest_s is None or window.length_s <= self.longest_s

    def afresh(self) -> Pace:
        """The pace for another kind of events: as many days as have not failed."""
        if self.longest_s is not None:
            return self
        return replace(self, days=min(self.most, self.bound or self.most))


@dataclass(frozen=True)
class Window:
    """The days, or the part of a day, of one request.

    Attributes:
        span: The days and the filter.
        since_s: The first `$time`, in epoch seconds; None for no bound.
        until_s: The first `$time` after it, in epoch seconds; None for no bound.
    """

    span: Span
    since_s: int | None = None
    until_s: int | None = None

    @property
    def days(self) -> int:
        """Days from the first to the last."""
        return self.span.days

    @property
    def is_of_a_day(self) -> bool:
        """Whether it is a part of a day."""
        return (self.since_s, self.until_s) != (None, None)

    @property
    def length_s(self) -> int:
        """Seconds from the first to the last, by the clock of `$time`."""
        since, until = self._bounds_s()
        return until - since

    def __str__(self) -> str:
        days = f"{self.span.first} to {self.span.last}" if self.days > 1 else str(self.span.first)
        if not self.is_of_a_day:
            return days
        bounds = [_clock(self.since_s, "00:00"), _clock(self.until_s, "24:00")]
        return f"{days} {'-'.join(bounds)}"

    def split(self) -> tuple[Window, Window] | None:
        """Two halves with exactly the same events; None if it is an hour or less.

        A day is split by the events' own `$time`. The first part has no lower bound and the last no
        upper one, so no event is lost, whatever the zone of `$time`.
        """
        first = self.span.first
        if self.days > 1:
            middle = first + ONE_DAY * (self.days // 2)
            return (
                replace(self, span=replace(self.span, last=middle - ONE_DAY)),
                replace(self, span=replace(self.span, first=middle)),
            )
        since, until = self._bounds_s()
        if until - since <= _HOUR_S:
            return None
        middle_s = since + (until - since) // 2
        return replace(self, until_s=middle_s), replace(self, since_s=middle_s)

    def _bounds_s(self) -> tuple[int, int]:
        since = epoch_s(self.span.first) if self.since_s is None else self.since_s
        until = epoch_s(self.span.last + ONE_DAY) if self.until_s is None else self.until_s
        return since, until


def last_window(span: Span, days: int) -> tuple[Window, Span | None]:
    """The window of the last `days` of a span, and the rest of the span; None if there is none."""
    first = max(span.first, days_before(span.last, days - 1))
    left = None if first == span.first else replace(span, last=first - ONE_DAY)
    return Window(replace(span, first=first)), left


def _within_a_day(seconds: int) -> int | None:
    """Seconds as a limit for parts of a day; None for a day or more, which is no limit."""
    return seconds if seconds < _DAY_S else None


def epoch_s(day: date) -> int:
    """Epoch seconds of the start of a day by the clock of `$time`."""
    return int(datetime.combine(day, time.min, tzinfo=timezone.utc).timestamp())


def _clock(seconds: int | None, otherwise: str) -> str:
    if seconds is None:
        return otherwise
    return f"{datetime.fromtimestamp(seconds, tz=timezone.utc):%H:%M}"
