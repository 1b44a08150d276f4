"""Calendar buckets of the Query API, in the project's zone (Mixpanel docs: managing projects)."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from mixpanel_emulator.dates import offset_ms, zone_start_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

UNITS = ("minute", "hour", "day", "week", "month")
_FORMATS = {"minute": "%Y-%m-%d %H:%M:00", "hour": "%Y-%m-%d %H:00:00"}
_MOST_BUCKETS = 50_000


def label(ms: int, unit: str, zone: ZoneInfo) -> str:
    """The name of the bucket an instant falls in: its start, in the project's zone."""
    local = datetime.fromtimestamp((ms + offset_ms(zone, ms)) / 1000, tz=timezone.utc)
    if unit in _FORMATS:
        return local.strftime(_FORMATS[unit])
    day = local.date()
    if unit == "week":
        day -= timedelta(days=day.weekday())
    return (day.replace(day=1) if unit == "month" else day).isoformat()


def span(start: date, end: date, zone: ZoneInfo) -> tuple[int, int]:
    """The true UTC range of whole days in the project's zone."""
    return zone_start_of(start, zone), zone_start_of(end + timedelta(days=1), zone)


def series(start: date, end: date, unit: str, zone: ZoneInfo) -> list[str]:
    """The names of all buckets of a range of days, in order."""
    first, last = span(start, end, zone)
    step = {"minute": 60_000, "hour": 3_600_000}.get(unit, 43_200_000)
    count = min((last - first) // step, _MOST_BUCKETS)
    return list(dict.fromkeys(label(first + n * step, unit, zone) for n in range(count)))
