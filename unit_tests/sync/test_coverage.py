"""What was read and what has to be asked for: intervals of days, and the spans they leave."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from itertools import pairwise, permutations
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.instants import PROJECT_KIND, UTC_KIND
from source_mixpanel.sync.coverage import (
    Coverage,
    Covered,
    LookBack,
    Only,
    Span,
    dump_coverage,
    full_spans,
    incremental_spans,
    parse_coverage,
)
from source_mixpanel.sync.days import Days
from source_mixpanel.sync.period import in_ms
from unit_tests.sync.numbered_days import (
    ONE_DAY,
    Step,
    apart,
    coverages,
    days_of,
    marks_of,
    nth,
    read,
    steps,
)

_quick = settings(max_examples=50)

UTC_DAYS = Days(UTC_KIND, None)
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


def _at(day: int, hour: int = 0) -> int:
    """UTC milliseconds of an hour of a day."""
    midnight = datetime.combine(nth(day), datetime.min.time(), timezone.utc)
    return in_ms(midnight) + hour * HOUR_MS


def _lived(part: Step) -> Step:
    """A window that was read in the time of its days or soon after, on the hour."""
    first, more, mark = part
    return first, more, None if mark is None else _at(0) + mark // apart(1) * HOUR_MS


lived = steps.map(lambda many: read(list(map(_lived, many))))


def _covered(*parts: tuple[int, int, int | None]) -> Coverage:
    return Coverage(tuple(Covered(nth(first), nth(last), mark) for first, last, mark in parts))


# -- coverage as a function from days to watermarks ------------------------------------------


@given(steps)
@_quick
def test_in_any_order_each_day_has_the_watermark_it_was_read_with_last(many: list[Step]) -> None:
    expected: dict[date, int | None] = {}
    for first, more, mark in many:
        expected |= dict.fromkeys(map(nth, range(first, first + more + 1)), mark)
    assert marks_of(read(many)) == expected


@given(steps)
@_quick
def test_parts_are_ascending_apart_and_few(many: list[Step]) -> None:
    parts = read(many).parts
    assert all(part.first <= part.last for part in parts)
    for one, other in pairwise(parts):
        assert one.last < other.first
        assert one.last + ONE_DAY < other.first or one.watermark_ms != other.watermark_ms
    assert len(parts) <= 2 * len(many) - 1


@given(coverages, st.integers(0, 35), st.integers(0, 10))
@_quick
def test_days_that_are_taken_out_are_gone_and_no_others(
    coverage: Coverage, first: int, more: int
) -> None:
    left = marks_of(coverage.without(nth(first), nth(first + more)))
    assert left == {
        day: mark
        for day, mark in marks_of(coverage).items()
        if not nth(first) <= day <= nth(first + more)
    }


@given(coverages, st.integers(0, 35), st.integers(0, 15))
@_quick
def test_what_is_covered_and_what_is_not_make_up_the_days_wanted(
    coverage: Coverage, start: int, more: int
) -> None:
    wanted = [nth(n) for n in range(start, start + more + 1)]
    within = [day for part in coverage.within(wanted[0], wanted[-1]) for day in days_of(part)]
    gaps = [day for gap in coverage.gaps(wanted[0], wanted[-1]) for day in days_of(gap)]
    assert sorted(within + gaps) == wanted
    assert within == [day for day in wanted if day in marks_of(coverage)]


befores: st.SearchStrategy[Callable[[Covered], date]] = st.one_of(
    st.integers(0, 35).map(lambda number: lambda _: nth(number)),
    st.integers(-2, 12).map(lambda back: lambda part: part.last - timedelta(days=back)),
)


@given(coverages, befores, st.integers(1001, 2000).map(apart))
@_quick
def test_vouching_gives_days_before_a_day_of_their_part_a_watermark_and_changes_none(
    coverage: Coverage, before: Callable[[Covered], date], mark: int
) -> None:
    assert marks_of(coverage.vouched(before, mark)) == {
        day: mark if part.watermark_ms is None and day < before(part) else part.watermark_ms
        for part in coverage.parts
        for day in days_of(part)
    }


@given(coverages, st.integers(0, 1000).map(apart))
@_quick
def test_joining_makes_one_of_neighbours_that_are_alike_and_touches_no_other(
    coverage: Coverage, limit: int
) -> None:
    def settled(part: Covered) -> bool:
        return part.watermark_ms is not None and part.watermark_ms <= limit

    joined = coverage.joined(lambda one, other: settled(one) and settled(other))
    before, after = marks_of(coverage), marks_of(joined)
    assert before.keys() == after.keys()
    for day, mark in before.items():
        changed = after[day]
        if changed != mark:
            assert mark is not None
            assert changed is not None
            assert mark < changed <= limit
    for one, other in pairwise(joined.parts):
        apart = one.last + ONE_DAY < other.first
        assert apart or not (settled(one) and settled(other))


def test_a_window_read_again_each_day_leaves_two_parts() -> None:
    coverage = Coverage()
    for number in range(100):
        coverage = coverage.read(nth(max(0, number - 5)), nth(number), apart(number))
        settled = nth(number - 5)
        coverage = coverage.joined(lambda _, other, settled=settled: other.last < settled)  # type: ignore[misc]
    assert len(coverage.parts) == 2


def test_the_first_and_last_day_are_those_of_all_parts() -> None:
    coverage = _covered((3, 5, 1), (9, 12, 2))
    assert (coverage.first, coverage.last) == (nth(3), nth(12))
    assert (Coverage().first, Coverage().last) == (None, None)
    unknown = Coverage((Covered(date.min, nth(9), None),))
    assert (unknown.first, unknown.last) == (None, nth(9))


@pytest.mark.parametrize(
    ("coverage", "claims"),
    [
        (Coverage(), False),
        (_covered((0, 9, None)), True),
        (_covered((0, 8, None)), False),
        (_covered((0, 9, 5)), False),
    ],
)
def test_only_who_kept_no_watermark_claims_a_day(coverage: Coverage, claims: bool) -> None:  # noqa: FBT001
    assert coverage.claims(nth(9)) == claims


@pytest.mark.parametrize(
    ("coverage", "start", "first"),
    [
        (Coverage(), 5, None),
        (Coverage((Covered(nth(3), nth(9), 1),)), 5, nth(3)),
        (Coverage((Covered(date.min, nth(9), None),)), 5, nth(5)),
        (Coverage((Covered(date.min, nth(9), None),)), 9, nth(9)),
        (Coverage((Covered(date.min, nth(9), None),)), 10, None),
        (Coverage((Covered(date.min, nth(9), None), Covered(nth(12), nth(14), 1))), 10, nth(12)),
    ],
)
def test_an_unanchored_coverage_begins_at_the_start_date(
    coverage: Coverage, start: int, first: date | None
) -> None:
    anchored = coverage.anchored(nth(start))
    assert anchored.first == first
    assert bool(anchored.parts) == (first is not None)
    assert anchored.last == (coverage.last if first is not None else None)


# -- days that were over ---------------------------------------------------------------------


def _ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=timezone.utc).timestamp() * 1000)  # type: ignore[misc, arg-type]


DAY = date(2026, 1, 31)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Covered(date.min, DAY, None), DAY),
        (Covered(date(2026, 1, 1), DAY, _ms(2026, 2, 3)), DAY),
        (Covered(date(2026, 1, 1), DAY, _ms(2026, 1, 31, 23)), date(2026, 1, 30)),
        (Covered(DAY, DAY, _ms(2026, 1, 31, 23)), date(2026, 1, 30)),
        (Covered(DAY, DAY, _ms(2026, 1, 20, 23)), date(2026, 1, 30)),
    ],
)
def test_a_day_is_over_if_it_was_so_before_the_watermark(part: Covered, expected: date) -> None:
    assert part.over_through(UTC_DAYS) == expected


def test_whether_a_day_is_over_is_the_projects_to_say() -> None:
    part = Covered(date(2026, 1, 1), DAY, _ms(2026, 2, 1, 3))
    in_los_angeles = Days(PROJECT_KIND, ZoneInfo("America/Los_Angeles"))
    assert part.over_through(UTC_DAYS) == DAY
    assert part.over_through(in_los_angeles) == date(2026, 1, 30)


# -- spans of incremental syncs --------------------------------------------------------------


def _back(count: int) -> LookBack:
    return LookBack(UTC_DAYS, count)


def test_a_first_sync_reads_all_days_in_one_span() -> None:
    spans = incremental_spans(Coverage(), nth(0), nth(9), look_back=_back(5), reread=False)
    assert spans == [Span(nth(0), nth(9))]


def test_a_second_sync_asks_old_days_for_what_was_processed_since_and_new_days_for_all() -> None:
    coverage = _covered((0, 9, _at(20)))
    spans = incremental_spans(coverage, nth(0), nth(12), look_back=_back(5), reread=False)
    assert spans == [
        Span(nth(0), nth(4), Only.PROCESSED_SINCE, _at(20)),
        Span(nth(5), nth(9), Only.PROCESSED_SINCE_OR_UNKNOWN, _at(20)),
        Span(nth(10), nth(12)),
    ]


def test_rereading_asks_for_the_window_and_the_new_days_in_one_span() -> None:
    coverage = _covered((0, 9, _at(20)))
    spans = incremental_spans(coverage, nth(0), nth(12), look_back=_back(5), reread=True)
    assert spans == [Span(nth(5), nth(12))]


def test_days_read_by_another_connector_are_read_again_within_the_window() -> None:
    coverage = Coverage((Covered(date.min, nth(9), None),)).anchored(nth(0))
    spans = incremental_spans(coverage, nth(0), nth(12), look_back=_back(5), reread=False)
    assert spans == [Span(nth(5), nth(12))]


def test_an_earlier_start_date_is_read_before_the_days_that_are_covered() -> None:
    coverage = _covered((10, 19, _at(30)))
    spans = incremental_spans(coverage, nth(0), nth(19), look_back=_back(5), reread=False)
    assert spans[0] == Span(nth(0), nth(9))
    assert spans[1] == Span(nth(10), nth(14), Only.PROCESSED_SINCE, _at(30))


def test_gaps_are_read_in_full_and_what_lies_around_them_is_not() -> None:
    coverage = _covered((0, 2, _at(20)), (6, 9, _at(20)))
    spans = incremental_spans(coverage, nth(0), nth(9), look_back=_back(0), reread=False)
    assert spans == [
        Span(nth(0), nth(2), Only.PROCESSED_SINCE, _at(20)),
        Span(nth(3), nth(5)),
        Span(nth(6), nth(9), Only.PROCESSED_SINCE, _at(20)),
    ]


@pytest.mark.parametrize(
    ("parts", "begins"),
    [
        # The last part: from its last day that was over, whenever that was read.
        ([(0, 9, _at(20))], [5]),
        ([(0, 9, _at(9, 12))], [4]),
        ([(0, 9, None)], [5]),
        ([(9, 9, _at(9, 12))], [4]),
        # An earlier one: what had not settled on the day of its watermark.
        ([(0, 9, _at(10, 1)), (12, 20, _at(20, 1))], [5, 15]),
        ([(0, 9, _at(12, 1)), (12, 20, _at(20, 1))], [7, 15]),
        ([(0, 9, _at(20, 1)), (12, 20, _at(20, 1))], [15, 15]),
        ([(0, 9, None), (12, 20, _at(20, 1))], [5, 15]),
    ],
)
def test_the_look_back_is_a_parts_own(
    parts: list[tuple[int, int, int | None]], begins: list[int]
) -> None:
    coverage = _covered(*parts)
    assert [_back(5).begin(coverage, part) for part in coverage.parts] == list(map(nth, begins))


def test_the_day_of_a_watermark_is_the_projects_to_say() -> None:
    coverage = _covered((0, 9, _at(12, 3)), (14, 14, _at(20)))
    in_los_angeles = Days(PROJECT_KIND, ZoneInfo("America/Los_Angeles"))
    assert _back(5).begin(coverage, coverage.parts[0]) == nth(7)
    assert LookBack(in_los_angeles, 5).begin(coverage, coverage.parts[0]) == nth(6)


@pytest.mark.parametrize("mark", [None, _at(20)])
@pytest.mark.parametrize("count", [0, 3650, 10**9])
def test_a_look_back_of_any_length_begins_at_some_day(count: int, mark: int | None) -> None:
    coverage = _covered((0, 9, mark), (12, 12, _at(20)))
    begin = _back(count).begin(coverage, coverage.parts[0])
    assert begin <= nth(20)
    vouched = coverage.vouched(lambda part: _back(count).begin(coverage, part), _at(40))
    assert marks_of(vouched).keys() == marks_of(coverage).keys()


def test_rereading_looks_again_at_earlier_parts_that_had_not_settled() -> None:
    coverage = _covered((0, 9, _at(10)), (12, 20, _at(21)))
    spans = incremental_spans(coverage, nth(0), nth(20), look_back=_back(3), reread=True)
    assert spans == [Span(nth(7), nth(11)), Span(nth(18), nth(20))]


@pytest.mark.parametrize(
    ("minutes", "marks"),
    [
        ([10, 22, 23], [10, 23]),
        ([10, 22, 37], [10, 37]),
        ([22, 10, 22], [10]),
        ([23, 10, 22], [23, 10]),
        ([10, 26, 42], [10, 26, 42]),
        ([10, 10, 10], [10]),
        ([7, 8, 22], [7, 8]),
        ([53, 60, 67], [53]),
        ([52, 53, 68], [52, 53, 68]),
        ([None, 10, None], [None, 10, None]),
        ([None, None, 10], [None, 10]),
    ],
)
def test_neighbours_whose_watermarks_are_of_the_same_quarter_of_an_hour_have_the_older_one(
    minutes: list[int | None], marks: list[int | None]
) -> None:
    coverage = Coverage()
    for number, minute in enumerate(minutes):
        mark = None if minute is None else minute * MINUTE_MS
        coverage = coverage.read(nth(number), nth(number), mark)
    told = [part.watermark_ms for part in coverage.parts]
    assert told == [None if mark is None else mark * MINUTE_MS for mark in marks]
    assert list(marks_of(coverage)) == [nth(n) for n in range(3)]


# Windows in the order of their watermarks: number of the day, minute.
_CLOSE_TOGETHER = [
    [(1, 10), (3, 11), (2, 26)],
    [(4, 0), (1, 10), (2, 25), (3, 25)],
    [(1, 8), (2, 15), (4, 22), (3, 22)],
]
# Any windows of such watermarks: first day, days after it, minute.
minute_windows = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 4), st.none() | st.integers(0, 60)), max_size=8
)


@pytest.mark.parametrize("windows", _CLOSE_TOGETHER)
def test_no_watermark_is_set_back_by_more_than_a_quarter_of_an_hour(
    windows: list[tuple[int, int]],
) -> None:
    coverage = Coverage()
    for day, minute in windows:
        coverage = coverage.read(nth(day), nth(day), minute * MINUTE_MS)
    coverage = parse_coverage(dump_coverage(coverage))
    marks = marks_of(coverage)
    back = {day: minute - (marks[nth(day)] or 0) // MINUTE_MS for day, minute in windows}
    assert all(0 <= minutes <= 15 for minutes in back.values()), back


@pytest.mark.parametrize("windows", _CLOSE_TOGETHER)
def test_coverage_with_watermarks_close_together_comes_back_as_it_went(
    windows: list[tuple[int, int]],
) -> None:
    coverage = Coverage()
    for day, minute in windows:
        coverage = coverage.read(nth(day), nth(day), minute * MINUTE_MS)
    assert parse_coverage(dump_coverage(coverage)) == coverage


def _in_minutes(windows: list[Step]) -> Coverage:
    return read([(n, more, m if m is None else m * MINUTE_MS) for n, more, m in windows])


@given(minute_windows)
@_quick
def test_whatever_lies_close_together_is_set_back_by_less_than_a_quarter_of_an_hour(
    windows: list[Step],
) -> None:
    marks: dict[date, int | None] = {}
    for first, more, minute in windows:
        marks |= dict.fromkeys(map(nth, range(first, first + more + 1)), minute)
    told = marks_of(_in_minutes(windows))
    assert told.keys() == marks.keys()
    for day, minute in marks.items():
        mark = told[day]
        assert (mark is None) == (minute is None)
        assert minute is None or mark is None or 0 <= minute * MINUTE_MS - mark < 15 * MINUTE_MS


@given(minute_windows)
@_quick
def test_whatever_lies_close_together_comes_back_as_it_went(windows: list[Step]) -> None:
    coverage = _in_minutes(windows)
    assert parse_coverage(dump_coverage(coverage)) == coverage


@given(st.lists(st.none() | st.integers(0, 60), min_size=1, max_size=5))
@_quick
def test_the_order_in_which_days_were_read_does_not_tell_how_they_are_joined(
    minutes: list[int | None],
) -> None:
    windows = [(number, 0, minute) for number, minute in enumerate(minutes)]
    [coverage, *others] = [_in_minutes(list(order)) for order in permutations(windows)]
    assert all(other == coverage for other in others)


def test_parts_that_were_told_one_by_one_are_joined_when_they_are_read() -> None:
    by_hand = _covered((0, 1, 10 * MINUTE_MS), (2, 3, 12 * MINUTE_MS), (4, 5, 30 * MINUTE_MS))
    joined = parse_coverage(dump_coverage(by_hand))
    assert joined == _covered((0, 3, 10 * MINUTE_MS), (4, 5, 30 * MINUTE_MS))


def test_late_spans_with_a_gap_between_them_stay_apart() -> None:
    coverage = _covered((0, 1, _at(20)), (4, 5, _at(20)))
    spans = incremental_spans(coverage, nth(0), nth(1), look_back=_back(0), reread=False)
    more = incremental_spans(coverage, nth(4), nth(5), look_back=_back(0), reread=False)
    assert (spans, more) == (
        [Span(nth(0), nth(1), Only.PROCESSED_SINCE, _at(20))],
        [Span(nth(4), nth(5), Only.PROCESSED_SINCE, _at(20))],
    )


@pytest.mark.parametrize(
    ("day", "only"),
    [(date(1969, 12, 30), Only.PROCESSED_SINCE), (nth(0), Only.PROCESSED_SINCE_OR_UNKNOWN)],
)
def test_days_that_had_been_processed_up_to_the_epoch_are_asked_since_then(
    day: date, only: Only
) -> None:
    coverage = Coverage((Covered(day, day, 0),))
    spans = incremental_spans(coverage, day, day, look_back=_back(0), reread=False)
    assert spans == [Span(day, day, only, 0)]


def _apart_and_within(spans: list[Span], start: date, end: date) -> Mapping[date, Span]:
    """The span of each day that is asked for; they lie in order, apart, within what is wanted."""
    for span in spans:
        assert start <= span.first <= span.last <= end
        assert (span.since_ms is None) == (span.only is Only.ALL)
        assert span.days == len(days_of(span))
    for one, other in pairwise(spans):
        assert one.last < other.first
    return {day: span for span in spans for day in days_of(span)}


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


@given(
    lived,
    st.integers(0, 15),
    st.integers(0, 15),
    st.integers(0, 12),
    st.sampled_from(["by processing time", "reread"]),
)
@_quick
def test_an_incremental_sync_asks_for_all_that_may_have_come_and_no_more(
    coverage: Coverage, start: int, more: int, count: int, mode: str
) -> None:
    first, end, reread = nth(start), nth(start + more), mode == "reread"
    spans = incremental_spans(coverage, first, end, look_back=_back(count), reread=reread)
    asked = _apart_and_within(spans, first, end)
    known, again = marks_of(coverage), _looked_at_again(coverage, count)
    for day in map(nth, range(start, start + more + 1)):
        mark, span = known.get(day), asked.get(day)
        if day not in known or (day in again and (reread or mark is None)):
            assert span is not None
            assert span.only is Only.ALL
        elif reread or mark is None:
            assert span is None
        else:
            within = day in again
            assert span is not None
            assert span.only is (
                Only.PROCESSED_SINCE_OR_UNKNOWN if within else Only.PROCESSED_SINCE
            )
            assert span.since_ms is not None
            assert span.since_ms == mark


# -- spans of full refreshes -----------------------------------------------------------------


def test_a_full_refresh_that_goes_on_asks_for_the_days_that_are_lacking() -> None:
    coverage = _covered((0, 3, _at(20)), (6, 7, _at(20)))
    assert full_spans(coverage, nth(0), nth(9), UTC_DAYS) == [
        Span(nth(4), nth(5)),
        Span(nth(8), nth(9)),
    ]


def test_a_full_refresh_asks_a_day_that_was_not_over_for_what_it_has_got_since() -> None:
    coverage = _covered((0, 9, _at(9, 12)))
    assert full_spans(coverage, nth(0), nth(11), UTC_DAYS) == [
        Span(nth(9), nth(9), Only.PROCESSED_SINCE_OR_UNKNOWN, _at(9, 12)),
        Span(nth(10), nth(11)),
    ]


@given(coverages | lived, st.integers(0, 15), st.integers(0, 15))
@_quick
def test_a_full_refresh_asks_for_what_is_not_read_and_what_was_not_over(
    coverage: Coverage, start: int, more: int
) -> None:
    first, end = nth(start), nth(start + more)
    asked = _apart_and_within(full_spans(coverage, first, end, UTC_DAYS), first, end)
    known = marks_of(coverage)
    for day in map(nth, range(start, start + more + 1)):
        mark = known.get(day)
        if day not in known:
            assert asked[day].only is Only.ALL
        elif mark is None or UTC_DAYS.ends(day) <= mark:
            assert day not in asked
        else:
            assert asked[day].only is Only.PROCESSED_SINCE_OR_UNKNOWN
            assert asked[day].since_ms == mark


# -- as JSON ---------------------------------------------------------------------------------


@given(coverages)
@_quick
def test_coverage_comes_back_as_it_went(coverage: Coverage) -> None:
    assert parse_coverage(json.loads(json.dumps(dump_coverage(coverage)))) == coverage


def test_coverage_says_in_plain_values_what_was_read() -> None:
    assert dump_coverage(_covered((0, 1, 5), (4, 4, None))) == [
        ["2026-01-01", "2026-01-02", 5],
        ["2026-01-05", "2026-01-05", None],
    ]


@pytest.mark.parametrize(
    "told",
    [
        None,
        5,
        [["2026-01-02", "2026-01-01", 5]],
        [["2026-01-01", "2026-01-03", 5], ["2026-01-03", "2026-01-04", 5]],
        [["2026-01-01", "2026-01-09", 5], ["2026-01-03", "2026-01-04", 5]],
        [["2026-01-01", "2026-01-01", True]],
        [["2026-01-01", "2026-01-01", -1]],
        [["2026-01-01", "2026-01-01", 1.5]],
        [["2026-01-01", "2026-01-01", 10**18]],
        [["2026-01-01", "9999-12-31", 5]],
        [[5, 6, 7]],
        ["abc"],
    ],
)
def test_what_is_no_coverage_is_refused(told: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        parse_coverage(told)


def test_the_order_of_the_parts_does_not_matter() -> None:
    told = [["2026-01-05", "2026-01-05", 2], ["2026-01-01", "2026-01-02", 1]]
    assert parse_coverage(told) == _covered((0, 1, 1), (4, 4, 2))
