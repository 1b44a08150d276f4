"""The days that a sync of `export` reads, decided before the first request. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from source_mixpanel.events.state import ExportState
from source_mixpanel.events.tiers import (
    LookBack,
    Wanted,
    full_spans,
    incremental_spans,
    spans_to_confirm,
)
from source_mixpanel.streams.coverage import Coverage, CoveredDays, Span
from source_mixpanel.streams.period import Cut, Period, in_ms
from source_mixpanel.streams.state import Refresh
from source_mixpanel.times.days import ONE_DAY, Days

OVERLAP_MS = 60 * 60 * 1000
"""Milliseconds by which two syncs overlap in processing time: Mixpanel shows some events up to
three quarters of an hour after it processed them [observed after imports]."""


@dataclass(frozen=True)
class ReadPlan:
    """What a sync reads.

    Attributes:
        state: The state to start with.
        spans: Days to request, in this order.
        later: Days to request after that, if few requests are enough.
        last: Days that are not over, which a full refresh reads after all others: when it is
            continued, their new events and the overlap have to be read again.
        wanted: All days that the stream is to have; None if nothing is read.
    """

    state: ExportState
    spans: list[Span]
    later: list[Span] = field(default_factory=list)
    last: list[Span] = field(default_factory=list)
    wanted: Wanted | None = None

    @property
    def days(self) -> int:
        """The count of days to request."""
        return sum(span.days for span in (*self.spans, *self.later, *self.last))

    @property
    def first(self) -> date:
        """The first day to request; `date.max` if there is none."""
        spans = (*self.spans, *self.later, *self.last)
        return min((span.first for span in spans), default=date.max)

    def to_confirm(self, state: ExportState) -> ReadPlan:
        """The plan for confirming empty answers, after this plan has led to `state`."""
        if self.wanted is None:
            return ReadPlan(state, [])
        full, before = state.refreshing, self.state.empty
        spans = spans_to_confirm(state.coverage, state.empty, before, self.wanted, full=full)
        return ReadPlan(state, spans) if full else ReadPlan(state, [], spans)

    def ends(self) -> ReadPlan | None:
        """A plan for the days in `last`; None if there are none."""
        if self.wanted is None or not self.last:
            return None
        wanted = replace(self.wanted, start=self.last[-1].first)
        return ReadPlan(self.state, self.last, wanted=wanted)


def plan_read(
    period: Period,
    state: ExportState,
    days: Days,
    now: datetime,
    *,
    full: bool,
    reread: bool = False,
) -> ReadPlan:
    """The plan of a sync; a full refresh uses only the state of an unfinished full refresh.

    With `reread` an incremental sync reads all events of the look-back window again.
    """
    now_ms = in_ms(now)
    if full and (not state.refreshing or Refresh(ended_ms=state.ended_ms).is_over(now_ms)):
        state = ExportState(kind=state.kind, strains=state.strains)
    today = days.today(now)
    start, end = period.first_day(days, now, state.earliest), period.last_day(days, now)
    if state.coverage.claims(today + ONE_DAY):
        # As the state says, all until now counts as read; what is processed from now on does not.
        until_now = Coverage((CoveredDays(min(start, today), today, now_ms),))
        return ReadPlan(replace(state, coverage=until_now), [])
    if start > end:
        return ReadPlan(state, [])
    if state.coverage.claims(today):
        state = state.without(today, today)
    state = _without_extended_days(period, state, days, start, end)
    strains = {k: strain for k, strain in state.strains.items() if not strain.is_over(now_ms)}
    state = replace(state, refreshing=full, ended_ms=None, begin=start, strains=strains)
    coverage = state.coverage.anchored(start)
    back = LookBack(days, period.look_back_days)
    wanted = Wanted(start, end, today, now_ms, back, needs_small_requests=bool(strains))
    if full:
        spans, last = full_spans(coverage, wanted)
        return ReadPlan(replace(state, coverage=coverage), spans, last=last, wanted=wanted)
    vouched = coverage.vouched(lambda part: back.begin(coverage, part), now_ms - OVERLAP_MS)
    spans, later = incremental_spans(coverage, state.empty, wanted, reread=reread)
    return ReadPlan(replace(state, coverage=vouched), spans, later, wanted=wanted)


def _without_extended_days(
    period: Period, state: ExportState, days: Days, start: date, end: date
) -> ExportState:
    """The state without days that were read in part and of which more is wanted now.

    A day that the period cuts is read in part from now on, whatever was read of it before: late
    events of its rest are not requested.
    """
    edges = {edge.day: edge for edge in period.cuts(days) if start <= edge.day <= end}
    known = state.cuts
    if days.kind is not None:
        # Cuts that were saved while the zone of days was not known.
        known = tuple(cut for cut in (cut.clipped(days) for cut in known) if not cut.is_whole)
    cuts = {cut.day: cut for cut in known}
    for day, cut in list(cuts.items()):
        if start <= day <= end and edges.get(day, Cut(day)).wants_more_than(cut):
            state = state.without(day, day)
            del cuts[day]
    cuts |= {day: edge.within(cuts.get(day, edge)) for day, edge in edges.items()}
    return replace(state, cuts=tuple(cuts.values()))


def look_back_days(attribution_days: int, export_seconds: int) -> int:
    """The longer of the two look-back settings, in whole days."""
    return max(attribution_days, math.ceil(export_seconds / 86_400))
