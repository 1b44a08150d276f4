"""Mixpanel's days: which day it is, and when a day begins and ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from source_mixpanel.times.event_time import EPOCH, PROJECT_KIND, UTC_KIND

ONE_DAY = timedelta(days=1)
_MS = timedelta(milliseconds=1)
_WESTMOST = timedelta(hours=12)


@dataclass(frozen=True)
class Days:
    """The days of `from_date` and `to_date` in raw export.

    UTC days for projects made since 2023, days of the project's zone for older ones (raw export
    API). While the kind of project or its zone is not known, "today" is the earliest possible day,
    so that no request asks for tomorrow.

    Attributes:
        kind: `utc`, `project_time`, or None if it is not known.
        zone: The project's zone; None if it is not known.
    """

    kind: str | None
    zone: ZoneInfo | None

    def today(self, now: datetime) -> date:
        """The last day that may be requested. `now` is aware."""
        in_utc = now.astimezone(timezone.utc).date()
        if self.kind == UTC_KIND:
            return in_utc
        if self.zone is None:
            return (now.astimezone(timezone.utc) - _WESTMOST).date()
        in_zone = now.astimezone(self.zone).date()
        return in_zone if self.kind == PROJECT_KIND else min(in_utc, in_zone)

    def of(self, instant: datetime) -> date:
        """The day of an instant."""
        try:
            return instant.astimezone(self._clock).date()
        except OverflowError:  # the very ends of the calendar, as in "until 9999-12-31T23:59:59Z"
            return instant.date()

    def at(self, ms: int) -> date:
        """The day of an instant in UTC milliseconds."""
        return self.of(EPOCH + timedelta(milliseconds=ms))

    def ends(self, day: date) -> int:
        """UTC milliseconds at which the day is over."""
        midnight = datetime.combine(day + ONE_DAY, time.min, tzinfo=self._clock)
        return (midnight - EPOCH) // _MS

    @property
    def zone_of_times(self) -> ZoneInfo | None:
        """The zone of the wall clock that raw times show; None for UTC."""
        return self.zone if self.kind == PROJECT_KIND else None

    @property
    def _clock(self) -> timezone | ZoneInfo:
        if self.kind == PROJECT_KIND and self.zone is not None:
            return self.zone
        return timezone.utc


def days_before(day: date, count: int) -> date:
    """The day `count` days before another; at the earliest the first day of the calendar."""
    return day - timedelta(days=min(count, (day - date.min).days))
