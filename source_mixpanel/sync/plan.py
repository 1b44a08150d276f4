"""What one sync of `export` reads, decided before the first request. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from source_mixpanel.dates import DEFAULT_START
from source_mixpanel.instants import EPOCH
from source_mixpanel.sync.coverage import (
    Coverage,
    Covered,
    Span,
    full_spans,
    incremental_spans,
)
from source_mixpanel.sync.cursor import ExportState, completed_through
from source_mixpanel.sync.days import ONE_DAY, Days

_EVER = 1 << 62


@dataclass(frozen=True)
class Period:
    """Which time is wanted, and how incremental syncs go about it.

    Attributes:
        start: First day or instant; None for one year ago.
        end: Last day or instant; None for now.
        look_back_days: How many complete days an incremental sync looks at again.
        reread: Whether it reads them again in full.
    """

    start: date | datetime | None = None
    end: date | datetime | None = None
    look_back_days: int = 5
    reread: bool = False

    def first_day(self, state: ExportState, days: Days, now: datetime) -> date:
        """The first day to ask for."""
        if self.start is None:
            return state.coverage.first or days.today(now) - DEFAULT_START
        if not isinstance(self.start, datetime):
            return self.start
        day = days.of(self.start)
        # While it is not known whose days count, begin early: the instant itself decides.
        return day - ONE_DAY if days.kind is None else day

    def last_day(self, days: Days, now: datetime) -> date:
        """The last day to ask for, never later than Mixpanel's today."""
        today = days.today(now)
        if self.end is None:
            return today
        return min(today, days.of(self.end) if isinstance(self.end, datetime) else self.end)

    @property
    def since_ms(self) -> int | None:
        """Events before it are not wanted, UTC; None where the day alone bounds."""
        return _ms(self.start) if isinstance(self.start, datetime) else None

    @property
    def until_ms(self) -> int | None:
        """Events after it are not wanted, UTC; None where the day alone bounds."""
        return _ms(self.end) if isinstance(self.end, datetime) else None

    def bounds_ms(self) -> tuple[int, int]:
        """Both, as numbers that every event can be compared with."""
        since, until = self.since_ms, self.until_ms
        return (-_EVER if since is None else since, _EVER if until is None else until)


@dataclass(frozen=True)
class ReadPlan:
    """What a sync reads.

    Attributes:
        state: Where it starts from.
        spans: What it asks for, in day order.
        start: The first day that is wanted.
        reread: Whether days between the spans stay as they were.
    """

    state: ExportState
    spans: list[Span]
    start: date
    reread: bool = False

    @property
    def days(self) -> int:
        """How many days it asks for."""
        return sum(span.days for span in self.spans)

    def read_from(self, day: date) -> date:
        """The first day that counts as read when a slice that ends on `day` is done.

        By processing time, days that are not asked for have nothing to ask for. A window that is
        read again leaves the days before it as they were.
        """
        if not self.reread:
            return self.start
        first = self.start
        for before, span in zip([None, *self.spans], self.spans, strict=False):
            if before is None or before.last + ONE_DAY != span.first:
                first = span.first
            if day <= span.last:
                break
        return first


def plan_read(
    period: Period, state: ExportState, days: Days, now: datetime, *, full: bool
) -> ReadPlan:
    """Decide what to read.

    Args:
        period: What the user wants.
        state: What earlier syncs have read; a full refresh heeds only one it has begun itself.
        days: How the project counts days.
        now: Mixpanel's present.
        full: Whether this is a full refresh.
    """
    if full and not state.refreshing:
        state = ExportState(kind=state.kind, columns=state.columns)
    start, end = period.first_day(state, days, now), period.last_day(days, now)
    today = days.today(now)
    if state.coverage.claims(today + ONE_DAY):
        # All until now counts as read, as the state has it; what is processed from now on is not.
        until_now = Coverage(min(start, today), (Covered(today, _ms(now)),))
        return ReadPlan(replace(state, coverage=until_now), [], start)
    if start > end:
        return ReadPlan(state, [], start)
    if state.coverage.claims(today):
        state = replace(state, coverage=state.coverage.without(today))
    state = _wanted_more(period, state, days, start, end)
    coverage = state.coverage.anchored(start)
    state = replace(state, coverage=coverage, refreshing=full)
    done = completed_through(coverage, days)
    if full:
        # What an earlier part of the refresh has read keeps its own watermark.
        return ReadPlan(state, full_spans(coverage, start, end, done), start, reread=True)
    done = done or start - ONE_DAY
    back = max(start, done + ONE_DAY - timedelta(days=period.look_back_days))
    spans = incremental_spans(coverage, start, end, look_back_from=back, reread=period.reread)
    return ReadPlan(state, spans, start, reread=period.reread)


def _wanted_more(
    period: Period, state: ExportState, days: Days, first: date, last: date
) -> ExportState:
    """With edge days forgotten that were read in part, if more of them is wanted now."""
    since, until = period.bounds_ms()
    coverage, begin, end = state.coverage, state.coverage.first, state.coverage.last
    more_before = state.since_ms is not None and since < state.since_ms
    more_after = state.until_ms is not None and until > state.until_ms
    if more_before:
        coverage = coverage.without(days.of(_instant(state.since_ms)))
    if more_after:
        coverage = coverage.without(days.of(_instant(state.until_ms)))
    before = more_before or begin is None or first < begin
    after = more_after or end is None or last > end
    return replace(
        state,
        coverage=coverage,
        since_ms=period.since_ms if before else state.since_ms,
        until_ms=period.until_ms if after else state.until_ms,
    )


def look_back_days(attribution_days: int, export_seconds: int) -> int:
    """The longer of the two look-back settings, in whole days."""
    return max(attribution_days, math.ceil(export_seconds / 86_400))


def _ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _instant(ms: int | None) -> datetime:
    return EPOCH + timedelta(milliseconds=ms or 0)
