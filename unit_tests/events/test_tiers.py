"""What syncs ask for, in which order: newest days first, late events of old days once a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.events.tiers import (
    YOUNG_DAYS,
    LookBack,
    Wanted,
    full_spans,
    incremental_spans,
    spans_to_confirm,
)
from source_mixpanel.streams.coverage import Coverage, CoveredDays, Only, Span
from source_mixpanel.times.days import Days
from source_mixpanel.times.event_time import PROJECT_KIND, UTC_KIND
from unit_tests.events.numbered_days import (
    HOUR_MS,
    ONE_DAY,
    at,
    coverages,
    covered,
    days_of,
    lived,
    marks_of,
    nth,
)

_quick = settings(max_examples=50)

UTC_DAYS = Days(UTC_KIND, None)
TODAY = 100
"""Late enough for old days; the first young one is 71."""
YOUNG = TODAY - YOUNG_DAYS + 1
NONE = Coverage()


def _back(count: int) -> LookBack:
    return LookBack(UTC_DAYS, count)


def _wanted(start: int, end: int, *, today: int | None = None, count: int = 5) -> Wanted:
    """Days of the middle of a day, which is the last one unless it is told."""
    now = end if today is None else today
    return Wanted(nth(start), nth(end), nth(now), at(now, 12), _back(count))


def _since(
    first: int, last: int, mark: int, unknown: int | None = None, only: Only = Only.PROCESSED_SINCE
) -> Span:
    return Span(nth(first), nth(last), only, mark, None if unknown is None else nth(unknown))


def _spans(
    coverage: Coverage, wanted: Wanted, *, empty: Coverage = NONE, reread: bool = False
) -> tuple[list[Span], list[Span]]:
    return incremental_spans(coverage, empty, wanted, reread=reread)


# -- order -----------------------------------------------------------------------------------


def test_a_first_sync_reads_all_days_in_one_span() -> None:
    assert _spans(NONE, _wanted(0, TODAY)) == ([Span(nth(0), nth(TODAY))], [])


def test_new_days_come_first_then_late_events_of_young_ones_then_those_of_old_ones() -> None:
    mark = at(TODAY - 1, 11)
    assert _spans(covered((0, TODAY - 1, mark)), _wanted(0, TODAY)) == (
        [Span(nth(TODAY), nth(TODAY)), _since(YOUNG, TODAY - 1, mark, TODAY - 6)],
        [_since(0, YOUNG - 1, mark)],
    )


def test_history_that_is_lacking_comes_after_late_events_of_young_days_newest_first() -> None:
    mark = at(TODAY, 11)
    coverage = covered((20, 29, mark), (60, TODAY, mark))
    spans, _ = _spans(coverage, _wanted(0, TODAY))
    assert spans[0] == _since(YOUNG, TODAY, mark, TODAY - 5)
    assert spans[1:] == [Span(nth(30), nth(59)), Span(nth(0), nth(19))]


def test_a_gap_of_young_and_old_days_is_one_span_unless_late_events_come_between() -> None:
    before = covered((80, TODAY, at(TODAY, 11)))
    spans, _ = _spans(before, _wanted(0, TODAY))
    assert [(span.first, span.last, span.only) for span in spans] == [
        (nth(YOUNG), nth(79), Only.ALL),
        (nth(80), nth(TODAY), Only.PROCESSED_SINCE),
        (nth(0), nth(YOUNG - 1), Only.ALL),
    ]


# -- tiers -----------------------------------------------------------------------------------


def _later(hours_ago: int, *, empty_hours_ago: int | None = None) -> list[Span]:
    """Old days to ask for, whose watermark, and empty answer, are so old; an hour is the lag."""
    now = at(TODAY, 12)
    coverage = covered((0, YOUNG - 1, now - (hours_ago + 1) * HOUR_MS), (YOUNG, TODAY, now))
    empty = NONE
    if empty_hours_ago is not None:
        empty = covered((0, YOUNG - 1, now - (empty_hours_ago + 1) * HOUR_MS))
    return _spans(coverage, _wanted(0, TODAY), empty=empty)[1]


def test_old_days_are_asked_for_about_once_a_day() -> None:
    assert _later(19) == []
    assert len(_later(20)) == 1
    assert len(_later(24 * 90)) == 1


def test_old_days_that_were_empty_are_asked_for_once_a_day_as_well() -> None:
    assert _later(90, empty_hours_ago=3) == []
    [span] = _later(90, empty_hours_ago=20)
    assert span.since_ms == at(TODAY, 12) - 91 * HOUR_MS


def test_all_old_days_have_their_turn_together_but_for_those_that_were_just_asked_for() -> None:
    now = at(TODAY, 12)
    ages = {(0, 9): 3, (10, 19): 4, (20, 29): 30, (30, 49): 12}
    coverage = covered(*((*days, now - (hours + 1) * HOUR_MS) for days, hours in ages.items()))
    _, later = _spans(coverage, _wanted(0, TODAY))
    # The longest wait comes first.
    assert [(span.first, span.last) for span in later] == [
        (nth(20), nth(29)),
        (nth(30), nth(49)),
        (nth(10), nth(19)),
    ]


def test_where_days_are_asked_for_in_bites_those_that_have_waited_longest_come_first() -> None:
    now = at(TODAY, 12)
    coverage = covered((0, 49, now - 90 * HOUR_MS), (TODAY, TODAY, now))
    empty = covered((20, 49, now - 25 * HOUR_MS))
    wanted = _wanted(0, TODAY)
    _, together = _spans(coverage, wanted, empty=empty)
    assert together == [_since(0, 49, now - 90 * HOUR_MS)]
    _, apart = _spans(coverage, replace(wanted, needs_small_requests=True), empty=empty)
    assert apart == [_since(0, 19, now - 90 * HOUR_MS), _since(20, 49, now - 90 * HOUR_MS)]
    empty = covered((0, 19, now - 25 * HOUR_MS))
    _, apart = _spans(coverage, replace(wanted, needs_small_requests=True), empty=empty)
    assert apart == [_since(20, 49, now - 90 * HOUR_MS), _since(0, 19, now - 90 * HOUR_MS)]


@pytest.mark.parametrize(("minutes", "spans"), [(0, 1), (59, 1), (60, 2)])
def test_in_bites_days_whose_last_answers_are_less_than_an_hour_apart_have_their_turn_together(
    minutes: int, spans: int
) -> None:
    mark, asked = at(TODAY - 5), at(TODAY - 3)
    empty = covered((0, 19, asked), (20, 49, asked + minutes * 60_000))
    wanted = replace(_wanted(0, TODAY), needs_small_requests=True)
    _, later = _spans(covered((0, 49, mark), (TODAY, TODAY, mark)), wanted, empty=empty)
    assert len(later) == spans


def test_of_old_days_that_have_waited_equally_long_the_newest_come_first() -> None:
    mark = at(TODAY - 5)
    _, later = _spans(covered((0, 9, mark), (20, 29, mark)), _wanted(0, TODAY))
    assert [span.first for span in later] == [nth(20), nth(0)]


def test_the_first_young_day_is_young() -> None:
    mark = at(TODAY, 11)
    spans, later = _spans(covered((0, YOUNG, at(TODAY - 5))), _wanted(0, YOUNG, today=TODAY))
    assert [(span.first, span.last) for span in spans] == [(nth(YOUNG), nth(YOUNG))]
    assert [(span.first, span.last) for span in later] == [(nth(0), nth(YOUNG - 1))]
    empty = covered((YOUNG - 3, YOUNG + 3, mark))
    spans, later = _spans(NONE, _wanted(YOUNG - 3, TODAY), empty=empty)
    assert spans == [Span(nth(YOUNG), nth(TODAY))]
    assert later == [Span(nth(YOUNG - 3), nth(YOUNG - 1), Only.AGAIN)]


def test_days_that_are_no_longer_young_ride_along_for_a_week() -> None:
    mark = at(TODAY - 1, 11)
    for outgrown in range(10):
        coverage = covered((YOUNG - outgrown, TODAY, mark))
        spans, later = _spans(coverage, _wanted(0, TODAY))
        [young] = [span for span in spans if span.only is Only.PROCESSED_SINCE]
        rides = outgrown <= 7
        assert young.first == nth(YOUNG - outgrown if rides else YOUNG)
        assert bool(later) is not rides


@pytest.mark.parametrize(("count", "first"), [(5, YOUNG), (29, YOUNG), (45, TODAY - 45)])
def test_days_of_a_longer_look_back_window_are_young(count: int, first: int) -> None:
    coverage = covered((0, TODAY, at(TODAY, 11)))
    [young], later = _spans(coverage, _wanted(0, TODAY, count=count))
    assert young.first == nth(first)
    assert later == []


def test_a_period_that_ended_long_ago_has_no_young_days() -> None:
    coverage = covered((0, 40, at(TODAY, 11)))
    assert _spans(coverage, _wanted(0, 40, today=TODAY)) == ([], [])
    long_ago = covered((0, 40, at(41)))
    spans, later = _spans(long_ago, _wanted(0, 40, today=TODAY))
    assert (spans, later) == ([], [_since(0, 40, at(41), 36)])


# -- answers without events ------------------------------------------------------------------


def test_days_that_were_empty_are_asked_for_again_with_the_others_if_they_are_young() -> None:
    mark = at(TODAY - 1, 11)
    coverage = covered((0, TODAY - 2, mark))
    empty = covered((TODAY - 1, TODAY - 1, mark))
    spans, _ = _spans(coverage, _wanted(0, TODAY), empty=empty)
    assert spans[0] == Span(nth(TODAY - 1), nth(TODAY))


def test_old_days_that_were_empty_are_asked_for_again_later() -> None:
    mark = at(TODAY, 11)
    coverage, empty = covered((50, TODAY, mark)), covered((10, 29, mark))
    spans, later = _spans(coverage, _wanted(0, TODAY), empty=empty)
    assert [(s.first, s.last) for s in spans if s.only is Only.ALL] == [
        (nth(30), nth(49)),
        (nth(0), nth(9)),
    ]
    assert later == [Span(nth(10), nth(29), Only.AGAIN)]


def _confirm(
    coverage: Coverage, empty: Coverage, *, before: Coverage = NONE, full: bool = False
) -> list[Span]:
    return spans_to_confirm(coverage, empty, before, _wanted(0, TODAY), full=full)


def test_days_that_were_empty_are_asked_for_once_more_at_the_end_in_one_request_a_stretch() -> None:
    mark, later = at(TODAY, 11), at(TODAY, 11) + 20 * 60_000
    empty = covered((0, 9, mark), (10, 49, later), (60, 69, mark))
    assert _confirm(covered((50, 59, mark), (70, TODAY, mark)), empty) == [
        Span(nth(60), nth(69), Only.AGAIN),
        Span(nth(0), nth(49), Only.AGAIN),
    ]


@pytest.mark.parametrize("full", ["full", ""])
def test_today_is_left_to_the_next_sync_if_there_is_one(full: str) -> None:
    mark = at(TODAY, 11)
    coverage, empty = covered((0, TODAY - 1, mark)), covered((TODAY, TODAY, mark))
    today = Span(nth(TODAY), nth(TODAY), Only.AGAIN)
    assert _confirm(coverage, empty, full=bool(full)) == ([today] if full else [])


def test_what_was_empty_in_an_earlier_sync_has_had_its_turn() -> None:
    mark = at(TODAY, 11)
    coverage, before = covered((50, TODAY, mark)), covered((10, 29, mark))
    empty = covered((5, 9, mark), (10, 29, mark))
    assert _confirm(coverage, empty, before=before) == [Span(nth(5), nth(9), Only.AGAIN)]
    around = covered((5, 49, mark))
    assert _confirm(coverage, around, before=before) == [
        Span(nth(30), nth(49), Only.AGAIN),
        Span(nth(5), nth(9), Only.AGAIN),
    ]


def test_late_events_that_did_not_come_are_left_to_the_next_sync() -> None:
    before, now = at(TODAY - 1, 11), at(TODAY, 11)
    everything = covered((0, TODAY, before))
    assert _confirm(everything, covered((0, TODAY, now))) == []
    again = _confirm(everything, covered((0, TODAY, now)), full=True)
    assert again == [_since(0, TODAY, before, TODAY - 6)]


def test_young_days_are_to_have_one_watermark() -> None:
    before, now = at(TODAY - 1, 11), at(TODAY, 11)
    coverage = covered((0, TODAY - 1, before), (TODAY, TODAY, now))
    young = covered((YOUNG, TODAY - 1, now))
    assert _confirm(coverage, young) == [_since(YOUNG, TODAY - 1, before, TODAY - 6)]
    every = covered((0, TODAY - 1, now))
    assert _confirm(coverage, every) == [_since(YOUNG - 7, TODAY - 1, before, TODAY - 6)]
    assert _confirm(coverage, covered((0, YOUNG - 1, now))) == []


# -- the look-back ---------------------------------------------------------------------------


def test_what_does_not_say_when_it_came_is_asked_for_within_the_look_back() -> None:
    [span], _ = _spans(covered((0, 9, at(20))), _wanted(0, 9, today=25))
    assert span == _since(0, 9, at(20), 5)


def test_rereading_asks_for_the_window_and_the_new_days_in_one_span() -> None:
    coverage = covered((0, 9, at(20)))
    assert _spans(coverage, _wanted(0, 12), reread=True) == ([Span(nth(5), nth(12))], [])


def test_days_read_by_another_connector_are_read_again_within_the_window() -> None:
    coverage = Coverage((CoveredDays(date.min, nth(9), None),)).anchored(nth(0))
    assert _spans(coverage, _wanted(0, 12)) == ([Span(nth(5), nth(12))], [])


def test_gaps_are_read_in_full_and_what_lies_around_them_is_not() -> None:
    coverage = covered((0, 2, at(20)), (6, 9, at(20)))
    spans, _ = _spans(coverage, _wanted(0, 9, count=0))
    assert spans == [Span(nth(3), nth(5)), _since(6, 9, at(20)), _since(0, 2, at(20))]


@pytest.mark.parametrize(
    ("parts", "begins"),
    [
        # The last part: from its last day that was over, whenever that was read.
        ([(0, 9, at(20))], [5]),
        ([(0, 9, at(9, 12))], [4]),
        ([(0, 9, None)], [5]),
        ([(9, 9, at(9, 12))], [4]),
        # An earlier one: what had not settled on the day of its watermark.
        ([(0, 9, at(10, 1)), (12, 20, at(20, 1))], [5, 15]),
        ([(0, 9, at(12, 1)), (12, 20, at(20, 1))], [7, 15]),
        ([(0, 9, at(20, 1)), (12, 20, at(20, 1))], [15, 15]),
        ([(0, 9, None), (12, 20, at(20, 1))], [5, 15]),
    ],
)
def test_the_look_back_is_a_parts_own(
    parts: list[tuple[int, int, int | None]], begins: list[int]
) -> None:
    coverage = covered(*parts)
    assert [_back(5).begin(coverage, part) for part in coverage.parts] == list(map(nth, begins))


def test_the_day_of_a_watermark_is_the_projects_to_say() -> None:
    coverage = covered((0, 9, at(12, 3)), (14, 14, at(20)))
    in_los_angeles = Days(PROJECT_KIND, ZoneInfo("America/Los_Angeles"))
    assert _back(5).begin(coverage, coverage.parts[0]) == nth(7)
    assert LookBack(in_los_angeles, 5).begin(coverage, coverage.parts[0]) == nth(6)


@pytest.mark.parametrize("mark", [None, at(20)])
@pytest.mark.parametrize("count", [0, 3650, 10**9])
def test_a_look_back_of_any_length_begins_at_some_day(count: int, mark: int | None) -> None:
    coverage = covered((0, 9, mark), (12, 12, at(20)))
    begin = _back(count).begin(coverage, coverage.parts[0])
    assert begin <= nth(20)
    vouched = coverage.vouched(lambda part: _back(count).begin(coverage, part), at(40))
    assert marks_of(vouched).keys() == marks_of(coverage).keys()
    assert _wanted(0, 12, count=count).young_from <= nth(12)


def test_rereading_looks_again_at_earlier_parts_that_had_not_settled() -> None:
    coverage = covered((0, 9, at(10)), (12, 20, at(21)))
    spans, _ = _spans(coverage, _wanted(0, 20, count=3), reread=True)
    assert spans == [Span(nth(18), nth(20)), Span(nth(7), nth(11))]


@pytest.mark.parametrize(("day", "unknown"), [(date(1969, 12, 30), None), (nth(0), nth(0))])
def test_days_that_had_been_processed_up_to_the_epoch_are_asked_since_then(
    day: date, unknown: date | None
) -> None:
    coverage = Coverage((CoveredDays(day, day, 0),))
    wanted = Wanted(day, day, day, at(90), _back(0))
    [span], later = _spans(coverage, wanted)
    assert (span.since_ms, later) == (0, [])
    assert (span.unknown_from is None) == (unknown is None)


def _of_days(spans: list[Span], start: date, end: date) -> Mapping[date, Span]:
    """The span of each day that is asked for; no day is in two, and none is not wanted."""
    for span in spans:
        assert start <= span.first <= span.last <= end
        assert (span.since_ms is None) == (span.only is not Only.PROCESSED_SINCE)
        assert span.days == len(days_of(span))
    days = {day: span for span in spans for day in days_of(span)}
    assert len(days) == sum(span.days for span in spans)
    return days


def _looked_at_again(coverage: Coverage, count: int) -> set[date]:
    """The covered days that lie within the look-back of their part, each by itself."""
    again: set[date] = set()
    for part in coverage.parts:
        mark = part.watermark_ms
        days = days_of(part)
        if part is coverage.parts[-1]:
            over = [day for day in days if mark is None or UTC_DAYS.ends(day) <= mark]
            through = over[-1] if over else part.first - ONE_DAY
        else:
            after = part.last + 40 * ONE_DAY
            stretch = days_of(Span(nth(-40), after))
            over = [day for day in stretch if mark is not None and UTC_DAYS.ends(day) <= mark]
            through = part.last if mark is None else over[-1]
        again |= {day for day in days if day > through - count * ONE_DAY}
    return again


def _has_unknown(span: Span, day: date) -> bool:
    return span.unknown_from is not None and day >= span.unknown_from


@given(
    lived,
    coverages.map(lambda c: Coverage(tuple(p for p in c.parts if p.watermark_ms is not None))),
    st.integers(0, 15),
    st.integers(0, 15),
    st.integers(0, 12),
    st.integers(0, 60),
    st.sampled_from(["by processing time", "reread"]),
)
@_quick
def test_an_incremental_sync_asks_for_all_that_may_have_come_and_no_more(
    coverage: Coverage, empty: Coverage, start: int, more: int, count: int, age: int, mode: str
) -> None:
    first, end, reread = nth(start), nth(start + more), mode == "reread"
    # All that is old was asked for long ago.
    wanted = Wanted(first, end, nth(start + more + age), at(200), _back(count))
    spans, later = _spans(coverage, wanted, empty=empty, reread=reread)
    asked = _of_days([*spans, *later], first, end)
    known, again = marks_of(coverage), _looked_at_again(coverage, count)
    for day in map(nth, range(start, start + more + 1)):
        mark, span = known.get(day), asked.get(day)
        if day not in known or (day in again and (reread or mark is None)):
            assert span is not None
            assert span.only is not Only.PROCESSED_SINCE
        elif reread or mark is None:
            assert span is None
        else:
            assert span is not None
            assert span.since_ms == mark
            assert _has_unknown(span, day) == (day in again)


@given(lived, st.integers(0, 15), st.integers(0, 15), st.integers(0, 60))
@_quick
def test_young_days_are_asked_for_in_every_sync_and_before_history(
    coverage: Coverage, start: int, more: int, age: int
) -> None:
    wanted = _wanted(start, start + more, today=start + more + age)
    spans, later = _spans(coverage, wanted)
    must = _of_days(spans, wanted.start, wanted.end)
    for day, mark in marks_of(coverage).items():
        if mark is not None and max(wanted.start, wanted.young_from) <= day <= wanted.end:
            assert must[day].since_ms == mark
    ages = [span.last < wanted.young_from for span in spans]
    assert ages == sorted(ages)
    assert all(span.only is Only.PROCESSED_SINCE for span in later)


# -- spans of full refreshes -----------------------------------------------------------------


def test_a_full_refresh_that_goes_on_asks_for_the_days_that_are_lacking_today_at_the_end() -> None:
    coverage = covered((0, 3, at(20)), (6, 7, at(20)))
    spans = ([Span(nth(8), nth(8)), Span(nth(4), nth(5))], [Span(nth(9), nth(9))])
    assert full_spans(coverage, _wanted(0, 9)) == spans


def test_a_full_refresh_of_days_that_are_over_has_none_at_the_end() -> None:
    assert full_spans(NONE, _wanted(0, 9, today=10)) == ([Span(nth(0), nth(9))], [])


def test_a_full_refresh_asks_a_day_that_was_not_over_for_what_it_has_got_since() -> None:
    coverage = covered((0, 9, at(9, 12)))
    assert full_spans(coverage, _wanted(0, 11)) == (
        [Span(nth(10), nth(10)), _since(9, 9, at(9, 12), 9)],
        [Span(nth(11), nth(11))],
    )


@given(coverages | lived, st.integers(0, 15), st.integers(0, 15))
@_quick
def test_a_full_refresh_asks_for_what_is_not_read_and_what_was_not_over(
    coverage: Coverage, start: int, more: int
) -> None:
    wanted = _wanted(start, start + more)
    spans, last = full_spans(coverage, wanted)
    assert all(span.first == span.last == wanted.today for span in last)
    asked = _of_days([*spans, *last], wanted.start, wanted.end)
    known = marks_of(coverage)
    for day in map(nth, range(start, start + more + 1)):
        mark = known.get(day)
        if day not in known:
            assert asked[day].only is Only.ALL
        elif mark is None or UTC_DAYS.ends(day) <= mark:
            assert day not in asked
        else:
            assert _has_unknown(asked[day], day)
            assert asked[day].since_ms == mark


def test_a_day_long_ago_is_old_and_one_of_this_month_is_young() -> None:
    wanted = _wanted(0, TODAY)
    assert wanted.young_from == nth(TODAY) - timedelta(days=YOUNG_DAYS - 1)
