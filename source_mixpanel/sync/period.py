"""Which time a user wants, and which days that means. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from source_mixpanel.dates import DEFAULT_START
from source_mixpanel.instants import EPOCH
from source_mixpanel.sync.days import ONE_DAY, Days

_EVER = 1 << 62


@dataclass(frozen=True)
class Period:
    """Which time is wanted of a dated stream.

    Attributes:
        start: First day or instant; None for one year ago, or where the saved state begins.
        end: Last day or instant; None for now.
        look_back_days: How many complete days an incremental sync looks at again.
        window_days: The most days in one request, None for as many as there are.
    """

    start: date | datetime | None = None
    end: date | datetime | None = None
    look_back_days: int = 5
    window_days: int | None = None

    def first_day(self, days: Days, now: datetime, covered_from: date | None = None) -> date:
        """The first day to ask for.

        Args:
            days: How the project counts days.
            now: Mixpanel's present.
            covered_from: The first day that was read before.
        """
        if self.start is None:
            return covered_from or days.today(now) - DEFAULT_START
        if not isinstance(self.start, datetime):
            return self.start
        day = days.of(self.start)
        # While it is not known whose days count, begin early: the instant itself decides.
        return day - ONE_DAY if days.kind is None else day

    def last_day(self, days: Days, now: datetime) -> date:
        """The last day to ask for, never later than Mixpanel's today."""
        today = days.today(now)
        if self.end is None:
            return today
        return min(today, days.of(self.end) if isinstance(self.end, datetime) else self.end)

    @property
    def since_ms(self) -> int | None:
        """Events before it are not wanted, UTC; None where the day alone bounds."""
        return in_ms(self.start) if isinstance(self.start, datetime) else None

    @property
    def until_ms(self) -> int | None:
        """Events after it are not wanted, UTC; None where the day alone bounds."""
        return in_ms(self.end) if isinstance(self.end, datetime) else None

    def bounds_ms(self) -> tuple[int, int]:
        """Both, as numbers that every event can be compared with."""
        since, until = self.since_ms, self.until_ms
        return (-_EVER if since is None else since, _EVER if until is None else until)


def in_ms(moment: datetime) -> int:
    """UTC milliseconds of an aware instant."""
    return (moment - EPOCH) // timedelta(milliseconds=1)
