"""What was read and what has to be asked for: intervals of days, and the spans they leave."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from itertools import pairwise, permutations
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.streams.coverage import (
    Coverage,
    CoveredDays,
    dump_coverage,
    parse_coverage,
)
from source_mixpanel.times.days import Days
from source_mixpanel.times.event_time import PROJECT_KIND, UTC_KIND
from unit_tests.events.numbered_days import (
    ONE_DAY,
    Step,
    apart,
    coverages,
    covered,
    days_of,
    marks_of,
    nth,
    read,
    steps,
)

_quick = settings(max_examples=50)

UTC_DAYS = Days(UTC_KIND, None)
MINUTE_MS = 60_000


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


befores: st.SearchStrategy[Callable[[CoveredDays], date]] = st.one_of(
    st.integers(0, 35).map(lambda number: lambda _: nth(number)),
    st.integers(-2, 12).map(lambda back: lambda part: part.last - timedelta(days=back)),
)


@given(coverages, befores, st.integers(1001, 2000).map(apart))
@_quick
def test_vouching_gives_days_before_a_day_of_their_part_a_watermark_and_changes_none(
    coverage: Coverage, before: Callable[[CoveredDays], date], mark: int
) -> None:
    assert marks_of(coverage.vouched(before, mark)) == {
        day: mark if part.watermark_ms is None and day < before(part) else part.watermark_ms
        for part in coverage.parts
        for day in days_of(part)
    }


@pytest.mark.parametrize(
    ("begin", "parts"),
    [
        (3, [(3, 5, None)]),
        (4, [(3, 3, 7), (4, 5, None)]),
        (5, [(3, 4, 7), (5, 5, None)]),
        (6, [(3, 5, 7)]),
    ],
)
def test_vouching_leaves_no_part_without_days(begin: int, parts: list[Step]) -> None:
    vouched = covered((3, 5, None)).vouched(lambda _: nth(begin), 7)
    assert vouched == covered(*parts)


@given(coverages, st.integers(0, 1000).map(apart))
@_quick
def test_joining_makes_one_of_neighbours_that_are_alike_and_touches_no_other(
    coverage: Coverage, limit: int
) -> None:
    def settled(part: CoveredDays) -> bool:
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
    coverage = covered((3, 5, 1), (9, 12, 2))
    assert (coverage.first, coverage.last) == (nth(3), nth(12))
    assert (Coverage().first, Coverage().last) == (None, None)
    unknown = Coverage((CoveredDays(date.min, nth(9), None),))
    assert (unknown.first, unknown.last) == (None, nth(9))


@pytest.mark.parametrize(
    ("coverage", "claims"),
    [
        (Coverage(), False),
        (covered((0, 9, None)), True),
        (covered((0, 8, None)), False),
        (covered((0, 9, 5)), False),
    ],
)
def test_only_who_kept_no_watermark_claims_a_day(coverage: Coverage, claims: bool) -> None:  # noqa: FBT001
    assert coverage.claims(nth(9)) == claims


@pytest.mark.parametrize(
    ("coverage", "start", "first"),
    [
        (Coverage(), 5, None),
        (Coverage((CoveredDays(nth(3), nth(9), 1),)), 5, nth(3)),
        (Coverage((CoveredDays(date.min, nth(9), None),)), 5, nth(5)),
        (Coverage((CoveredDays(date.min, nth(9), None),)), 9, nth(9)),
        (Coverage((CoveredDays(date.min, nth(9), None),)), 10, None),
        (
            Coverage((CoveredDays(date.min, nth(9), None), CoveredDays(nth(12), nth(14), 1))),
            10,
            nth(12),
        ),
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
        (CoveredDays(date.min, DAY, None), DAY),
        (CoveredDays(date(2026, 1, 1), DAY, _ms(2026, 2, 3)), DAY),
        (CoveredDays(date(2026, 1, 1), DAY, _ms(2026, 1, 31, 23)), date(2026, 1, 30)),
        (CoveredDays(DAY, DAY, _ms(2026, 1, 31, 23)), date(2026, 1, 30)),
        (CoveredDays(DAY, DAY, _ms(2026, 1, 20, 23)), date(2026, 1, 30)),
    ],
)
def test_a_day_is_over_if_it_was_so_before_the_watermark(part: CoveredDays, expected: date) -> None:
    assert part.over_through(UTC_DAYS) == expected


def test_whether_a_day_is_over_is_the_projects_to_say() -> None:
    part = CoveredDays(date(2026, 1, 1), DAY, _ms(2026, 2, 1, 3))
    in_los_angeles = Days(PROJECT_KIND, ZoneInfo("America/Los_Angeles"))
    assert part.over_through(UTC_DAYS) == DAY
    assert part.over_through(in_los_angeles) == date(2026, 1, 30)


# -- neighbours ------------------------------------------------------------------------------


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
    by_hand = covered((0, 1, 10 * MINUTE_MS), (2, 3, 12 * MINUTE_MS), (4, 5, 30 * MINUTE_MS))
    joined = parse_coverage(dump_coverage(by_hand))
    assert joined == covered((0, 3, 10 * MINUTE_MS), (4, 5, 30 * MINUTE_MS))


# -- as JSON ---------------------------------------------------------------------------------


@given(coverages)
@_quick
def test_coverage_comes_back_as_it_went(coverage: Coverage) -> None:
    assert parse_coverage(json.loads(json.dumps(dump_coverage(coverage)))) == coverage


def test_coverage_says_in_plain_values_what_was_read() -> None:
    assert dump_coverage(covered((0, 1, 5), (4, 4, None))) == [
        ["2026-01-01", "2026-01-02", 5],
        ["2026-01-05", "2026-01-05", None],
    ]


LATEST_MS = 250_000_000_000_000


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (None, "not iterable"),
        (5, "not iterable"),
        ([["2026-01-02", "2026-01-01", 5]], "^covered days overlap$"),
        (
            [["2026-01-01", "2026-01-03", 5], ["2026-01-03", "2026-01-04", 5]],
            "^covered days overlap$",
        ),
        (
            [["2026-01-01", "2026-01-09", 5], ["2026-01-03", "2026-01-04", 5]],
            "^covered days overlap$",
        ),
        ([["2026-01-01", "2026-01-01", True]], "^True is no watermark$"),
        ([["2026-01-01", "2026-01-01", -1]], "^-1 is no watermark$"),
        ([["2026-01-01", "2026-01-01", 1.5]], "^1.5 is no watermark$"),
        ([["2026-01-01", "2026-01-01", LATEST_MS + 1]], f"^{LATEST_MS + 1} is no watermark$"),
        ([["2026-01-01", "9999-12-31", 5]], "^'9999-12-31' is no day of any event$"),
        ([[5, 6, 7]], "must be str"),
        (["abc"], "isoformat"),
    ],
)
def test_what_is_no_coverage_is_refused_and_named(told: Any, why: str) -> None:
    with pytest.raises((ValueError, TypeError), match=why):
        parse_coverage(told)


@pytest.mark.parametrize("mark", [None, 0, LATEST_MS])
def test_a_watermark_may_be_of_any_time_that_an_event_may_have(mark: int | None) -> None:
    assert parse_coverage([["2026-01-01", "2026-01-01", mark]]) == covered((0, 0, mark))


def test_the_order_of_the_parts_does_not_matter() -> None:
    told = [["2026-01-05", "2026-01-05", 2], ["2026-01-01", "2026-01-02", 1]]
    assert parse_coverage(told) == covered((0, 1, 1), (4, 4, 2))
