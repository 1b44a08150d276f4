"""How much to ask for at once: windows that grow, shrink and split. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timezone

from source_mixpanel.sync.coverage import Span
from source_mixpanel.sync.days import ONE_DAY

TARGET_BYTES = 96 << 20
"""Compressed bytes that one request should not exceed by much."""

TARGET_SECONDS = 90.0
"""Seconds that one request should not exceed by much."""

_GROWTH = 4
_HOUR_S = 3600
_UNLIMITED_DAYS = 3650


@dataclass(frozen=True)
class Pace:
    """How many days to ask for next.

    Attributes:
        days: Days in the next window.
        most: Never more than this.
    """

    days: int = 1
    most: int = _UNLIMITED_DAYS

    def after(self, days: int, stored: int, seconds: float) -> Pace:
        """The pace after a window of `days` that took so many bytes and seconds."""
        load = max(stored / TARGET_BYTES, seconds / TARGET_SECONDS, 1e-9)
        fitting = int(days / load)
        return replace(self, days=max(1, min(fitting, days * _GROWTH, self.most)))

    def after_split(self, days: int) -> Pace:
        """The pace after a window had to be split."""
        return replace(self, days=max(1, days // 2))


@dataclass(frozen=True)
class Window:
    """One request's worth of a span.

    Attributes:
        span: First and last day, and the filter.
        since_s: Only events from this raw `$time` on, in epoch seconds; None for no bound.
        until_s: Only events before it.
    """

    span: Span
    since_s: int | None = None
    until_s: int | None = None

    @property
    def days(self) -> int:
        """Days from the first to the last."""
        return self.span.days

    def __str__(self) -> str:
        days = f"{self.span.first} to {self.span.last}" if self.days > 1 else str(self.span.first)
        if self.since_s is None and self.until_s is None:
            return days
        bounds = [_clock(self.since_s, "00:00"), _clock(self.until_s, "24:00")]
        return f"{days} {'-'.join(bounds)}"

    def split(self) -> tuple[Window, Window] | None:
        """Two halves that hold exactly what this one does, None if it is small enough.

        A day is split by the event's own `$time`. The first part has no lower bound and the last
        no upper one, so whatever that clock reads, no event falls between two parts.
        """
        first, last = self.span.first, self.span.last
        if self.days > 1:
            middle = first + ONE_DAY * (self.days // 2)
            return (
                replace(self, span=replace(self.span, last=middle - ONE_DAY)),
                replace(self, span=replace(self.span, first=middle)),
            )
        midnight = _epoch_s(first)
        since = midnight if self.since_s is None else self.since_s
        until = _epoch_s(last + ONE_DAY) if self.until_s is None else self.until_s
        if until - since <= _HOUR_S:
            return None
        middle_s = since + (until - since) // 2
        return replace(self, until_s=middle_s), replace(self, since_s=middle_s)


def next_window(span: Span, first: date, pace: Pace) -> Window:
    """The window that begins at `first`, no longer than the pace and no further than the span."""
    last = min(span.last, first + ONE_DAY * (pace.days - 1))
    return Window(replace(span, first=first, last=last))


def _epoch_s(day: date) -> int:
    return int(datetime.combine(day, time.min, tzinfo=timezone.utc).timestamp())


def _clock(seconds: int | None, otherwise: str) -> str:
    if seconds is None:
        return otherwise
    return f"{datetime.fromtimestamp(seconds, tz=timezone.utc):%H:%M}"
