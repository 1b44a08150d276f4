"""What was read and what has to be asked for, against made-up histories of late events."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.sync.coverage import (
    Coverage,
    Covered,
    Only,
    Span,
    incremental_spans,
)
from unit_tests.sync.numbered_days import ONE_DAY, nth, number_of

_quick = settings(max_examples=50)

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
        coverage = coverage.advance(nth(first), nth(first + more), mark)
        after = _marks(coverage)
        for day, watermark in after.items():
            if nth(first) <= day <= nth(first + more):
                assert watermark == mark
            else:
                assert day in before
                assert watermark <= before[day]  # type: ignore[operator]
        assert set(after) >= {nth(n) for n in range(first, first + more + 1)}


@given(steps)
@_quick
def test_parts_are_ascending_and_few(many: list[tuple[int, int, int]]) -> None:
    coverage = Coverage()
    for number, (first, more, mark) in enumerate(many, start=1):
        coverage = coverage.advance(nth(first), nth(first + more), mark)
        ends = [part.through for part in coverage.parts]
        assert ends == sorted(set(ends))
        assert len(ends) <= number + 1
        assert coverage.first is not None
        assert coverage.first <= ends[0]


def test_a_window_read_again_keeps_older_days_in_one_part() -> None:
    coverage = Coverage()
    for number in range(100):
        coverage = coverage.advance(nth(max(0, number - 5)), nth(number), number)
    assert len(coverage.parts) == 2


@pytest.mark.parametrize(
    ("coverage", "start", "first"),
    [
        (Coverage(), 5, None),
        (Coverage(nth(3), (Covered(nth(9), 1),)), 5, nth(3)),
        (Coverage(None, (Covered(nth(9), None),)), 5, nth(5)),
        (Coverage(None, (Covered(nth(9), None),)), 9, nth(9)),
        (Coverage(None, (Covered(nth(9), None),)), 10, None),
    ],
)
def test_an_unanchored_coverage_begins_at_the_start_date(
    coverage: Coverage, start: int, first: date | None
) -> None:
    anchored = coverage.anchored(nth(start))
    assert anchored.first == first
    assert bool(anchored.parts) == (first is not None)


# -- spans -----------------------------------------------------------------------------------


def test_a_first_sync_reads_all_days_in_one_span() -> None:
    spans = incremental_spans(Coverage(), nth(0), nth(9), look_back_from=nth(0), reread=False)
    assert spans == [Span(nth(0), nth(9))]


def test_a_second_sync_asks_old_days_for_what_was_processed_since_and_new_days_for_all() -> None:
    coverage = Coverage(nth(0), (Covered(nth(9), 77),))
    spans = incremental_spans(coverage, nth(0), nth(12), look_back_from=nth(5), reread=False)
    assert spans == [
        Span(nth(0), nth(4), Only.PROCESSED_SINCE, 77),
        Span(nth(5), nth(9), Only.PROCESSED_SINCE_OR_UNKNOWN, 77),
        Span(nth(10), nth(12)),
    ]


def test_rereading_asks_for_the_window_and_the_new_days_in_one_span() -> None:
    coverage = Coverage(nth(0), (Covered(nth(9), 77),))
    spans = incremental_spans(coverage, nth(0), nth(12), look_back_from=nth(5), reread=True)
    assert spans == [Span(nth(5), nth(12))]


def test_days_read_by_another_connector_are_read_again_within_the_window() -> None:
    coverage = Coverage(None, (Covered(nth(9), None),)).anchored(nth(0))
    spans = incremental_spans(coverage, nth(0), nth(12), look_back_from=nth(5), reread=False)
    assert spans == [Span(nth(5), nth(12))]


def test_an_earlier_start_date_is_read_before_the_days_that_are_covered() -> None:
    coverage = Coverage(nth(10), (Covered(nth(19), 77),))
    spans = incremental_spans(coverage, nth(0), nth(19), look_back_from=nth(15), reread=False)
    assert spans[0] == Span(nth(0), nth(9))
    assert spans[1] == Span(nth(10), nth(14), Only.PROCESSED_SINCE, 77)


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
        parts.append(Covered(nth(day), mark))
    coverage = Coverage(nth(first), tuple(parts)) if parts else Coverage()
    start_day, end = nth(start), nth(start + more)
    back_day = max(start_day, nth(back))
    spans = incremental_spans(
        coverage, start_day, end, look_back_from=back_day, reread=mode == "reread"
    )
    for span in spans:
        assert start_day <= span.first <= span.last <= end
        assert (span.since_ms is None) == (span.only is Only.ALL)
    for one, other in pairwise(spans):
        assert one.last < other.first
    asked = {nth(n): s for s in spans for n in range(number_of(s.first), number_of(s.last) + 1)}
    known = _marks(coverage)
    for number in range(start, start + more + 1):
        wanted = nth(number)
        if wanted not in known:
            assert asked[wanted].only is Only.ALL
        elif wanted >= back_day or (mode != "reread" and known[wanted] is not None):
            assert wanted in asked
            assert asked[wanted].only is Only.ALL or asked[wanted].since_ms == known[wanted]
