"""The state of `export`: read in every shape it ever had, advanced, written. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timezone
from typing import Any

from source_mixpanel.events.window import Strain
from source_mixpanel.streams.coverage import (
    Coverage,
    CoveredDays,
    dump_coverage,
    parse_coverage,
    parse_day,
    parse_mark,
)
from source_mixpanel.streams.period import Cut
from source_mixpanel.streams.state import Origin, parse_origin, sealed
from source_mixpanel.times.days import ONE_DAY
from source_mixpanel.times.event_time import PROJECT_KIND, UTC_KIND, from_rfc3339, rfc3339

_FIRST_MS = 100_000_000_000
_LAST_MS = 250_000_000_000_000
_MANY = 10_000


@dataclass(frozen=True)
class ExportState:
    """What a sync of `export` has to remember.

    Attributes:
        latest_ms: The latest `time` ever emitted, UTC milliseconds; the stream's cursor.
        kind: What raw times mean, `utc` or `project_time`; None while the data has not told.
        cuts: The covered days of which only a part was wanted.
        ended_ms: When a full refresh came to its end without some days that may be had soon, UTC.
        begin: The first day of all that is wanted, which nothing else may tell yet.
        empty: Days of which the latest answer was empty, and the watermark that it would have
            given them if it had not been.
        strains: What the server did not manage, by kind of request.
    """

    latest_ms: int | None = None
    coverage: Coverage = field(default_factory=Coverage)
    kind: str | None = None
    refreshing: bool = False
    cuts: tuple[Cut, ...] = ()
    origin: Origin = field(default_factory=Origin)
    ended_ms: int | None = None
    begin: date | None = None
    empty: Coverage = field(default_factory=Coverage)
    strains: Mapping[str, Strain] = field(default_factory=dict)

    def with_latest(self, ms: int) -> ExportState:
        """With the cursor moved on, never back."""
        latest = ms if self.latest_ms is None else max(self.latest_ms, ms)
        return replace(self, latest_ms=latest)

    def read(self, first: date, last: date, watermark_ms: int, *, proven: bool) -> ExportState:
        """With an answer for some days.

        One without events proves nothing: a body that was lost looks the same. It moves no
        watermark until another one says so too, and then no further than to where it would have
        moved it itself.
        """
        if proven:
            covered = self.coverage.read(first, last, watermark_ms)
            return replace(self, coverage=covered, empty=self.empty.without(first, last))
        covered = self.coverage
        for part in self.empty.within(first, last):
            covered = covered.read(part.first, part.last, part.watermark_ms)
        empty = self.empty.read(first, last, watermark_ms)
        return replace(self, coverage=covered, empty=empty)

    def without(self, first: date, last: date) -> ExportState:
        """As if nobody had asked for these days."""
        covered, empty = self.coverage.without(first, last), self.empty.without(first, last)
        return replace(self, coverage=covered, empty=empty)

    def ended(self, now_ms: int, *, passes: bool) -> ExportState:
        """The state of a full refresh that ends with an error.

        If that passes, what is lacking is read when the refresh is tried again soon.
        """
        return replace(self, refreshing=passes, ended_ms=now_ms if passes else None)

    @property
    def earliest(self) -> date | None:
        """The first day of all that was wanted so far; None if there is none."""
        return min(filter(None, (self.begin, self.coverage.first)), default=None)


def dump_state(state: ExportState) -> dict[str, Any]:
    """The state as JSON; `covered` is there even where it is empty.

    A bare cursor would be taken for another connector's, up to which all is read.
    """
    blob = {
        "time": None if state.latest_ms is None else rfc3339(state.latest_ms),
        "covered": dump_coverage(state.coverage),
        "event_timestamps": state.kind,
        "full_refresh": "in progress" if state.refreshing else None,
        "cut_days": [[c.day.isoformat(), c.since_ms, c.until_ms] for c in state.cuts] or None,
        "ended_ms": state.ended_ms,
        "begin": None if state.begin is None else state.begin.isoformat(),
        "empty": dump_coverage(state.empty) or None,
        "strains": {k: [s.days, s.at_ms, s.wait_days] for k, s in state.strains.items()} or None,
    }
    return sealed(blob, state.origin)


def parse_state(blob: Mapping[str, Any]) -> ExportState:
    """A state of this connector, or `{time}` as Airbyte's 4.0.2 writes it.

    Keys that are not known are passed over.

    Raises:
        ValueError: A value cannot be what its key says.
        TypeError: The same.
    """
    latest = _instant(blob["time"]) if blob.get("time") not in (None, "") else None
    kind = blob.get("event_timestamps")
    if kind not in (None, UTC_KIND, PROJECT_KIND):
        raise ValueError("event_timestamps")
    coverage = _coverage(blob, latest)
    return ExportState(
        latest_ms=latest,
        coverage=coverage,
        kind=kind,
        refreshing=blob.get("full_refresh") is not None,
        cuts=tuple(_cuts(blob, coverage)),
        origin=parse_origin(blob),
        ended_ms=parse_mark(blob.get("ended_ms")),
        begin=None if blob.get("begin") is None else parse_day(blob["begin"]),
        empty=_empty(blob.get("empty") or []),
        strains=dict(_strains(blob.get("strains") or {})),
    )


def _empty(told: Any) -> Coverage:
    empty = parse_coverage(told)
    if any(part.first == date.min or part.watermark_ms is None for part in empty.parts):
        raise ValueError("empty")
    return empty


def _strains(told: Mapping[str, Any]) -> Iterator[tuple[str, Strain]]:
    for kind, (days, at, wait) in told.items():
        at_ms = parse_mark(at)
        if at_ms is None or not all(type(n) is int and 0 < n <= _MANY for n in (days, wait)):
            raise ValueError("strains")
        yield kind, Strain(days, at_ms, wait)


def _cuts(blob: Mapping[str, Any], coverage: Coverage) -> Iterator[Cut]:
    """The days that were read in part; version 0.1.0 knew the first and the last one."""
    for day, since, until in blob.get("cut_days") or []:
        yield Cut(parse_day(day), parse_mark(since), parse_mark(until))
    since, until = parse_mark(blob.get("since_ms")), parse_mark(blob.get("until_ms"))
    first, last = coverage.first, coverage.last
    for day in dict.fromkeys(day for day in (first, last) if day is not None):
        cut = Cut(day, since if day == first else None, until if day == last else None)
        if not cut.is_whole:
            yield cut


def _coverage(blob: Mapping[str, Any], latest_ms: int | None) -> Coverage:
    first = blob.get("completed_from")
    begin = date.min if first is None else parse_day(first)
    if "covered" in blob:
        told = blob["covered"]
        # The parts of version 0.1.0 name no first day.
        is_older = any(len(part) == len(("through", "watermark")) for part in told)
        return _older(begin, told) if is_older else parse_coverage(told)
    if blob.get("completed_through") is not None:
        return _older(begin, [[blob["completed_through"], blob.get("processed_until_ms")]])
    if latest_ms is None:
        return Coverage()
    # Another connector's cursor: the day of the latest event, which may not have been over. Both
    # connectors wrote it by the clock that from_date and to_date count in.
    seen = datetime.fromtimestamp(latest_ms / 1000, tz=timezone.utc).date()
    return Coverage((CoveredDays(begin, seen - ONE_DAY, None),))


def _older(begin: date, told: Any) -> Coverage:
    """Of version 0.1.0: each part goes from where the one before ends `through` a day."""
    coverage = Coverage()
    for day, mark in told:
        through = parse_day(day)
        if through < begin:
            raise ValueError("covered is not ascending")
        coverage = coverage.read(begin, through, parse_mark(mark))
        begin = through + ONE_DAY
    return coverage


def _instant(value: Any) -> int:
    """A cursor as text, or as epoch seconds or milliseconds (early connectors)."""
    if isinstance(value, str):
        text = value if len(value) > len("2026-01-31") else f"{value}T00:00:00"
        return from_rfc3339(text)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{value!r} is no instant")
    ms = int(value if abs(value) > _FIRST_MS else value * 1000)
    if not 0 <= ms <= _LAST_MS:
        raise ValueError(f"{value!r} is no instant")
    return ms
