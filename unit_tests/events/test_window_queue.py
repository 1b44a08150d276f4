"""Which windows a sync asks for, of servers that manage only so much, or not all days."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.errors import (
    CutError,
    DataError,
    ForbiddenError,
    SourceError,
    StrainError,
    TooLargeError,
    TransientError,
)
from source_mixpanel.events.plan import ReadPlan, plan_read
from source_mixpanel.events.state import ExportState
from source_mixpanel.events.window import TARGET_BYTES, Strain, Window
from source_mixpanel.events.window_queue import ALL, LATE, WindowQueue
from source_mixpanel.streams.coverage import Only, Span
from source_mixpanel.streams.period import Period, in_ms
from source_mixpanel.times.days import Days
from unit_tests.events.numbered_days import days_of, nth

_quick = settings(max_examples=50)

NOW = datetime(2026, 3, 10, 12, tzinfo=timezone.utc)
DAY_MS = 86_400_000
FIVE_YEARS = 1826
MANAGED = 60
UTC_DAYS = Days("utc", None)
AT_ONCE = [1]
"""Windows that are asked for before the first has come."""

Answers = Callable[[Window], SourceError | int]
"""What becomes of a window: an error, or the bytes that it takes."""


def _bytes(each: int = 1000) -> Answers:
    return lambda window: window.days * each


def _strained(beyond: int) -> Answers:
    """A server that manages only so many days."""
    return lambda window: StrainError("504") if window.days > beyond else 1000


def _broken(*days: int, error: SourceError | None = None) -> Answers:
    """A server that cannot give the events about noon of some days."""
    bad = {nth(day) for day in days}

    def answer(window: Window) -> SourceError | int:
        noon = int(
            datetime.combine(window.span.first, datetime.min.time(), timezone.utc).timestamp()
        )
        noon += 43_200
        hit = window.since_s is None or window.since_s <= noon
        hit = hit and (window.until_s is None or noon < window.until_s)
        return error or CutError("cut") if hit and bad & set(days_of(window.span)) else 1000

    return answer


@dataclass
class Trip:
    """What a queue asked for, and what came of it.

    Attributes:
        sent: Requests, each attempt counted.
        had: Windows that came, in their order.
    """

    queue: WindowQueue
    sent: int = 0
    had: list[Window] = field(default_factory=list)
    failed: list[Window] = field(default_factory=list)

    @property
    def days(self) -> list[date]:
        """Days that were had whole, in their order."""
        return [day for w in self.had if w.until_s is None for day in reversed(days_of(w.span))]

    def go(self, answers: Answers) -> Trip:
        """Ask for all of it, as many at once as the queue and `AT_ONCE` allow."""
        asked: set[Window] = set()
        while True:
            while len(self.queue.asked) < AT_ONCE[0] or self.queue.waits_in_front:
                if (chosen := self.queue.next()) is None:
                    break
                asked.add(chosen)
            # Those that are to be asked for anew have cost a request.
            dropped = asked - set(self.queue.asked)
            self._spend(len(dropped))
            asked -= dropped
            if not asked:
                return self
            window = self.queue.asked[0]
            asked.remove(window)
            self._hear(window, answers(window))

    def _spend(self, requests: int) -> None:
        self.sent += requests
        self.queue.sent(requests)

    def _hear(self, window: Window, came: SourceError | int) -> None:
        failed = isinstance(came, SourceError)
        tried = failed and not isinstance(came, (TooLargeError, ForbiddenError))
        self._spend((self.queue.tries(window) or 5) if tried else 1)
        if isinstance(came, SourceError):
            self.failed.append(window)
            self.queue.failed(window, came, refused=isinstance(came, ForbiddenError))
        else:
            self.had.append(window)
            self.queue.downloaded(window, came, 1.0)


def _queue(strains: Mapping[str, Strain] | None = None, *, most_days: int = 3650) -> WindowQueue:
    return WindowQueue(
        most_days=most_days,
        target_bytes=TARGET_BYTES,
        strains=strains or {},
        now_ms=in_ms(NOW),
    )


def _read(answers: Answers, days: int, *, most_days: int = 3650) -> Trip:
    trip = Trip(_queue(most_days=most_days))
    trip.queue.begin([Span(nth(0), nth(days - 1))])
    return trip.go(answers)


@pytest.fixture(autouse=True, params=[1, 4, 25])
def _at_once(request: pytest.FixtureRequest) -> None:
    AT_ONCE[0] = request.param


# -- order -----------------------------------------------------------------------------------


def test_the_newest_day_comes_first_and_windows_grow_backwards() -> None:
    trip = _read(_bytes(), 100)
    assert [window.days for window in trip.had] == [
        1,
        4,
        16,
        *([64, 15] if AT_ONCE[0] == 1 else [60, 19]),
    ]
    assert trip.days == [nth(n) for n in reversed(range(100))]


def test_parts_of_a_day_come_by_the_clock_within_days_that_go_backwards() -> None:
    size = 3 * TARGET_BYTES
    trip = _read(lambda w: TooLargeError("large") if w.length_s > 43_200 else size, 3)
    firsts = [(window.span.first, window.since_s is None) for window in trip.had]
    assert firsts == [(nth(n), morning) for n in (2, 1, 0) for morning in (True, False)]
    assert trip.days == [nth(2), nth(1), nth(0)]


def test_what_is_inserted_comes_next() -> None:
    queue = _queue()
    queue.begin([Span(nth(0), nth(9))])
    first = queue.next()
    assert first is not None
    queue.downloaded(first, 1, 1.0)
    queue.insert(Span(nth(10), nth(10)))
    following = queue.next()
    assert following is not None
    assert following.span == Span(nth(10), nth(10))


def test_days_that_are_not_there_yet_are_left_out_of_all_that_is_still_to_be_read() -> None:
    queue = _queue()
    queue.begin([Span(nth(0), nth(90)), Span(nth(50), nth(99))], [Span(nth(60), nth(70))])
    window = queue.next()
    assert window is not None
    queue.insert(window.span)
    queue.end_at(nth(55))
    days = Trip(queue).go(_bytes()).days
    assert days == [nth(n) for n in (*reversed(range(56)), *reversed(range(50, 56)))]


@given(
    st.integers(1, 300),
    st.integers(1, 90),
    st.integers(0, 1 << 32),
    st.sampled_from([3650, 7, 1]),
)
@_quick
def test_every_day_is_had_once_whatever_the_server_manages(
    days: int, beyond: int, each: int, most: int
) -> None:
    def answers(window: Window) -> SourceError | int:
        strained = _strained(beyond)(window)
        return strained if isinstance(strained, SourceError) else window.days * each

    trip = _read(answers, days, most_days=most)
    assert trip.days == [nth(n) for n in reversed(range(days))]
    assert all(window.days <= most for window in trip.had)
    assert trip.queue.missing == []


# -- what cannot be had ----------------------------------------------------------------------


@pytest.mark.parametrize("error", [CutError("cut"), DataError("no JSON")])
def test_the_days_beside_one_that_is_broken_are_had_and_it_is_named(error: SourceError) -> None:
    trip = _read(_broken(20, error=error), 50)
    assert sorted(trip.days) == [nth(n) for n in range(50) if n != 20]
    [missing] = trip.queue.missing
    assert missing.span == Span(nth(20), nth(20))
    assert str(missing) == "2026-01-21 (in 2026-01-21 12:00-12:45)"
    assert missing.error is error


def test_it_is_asked_for_once_more_at_the_end_and_may_be_there() -> None:
    trip = Trip(_queue())
    broken = _broken(20)
    trip.queue.begin([Span(nth(0), nth(49))])
    trip.go(lambda w: 1000 if len(set(trip.days)) >= 49 else broken(w))
    assert sorted(trip.days) == [nth(n) for n in range(50)]
    assert trip.had[-1].span.last == nth(20)
    assert trip.queue.missing == []


def test_what_comes_after_that_does_not_ask_for_it_again() -> None:
    trip = _read(_broken(20), 50)
    sent, before = trip.sent, list(trip.queue.missing)
    trip.queue.begin([Span(nth(50), nth(50))], [Span(nth(0), nth(9), Only.AGAIN)])
    trip.go(_broken(20))
    assert trip.sent == sent + 2
    assert trip.queue.missing == before


def test_where_nothing_could_be_had_nothing_else_is_asked_for() -> None:
    trip = _read(lambda _: StrainError("504"), 50)
    sent = trip.sent
    trip.queue.begin([Span(nth(50), nth(50))])
    assert trip.go(_bytes()).sent == sent


def test_a_fault_that_is_no_matter_of_size_is_not_asked_for_in_parts() -> None:
    trip = _read(
        lambda w: TransientError("500") if w.span.first <= nth(20) <= w.span.last else 1, 50
    )
    assert all(not window.is_of_a_day for window in trip.failed)
    [missing] = trip.queue.missing
    assert sorted([*trip.days, *days_of(missing.span)]) == [nth(n) for n in range(50)]


def test_where_days_fail_one_after_the_other_those_before_them_are_left() -> None:
    trip = _read(lambda w: StrainError("504") if w.span.first < nth(80) else 1, 100)
    assert sorted(trip.days) == [nth(n) for n in range(80, 100)]
    missing_days = sorted(day for each in trip.queue.missing for day in days_of(each.span))
    assert missing_days == [nth(n) for n in range(80)]
    assert trip.sent < 80


@pytest.mark.parametrize(
    "error", [StrainError("504"), DataError("no JSON"), TransientError("500")], ids=str
)
def test_where_nothing_can_be_had_it_ends_soon(error: SourceError) -> None:
    trip = _read(lambda _: error, 365)
    assert trip.had == []
    assert len(trip.queue.missing) == 3
    assert trip.sent <= 27


def test_a_hundred_broken_days_do_not_cost_thousands_of_requests() -> None:
    trip = _read(_broken(*range(0, 300, 3)), 300)
    assert len(trip.queue.missing) == 10
    assert trip.sent < 300


def test_where_the_history_is_closed_what_is_open_is_had() -> None:
    closed = ForbiddenError("history limit")
    trip = _read(lambda w: closed if w.span.first < nth(83) else 1, 200)
    assert trip.days == [nth(n) for n in reversed(range(83, 200))]
    [missing] = trip.queue.missing
    assert missing.span == Span(nth(0), nth(82))
    assert trip.sent <= 27
    again = Trip(_queue())
    again.queue.begin([Span(nth(200), nth(200)), missing.span])
    assert again.go(lambda w: closed if w.span.first < nth(83) else 1).sent <= 8


def test_a_refusal_before_anything_is_had_is_everybodys() -> None:
    with pytest.raises(ForbiddenError):
        _read(lambda _: ForbiddenError("closed"), 100)


@given(
    st.integers(2, 120),
    st.sets(st.integers(0, 119), max_size=8),
    st.integers(1, 90),
)
@_quick
def test_no_day_is_had_twice_and_each_is_had_or_named(
    days: int, broken: set[int], beyond: int
) -> None:
    bad, strained = _broken(*broken), _strained(beyond)

    def answers(window: Window) -> SourceError | int:
        found = strained(window)
        return found if isinstance(found, SourceError) else bad(window)

    trip = _read(answers, days)
    missing_days = [day for each in trip.queue.missing for day in days_of(each.span)]
    assert len(set(trip.days)) == len(trip.days)
    if trip.had:
        left = {nth(n) for n in range(days)} - set(trip.days)
        assert left == set(missing_days) or len(trip.queue.missing) == 10
        if len(trip.queue.missing) < 3:
            assert left <= {nth(n) for n in broken}


# -- what a server does not manage -----------------------------------------------------------


@dataclass
class Project:
    """A project, whose server manages so many days a request, and the state of its syncs."""

    start: date
    managed: int
    state: ExportState = field(default_factory=ExportState)
    now: datetime = NOW
    events: bool = True

    def sync(self, *, hours: float = 0) -> Trip:
        """A sync some time after the last one."""
        self.now += timedelta(hours=hours)
        period = Period(start=self.start)
        plan = plan_read(period, self.state, UTC_DAYS, self.now, full=False)
        trip = Trip(
            WindowQueue(
                most_days=3650,
                target_bytes=TARGET_BYTES,
                strains=plan.state.strains,
                now_ms=in_ms(self.now),
            )
        )
        state = self._read(trip, plan, plan.state)
        state = self._read(trip, plan.to_confirm(state), state)
        self.state = replace(state, strains=trip.queue.strains)
        return trip

    def _read(self, trip: Trip, plan: ReadPlan, state: ExportState) -> ExportState:
        trip.queue.begin(plan.spans, plan.later)
        before = len(trip.had)
        trip.go(_strained(self.managed))
        for window in trip.had[before:]:
            mark, span = in_ms(self.now) - 3_600_000, window.span
            state = state.read(span.first, span.last, mark, proven=self.events)
        return state


def _five_years(managed: int = MANAGED, *, events: bool = True) -> Project:
    return Project((NOW - timedelta(days=FIVE_YEARS - 1)).date(), managed, events=events)


def test_five_years_of_which_sixty_days_are_managed_take_forty_requests_and_then_six() -> None:
    project = _five_years()
    first = project.sync()
    assert len(set(first.days)) == FIVE_YEARS
    assert first.sent <= 40
    assert project.sync(hours=1).sent <= 2
    assert [project.sync(hours=24).sent for _ in range(20)] == [6] * 20
    assert all(project.sync(hours=1).sent <= 6 for _ in range(48))


@pytest.mark.parametrize("events", ["events", ""])
def test_of_such_a_project_every_old_day_has_its_turn(events: str) -> None:
    project = _five_years(events=bool(events))
    project.sync()
    daily = [day for _ in range(10 if events else 16) for day in project.sync(hours=24).days]
    assert len(set(daily)) >= FIVE_YEARS
    project = _five_years(events=bool(events))
    project.sync()
    hourly = [day for _ in range(48) for day in project.sync(hours=1).days]
    assert len(set(hourly)) >= FIVE_YEARS


def test_five_years_without_events_take_no_more_requests_a_sync() -> None:
    project = _five_years(events=False)
    assert project.sync().sent <= 42
    assert all(project.sync(hours=24).sent <= 7 for _ in range(20))
    read = [day for part in project.state.coverage.parts for day in days_of(part)]
    assert len(read) >= FIVE_YEARS


def test_a_server_that_has_recovered_is_asked_for_all_again_within_days() -> None:
    project = _five_years()
    project.sync()
    project.managed = 3650
    sent = [project.sync(hours=24).sent for _ in range(8)]
    assert max(sent) <= (6 if AT_ONCE[0] == 1 else 7)
    assert sent[-1] == 3
    assert all(strain.is_over(in_ms(project.now)) for strain in project.state.strains.values())


def test_what_one_kind_of_request_has_taught_bounds_the_other_until_it_knows_better() -> None:
    queue = _queue({ALL: Strain(60, in_ms(NOW))})
    queue.begin([Span(nth(0), nth(999), Only.PROCESSED_SINCE, 5)])
    window = queue.next()
    assert window is not None
    assert window.days == 60
    own = _queue({ALL: Strain(60, in_ms(NOW)), LATE: Strain(500, in_ms(NOW))})
    own.begin([Span(nth(0), nth(999), Only.PROCESSED_SINCE, 5)])
    window = own.next()
    assert window is not None
    assert window.days == 500


def test_a_day_that_is_broken_teaches_nothing_of_how_many_are_managed() -> None:
    assert _read(_broken(20), 50).queue.strains == {}
    known = {ALL: Strain(60, in_ms(NOW) - DAY_MS, 4)}
    trip = Trip(_queue(known))
    trip.queue.begin([Span(nth(0), nth(19))])
    assert trip.go(_broken(10)).queue.strains == known


def test_a_few_days_of_which_little_is_managed_are_all_read() -> None:
    trip = _read(_strained(1), 30)
    assert sorted(trip.days) == [nth(n) for n in range(30)]


def test_of_what_is_left_to_the_next_sync_the_days_are_counted() -> None:
    trip = Trip(_queue({LATE: Strain(10, in_ms(NOW))}))
    old = [Span(nth(n), nth(n + 49), Only.PROCESSED_SINCE, n) for n in (0, 100, 200)]
    trip.queue.begin([], old)
    trip.go(_bytes())
    assert [window.days for window in trip.had] == [10] * 6
    assert trip.queue.left_days == 90


def test_where_all_is_managed_nothing_is_left() -> None:
    trip = Trip(_queue())
    old = [Span(nth(n), nth(n + 4), Only.PROCESSED_SINCE, n) for n in range(0, 200, 10)]
    trip.queue.begin([], old)
    trip.go(_bytes())
    assert len(trip.had) == 20


# -- several at once -------------------------------------------------------------------------


@pytest.mark.parametrize("only", [Only.ALL, Only.PROCESSED_SINCE])
def test_no_window_is_longer_than_the_user_wants_whatever_is_known_of_the_server(
    only: Only,
) -> None:
    queue = _queue({ALL: Strain(60, in_ms(NOW)), LATE: Strain(60, in_ms(NOW))}, most_days=7)
    queue.begin([Span(nth(0), nth(199), only, 5 if only is Only.PROCESSED_SINCE else None)])
    assert [queue.next() for _ in range(8)]
    assert max(window.days for window in queue.asked) == 7


def test_a_day_that_is_found_later_does_not_come_between_the_parts_of_another() -> None:
    queue = _queue()
    queue.begin([Span(nth(0), nth(0))])
    day = queue.next()
    assert day is not None
    queue.failed(day, TooLargeError("large"))
    first = queue.next()
    assert first is not None
    queue.downloaded(first, 1000, 1.0)
    queue.insert(Span(nth(1), nth(1)))
    rest = [queue.next(), queue.next()]
    assert [window and window.span.first for window in rest] == [nth(0), nth(1)]


@pytest.mark.parametrize("days", [30, 200, 365])
def test_up_to_a_year_is_asked_for_whole_before_anything_has_come(days: int) -> None:
    queue = _queue()
    queue.begin([Span(nth(0), nth(days - 1))])
    while queue.next() is not None:
        pass
    assert sum(window.days for window in queue.asked) == days
