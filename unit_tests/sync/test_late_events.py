"""Which events a series of syncs has had, in made-up histories of late ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.sync.coverage import Coverage, Span, incremental_spans
from source_mixpanel.sync.window import Pace, next_window
from unit_tests.builders import DAY_MS
from unit_tests.sync.numbered_days import ONE_DAY, nth, number_of

_thorough = settings(max_examples=50)

DAYS = 26
HOUR_MS = 3_600_000
OVERLAP_MS = HOUR_MS
LAG_MS = 45 * 60_000
"""How long Mixpanel may hide an event that it has processed."""


@dataclass(frozen=True)
class Event:
    """One event: its day, when Mixpanel processed it, and when it began to show it."""

    number: int
    day: date
    processed_ms: int
    shown_ms: int


@dataclass(frozen=True)
class Sync:
    """One sync: when, from which start date, and after how many windows it was killed."""

    at_ms: int
    start: int
    windows: int | None
    pace: int
    pause_ms: int


@dataclass
class Warehouse:
    """What has been asked for so far, and the state that would be saved."""

    reread: bool
    look_back: int = 5
    coverage: Coverage = field(default_factory=Coverage)
    seen: dict[Event, list[int]] = field(default_factory=dict)
    clock_ms: int = 0

    def run(self, sync: Sync, events: list[Event]) -> None:
        self.clock_ms = max(sync.at_ms, self.clock_ms + 1)
        start, end = nth(sync.start), nth(self.clock_ms // DAY_MS)
        if start > end:
            return
        watermark = self.clock_ms - OVERLAP_MS
        self.coverage = self.coverage.anchored(start)
        done = self._completed() or start - ONE_DAY
        back = max(start, done + ONE_DAY - timedelta(days=self.look_back))
        spans = incremental_spans(
            self.coverage, start, end, look_back_from=back, reread=self.reread
        )
        read_from = spans[0].first if self.reread and spans else start
        left = sync.windows
        for span in spans:
            first = span.first
            while first <= span.last:
                if left == 0:
                    return
                window = next_window(span, first, Pace(sync.pace)).span
                self._read(window, events)
                self.coverage = self.coverage.advance(read_from, window.last, watermark)
                self.clock_ms += sync.pause_ms
                first = window.last + ONE_DAY
                left = None if left is None else left - 1

    def _completed(self) -> date | None:
        """As the connector works it out: the last day that was over when it was read."""
        if self.coverage.last is None:
            return None
        mark = self.coverage.parts[-1].watermark_ms
        over = nth((mark or 0) // DAY_MS) - ONE_DAY
        last = min(self.coverage.last, over)
        return last if self.coverage.first is None or last >= self.coverage.first else None

    def _read(self, span: Span, events: list[Event]) -> None:
        for event in events:
            if (
                span.first <= event.day <= span.last
                and event.shown_ms <= self.clock_ms
                and (span.since_ms is None or event.processed_ms >= span.since_ms)
            ):
                self.seen.setdefault(event, []).append(self.clock_ms)


@st.composite
def _events(draw: st.DrawFn) -> list[Event]:
    """A prompt event each day, and some that are processed up to three weeks late."""
    noon = 12 * HOUR_MS
    made = [Event(n, nth(n), n * DAY_MS + noon, n * DAY_MS + noon + LAG_MS) for n in range(DAYS)]
    for number in range(DAYS, DAYS + draw(st.integers(1, 12))):
        happened = draw(st.integers(0, DAYS * DAY_MS - 1))
        late = draw(st.just(0) | st.integers(0, HOUR_MS) | st.integers(0, 21 * DAY_MS))
        hidden = draw(st.integers(0, LAG_MS))
        day = nth(happened // DAY_MS)
        made.append(Event(number, day, happened + late, happened + late + hidden))
    return made


def _syncs(starts: st.SearchStrategy[int]) -> st.SearchStrategy[list[Sync]]:
    sync = st.builds(
        Sync,
        at_ms=st.integers(0, 40 * DAY_MS),
        start=starts,
        windows=st.none() | st.integers(0, 6),
        pace=st.integers(1, 12),
        pause_ms=st.integers(0, 20 * 60_000),
    )
    return st.lists(sync, max_size=6).map(lambda many: sorted(many, key=lambda s: s.at_ms))


def _last(start: int) -> Sync:
    return Sync(at_ms=60 * DAY_MS, start=start, windows=None, pace=9, pause_ms=1000)


@given(_events(), _syncs(st.just(0)))
@_thorough
def test_by_processing_time_every_event_is_had_however_late_and_whatever_was_killed(
    events: list[Event], syncs: list[Sync]
) -> None:
    warehouse = Warehouse(reread=False)
    for sync in [*syncs, _last(0)]:
        warehouse.run(sync, events)
    assert [event for event in events if event not in warehouse.seen] == []


@given(_events(), _syncs(st.integers(0, 20)))
@_thorough
def test_by_processing_time_moving_the_start_date_about_loses_nothing_either(
    events: list[Event], syncs: list[Sync]
) -> None:
    warehouse = Warehouse(reread=False)
    for sync in [*syncs, _last(0)]:
        warehouse.run(sync, events)
    assert [event for event in events if event not in warehouse.seen] == []


@given(_events(), _syncs(st.just(0)))
@_thorough
def test_by_processing_time_an_event_outside_the_overlaps_is_had_once(
    events: list[Event], syncs: list[Sync]
) -> None:
    whole = [Sync(s.at_ms, s.start, None, s.pace, 0) for s in syncs]
    warehouse = Warehouse(reread=False)
    for sync in [*whole, _last(0)]:
        warehouse.run(sync, events)
    for event, had in warehouse.seen.items():
        later = [moment for moment in had if moment > event.processed_ms + OVERLAP_MS]
        assert len(later) <= 1
        assert len(set(had)) == len(had)


@given(_events(), _syncs(st.just(0)))
@_thorough
def test_rereading_has_every_event_that_is_shown_within_the_window(
    events: list[Event], syncs: list[Sync]
) -> None:
    warehouse = Warehouse(reread=True)
    for sync in [*syncs, _last(0)]:
        warehouse.run(sync, events)
    for event in events:
        looked_back_until = (number_of(event.day) + 1 + warehouse.look_back) * DAY_MS
        if event.shown_ms <= looked_back_until:
            assert event in warehouse.seen


@given(_events(), _syncs(st.integers(0, 20)), st.lists(st.booleans(), min_size=6, max_size=6))
@_thorough
def test_rereading_for_a_while_does_not_hide_late_events_from_processing_time(
    events: list[Event], syncs: list[Sync], modes: list[bool]
) -> None:
    warehouse = Warehouse(reread=False)
    for sync, reread in zip(syncs, modes, strict=False):
        warehouse.reread = reread
        warehouse.run(Sync(sync.at_ms, 0, sync.windows, sync.pace, sync.pause_ms), events)
    warehouse.reread = False
    warehouse.run(_last(0), events)
    assert [event for event in events if event not in warehouse.seen] == []


def _sync(day: int, start: int, windows: int | None = None) -> Sync:
    return Sync(at_ms=day * DAY_MS + 13 * HOUR_MS, start=start, windows=windows, pace=1, pause_ms=0)


@pytest.mark.parametrize(
    "syncs",
    [
        # Earlier days are wanted, and the sync that begins on them is killed.
        [_sync(15, 10), _sync(16, 0, windows=2)],
        # Days are left out for a while, and wanted again.
        [_sync(5, 0), _sync(20, 15), _sync(21, 15)],
        [_sync(5, 0), _sync(20, 15, windows=1), _sync(21, 3, windows=1)],
    ],
)
@pytest.mark.parametrize("reread", ["reread", ""])
def test_days_between_two_stretches_that_were_read_are_not_taken_for_read(
    syncs: list[Sync], reread: str
) -> None:
    events = [Event(n, nth(n), n * DAY_MS, n * DAY_MS) for n in range(DAYS)]
    warehouse = Warehouse(reread=bool(reread))
    for sync in [*syncs, _last(0)]:
        warehouse.run(sync, events)
    assert [event.day for event in events if event not in warehouse.seen] == []
