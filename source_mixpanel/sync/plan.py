"""What one sync of `export` reads, decided before the first request. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from source_mixpanel.instants import EPOCH
from source_mixpanel.sync.coverage import (
    Coverage,
    Covered,
    Span,
    full_spans,
    incremental_spans,
)
from source_mixpanel.sync.days import ONE_DAY, Days
from source_mixpanel.sync.export_state import ExportState
from source_mixpanel.sync.period import Period, in_ms

OVERLAP_MS = 60 * 60 * 1000
"""How far two syncs overlap by processing time: Mixpanel shows some events up to three quarters
of an hour after it processed them [observed after imports]."""


@dataclass(frozen=True)
class ReadPlan:
    """What a sync reads.

    Attributes:
        state: Where it starts from.
        spans: What it asks for, in day order.
    """

    state: ExportState
    spans: list[Span]

    @property
    def days(self) -> int:
        """How many days it asks for."""
        return sum(span.days for span in self.spans)


def plan_read(
    period: Period,
    state: ExportState,
    days: Days,
    now: datetime,
    *,
    full: bool,
    reread: bool = False,
) -> ReadPlan:
    """Decide what to read.

    Args:
        period: What the user wants.
        state: What earlier syncs have read; a full refresh heeds only one it has begun itself.
        days: How the project counts days.
        now: Mixpanel's present.
        full: Whether this is a full refresh.
        reread: Whether an incremental sync reads the look-back window again in full.
    """
    if full and not state.refreshing:
        state = ExportState(kind=state.kind, columns=state.columns)
    today = days.today(now)
    start = period.first_day(days, now, state.coverage.first)
    end = period.last_day(days, now)
    if state.coverage.claims(today + ONE_DAY):
        # All until now counts as read, as the state has it; what is processed from now on is not.
        until_now = Coverage((Covered(min(start, today), today, in_ms(now)),))
        return ReadPlan(replace(state, coverage=until_now), [])
    if start > end:
        return ReadPlan(state, [])
    if state.coverage.claims(today):
        state = replace(state, coverage=state.coverage.without(today, today))
    state = replace(_wanted_more(period, state, days, start, end), refreshing=full)
    coverage = state.coverage.anchored(start)
    if full:
        spans = full_spans(coverage, start, end, days)
        return ReadPlan(replace(state, coverage=coverage), spans)
    done = coverage.parts[-1].over_through(days) if coverage.parts else start - ONE_DAY
    back = max(start, done + ONE_DAY - timedelta(days=period.look_back_days))
    spans = incremental_spans(coverage, start, end, look_back_from=back, reread=reread)
    return ReadPlan(replace(state, coverage=coverage.vouched(back, in_ms(now) - OVERLAP_MS)), spans)


def _wanted_more(
    period: Period, state: ExportState, days: Days, first: date, last: date
) -> ExportState:
    """With edge days forgotten that were read in part, if more of them is wanted now."""
    since, until = period.bounds_ms()
    coverage, begin, end = state.coverage, state.coverage.first, state.coverage.last
    more_before = state.since_ms is not None and since < state.since_ms
    more_after = state.until_ms is not None and until > state.until_ms
    for more, edge_ms in ((more_before, state.since_ms), (more_after, state.until_ms)):
        if more:
            day = days.of(EPOCH + timedelta(milliseconds=edge_ms or 0))
            coverage = coverage.without(day, day)
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
