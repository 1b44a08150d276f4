"""What one sync of `export` reads, decided before the first request. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, datetime

from source_mixpanel.sync.coverage import (
    Coverage,
    Covered,
    LookBack,
    Span,
    full_spans,
    incremental_spans,
)
from source_mixpanel.sync.days import ONE_DAY, Days
from source_mixpanel.sync.export_state import ExportState
from source_mixpanel.sync.period import Cut, Period, in_ms

OVERLAP_MS = 60 * 60 * 1000
"""How far two syncs overlap by processing time: Mixpanel shows some events up to three quarters
of an hour after it processed them [observed after imports]."""


@dataclass(frozen=True)
class ReadPlan:
    """What a sync reads."""

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
    """Decide what to read; a full refresh heeds only a state that one has begun itself.

    With `reread` an incremental sync reads the look-back window again in full.
    """
    if full and not state.refreshing:
        state = ExportState(kind=state.kind)
    today = days.today(now)
    start, end = period.first_day(days, now, state.coverage.first), period.last_day(days, now)
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
        whole = replace(state, coverage=coverage)
        return ReadPlan(whole, full_spans(coverage, start, end, days))
    back = LookBack(days, period.look_back_days)
    vouched = coverage.vouched(lambda part: back.begin(coverage, part), in_ms(now) - OVERLAP_MS)
    spans = incremental_spans(coverage, start, end, look_back=back, reread=reread)
    return ReadPlan(replace(state, coverage=vouched), spans)


def _wanted_more(
    period: Period, state: ExportState, days: Days, start: date, end: date
) -> ExportState:
    """With days forgotten that were read in part, if more of them is wanted now.

    A day that the period cuts is read in part from now on, whatever was had of it before: late
    events of the rest of it are not asked for.
    """
    edges = {edge.day: edge for edge in period.cuts(days) if start <= edge.day <= end}
    coverage, known = state.coverage, state.cuts
    if days.kind is not None:
        # Those that were noted while it was not known whose days count.
        known = tuple(cut for cut in (cut.clipped(days) for cut in known) if not cut.is_whole)
    cuts = {cut.day: cut for cut in known}
    for day, cut in list(cuts.items()):
        if start <= day <= end and edges.get(day, Cut(day)).wants_more_than(cut):
            coverage = coverage.without(day, day)
            del cuts[day]
    cuts |= {day: edge.within(cuts.get(day, edge)) for day, edge in edges.items()}
    return replace(state, coverage=coverage, cuts=tuple(cuts.values()))


def look_back_days(attribution_days: int, export_seconds: int) -> int:
    """The longer of the two look-back settings, in whole days."""
    return max(attribution_days, math.ceil(export_seconds / 86_400))
