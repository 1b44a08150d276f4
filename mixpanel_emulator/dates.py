"""Days, zones and the numbers Mixpanel prints for them."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

from mixpanel_emulator.http import ApiError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
_EPOCH = date(1970, 1, 1)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_FIRST_YEAR = 2000


@lru_cache(maxsize=65536)
def _offset_of_quarter(zone: ZoneInfo, quarter: int) -> int:
    moment = datetime.fromtimestamp(quarter * 900, tz=zone)
    offset = moment.utcoffset() or timedelta()
    return round(offset.total_seconds() * 1000)


def offset_ms(zone: ZoneInfo, ms: int) -> int:
    """The zone's UTC offset at an instant; zones change on quarter hours only."""
    return _offset_of_quarter(zone, ms // 900_000)


def day_of(ms: int) -> date:
    """The UTC day of an epoch number (or the local day of a wall-clock number)."""
    return _EPOCH + timedelta(days=ms // DAY_MS)


def start_of(day: date) -> int:
    """The epoch milliseconds of a day's midnight, read as UTC."""
    return (day - _EPOCH).days * DAY_MS


def today(now_ms: int, zone: ZoneInfo | None) -> date:
    """The present day in a zone, or in UTC for None."""
    return day_of(now_ms + (offset_ms(zone, now_ms) if zone else 0))


def zone_start_of(day: date, zone: ZoneInfo) -> int:
    """The true epoch milliseconds at which a day starts in a zone."""
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)


def parse_day(name: str, text: str | None) -> date:
    """Read a date parameter.

    Raises:
        ApiError: 400 if it is missing, not yyyy-mm-dd, no day of the calendar, or before 2000
            (only the wording "invalid date, bad year" is observed).
    """
    if not text:
        raise ApiError(400, f"Missing required parameter: {name}")
    if not _DATE.fullmatch(text):
        raise ApiError(400, f"Error in {name}: invalid date, expected yyyy-mm-dd")
    if int(text[:4]) < _FIRST_YEAR:
        raise ApiError(400, f"Error in {name}: invalid date, bad year")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ApiError(400, f"Error in {name}: invalid date, no such day") from None


def iso_seconds(ms: int, suffix: str) -> str:
    """An epoch number as ISO text to the second."""
    moment = datetime.fromtimestamp(ms // 1000, tz=timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + suffix
