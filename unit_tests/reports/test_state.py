"""Days of reports: which to ask for, and their state."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.errors import ConfigError
from source_mixpanel.reports.buckets import Buckets
from source_mixpanel.reports.state import (
    WHOLE,
    DatedState,
    DayRange,
    day_of,
    dump_state,
    first_bucket,
    is_too_long,
)
from source_mixpanel.reports.state import parse_state as parse_blob
from source_mixpanel.streams.coverage import Coverage, CoveredDays, Span
from source_mixpanel.streams.period import in_ms
from source_mixpanel.streams.state import Origin, opened
from source_mixpanel.times.dates import EARLIEST
from source_mixpanel.times.days import Days
from source_mixpanel.times.event_time import PROJECT_KIND
from unit_tests.builders import DAY_MS
from unit_tests.events.numbered_days import (
    APART_MS,
    FIRST,
    ONE_DAY,
    coverages,
    days_of,
    marks_of,
    nth,
    number_of,
)

_quick = settings(max_examples=50)

DAY = st.dates(date(2, 1, 1), date(9998, 1, 1))
START = date(2026, 3, 1)
MINUTES_MS = 30 * 60_000
UTC_DAYS = Days(PROJECT_KIND, None)
FIRST_MS = in_ms(datetime.combine(FIRST, datetime.min.time(), timezone.utc))

more = st.fixed_dictionaries(
    {
        "refreshing": st.booleans(),
        "ended_ms": st.none() | st.integers(0, 4_000_000_000_000),
        "report": st.none() | st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2),
        "origin": st.builds(Origin, st.none() | st.integers(1, 99), st.sampled_from([None, "EU"])),
    }
)


def parse_state(blob: dict[str, Any], partition: str | None = None) -> DatedState:
    """As the stream 'funnels' reads it."""
    return opened(blob, "funnels", lambda saved: parse_blob(saved, partition))


def _round_trip(state: DatedState, partition: str | None = None) -> DatedState:
    return parse_state(json.loads(json.dumps(dump_state(state))), partition)


def _noon_of(number: int) -> int:
    """UTC milliseconds of noon of a day by its number."""
    return FIRST_MS + number * DAY_MS + DAY_MS // 2


def _covered(*parts: tuple[int, int, int | None]) -> Coverage:
    """Days by their numbers, with the day on which they were read."""
    return Coverage(
        tuple(
            CoveredDays(nth(first), nth(last), None if read is None else _noon_of(read))
            for first, last, read in parts
        )
    )


# -- the state -------------------------------------------------------------------------------


@given(st.dictionaries(st.text("0123456789", min_size=1), coverages), more)
@_quick
def test_a_state_comes_back_as_it_went(parts: dict[str, Coverage], rest: dict[str, Any]) -> None:
    state = DatedState(parts, **rest)
    says = parts or rest["refreshing"] or rest["ended_ms"] is not None
    said = says or rest["report"] is not None
    assert _round_trip(state, "funnel_id") == (state if said else DatedState())


@given(coverages, more)
@_quick
def test_a_state_without_parts_comes_back_as_it_went(
    coverage: Coverage, rest: dict[str, Any]
) -> None:
    state = DatedState({WHOLE: coverage}, **rest)
    assert coverage.last is not None
    assert dump_state(state)["date"] == coverage.last.isoformat()
    assert _round_trip(state) == state


def test_days_that_were_read_within_a_quarter_of_an_hour_are_joined_by_reading_the_state() -> None:
    mark = _noon_of(20)
    by_hand = Coverage(
        (CoveredDays(nth(0), nth(3), mark), CoveredDays(nth(4), nth(7), mark + 60_000))
    )
    assert _round_trip(DatedState({WHOLE: by_hand})).of(WHOLE) == _covered((0, 7, 20))


def test_a_state_that_says_nothing_is_told_as_airbytes_mark_of_none() -> None:
    assert dump_state(DatedState()) == {"__ab_no_cursor_state_message": True}
    assert _round_trip(DatedState()) == DatedState()
    assert _round_trip(DatedState({"7": Coverage()}), "funnel_id") == DatedState()


@given(DAY)
@_quick
def test_a_state_of_airbyte_4_0_2_covers_all_up_to_its_day(day: date) -> None:
    all_before = Coverage((CoveredDays(date.min, day, None),))
    assert parse_state({"date": day.isoformat()}).parts == {WHOLE: all_before}
    assert parse_state({"date": f"{day}T00:00:00Z"}).parts == {WHOLE: all_before}
    by_part = {"7": {"date": day.isoformat()}, "8": {"date": ""}, "state": {"date": "x"}}
    assert parse_state(by_part, "funnel_id").parts == {"7": all_before}
    state = {"partition": {"funnel_id": 7}, "cursor": {"date": day.isoformat()}}
    nobody = {"partition": {"funnel_id": 8}, "cursor": {}}
    told = {"states": [state, nobody], "state": {"date": "x"}, "use_global_cursor": False}
    assert parse_state(told, "funnel_id").parts == {"7": all_before}


@pytest.mark.parametrize("partition", [None, "funnel_id"])
def test_a_state_of_version_0_1_0_is_read(partition: str | None) -> None:
    told: dict[str, Any] = {"date": "2026-03-04"}
    blob = told if partition is None else {"7": told}
    state = parse_state({**blob, "full_refresh": "in progress"}, partition)
    key = WHOLE if partition is None else "7"
    assert state.parts == {key: Coverage((CoveredDays(date.min, date(2026, 3, 4), None),))}
    assert state.refreshing
    assert state.origin == Origin()


@pytest.mark.parametrize("blob", [{}, {"date": ""}, {"date": None}, {"x": 1}])
def test_a_state_without_a_day_covers_nothing(blob: dict[str, Any]) -> None:
    assert parse_state(blob) == DatedState()


@pytest.mark.parametrize("partition", [None, "funnel_id"])
def test_days_of_another_connector_survive_being_written_beside_those_read_since(
    partition: str | None,
) -> None:
    told: dict[str, Any] = {"date": "2026-03-05"}
    state = parse_state(told if partition is None else {"7": told}, partition)
    assert _round_trip(state, partition) == state
    key = WHOLE if partition is None else "7"
    coverage = state.of(key).read(date(2026, 2, 28), date(2026, 3, 10), _noon_of(68))
    assert _round_trip(state.read(key, coverage), partition) == state.read(key, coverage)


def test_a_broken_off_refresh_goes_on_with_the_days_that_are_lacking() -> None:
    state = DatedState().at_start(["a"], 0, full=True)
    state = state.read("a", _covered((0, 3, 9), (6, 7, 9)))
    again = _round_trip(state, "funnel_id").at_start(["a"], 1, full=True)
    assert DayRange(nth(0), nth(8), UTC_DAYS).spans(again.of("a")) == [
        Span(nth(4), nth(5)),
        Span(nth(8), nth(8)),
    ]


def test_a_refresh_heeds_only_one_it_has_begun_itself() -> None:
    coverage = _covered((0, 3, 9))
    incremental = DatedState({"a": coverage}, report={"x": "y"}, origin=Origin(7))
    fresh = incremental.at_start(["a"], 0, full=True)
    assert fresh == DatedState(refreshing=True, report={"x": "y"})
    begun = DatedState({"a": coverage}, refreshing=True)
    assert begun.at_start(["a"], 0, full=True) == begun
    assert not begun.at_start(["a"], 0, full=False).refreshing


def test_a_refresh_that_ended_some_time_ago_is_begun_anew() -> None:
    state = DatedState({"a": _covered((0, 3, 9))}, refreshing=True)
    ended = state.ended(1000, passes=True, whole=True)
    assert ended.ended_ms == 1000
    soon, late = 1000 + MINUTES_MS, 1001 + MINUTES_MS
    assert ended.at_start(["a"], soon, full=True) == state
    assert ended.at_start(["a"], late, full=True) == DatedState(refreshing=True)
    broken_off = state.ended(1000, passes=True, whole=False)
    assert broken_off.at_start(["a"], late, full=True) == state
    refused = state.ended(1000, passes=False, whole=True)
    assert refused.at_start(["a"], soon, full=True) == DatedState(refreshing=True)


def test_parts_that_are_no_more_are_dropped() -> None:
    coverage = _covered((0, 0, 0))
    state = DatedState({"a": coverage, "b": coverage}).at_start(["b", "c"], 0, full=False)
    assert state.parts == {"b": coverage}
    assert state.of("c") == Coverage()


@pytest.mark.parametrize(
    "blob",
    [
        {"7": {"date": "2026-13-01"}},
        {"7": {"date": 5}},
        {"7": {"date": "2026-01-01", "covered": [["2026-01-01", 5]]}},
        {"7": {"date": "2026-01-01", "covered": 5}},
        {"states": [{"cursor": {"date": "2026-01-01"}}]},
        {"states": [5]},
        {"states": [{"partition": {"funnel_id": 1}, "cursor": {"date": "x"}}]},
        {"ended_ms": "soon"},
        {"origin": 5},
        {"origin": {"version": 3}},
    ],
)
def test_a_corrupt_state_is_named(blob: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="state of stream 'funnels'"):
        parse_state(blob, "funnel_id")


# -- the days to ask for ---------------------------------------------------------------------


def _asked(wish: DayRange, coverage: Coverage) -> list[date]:
    spans = wish.spans(coverage)
    for one, other in pairwise(spans):
        assert one.last < other.first
    return [day for span in spans for day in days_of(span)]


@given(st.integers(0, 30), st.integers(0, 40), st.integers(0, 20))
@_quick
def test_after_one_stretch_its_last_days_and_the_new_ones_are_asked_for(
    last: int, later: int, back: int
) -> None:
    coverage = _covered((0, last, last))
    wish = DayRange(nth(0), nth(last + later), UTC_DAYS, back)
    assert _asked(wish, coverage) == [nth(n) for n in range(max(0, last - back), last + later + 1)]
    assert _asked(wish, Coverage()) == [nth(n) for n in range(last + later + 1)]


def test_never_before_the_start_and_never_after_the_end() -> None:
    coverage = _covered((0, 20, 20))
    assert _asked(DayRange(nth(18), nth(19), UTC_DAYS, 5), coverage) == [nth(18), nth(19)]
    assert _asked(DayRange(nth(0), nth(10), UTC_DAYS, 5), coverage) == []


def test_an_earlier_start_reads_just_what_is_missing() -> None:
    coverage = _covered((10, 20, 20))
    asked = _asked(DayRange(nth(7), nth(21), UTC_DAYS, 2), coverage)
    assert asked == [nth(n) for n in (7, 8, 9, 18, 19, 20, 21)]


def test_what_changed_after_it_was_read_is_read_again_in_every_stretch() -> None:
    coverage = _covered((0, 10, 10), (11, 12, 30), (15, 30, 30))
    asked = _asked(DayRange(nth(0), nth(30), UTC_DAYS, 3), coverage)
    assert asked == [nth(n) for n in (7, 8, 9, 10, 13, 14, 27, 28, 29, 30)]


def test_a_stretch_that_may_have_changed_reaches_into_no_other() -> None:
    coverage = _covered((0, 9, 13), (10, 10, 12), (12, 13, 13))
    asked = _asked(DayRange(nth(0), nth(13), UTC_DAYS, 4), coverage)
    assert asked == [nth(n) for n in (9, 10, 11, 12, 13)]


def test_the_last_stretch_is_read_again_with_its_neighbours() -> None:
    # Late data of its last days come with days before it.
    coverage = _covered((0, 8, 30), (9, 10, 10))
    asked = _asked(DayRange(nth(0), nth(11), UTC_DAYS, 4), coverage)
    assert asked == [nth(n) for n in (6, 7, 8, 9, 10, 11)]


@pytest.mark.parametrize("syncs", [1, 2, 5])
def test_days_of_another_connector_are_read_again_once_and_not_further_back_in_each_sync(
    syncs: int,
) -> None:
    coverage = Coverage((CoveredDays(date.min, nth(60), None),)).anchored(nth(0))
    asked: list[list[date]] = []
    for number in range(65, 66 + syncs):
        wish = DayRange(nth(0), nth(number), UTC_DAYS, 5)
        coverage = wish.vouched(coverage, _noon_of(number))
        asked.append(_asked(wish, coverage))
        for span in wish.spans(coverage):
            coverage = wish.settled(coverage.read(span.first, span.last, _noon_of(number)))
    assert [days[0] for days in asked] == [nth(55), *(nth(n - 5) for n in range(65, 65 + syncs))]


@pytest.mark.parametrize("back", [0, 5, 59, 60, 61])
def test_days_of_another_connector_that_are_not_read_again_count_as_read_now(back: int) -> None:
    coverage = _covered((0, 60, None))
    wish = DayRange(nth(0), nth(65), UTC_DAYS, back)
    vouched = wish.vouched(coverage, _noon_of(65))
    assert marks_of(vouched) == {nth(n): _noon_of(65) if n < 60 - back else None for n in range(61)}
    assert wish.spans(vouched) == wish.spans(coverage)
    assert wish.vouched(vouched, _noon_of(66)) == vouched


def test_a_sync_that_is_killed_leaves_days_of_another_connector_to_be_read_again() -> None:
    coverage = DayRange(nth(0), nth(65), UTC_DAYS, 5).vouched(_covered((0, 60, None)), _noon_of(65))
    # The newest days alone were had.
    coverage = coverage.read(nth(61), nth(65), _noon_of(65))
    wish = DayRange(nth(0), nth(90), UTC_DAYS, 5)
    again = wish.vouched(coverage, _noon_of(90))
    assert again == coverage
    assert _asked(wish, again) == [nth(n) for n in range(55, 91)]


def test_a_full_refresh_reads_no_day_again_that_was_read_before() -> None:
    coverage = _covered((0, 60, None))
    wish = DayRange(nth(0), nth(65), UTC_DAYS, None)
    assert _asked(wish, coverage) == [nth(n) for n in range(61, 66)]
    assert wish.vouched(coverage, _noon_of(65)) == _covered((0, 60, 65))


@given(coverages, st.integers(0, 20), st.integers(0, 20), st.integers(0, 9))
@_quick
def test_what_is_joined_is_asked_for_as_if_it_were_not(
    coverage: Coverage, start: int, length: int, back: int
) -> None:
    # A day is read on that day or later.
    in_days = Coverage()
    for part in coverage.parts:
        read = None
        if part.watermark_ms is not None:
            read = _noon_of(number_of(part.last) + part.watermark_ms // APART_MS % 12)
        in_days = in_days.read(part.first, part.last, read)
    wish = DayRange(nth(start), nth(start + length), UTC_DAYS, back)
    settled = wish.settled(in_days)
    assert marks_of(settled).keys() == marks_of(in_days).keys()
    assert wish.spans(settled) == wish.spans(in_days)
    assert len(settled.parts) <= len(in_days.parts)


def test_a_state_stays_short_however_many_syncs_there_were() -> None:
    coverage = Coverage()
    for number in range(200):
        wish = DayRange(nth(0), nth(number), UTC_DAYS, 5)
        for span in wish.spans(coverage):
            coverage = wish.settled(coverage.read(span.first, span.last, _noon_of(number)))
        assert len(coverage.parts) <= 2


@given(
    st.sampled_from([Buckets("week"), Buckets("month"), Buckets(days=7)]),
    coverages,
    st.integers(0, 40),
)
@_quick
def test_buckets_are_asked_for_whole_and_each_once(
    buckets: Buckets, coverage: Coverage, length: int
) -> None:
    start = first_bucket(nth(5), buckets)
    end = max(start, nth(5 + length))
    asked = _asked(DayRange(start, end, UTC_DAYS, 3, buckets), coverage)
    assert len(set(asked)) == len(asked)
    for day in asked:
        bucket = days_of(Span(max(buckets.start(day), start), min(buckets.end(day), end)))
        assert set(bucket) <= set(asked)


def test_the_first_bucket_is_one_that_mixpanel_takes() -> None:
    assert first_bucket(date(2026, 3, 12), Buckets("week")) == date(2026, 3, 9)
    assert first_bucket(date(2026, 3, 12), Buckets()) == date(2026, 3, 12)
    assert first_bucket(EARLIEST, Buckets("month")) == EARLIEST
    assert first_bucket(EARLIEST, Buckets("week")) == date(2000, 1, 3)


@given(st.dates(EARLIEST, date(9998, 1, 1)), st.integers(0, 10**9))
@_quick
def test_a_look_back_of_any_length_reaches_to_the_start(day: date, back: int) -> None:
    end = min(day + timedelta(days=2), date(9998, 1, 1))
    coverage = Coverage((CoveredDays(date.min, day, None),))
    asked = DayRange(day, end, UTC_DAYS, back).spans(coverage.anchored(day))
    assert asked == [Span(day, end)]


def test_a_look_back_beyond_the_calendar_vouches_for_no_day() -> None:
    coverage = _covered((0, 60, None))
    assert DayRange(nth(0), nth(65), UTC_DAYS, 10**9).vouched(coverage, _noon_of(65)) == coverage


# -- answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "long"),
    [
        ("Date range is too large", True),
        ("date range exceeds 90 days", True),
        ("Timeout Error.", True),
        ("Cannot have more than 100 days in a query", True),
        ("Funnel 5 not found", False),
        ("Invalid parameter: unit", False),
        ("", False),
    ],
)
def test_refusals_of_length_are_told_from_others(text: str, long: bool) -> None:  # noqa: FBT001
    assert is_too_long(text) == long


@pytest.mark.parametrize(
    "key",
    [
        "2026-03-01",
        "20260301",
        "2026-03-01 00:00",
        "2026-03-01T00:00:00",
        "2026-03-01 00:00:00.000",
        "2026-03-01T00:00:00Z",
        "2026-03-01T00:00:00+01:00",
        "2026-03-01T23:59:59-0800",
    ],
)
def test_dates_and_instants_of_the_projects_clock_are_days(key: str) -> None:
    assert day_of(key) == START


@pytest.mark.parametrize(
    "key", ["$overall", "", "2026-13-01", "2026-02-30", "1772323200", "2026-03", "x2026-03-01"]
)
def test_totals_and_what_is_no_date_are_no_days(key: str) -> None:
    assert day_of(key) is None


# -- series of syncs -------------------------------------------------------------------------

BACK = 4
Attempt = tuple[int, int, int, list[int], int]
"""Later days by which it comes, start, days a window, order of windows, and windows until a kill
(those whose place is divisible by 5 fail)."""

attempts = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.integers(0, 12),
        st.integers(1, 6),
        st.permutations(range(8)),
        st.integers(0, 9),
    ),
    max_size=6,
)


def _windows(spans: list[Span], days: int, order: list[int]) -> list[tuple[int, Span]]:
    """The windows of some spans, each with its place, in the order of a permutation."""
    cut = [
        Span(nth(first), nth(min(first + days - 1, (span.last - FIRST).days)))
        for span in spans
        for first in range((span.first - FIRST).days, (span.last - FIRST).days + 1, days)
    ]
    placed = list(enumerate(cut))
    return sorted(placed, key=lambda entry: (order[entry[0] % len(order)], entry[0]))


def _run(
    state: DatedState,
    attempt: Attempt,
    today: int,
    back: int | None,
    seen: dict[date, list[int]],
) -> DatedState:
    """The state as the next attempt gets it."""
    _, start, days, order, windows = attempt
    coverage = state.of(WHOLE)
    wish = DayRange(nth(start), nth(today), UTC_DAYS, back)
    for place, window in _windows(wish.spans(coverage), days, order)[:windows]:
        if place % 5 == 4:
            continue
        for day in days_of(window):
            seen.setdefault(day, []).append(today)
        read = coverage.read(window.first, window.last, _noon_of(today))
        coverage = DayRange(wish.start, wish.end, UTC_DAYS, BACK).settled(read)
        state = _round_trip(state.read(WHOLE, coverage))
    return state


@given(attempts)
def test_a_full_refresh_in_any_order_with_kills_and_failures_has_each_day_whole(
    many: list[Attempt],
) -> None:
    seen: dict[date, list[int]] = {}
    state, today = DatedState(refreshing=True), 12
    for attempt in many:
        today += attempt[0]
        state = _run(state, attempt, today, None, seen)
    for _ in range(3):
        # What failed is tried again; another start that is earlier reads just what is missing.
        state = _run(state, (0, 0, 99, [0], 99), today, None, seen)
    assert set(seen) == {nth(number) for number in range(today + 1)}
    for number in range(today + 1):
        *before, last = seen[nth(number)]
        # A day that was not over when it was read is read again on a later day, and only such one.
        assert last > number or number == today
        assert before in ([], [number])


@given(attempts)
def test_incremental_syncs_have_each_day_as_it_is_in_the_end_and_read_no_old_one_again(
    many: list[Attempt],
) -> None:
    seen: dict[date, list[int]] = {}
    state, today = DatedState(), 12
    for attempt in [*many, (0, 0, 99, [0], 99), (BACK + 1, 0, 99, [0], 99)]:
        today += attempt[0]
        before = {day: times[-1] for day, times in seen.items()}
        last = max(before, default=nth(0))
        now: dict[date, list[int]] = {}
        state = _run(state, attempt, today, BACK, now)
        for day, times in now.items():
            # What was read again is what may have changed since, or lies beside the last day.
            assert day not in before or day >= min(nth(before[day]), last) - BACK * ONE_DAY
            assert len(times) == 1
            seen.setdefault(day, []).extend(times)
    for number in range(today + 1):
        assert nth(number) in seen
        # A day changes until the look-back after it is over.
        assert seen[nth(number)][-1] >= min(today, number + BACK)
