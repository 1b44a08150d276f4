"""Buckets of days: where they begin, and where a range may be split between them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from source_mixpanel.times.days import ONE_DAY


@dataclass(frozen=True)
class Buckets:
    """The buckets in which a report counts.

    Weeks begin on Monday. Buckets of several days are counted from a fixed Monday, so that they
    are the same for every requested range.

    Attributes:
        unit: `day`, `week` or `month`.
        days: Days of a bucket; None for those of the unit.
    """

    unit: str = "day"
    days: int | None = None

    @property
    def longest(self) -> int:
        """The most days that a bucket has."""
        return self.days or {"day": 1, "week": 7, "month": 31}[self.unit]

    def start(self, day: date) -> date:
        """The first day of the bucket that a day lies in."""
        if self.unit == "month" and self.days is None:
            return day.replace(day=1)
        # Ordinal 1 is a Monday.
        return day - timedelta(days=(day.toordinal() - 1) % self.longest)

    def end(self, day: date) -> date:
        """The last day of the bucket that a day lies in."""
        return self.start(self.start(day) + timedelta(days=self.longest)) - ONE_DAY

    def reach(self, first: date, end: date, most_days: int) -> date:
        """The last day of a request from a bucket's first day on: the end of a bucket, or `end`.

        The request has at most `most_days` days, unless one bucket is longer.
        """
        if most_days > (end - first).days:
            return end
        cut = self.start(first + timedelta(days=most_days)) - ONE_DAY
        return min(end, max(cut, self.end(first)))
