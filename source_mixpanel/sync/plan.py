"""What one sync of `export` reads, decided before the first request. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from source_mixpanel.instants import EPOCH
from source_mixpanel.sync.coverage import Span, full_spans, incremental_spans
from source_mixpanel.sync.cursor import ExportState, completed_through
from source_mixpanel.sync.days import ONE_DAY, Days

_DEFAULT_START = timedelta(days=365)
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
            return state.coverage.first or days.today(now) - _DEFAULT_START
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

    def bounds_ms(self) -> tuple[int, int]:
        """The instants between which events are wanted, UTC; a date is bound by its day alone."""
        start, end = self.start, self.end
        return (
            _ms(start) if isinstance(start, datetime) else -_EVER,
            _ms(end) if isinstance(end, datetime) else _EVER,
        )


@dataclass(frozen=True)
class ReadPlan:
    """What a sync reads.

    Attributes:
        state: Where it starts from.
        spans: What it asks for, in day order.
        read_from: The first day that counts as read when a slice is done.
    """

    state: ExportState
    spans: list[Span]
    read_from: date


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
    if start > end:
        return ReadPlan(state, [], start)
    coverage = state.coverage.anchored(start)
    state = replace(state, coverage=coverage, refreshing=full)
    if full:
        spans = full_spans(coverage, start, end)
        return ReadPlan(state, spans, spans[0].first if spans else start)
    done = completed_through(coverage, days) or start - ONE_DAY
    back = max(start, done + ONE_DAY - timedelta(days=period.look_back_days))
    spans = incremental_spans(coverage, start, end, look_back_from=back, reread=period.reread)
    # A window that is read again leaves the days before it as they were.
    return ReadPlan(state, spans, spans[0].first if period.reread and spans else start)


def look_back_days(attribution_days: int, export_seconds: int) -> int:
    """The longer of the two look-back settings, in whole days."""
    return max(attribution_days, math.ceil(export_seconds / 86_400))


def _ms(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)
