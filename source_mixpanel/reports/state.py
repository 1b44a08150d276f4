"""Streams of days: which days to ask for, and the state that tells which have been read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from source_mixpanel.reports.buckets import Buckets
from source_mixpanel.streams.coverage import (
    Coverage,
    Covered,
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
    """Which days of each part of the stream have been read.

    Attributes:
        parts: Coverage by part; a watermark is the moment when its days were asked for.
        ended_ms: When that came to its end without some parts that may be had soon, UTC.
        report: The parameters of the report that was asked for, where the settings describe one.
    """

    parts: Mapping[str, Coverage] = field(default_factory=dict)
    refreshing: bool = False
    ended_ms: int | None = None
    report: Mapping[str, str] | None = None
    origin: Origin = field(default_factory=Origin)

    def begun(self, keys: Iterable[str], now_ms: int, *, full: bool) -> DatedState:
        """The state at the beginning of a sync; parts that are no more are dropped.

        A full refresh goes on where an earlier attempt stopped, but begins anew if that came to
        its end too long ago to be tried again.
        """
        over = Refresh(ended_ms=self.ended_ms).is_over(now_ms)
        if full and (over or not self.refreshing):
            return DatedState(refreshing=True, report=self.report, origin=Origin())
        known = set(keys)
        kept = {key: coverage for key, coverage in self.parts.items() if key in known}
        return replace(self, parts=kept, refreshing=full, ended_ms=None)

    def ended(self, now_ms: int, *, passes: bool, whole: bool) -> DatedState:
        """The state of a full refresh that ends with an error.

        If that passes, the rest is read when the refresh is tried again: by the platform alone, if
        the whole of the parts was tried. A refusal makes the next refresh a new one.
        """
        return replace(self, refreshing=passes, ended_ms=now_ms if passes and whole else None)

    def of(self, part: str) -> Coverage:
        """What has been read of a part."""
        return self.parts.get(part, Coverage())

    def read(self, part: str, coverage: Coverage) -> DatedState:
        """With other days of a part read."""
        return replace(self, parts={**self.parts, part: coverage})


@dataclass(frozen=True)
class Wish:
    """Which days of a part are wanted, and how long they may change.

    Attributes:
        end: The last day, inclusive.
        look_back_days: How many days before the last one that was read are read again; None for
            not even that day.
        buckets: The buckets that rows are of: they are asked for whole.
    """

    start: date
    end: date
    days: Days
    look_back_days: int | None = None
    buckets: Buckets = field(default_factory=Buckets)

    def spans(self, coverage: Coverage) -> list[Span]:
        """The days to ask for: what has not been read, and what may have changed since it was."""
        spans = list(coverage.gaps(self.start, self.end))
        for part in coverage.parts:
            changes_from = self._changes_from(part)
            # The last day that was read may have grown, and late data come with its neighbours.
            is_last = part is coverage.parts[-1]
            begin = self._back(part.last) if is_last else max(part.first, changes_from)
            if self.look_back_days is None and part.last < self.end:
                # A refresh that goes on on a later day: what was not over then is over by now.
                begin = part.over_through(self.days) + ONE_DAY
            if max(self.start, begin) <= min(self.end, part.last):
                spans.append(Span(max(self.start, begin), min(self.end, part.last)))
        return _in_buckets(spans, self.end, self.buckets)

    def vouched(self, coverage: Coverage, now_ms: int) -> Coverage:
        """With what another connector has read, but for what is read again, taken for read now.

        A claim on the future is left as it is: nothing is read before it comes.
        """
        if coverage.last is None or coverage.last > self.end:
            return coverage
        return coverage.vouched(lambda part: self._back(part.last), now_ms)

    def settled(self, coverage: Coverage) -> Coverage:
        """With neighbours as one between which nothing tells apart, so that a state stays short.

        Either neither will be read again, or both were read on one day.
        """

        def alike(one: Covered, other: Covered) -> bool:
            begins = [self._changes_from(part) for part in (one, other)]
            return begins[0] == begins[1] or (begins[0] > one.last and begins[1] > other.last)

        return coverage.joined(alike)

    def _changes_from(self, part: Covered) -> date:
        """The first day whose rows may have changed after it was read."""
        if part.watermark_ms is None:
            return self._back(part.last)
        return self._back(self.days.at(part.watermark_ms))

    def _back(self, day: date) -> date:
        if self.look_back_days is None:
            return date.max
        return days_before(day, self.look_back_days)


def _in_buckets(spans: list[Span], end: date, buckets: Buckets) -> list[Span]:
    """Spans that hold whole buckets, none twice."""
    whole: list[Span] = []
    for span in sorted(spans, key=lambda span: span.first):
        first, last = first_bucket(span.first, buckets), min(end, buckets.end(span.last))
        if first > last:
            continue
        if whole and first <= whole[-1].last + ONE_DAY:
            whole[-1] = Span(whole[-1].first, max(last, whole[-1].last))
        else:
            whole.append(Span(first, last))
    return whole


def first_bucket(day: date, buckets: Buckets) -> date:
    """The first day of a day's bucket, or of the next one where Mixpanel does not take it."""
    start = buckets.start(day)
    return start if start >= EARLIEST else buckets.end(day) + ONE_DAY


# -- the state as JSON -----------------------------------------------------------------------


def dump_state(state: DatedState) -> dict[str, Any]:
    """`{"date": last day, "covered": [...]}`, or the same for each part by its key."""
    blob: dict[str, Any] = {}
    for part, coverage in state.parts.items():
        if coverage.last is not None:
            told = {"date": coverage.last.isoformat(), "covered": dump_coverage(coverage)}
            blob |= told if part == WHOLE else {part: told}
    more = {
        "full_refresh": "in progress" if state.refreshing else None,
        "ended_ms": state.ended_ms,
        "report": None if state.report is None else dict(state.report),
    }
    return sealed({**blob, **more}, state.origin)


def parse_state(blob: Mapping[str, Any], partition: str | None = None) -> DatedState:
    """A state of this connector, of version 0.1.0, or of Airbyte's 4.0.2 or its older ones.

    Those are `{<part>: {"date": ...}}` and `{"states": [{"partition", "cursor"}], ...}`, where
    `partition` is the name of a part's key. Keys that are not known are passed over.

    Raises:
        ValueError: A value cannot be what its key says.
        TypeError: The same.
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
    found = {
        key: _coverage(value)
        for key, value in blob.items()
        if isinstance(value, Mapping) and value.get("date") and key not in ("state", KEY)
    }
    for entry in blob.get("states") or []:
        if entry["cursor"].get("date"):
            found[str(entry["partition"][partition])] = _coverage(entry["cursor"])
    return found


def _coverage(told: Mapping[str, Any]) -> Coverage:
    """Of a part; all up to a day, where it tells no more than that."""
    if told.get("covered") is not None:
        return parse_coverage(told["covered"])
    return Coverage((Covered(date.min, date.fromisoformat(told["date"][:10]), None),))


# -- answers ---------------------------------------------------------------------------------


def day_of(key: str) -> date | None:
    """The day that a key of an answer names: a date, or an instant by the project's clock.

    None for others, such as the total `$overall`.
    """
    found = _DAY.fullmatch(key)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def is_too_long(text: str) -> bool:
    """Whether a refusal is about how many days were asked for, by its wording [observed]."""
    return _TOO_LONG.search(text) is not None
