"""What was read and what has to be asked for, against made-up histories of late events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.sync.coverage import (
    Coverage,
    Covered,
    Only,
    Span,
    full_spans,
    incremental_spans,
)
from source_mixpanel.sync.window import Pace, next_window

_quick = settings(max_examples=50)
_thorough = settings(max_examples=50)

ONE_DAY = timedelta(days=1)
FIRST = date(2026, 1, 1)
DAY_MS = 86_400_000
DAYS = 26
HOUR_MS = 3_600_000
OVERLAP_MS = HOUR_MS
LAG_MS = 45 * 60_000
"""How long Mixpanel may hide an event that it has processed."""


def _day(number: int) -> date:
    return FIRST + timedelta(days=number)


def _number(day: date) -> int:
    return (day - FIRST).days


# -- coverage as a function from days to watermarks ------------------------------------------


def _marks(coverage: Coverage) -> dict[date, int | None]:
    """The watermark of each covered day."""
    marks: dict[date, int | None] = {}
    if coverage.first is None:
        return marks
    day = coverage.first
    for part in coverage.parts:
        while day <= part.through:
            marks[day] = part.watermark_ms
            day += ONE_DAY
    return marks


steps = st.lists(
    st.tuples(st.integers(0, 25), st.integers(0, 10), st.integers(1, 1000)), min_size=1, max_size=8
)


@given(steps)
@_quick
def test_advancing_never_claims_a_day_that_was_not_read(many: list[tuple[int, int, int]]) -> None:
    coverage = Coverage()
    for first, more, mark in many:
        before = _marks(coverage)
        coverage = coverage.advance(_day(first), _day(first + more), mark)
        after = _marks(coverage)
        for day, watermark in after.items():
            if _day(first) <= day <= _day(first + more):
                assert watermark == mark
            else:
                assert day in before
                assert watermark <= before[day]  # type: ignore[operator]
        assert set(after) >= {_day(n) for n in range(first, first + more + 1)}


@given(steps)
@_quick
def test_parts_are_ascending_and_few(many: list[tuple[int, int, int]]) -> None:
    coverage = Coverage()
    for number, (first, more, mark) in enumerate(many, start=1):
        coverage = coverage.advance(_day(first), _day(first + more), mark)
        ends = [part.through for part in coverage.parts]
        assert ends == sorted(set(ends))
        assert len(ends) <= number + 1
        assert coverage.first is not None
        assert coverage.first <= ends[0]


def test_a_window_read_again_keeps_older_days_in_one_part() -> None:
    coverage = Coverage()
    for number in range(100):
        coverage = coverage.advance(_day(max(0, number - 5)), _day(number), number)
    assert len(coverage.parts) == 2


@pytest.mark.parametrize(
    ("coverage", "start", "first"),
    [
        (Coverage(), 5, None),
        (Coverage(_day(3), (Covered(_day(9), 1),)), 5, _day(3)),
        (Coverage(None, (Covered(_day(9), None),)), 5, _day(5)),
        (Coverage(None, (Covered(_day(9), None),)), 9, _day(9)),
        (Coverage(None, (Covered(_day(9), None),)), 10, None),
    ],
)
def test_an_unanchored_coverage_begins_at_the_start_date(
    coverage: Coverage, start: int, first: date | None
) -> None:
    anchored = coverage.anchored(_day(start))
    assert anchored.first == first
    assert bool(anchored.parts) == (first is not None)


# -- spans -----------------------------------------------------------------------------------


def test_a_first_sync_reads_all_days_in_one_span() -> None:
    spans = incremental_spans(Coverage(), _day(0), _day(9), look_back_from=_day(0), reread=False)
    assert spans == [Span(_day(0), _day(9))]


def test_a_second_sync_asks_old_days_for_what_was_processed_since_and_new_days_for_all() -> None:
    coverage = Coverage(_day(0), (Covered(_day(9), 77),))
    spans = incremental_spans(coverage, _day(0), _day(12), look_back_from=_day(5), reread=False)
    assert spans == [
        Span(_day(0), _day(4), Only.PROCESSED_SINCE, 77),
        Span(_day(5), _day(9), Only.PROCESSED_SINCE_OR_UNKNOWN, 77),
        Span(_day(10), _day(12)),
    ]


def test_rereading_asks_for_the_window_and_the_new_days_in_one_span() -> None:
    coverage = Coverage(_day(0), (Covered(_day(9), 77),))
    spans = incremental_spans(coverage, _day(0), _day(12), look_back_from=_day(5), reread=True)
    assert spans == [Span(_day(5), _day(12))]


def test_days_read_by_another_connector_are_read_again_within_the_window() -> None:
    coverage = Coverage(None, (Covered(_day(9), None),)).anchored(_day(0))
    spans = incremental_spans(coverage, _day(0), _day(12), look_back_from=_day(5), reread=False)
    assert spans == [Span(_day(5), _day(12))]


def test_an_earlier_start_date_is_read_before_the_days_that_are_covered() -> None:
    coverage = Coverage(_day(10), (Covered(_day(19), 77),))
    spans = incremental_spans(coverage, _day(0), _day(19), look_back_from=_day(15), reread=False)
    assert spans[0] == Span(_day(0), _day(9))
    assert spans[1] == Span(_day(10), _day(14), Only.PROCESSED_SINCE, 77)


marks = st.none() | st.integers(1, 5)


@given(
    st.integers(0, 10),
    st.lists(st.tuples(st.integers(1, 6), marks), max_size=4),
    st.integers(0, 15),
    st.integers(0, 15),
    st.integers(0, 40),
    st.sampled_from(["by processing time", "reread"]),
)
@_quick
def test_spans_lie_within_the_days_wanted_in_order_and_apart(
    first: int,
    lengths: list[tuple[int, int | None]],
    start: int,
    more: int,
    back: int,
    mode: str,
) -> None:
    parts, day = [], first - 1
    for length, mark in lengths:
        day += length
        parts.append(Covered(_day(day), mark))
    coverage = Coverage(_day(first), tuple(parts)) if parts else Coverage()
    start_day, end = _day(start), _day(start + more)
    back_day = max(start_day, _day(back))
    spans = incremental_spans(
        coverage, start_day, end, look_back_from=back_day, reread=mode == "reread"
    )
    for span in spans:
        assert start_day <= span.first <= span.last <= end
        assert (span.since_ms is None) == (span.only is Only.ALL)
    for one, other in pairwise(spans):
        assert one.last < other.first
    asked = {_day(n): s for s in spans for n in range(_number(s.first), _number(s.last) + 1)}
    known = _marks(coverage)
    for number in range(start, start + more + 1):
        wanted = _day(number)
        if wanted not in known:
            assert asked[wanted].only is Only.ALL
        elif wanted >= back_day or (mode != "reread" and known[wanted] is not None):
            assert wanted in asked
            assert asked[wanted].only is Only.ALL or asked[wanted].since_ms == known[wanted]


# -- histories -------------------------------------------------------------------------------


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
        start, end = _day(sync.start), _day(self.clock_ms // DAY_MS)
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
        over = _day((mark or 0) // DAY_MS) - ONE_DAY
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
    made = [Event(n, _day(n), n * DAY_MS + noon, n * DAY_MS + noon + LAG_MS) for n in range(DAYS)]
    for number in range(DAYS, DAYS + draw(st.integers(1, 12))):
        happened = draw(st.integers(0, DAYS * DAY_MS - 1))
        late = draw(st.just(0) | st.integers(0, HOUR_MS) | st.integers(0, 21 * DAY_MS))
        hidden = draw(st.integers(0, LAG_MS))
        day = _day(happened // DAY_MS)
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
        looked_back_until = (_number(event.day) + 1 + warehouse.look_back) * DAY_MS
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


# -- full refresh ----------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5), st.integers(1, 4)), max_size=6),
    st.integers(1, 6),
)
@_quick
def test_a_full_refresh_that_is_resumed_reads_every_day_and_none_twice(
    attempts: list[tuple[int, int, int]], pace: int
) -> None:
    end, read = _day(20), []
    coverage = Coverage()
    for _, windows, _ in [*attempts, (0, 99, 1)]:
        left = windows
        for span in full_spans(coverage.anchored(FIRST), FIRST, end, coverage.last):
            first = span.first
            while first <= span.last and left:
                window = next_window(span, first, Pace(pace)).span
                read += [_day(n) for n in range(_number(window.first), _number(window.last) + 1)]
                coverage = coverage.advance(spans_first(coverage), window.last, 5)
                first, left = window.last + ONE_DAY, left - 1
    assert read == [_day(n) for n in range(21)]


def spans_first(coverage: Coverage) -> date:
    """Where a resumed refresh says that it reads from."""
    return FIRST if coverage.last is None else coverage.last + ONE_DAY


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5)), max_size=6), st.integers(1, 6))
@_quick
def test_a_full_refresh_whose_start_date_moves_still_reads_every_day_wanted_in_the_end(
    attempts: list[tuple[int, int]], pace: int
) -> None:
    end, read = _day(20), set()
    coverage = Coverage()
    for start, windows in [*attempts, (0, 99)]:
        left = windows
        spans = full_spans(coverage, _day(start), end, coverage.last)
        read_from = spans[0].first if spans else _day(start)
        for span in spans:
            first = span.first
            while first <= span.last and left:
                window = next_window(span, first, Pace(pace)).span
                read |= {_day(n) for n in range(_number(window.first), _number(window.last) + 1)}
                coverage = coverage.advance(read_from, window.last, 5)
                first, left = window.last + ONE_DAY, left - 1
    assert read == {_day(n) for n in range(21)}


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
    events = [Event(n, _day(n), n * DAY_MS, n * DAY_MS) for n in range(DAYS)]
    warehouse = Warehouse(reread=bool(reread))
    for sync in [*syncs, _last(0)]:
        warehouse.run(sync, events)
    assert [event.day for event in events if event not in warehouse.seen] == []
