"""Which events a series of syncs has had, in made-up histories of late ones.

Windows come in any order, some fail, a sync is killed after any of them, and the days or instants
between which events are wanted move.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from source_mixpanel.events.plan import OVERLAP_MS, ReadPlan, plan_read
from source_mixpanel.events.state import ExportState, dump_state, parse_state
from source_mixpanel.events.window import last_window
from source_mixpanel.streams.coverage import Coverage, CoveredDays, Span
from source_mixpanel.streams.period import Period, in_ms
from source_mixpanel.times.days import Days
from source_mixpanel.times.event_time import EPOCH
from unit_tests.builders import DAY_MS
from unit_tests.events.numbered_days import FIRST, nth, number_of

_thorough = settings(max_examples=50)

DAYS = 26
LOOK_BACK = 5
HOUR_MS = 3_600_000
LAG_MS = 45 * 60_000
"""How long Mixpanel may hide an event that it has processed."""
CLOSE_MS = 15 * 60_000
"""Watermarks of one such quarter of an hour count as one."""
FIRST_MS = in_ms(datetime.combine(FIRST, datetime.min.time(), timezone.utc))
UTC_DAYS = Days("utc", None)
IN_ORDER = tuple(range(8))


@dataclass(frozen=True)
class Event:
    """One event: its day, when Mixpanel processed it, when it began to show it, and its hour."""

    number: int
    day: date
    processed_ms: int
    shown_ms: int
    hour: int = 12

    @property
    def at_ms(self) -> int:
        """When it happened, after midnight of the first day."""
        return number_of(self.day) * DAY_MS + self.hour * HOUR_MS


@dataclass(frozen=True)
class Sync:
    """One sync.

    Attributes:
        at_ms: When it begins, after midnight of the first day.
        start: The number of the start date's day.
        windows: After how many windows it is killed.
        pace: Days in a window.
        pause_ms: What each window takes.
        order: In which order the windows come.
        fails: The place of a window that cannot be had.
        start_hour: From when on that day events are wanted; None for all of it.
        end: The hour up to which they are, after midnight of the first day; None for now.
    """

    at_ms: int
    start: int
    windows: int | None = None
    pace: int = 9
    pause_ms: int = 1000
    order: tuple[int, ...] = IN_ORDER
    fails: int | None = None
    start_hour: int | None = None
    end: int | None = None

    @property
    def period(self) -> Period:
        """As the settings have it."""
        start: date | datetime = nth(self.start)
        if self.start_hour is not None:
            start = _moment(self.start * DAY_MS + self.start_hour * HOUR_MS)
        end = None if self.end is None else _moment(self.end * HOUR_MS)
        return Period(start=start, end=end, look_back_days=LOOK_BACK)


def _moment(ms: int) -> datetime:
    """The instant so long after midnight of the first day."""
    return EPOCH + timedelta(milliseconds=FIRST_MS + ms)


@dataclass
class Warehouse:
    """What has been asked for so far, and the state that was saved last.

    Attributes:
        lies: Which answer of all syncs is empty although it should not be; None for none.
    """

    reread: bool = False
    full: bool = False
    lies: int | None = None
    state: dict[str, Any] = field(default_factory=dict)
    seen: dict[Event, list[int]] = field(default_factory=dict)
    clock_ms: int = 0
    answers: int = 0
    first_kept_ms: int | None = None
    _uncommitted: list[tuple[Event, int]] = field(default_factory=list)

    def run(self, sync: Sync, events: list[Event]) -> None:
        """Sync as the connector does, window by window."""
        self._uncommitted.clear()
        self.clock_ms = max(sync.at_ms, self.clock_ms + 1)
        began_ms = self.clock_ms
        now = _moment(began_ms)
        before = parse_state(self.state)
        plan = plan_read(sync.period, before, UTC_DAYS, now, full=self.full, reread=self.reread)
        state, place, end = plan.state, 0, plan.ends()
        more: list[Callable[[ExportState], ReadPlan]] = [lambda _: plan, plan.to_confirm]
        more += [lambda _: end, end.to_confirm] if end else []
        for number, asks in enumerate(more):
            for window in _windows(asks(state), sync):
                if place == sync.windows:
                    return
                place += 1
                if place == sync.fails:
                    continue
                watermark_ms = FIRST_MS + self.clock_ms - OVERLAP_MS
                found, wanted = self._found(window, sync.period, events)
                state = state.read(window.first, window.last, watermark_ms, proven=found)
                self._uncommitted += [(event, self.clock_ms) for event in wanted]
                if number < 2:
                    self._keep(state, began_ms)
                self.clock_ms += sync.pause_ms
        if sync.fails is None:
            # A sync of a period without days has looked at nothing.
            self._keep(replace(state, refreshing=False), began_ms if plan.days else None)

    def _keep(self, state: ExportState, began_ms: int | None) -> None:
        """A state leaves, and stands for what has left before it."""
        self.state = json.loads(json.dumps(dump_state(state)))
        for event, at_ms in self._uncommitted:
            self.seen.setdefault(event, []).append(at_ms)
        self._uncommitted.clear()
        self.first_kept_ms = self.first_kept_ms or began_ms

    def _found(self, span: Span, period: Period, events: list[Event]) -> tuple[bool, list[Event]]:
        """Whether there are events in an answer, and which of them are wanted."""
        self.answers += 1
        if self.answers == self.lies:
            return False, []
        since_ms = None if span.since_ms is None else span.since_ms - FIRST_MS
        begin_ms, end_ms = period.bounds_ms()
        found = [
            event
            for event in events
            if span.first <= event.day <= span.last
            and event.shown_ms <= self.clock_ms
            and (since_ms is None or event.processed_ms >= since_ms)
        ]
        wanted = [event for event in found if begin_ms <= FIRST_MS + event.at_ms <= end_ms]
        return bool(found), wanted

    def lacks(self, events: list[Event]) -> list[Event]:
        """The events that were not had."""
        return [event for event in events if event not in self.seen]


def _windows(plan: ReadPlan, sync: Sync) -> list[Span]:
    """The windows of a plan, in the order in which they come."""
    windows = []
    for span in (*plan.spans, *plan.later):
        left: Span | None = span
        while left is not None:
            window, left = last_window(left, sync.pace)
            windows.append(window.span)
    places = range(len(windows))
    order = sorted(places, key=lambda place: (sync.order[place % len(sync.order)], place))
    return windows if sync.order == IN_ORDER else [windows[place] for place in order]


@st.composite
def _events(draw: st.DrawFn) -> list[Event]:
    """A prompt event each day, and some that are processed up to three weeks late."""
    noon = 12 * HOUR_MS
    made = [Event(n, nth(n), n * DAY_MS + noon, n * DAY_MS + noon + LAG_MS) for n in range(DAYS)]
    for number in range(DAYS, DAYS + draw(st.integers(1, 12))):
        happened = draw(st.integers(0, DAYS * DAY_MS - 1))
        late = draw(st.just(0) | st.integers(0, HOUR_MS) | st.integers(0, 21 * DAY_MS))
        hidden = draw(st.integers(0, LAG_MS))
        day, hour = nth(happened // DAY_MS), happened % DAY_MS // HOUR_MS
        made.append(Event(number, day, happened + late, happened + late + hidden, hour))
    return made


def _syncs(
    starts: st.SearchStrategy[int],
    orders: st.SearchStrategy[tuple[int, ...]] | None = None,
    hours: st.SearchStrategy[int | None] | None = None,
) -> st.SearchStrategy[list[Sync]]:
    """Syncs one after the other; without `orders`, in any; with `hours`, of parts of days."""
    hours = st.none() if hours is None else hours
    ends = st.builds(lambda day, hour: hour and 24 * day + hour, st.integers(0, DAYS), hours)
    sync = st.builds(
        Sync,
        at_ms=st.integers(0, 40 * DAY_MS),
        start=starts,
        windows=st.none() | st.integers(0, 6),
        pace=st.integers(1, 12),
        pause_ms=st.integers(0, 20 * 60_000),
        order=st.permutations(IN_ORDER).map(tuple) if orders is None else orders,
        fails=st.none() | st.integers(0, 6),
        start_hour=hours,
        end=ends,
    )
    return st.lists(sync, max_size=6).map(lambda many: sorted(many, key=lambda s: s.at_ms))


hours = st.none() | st.integers(1, 23)
LATE = Event(0, nth(10), 12 * DAY_MS, 12 * DAY_MS)


def _last(start: int = 0) -> Sync:
    return Sync(at_ms=60 * DAY_MS, start=start)


def _after(warehouse: Warehouse, syncs: list[Sync], events: list[Event]) -> Warehouse:
    """What is had after these syncs, and a last one of all days."""
    for sync in [*syncs, _last()]:
        warehouse.run(sync, events)
    return warehouse


def _assert_twice_only_within_the_overlap(warehouse: Warehouse) -> None:
    for event, had in warehouse.seen.items():
        later = [moment for moment in had if moment > event.processed_ms + OVERLAP_MS + CLOSE_MS]
        assert len(later) <= 1
        assert len(set(had)) == len(had)


# -- by processing time ----------------------------------------------------------------------


@given(_events(), _syncs(st.just(0)))
@_thorough
def test_by_processing_time_every_event_is_had_however_late_and_whatever_was_killed(
    events: list[Event], syncs: list[Sync]
) -> None:
    assert _after(Warehouse(), syncs, events).lacks(events) == []


@given(_events(), _syncs(st.integers(0, 20)))
@_thorough
def test_by_processing_time_moving_the_start_date_about_loses_nothing_either(
    events: list[Event], syncs: list[Sync]
) -> None:
    assert _after(Warehouse(), syncs, events).lacks(events) == []


@given(_events(), _syncs(st.integers(0, 20)))
@_thorough
def test_by_processing_time_an_event_outside_the_overlaps_is_had_once(
    events: list[Event], syncs: list[Sync]
) -> None:
    _assert_twice_only_within_the_overlap(_after(Warehouse(), syncs, events))


@given(_events(), _syncs(st.integers(0, 20), hours=hours))
@_thorough
def test_by_processing_time_moving_instants_about_within_days_loses_nothing_either(
    events: list[Event], syncs: list[Sync]
) -> None:
    assert _after(Warehouse(), syncs, events).lacks(events) == []


@given(_events(), st.integers(0, 20), hours, _syncs(st.just(0)))
@_thorough
def test_by_processing_time_between_the_same_instants_an_event_outside_the_overlaps_is_had_once(
    events: list[Event], start: int, hour: int | None, syncs: list[Sync]
) -> None:
    cut = [replace(sync, start=start, start_hour=hour) for sync in syncs]
    warehouse = Warehouse()
    for sync in [*cut, replace(_last(start), start_hour=hour)]:
        warehouse.run(sync, events)
    wanted_from = start * DAY_MS + (hour or 0) * HOUR_MS
    assert {event.at_ms >= wanted_from for event in warehouse.lacks(events)} <= {False}
    _assert_twice_only_within_the_overlap(warehouse)


def _with_a_lie(lies: int, syncs: list[Sync], events: list[Event]) -> Warehouse:
    """What is had if one answer is empty that should not be; the sync after the last one heals."""
    warehouse = _after(Warehouse(lies=lies), syncs, events)
    warehouse.run(replace(_last(), at_ms=62 * DAY_MS), events)
    return warehouse


@given(_events(), _syncs(st.integers(0, 20)), st.integers(1, 40))
@example([LATE], [Sync(9 * DAY_MS, 0), Sync(11 * DAY_MS, 0)], 3)
@settings(max_examples=150)
def test_an_answer_that_is_empty_and_should_not_be_loses_nothing(
    events: list[Event], syncs: list[Sync], lies: int
) -> None:
    warehouse = _with_a_lie(lies, syncs, events)
    assert warehouse.lacks(events) == []
    _assert_twice_only_within_the_overlap(warehouse)


@given(_events(), _syncs(st.integers(0, 20), hours=hours), st.integers(1, 40))
@_thorough
def test_nor_does_one_of_days_that_are_cut(
    events: list[Event], syncs: list[Sync], lies: int
) -> None:
    assert _with_a_lie(lies, syncs, events).lacks(events) == []


@given(_events(), _syncs(st.integers(0, 20)), st.integers(0, 25))
@_thorough
def test_after_another_connector_all_that_it_cannot_have_had_is_had(
    events: list[Event], syncs: list[Sync], cursor: int
) -> None:
    time = {"time": f"{nth(cursor)}T10:00:00Z"}
    at_ms = cursor * DAY_MS + 10 * HOUR_MS
    later = [replace(sync, at_ms=sync.at_ms + at_ms) for sync in syncs]
    warehouse = Warehouse(state=time, clock_ms=at_ms)
    for sync in [*later, replace(_last(), at_ms=90 * DAY_MS)]:
        warehouse.run(sync, events)
    assert warehouse.first_kept_ms is not None
    for event in warehouse.lacks(events):
        assert event.day < nth(cursor)
        assert event.processed_ms < warehouse.first_kept_ms


# -- full refreshes --------------------------------------------------------------------------


def _refreshed(attempts: list[Sync], events: list[Event], *, lies: int | None = None) -> Warehouse:
    """What the last full refresh has had; one that came to its end is forgotten by the next."""
    warehouse = Warehouse(full=True, lies=lies)
    for attempt in attempts:
        if not parse_state(warehouse.state).refreshing:
            warehouse.state, warehouse.seen = {}, {}
        warehouse.run(attempt, events)
    return warehouse


@given(_events(), _syncs(st.integers(0, 20)))
@_thorough
def test_a_full_refresh_in_several_attempts_has_every_event_and_none_twice_but_the_overlap(
    events: list[Event], syncs: list[Sync]
) -> None:
    warehouse = _refreshed([*syncs, _last()], events)
    assert warehouse.lacks(events) == []
    _assert_twice_only_within_the_overlap(warehouse)


@given(_events(), _syncs(st.integers(0, 20)), st.integers(1, 40))
@settings(max_examples=150)
def test_a_full_refresh_with_an_answer_that_is_empty_and_should_not_be_has_every_event(
    events: list[Event], syncs: list[Sync], lies: int
) -> None:
    assert _refreshed([*syncs, _last()], events, lies=lies).lacks(events) == []


@given(_events(), _syncs(st.integers(0, 20), hours=hours))
@_thorough
def test_a_full_refresh_in_several_attempts_between_instants_that_move_has_every_event(
    events: list[Event], syncs: list[Sync]
) -> None:
    assert _refreshed([*syncs, _last()], events).lacks(events) == []


@given(_syncs(st.integers(0, 20)))
@_thorough
def test_a_full_refresh_of_days_that_are_over_reads_each_once(syncs: list[Sync]) -> None:
    events = [Event(n, nth(n), n * DAY_MS, n * DAY_MS) for n in range(DAYS)]
    attempts = [replace(sync, at_ms=sync.at_ms + 40 * DAY_MS) for sync in syncs]
    warehouse = _refreshed([*attempts, replace(_last(), at_ms=90 * DAY_MS)], events)
    assert {event: len(had) for event, had in warehouse.seen.items()} == dict.fromkeys(events, 1)


# -- by reading the window again -------------------------------------------------------------


def _assert_has_what_was_shown_within_the_window(warehouse: Warehouse, events: list[Event]) -> None:
    for event in events:
        looked_back_until = (number_of(event.day) + 1 + LOOK_BACK) * DAY_MS
        if event.shown_ms <= looked_back_until:
            assert event in warehouse.seen


@given(_events(), _syncs(st.just(0), st.just(IN_ORDER)))
@_thorough
def test_rereading_has_every_event_that_is_shown_within_the_window(
    events: list[Event], syncs: list[Sync]
) -> None:
    whole = [replace(sync, fails=None) for sync in syncs]
    warehouse = _after(Warehouse(reread=True), whole, events)
    _assert_has_what_was_shown_within_the_window(warehouse, events)


@given(_events(), _syncs(st.integers(0, 20)))
@example([LATE], [Sync(11 * DAY_MS - 1, 0), Sync(20 * DAY_MS, 20), Sync(21 * DAY_MS, 0)])
@example(
    [LATE],
    [
        Sync(11 * DAY_MS - 1, 0),
        Sync(20 * DAY_MS, 0, windows=1, pace=3, order=IN_ORDER[::-1]),
        Sync(21 * DAY_MS, 0),
    ],
)
@_thorough
def test_rereading_in_any_order_has_every_event_that_is_shown_within_the_window(
    events: list[Event], syncs: list[Sync]
) -> None:
    warehouse = _after(Warehouse(reread=True), syncs, events)
    _assert_has_what_was_shown_within_the_window(warehouse, events)


@given(_events(), _syncs(st.integers(0, 20), hours=hours))
@_thorough
def test_rereading_between_instants_that_move_has_every_event_that_is_shown_within_the_window(
    events: list[Event], syncs: list[Sync]
) -> None:
    warehouse = _after(Warehouse(reread=True), syncs, events)
    _assert_has_what_was_shown_within_the_window(warehouse, events)


@given(_events(), _syncs(st.integers(0, 20)), st.lists(st.booleans(), min_size=6, max_size=6))
@_thorough
def test_rereading_for_a_while_does_not_hide_late_events_from_processing_time(
    events: list[Event], syncs: list[Sync], modes: list[bool]
) -> None:
    warehouse = Warehouse()
    for sync, reread in zip(syncs, modes, strict=False):
        warehouse.reread = reread
        warehouse.run(sync, events)
    warehouse.reread = False
    assert _after(warehouse, [], events).lacks(events) == []


def _sync(day: int, start: int, windows: int | None = None) -> Sync:
    at_ms = day * DAY_MS + 13 * HOUR_MS
    return Sync(at_ms=at_ms, start=start, windows=windows, pace=1, pause_ms=0)


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
    assert _after(Warehouse(reread=bool(reread)), syncs, events).lacks(events) == []


def test_a_model_that_loses_a_window_is_noticed() -> None:
    events = [Event(n, nth(n), n * DAY_MS, n * DAY_MS) for n in range(DAYS)]
    claims = Coverage((CoveredDays(nth(3), nth(3), FIRST_MS + 30 * DAY_MS),))
    warehouse = Warehouse(state=dump_state(ExportState(coverage=claims)))
    assert _after(warehouse, [], events).lacks(events) == [events[3]]
