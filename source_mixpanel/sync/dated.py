"""Streams of days: which days to ask for, and the state that tells which have been read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from source_mixpanel.dates import DEFAULT_START
from source_mixpanel.errors import ConfigError
from source_mixpanel.sync.days import ONE_DAY, Days

WHOLE = ""
"""The key of the only part of a stream that has no parts."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TOO_LONG = re.compile(
    r"timeout error|(date|time) ?range|range (is )?too|too (long|many|large|big)|"
    r"exceeds? (the )?(max|limit|\d)|(no )?more than \d+ (day|interval)|maximum (number|range)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class DatedSettings:
    """Which days the user wants.

    Attributes:
        start: First day or instant; None for one year ago.
        end: Last day or instant; None for today.
        look_back_days: How many days before the last one an incremental sync reads again.
        window_days: The most days in one request, None for as many as there are.
        workers: Requests at a time.
    """

    start: date | datetime | None = None
    end: date | datetime | None = None
    look_back_days: int = 5
    window_days: int | None = None
    workers: int = 1

    def first_day(self, days: Days, now: datetime) -> date:
        """The first day that is wanted."""
        if self.start is None:
            return days.today(now) - DEFAULT_START
        return days.of(self.start) if isinstance(self.start, datetime) else self.start

    def last_day(self, days: Days, now: datetime) -> date:
        """The last day that is wanted and can be asked for."""
        today = days.today(now)
        if self.end is None:
            return today
        return min(today, days.of(self.end) if isinstance(self.end, datetime) else self.end)


@dataclass(frozen=True)
class DatedState:
    """Up to which day each part of the stream has been read.

    Attributes:
        days: By part.
        refreshing: Whether this is the middle of a full refresh.
    """

    days: Mapping[str, date] = field(default_factory=dict)
    refreshing: bool = False

    def begun(self, parts: Iterable[str], *, full: bool) -> DatedState:
        """The state at the beginning of a sync; parts that are no more are dropped."""
        if full and not self.refreshing:
            return DatedState(refreshing=True)
        known = set(parts)
        return DatedState({p: d for p, d in self.days.items() if p in known}, refreshing=full)

    def read(self, part: str, through: date) -> DatedState:
        """With a part read up to a day."""
        return replace(self, days={**self.days, part: through})

    def first_day(self, part: str, start: date, look_back_days: int) -> date:
        """The first day of a part to ask for: some are read again, but none before the start."""
        done = self.days.get(part)
        if done is None:
            return start
        if self.refreshing:
            return max(start, done + ONE_DAY)
        reach = min(look_back_days, (done - date.min).days)
        return max(start, done - timedelta(days=reach))


def dump_state(state: DatedState) -> dict[str, Any]:
    """`{"date": ...}`, or the same for each part by its key."""
    blob: dict[str, Any] = {}
    for part, day in state.days.items():
        told = {"date": day.isoformat()}
        blob |= told if part == WHOLE else {part: told}
    return {**blob, "full_refresh": "in progress"} if state.refreshing else blob


def parse_state(blob: Mapping[str, Any], stream: str, partition: str | None = None) -> DatedState:
    """A state of this connector, or one of Airbyte's 4.0.2 or its older ones.

    Those are `{<part>: {"date": ...}}` and `{"states": [{"partition", "cursor"}], ...}`. Keys that
    are not known are passed over.

    Args:
        blob: The state.
        stream: Whose, for the message.
        partition: The name of a part's key in the second form; None if there are no parts.

    Raises:
        ConfigError: A value cannot be what its key says.
    """
    try:
        return DatedState(_days(blob, partition), refreshing=blob.get("full_refresh") is not None)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(
            f"The saved state of stream {stream!r} cannot be read. Reset the stream to read it "
            f"again from its start date, or restore a state that an earlier sync printed.",
            detail=f"{type(error).__name__}: {error}",
        ) from error


def _days(blob: Mapping[str, Any], partition: str | None) -> dict[str, date]:
    if partition is None:
        told = blob.get("date")
        return {} if told in (None, "") else {WHOLE: _day(told)}
    found = {
        key: _day(value["date"])
        for key, value in blob.items()
        if isinstance(value, Mapping) and value.get("date") and key != "state"
    }
    for entry in blob.get("states") or []:
        if entry["cursor"].get("date"):
            found[str(entry["partition"][partition])] = _day(entry["cursor"]["date"])
    return found


def _day(value: str) -> date:
    return date.fromisoformat(value[:10])


def is_day(key: str) -> bool:
    """Whether a key of an answer is a date; others are totals such as `$overall`."""
    return _DAY.fullmatch(key) is not None


def is_too_long(text: str) -> bool:
    """Whether a refusal is about how many days were asked for, by its wording [observed]."""
    return _TOO_LONG.search(text) is not None
