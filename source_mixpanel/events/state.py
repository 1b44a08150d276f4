"""The state of `export`: parsed in every format it ever had, advanced, dumped. Pure."""

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
_MAX_DAYS = 10_000


@dataclass(frozen=True)
class ExportState:
    """The state of `export`.

    Attributes:
        latest_ms: The cursor: the latest `time` ever emitted, in UTC milliseconds.
        coverage: The days that have been read.
        kind: The kind of raw times, `utc` or `project_time`; None while it is not known.
        refreshing: Whether a full refresh is not finished.
        cuts: The covered days of which only a part was wanted.
        origin: Where the records came from.
        ended_ms: When a full refresh ended without some days that may be read soon, UTC.
        begin: The first wanted day, while no day before has been read.
        empty: Days whose latest answer was empty, with the watermark of that answer.
        strains: The size of requests that failed, by kind of request.
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
        """With a later cursor; an earlier one changes nothing."""
        latest = ms if self.latest_ms is None else max(self.latest_ms, ms)
        return replace(self, latest_ms=latest)

    def read(self, first: date, last: date, watermark_ms: int, *, proven: bool) -> ExportState:
        """With an answer for some days, `proven` if it has events.

        An answer without events proves nothing: a lost body looks the same. It moves the watermark
        only after a second one, and then to where the first one would have moved it.
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
        """Without these days, as if they had never been requested."""
        covered, empty = self.coverage.without(first, last), self.empty.without(first, last)
        return replace(self, coverage=covered, empty=empty)

    def ended(self, now_ms: int, *, passes: bool) -> ExportState:
        """The state of a full refresh that ends with an error.

        If the error `passes`, an attempt soon after this one reads the missing days only.
        """
        return replace(self, refreshing=passes, ended_ms=now_ms if passes else None)

    @property
    def earliest(self) -> date | None:
        """The first day that was ever wanted; None if there is none."""
        return min(filter(None, (self.begin, self.coverage.first)), default=None)


def dump_state(state: ExportState) -> dict[str, Any]:
    """The state as JSON; `covered` is always there, even if it is empty.

    A state with only a cursor counts as another connector's, with all days up to it read.
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

    Unknown keys are ignored.

    Raises:
        ValueError: A value is invalid.
        TypeError: A value is of the wrong type.
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


def _empty(value: Any) -> Coverage:
    empty = parse_coverage(value)
    if any(part.first == date.min or part.watermark_ms is None for part in empty.parts):
        raise ValueError("empty")
    return empty


def _strains(entries: Mapping[str, Any]) -> Iterator[tuple[str, Strain]]:
    for kind, (days, at, wait) in entries.items():
        at_ms = parse_mark(at)
        if at_ms is None or not all(type(n) is int and 0 < n <= _MAX_DAYS for n in (days, wait)):
            raise ValueError("strains")
        yield kind, Strain(days, at_ms, wait)


def _cuts(blob: Mapping[str, Any], coverage: Coverage) -> Iterator[Cut]:
    """The days that were read in part; version 0.1.0 saved the first and the last one."""
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
        parts = blob["covered"]
        # The parts of version 0.1.0 name no first day.
        is_older = any(len(part) == len(("through", "watermark")) for part in parts)
        return _older(begin, parts) if is_older else parse_coverage(parts)
    if blob.get("completed_through") is not None:
        return _older(begin, [[blob["completed_through"], blob.get("processed_until_ms")]])
    if latest_ms is None:
        return Coverage()
    # Another connector's cursor: the day of the latest event, which may not have been over. Both
    # connectors wrote it by the clock that from_date and to_date count in.
    last_day = datetime.fromtimestamp(latest_ms / 1000, tz=timezone.utc).date()
    return Coverage((CoveredDays(begin, last_day - ONE_DAY, None),))


def _older(begin: date, parts: Any) -> Coverage:
    """The coverage in a state of version 0.1.0: each part begins where the one before ends."""
    coverage = Coverage()
    for day, mark in parts:
        through = parse_day(day)
        if through < begin:
            raise ValueError("covered is not ascending")
        coverage = coverage.read(begin, through, parse_mark(mark))
        begin = through + ONE_DAY
    return coverage


def _instant(value: Any) -> int:
    """UTC milliseconds of a cursor: a text, or epoch seconds or milliseconds (early connectors).

    Raises:
        TypeError: It is neither a text nor a number.
        ValueError: It is not an instant.
    """
    if isinstance(value, str):
        return from_rfc3339(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{value!r} is no instant")
    ms = int(value if abs(value) > _FIRST_MS else value * 1000)
    if not 0 <= ms <= _LAST_MS:
        raise ValueError(f"{value!r} is no instant")
    return ms
