"""Parsing dates, instants and time zones as people write them."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

EARLIEST = date(2000, 1, 1)
"""The first day that Mixpanel accepts: else `invalid date, bad year` [observed]."""
DEFAULT_START = timedelta(days=365)
"""How long before today dated streams start by default."""

_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:?\d{2})?)?"
)
_COMPARED_YEARS = range(2012, 2032)


def parse_moment(text: str) -> date | datetime:
    """A date, or an aware instant (without a zone it is UTC).

    Raises:
        ValueError: With a sentence that shows the two accepted forms.
    """
    match = _MOMENT.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError(text)
        day, time, zone = match.groups()
        if time is None:
            return date.fromisoformat(day)
        seconds_text, _, fraction = time.partition(".")
        instant = datetime.fromisoformat(f"{day}T{seconds_text}")
        instant = instant.replace(microsecond=int(fraction.ljust(6, "0")[:6] or 0))
        clock = datetime.strptime(zone or "Z", "%z").tzinfo
        return instant.replace(tzinfo=clock).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is not a date; write it as 2026-01-31 or 2026-01-31T00:00:00Z"
        ) from None


def parse_zone(name: str) -> ZoneInfo:
    """The IANA zone of that name.

    Raises:
        ValueError: With a sentence, if there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{name!r} is not a time zone; write an IANA name such as America/Los_Angeles"
        ) from None


def same_zone(one: ZoneInfo, other: ZoneInfo) -> bool:
    """Whether two zones have the same offsets (US/Pacific is America/Los_Angeles).

    Compared over twenty years, a week at a time.
    """
    if one.key == other.key:
        return True
    start = datetime(_COMPARED_YEARS[0], 1, 1, tzinfo=timezone.utc)
    weeks = len(_COMPARED_YEARS) * 52
    return all(
        instant.astimezone(one).utcoffset() == instant.astimezone(other).utcoffset()
        for instant in (start + timedelta(weeks=n) for n in range(weeks))
    )
