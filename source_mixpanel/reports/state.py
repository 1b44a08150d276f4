"""Streams by day: the days to request, and the state of those that have been read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from source_mixpanel.reports.buckets import Buckets
from source_mixpanel.streams.coverage import (
    Coverage,
    CoveredDays,
    Span,
    dump_coverage,
    parse_coverage,
    parse_mark,
)
from source_mixpanel.streams.state import KEY, Origin, Refresh, parse_origin, sealed
from source_mixpanel.times.dates import EARLIEST
from source_mixpanel.times.days import ONE_DAY, Days, days_before

WHOLE = ""
"""The key of the only part of a stream that has no parts."""

_DAY = re.compile(
    r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ]\d{2}:?\d{2}(?::?\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
_TOO_LONG = re.compile(
    r"timeout error|(date|time) ?range|range (is )?too|too (long|many|large|big)|"
    r"exceeds? (the )?(max|limit|\d)|(no )?more than \d+ (day|interval)|maximum (number|range)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class DatedState:
    """The days of each part of a stream that have been read.

    Attributes:
        parts: Coverage by part; a watermark is the instant at which the days were requested.
        refreshing: Whether a full refresh is not finished.
        ended_ms: When it ended without some parts that may be read soon, UTC; else None.
        report: The parameters of a report that the settings describe; else None.
    """

    parts: Mapping[str, Coverage] = field(default_factory=dict)
    refreshing: bool = False
    ended_ms: int | None = None
    report: Mapping[str, str] | None = None
    origin: Origin = field(default_factory=Origin)

    def at_start(self, keys: Iterable[str], now_ms: int, *, full: bool) -> DatedState:
        """The state at the beginning of a sync, without parts that no longer exist.

        A full refresh continues an earlier attempt, unless that ended too long ago.
        """
        over = Refresh(ended_ms=self.ended_ms).is_over(now_ms)
        if full and (over or not self.refreshing):
            return DatedState(refreshing=True, report=self.report, origin=Origin())
        known = set(keys)
        parts = {key: coverage for key, coverage in self.parts.items() if key in known}
        return replace(self, parts=parts, refreshing=full, ended_ms=None)

    def ended(self, now_ms: int, *, passes: bool, whole: bool) -> DatedState:
        """The state of a full refresh that ends with an error.

        If the error `passes`, the next attempt reads the rest; if the `whole` of the parts was
        tried, only an attempt soon after this one. Else the next refresh is a new one.
        """
        return replace(self, refreshing=passes, ended_ms=now_ms if passes and whole else None)

    def of(self, part: str) -> Coverage:
        """The coverage of a part."""
        return self.parts.get(part, Coverage())

    def read(self, part: str, coverage: Coverage) -> DatedState:
        """With another coverage of a part."""
        return replace(self, parts={**self.parts, part: coverage})


@dataclass(frozen=True)
class DayRange:
    """The days of a part that are wanted, and for how long they may change.

    Attributes:
        start: The first day.
        end: The last day, inclusive.
        days: Where days begin and end.
        look_back_days: Days before the last one read that are read again; None to read not even
            that day again.
        buckets: The buckets of the rows; each is requested whole.
    """

    start: date
    end: date
    days: Days
    look_back_days: int | None = None
    buckets: Buckets = field(default_factory=Buckets)

    def spans(self, coverage: Coverage) -> list[Span]:
        """The days to request: those not read, and those that may have changed since they were."""
        spans = list(coverage.gaps(self.start, self.end))
        for part in coverage.parts:
            changes_from = self._changes_from(part)
            # The last day read may have grown, and late data may have come for the days before.
            is_last = part is coverage.parts[-1]
            begin = self._look_back(part.last) if is_last else max(part.first, changes_from)
            if self.look_back_days is None and part.last < self.end:
                # A refresh that continues on a later day: days may be over that were not.
                begin = part.over_through(self.days) + ONE_DAY
            if max(self.start, begin) <= min(self.end, part.last):
                spans.append(Span(max(self.start, begin), min(self.end, part.last)))
        return _in_buckets(spans, self.end, self.buckets)

    def vouched(self, coverage: Coverage, now_ms: int) -> Coverage:
        """With a watermark of now for days that another connector read and that are not read again.

        Coverage of the future stays as it is: nothing is read before those days come.
        """
        if coverage.last is None or coverage.last > self.end:
            return coverage
        return coverage.vouched(lambda part: self._look_back(part.last), now_ms)

    def settled(self, coverage: Coverage) -> Coverage:
        """With neighbours joined if both were read on one day or neither will be read again.

        This keeps the state short.
        """

        def alike(one: CoveredDays, other: CoveredDays) -> bool:
            begins = [self._changes_from(part) for part in (one, other)]
            return begins[0] == begins[1] or (begins[0] > one.last and begins[1] > other.last)

        return coverage.joined(alike)

    def _changes_from(self, part: CoveredDays) -> date:
        """The first day whose rows may have changed after it was read."""
        if part.watermark_ms is None:
            return self._look_back(part.last)
        return self._look_back(self.days.at(part.watermark_ms))

    def _look_back(self, day: date) -> date:
        if self.look_back_days is None:
            return date.max
        return days_before(day, self.look_back_days)


def _in_buckets(spans: list[Span], end: date, buckets: Buckets) -> list[Span]:
    """The same spans widened to whole buckets, without overlap."""
    widened: list[Span] = []
    for span in sorted(spans, key=lambda span: span.first):
        first, last = first_bucket(span.first, buckets), min(end, buckets.end(span.last))
        if first > last:
            continue
        if widened and first <= widened[-1].last + ONE_DAY:
            widened[-1] = Span(widened[-1].first, max(last, widened[-1].last))
        else:
            widened.append(Span(first, last))
    return widened


def first_bucket(day: date, buckets: Buckets) -> date:
    """The first day of a day's bucket; of the next one if Mixpanel does not accept that day."""
    start = buckets.start(day)
    return start if start >= EARLIEST else buckets.end(day) + ONE_DAY


# -- the state as JSON -----------------------------------------------------------------------


def dump_state(state: DatedState) -> dict[str, Any]:
    """`{"date": last day, "covered": [...]}`, or the same for each part by its key."""
    blob: dict[str, Any] = {}
    for part, coverage in state.parts.items():
        if coverage.last is not None:
            entry = {"date": coverage.last.isoformat(), "covered": dump_coverage(coverage)}
            blob |= entry if part == WHOLE else {part: entry}
    members = {
        "full_refresh": "in progress" if state.refreshing else None,
        "ended_ms": state.ended_ms,
        "report": None if state.report is None else dict(state.report),
    }
    return sealed({**blob, **members}, state.origin)


def parse_state(blob: Mapping[str, Any], partition: str | None = None) -> DatedState:
    """A state of this connector, of version 0.1.0, or of Airbyte's 4.0.2 or its older ones.

    Those are `{<part>: {"date": ...}}` and `{"states": [{"partition", "cursor"}], ...}`, where
    `partition` is the name of a part's key. Unknown keys are ignored.

    Raises:
        ValueError: A value is invalid.
        TypeError: A value is of the wrong type.
        KeyError: A partition has no cursor.
    """
    return DatedState(
        parts=_parts(blob, partition),
        refreshing=blob.get("full_refresh") is not None,
        ended_ms=parse_mark(blob.get("ended_ms")),
        report=blob.get("report"),
        origin=parse_origin(blob),
    )


def _parts(blob: Mapping[str, Any], partition: str | None) -> dict[str, Coverage]:
    if partition is None:
        return {WHOLE: _coverage(blob)} if blob.get("date") else {}
    parts = {
        key: _coverage(value)
        for key, value in blob.items()
        if isinstance(value, Mapping) and value.get("date") and key not in ("state", KEY)
    }
    for entry in blob.get("states") or []:
        if entry["cursor"].get("date"):
            parts[str(entry["partition"][partition])] = _coverage(entry["cursor"])
    return parts


def _coverage(entry: Mapping[str, Any]) -> Coverage:
    """The coverage of a part; all days up to `date`, if there is nothing else."""
    if entry.get("covered") is not None:
        return parse_coverage(entry["covered"])
    return Coverage((CoveredDays(date.min, date.fromisoformat(entry["date"][:10]), None),))


# -- answers ---------------------------------------------------------------------------------


def day_of(key: str) -> date | None:
    """The day of a key: `2026-01-31`, `20260131`, or an instant with the project's offset.

    None for other keys, such as the total `$overall`.
    """
    match = _DAY.fullmatch(key)
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def is_too_long(text: str) -> bool:
    """Whether a refusal is about too many days, by its wording [observed]."""
    return _TOO_LONG.search(text) is not None
