"""What an event's `time` means, and how it is written: RFC 3339 in UTC, to the millisecond.

Projects made before 2023 store the project's wall-clock time as if it were UTC (Mixpanel:
export methods); newer ones store true UTC. `mp_processing_time_ms` and `$mp_api_timestamp_ms`
are UTC in both, so the data itself tells which kind a project is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from source_mixpanel.times.dates import parse_moment

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
QUARTER_MS = 900_000
"""Most zones change their offset on multiples of a quarter of an hour."""

UTC_KIND = "utc"
PROJECT_KIND = "project_time"

_PROMPT_MS = 10 * 60 * 1000
_FUTURE_MS = 60 * 1000
_HOUR_MS = 3_600_000
_MANY_HOURS = 20_000
_MS_FLOOR = 10_000_000_000
_EARLIEST_MS = -62_135_510_400_000
_LATEST_MS = 253_402_214_400_000
"""The years 1 to 9999, but for a day at either end that a zone's offset may need."""

_NUMBER = re.compile(r"\s*-?\d{1,30}(\.\d+)?\s*", re.ASCII)

_MIN_VOTES = 3
_MIN_SHARE = 0.1
_SERVER_TIMES = ("$mp_api_timestamp_ms", "mp_processing_time_ms")


def rfc3339(ms: int) -> str:
    """Epoch milliseconds as `2026-01-31T12:00:00.000Z`."""
    moment = EPOCH + timedelta(milliseconds=ms)
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def from_rfc3339(text: str) -> int:
    """Epoch milliseconds of an ISO date or date-time; without a zone it is UTC.

    Raises:
        ValueError: It is none.
    """
    moment = parse_moment(text)
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=timezone.utc)
    return (moment - EPOCH) // timedelta(milliseconds=1)


def local_to_utc(local_ms: int, zone: ZoneInfo, known_after_ms: int | None = None) -> int:
    """True UTC milliseconds of a wall-clock time written as if it were UTC.

    Args:
        local_ms: The wall clock, in epoch milliseconds.
        zone: The project's.
        known_after_ms: When Mixpanel received the event, in UTC. It decides the hour that a
            zone has twice in autumn; without it the first one is taken.
    """
    wall = (EPOCH + timedelta(milliseconds=local_ms)).replace(tzinfo=None)
    first, second = (
        (wall.replace(tzinfo=zone, fold=fold) - EPOCH) // timedelta(milliseconds=1)
        for fold in (0, 1)
    )
    if first < second and known_after_ms is not None and second <= known_after_ms + _FUTURE_MS:
        return second
    return first


@cache
def _pieces_of_an_hour() -> tuple[list[str], list[str]]:
    """The texts of its seconds, from the minutes on, and of a second's thousandths."""
    seconds = [f"{second // 60:02d}:{second % 60:02d}." for second in range(3600)]
    return seconds, [f"{thousandth:03d}Z" for thousandth in range(1000)]


class Stamper:
    """Turns raw `time` values into text, with caches."""

    def __init__(self, zone: ZoneInfo | None) -> None:
        self._zone = zone
        self._hours: dict[int, str] = {}
        self._seconds, self._thousandths = _pieces_of_an_hour()
        self._offsets: dict[int, int | None] = {}

    def stamp(self, properties: Mapping[str, Any]) -> tuple[int, str]:
        """An event's true time, in UTC milliseconds and as text.

        Raises:
            ValueError: Its `time` is neither a number nor an ISO date-time.
        """
        ms = properties.get("time")
        if type(ms) is not int or not _MS_FLOOR <= ms <= _LATEST_MS:
            ms = raw_ms(ms)
        if self._zone is not None:
            ms -= self._offset(ms, properties)
        hour, rest = divmod(ms, _HOUR_MS)
        prefix = self._hours.get(hour) or self._prefix(hour)
        second, thousandth = divmod(rest, 1000)
        return ms, f"{prefix}{self._seconds[second]}{self._thousandths[thousandth]}"

    def _prefix(self, hour: int) -> str:
        """The text of an hour, up to its minutes, which many events share."""
        if len(self._hours) > _MANY_HOURS:
            self._hours.clear()
        prefix = self._hours[hour] = rfc3339(hour * _HOUR_MS)[:14]
        return prefix

    def _offset(self, ms: int, properties: Mapping[str, Any]) -> int:
        quarter = ms // QUARTER_MS
        if quarter not in self._offsets:
            self._offsets[quarter] = self._plain_offset(quarter * QUARTER_MS)
        offset = self._offsets[quarter]
        if offset is None and self._zone is not None:
            return ms - local_to_utc(ms, self._zone, received_ms(properties))
        return offset or 0

    def _plain_offset(self, local_ms: int) -> int | None:
        """Milliseconds east of UTC all through that quarter of an hour.

        None if the zone has it twice, or changes within it (St. John's did, a minute past
        midnight, until 2011).
        """
        if self._zone is None:
            return 0
        offsets = {
            end - local_to_utc(end, self._zone, known_after_ms=known)
            for end in (local_ms, local_ms + QUARTER_MS - 1)
            for known in (None, 1 << 62)
        }
        return offsets.pop() if len(offsets) == 1 else None


def raw_ms(raw: Any) -> int:
    """A raw `time` in milliseconds, still by the clock it was stored with.

    The connector requests milliseconds. A number that would be early 1970 in milliseconds is in
    seconds, as from accounts that ignore `time_in_ms`: Mixpanel accepts no event from before 1971.
    A text of digits is such a number; any other text has to be an ISO date-time.

    Raises:
        ValueError: It is none of these.
    """
    if type(raw) is int and _MS_FLOOR <= raw <= _LATEST_MS:
        # Nearly all events.
        return raw
    if isinstance(raw, str):
        if not _NUMBER.fullmatch(raw):
            # ISO without hyphens would be a number.
            return from_rfc3339(raw)
        raw = float(raw)
    if not isinstance(raw, (int, float)) or raw is True or raw is False:
        raise ValueError(f"{raw!r} is no time")
    ms = raw * 1000 if abs(raw) < _MS_FLOOR else raw
    # Python's calendar ends there; NaN fails the comparison, too.
    if not _EARLIEST_MS <= ms <= _LATEST_MS:
        raise ValueError(f"{raw!r} is no time")
    return round(ms)


def received_ms(properties: Mapping[str, Any]) -> int | None:
    """When Mixpanel received (or else processed) an event, in UTC milliseconds; None if unknown."""
    for name in _SERVER_TIMES:
        value = properties.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def kind_of_project(events: Iterable[Mapping[str, Any]], zone: ZoneInfo | None) -> str | None:
    """Whether raw times are UTC or the project's wall clock, worked out from events.

    Most events reach Mixpanel within minutes, so under the right reading the time between
    happening and receipt is small for many of them, and under the wrong one for next to none.

    Returns:
        `utc`, `project_time`, or None if the events do not decide: too few of them were sent
        promptly, or the zone's clock shows UTC at those times.
    """
    votes: Counter[str] = Counter()
    seen = 0
    for properties in events:
        received = received_ms(properties)
        if received is None:
            continue
        try:
            ms = raw_ms(properties.get("time"))
        except ValueError:
            continue
        local_ms = None if zone is None else local_to_utc(ms, zone, received)
        if local_ms == ms:
            # As London's in winter: both readings are the same, so the event decides nothing.
            continue
        seen += 1
        as_utc = _is_prompt(ms, received)
        as_local = local_ms is not None and _is_prompt(local_ms, received)
        if as_utc != as_local:
            votes[UTC_KIND if as_utc else PROJECT_KIND] += 1
    if not votes:
        return None
    (winner, count), *rest = votes.most_common()
    enough = count >= _MIN_VOTES and count >= _MIN_SHARE * seen
    return winner if enough and count > 2 * sum(n for _, n in rest) else None


def _is_prompt(happened_ms: int, received_ms_: int) -> bool:
    return -_FUTURE_MS <= received_ms_ - happened_ms <= _PROMPT_MS
