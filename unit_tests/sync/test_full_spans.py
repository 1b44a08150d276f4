"""A full refresh that is broken off and resumed."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.sync.coverage import Coverage, full_spans
from source_mixpanel.sync.window import Pace, next_window
from unit_tests.sync.numbered_days import FIRST, ONE_DAY, nth, number_of

_quick = settings(max_examples=50)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5), st.integers(1, 4)), max_size=6),
    st.integers(1, 6),
)
@_quick
def test_a_full_refresh_that_is_resumed_reads_every_day_and_none_twice(
    attempts: list[tuple[int, int, int]], pace: int
) -> None:
    end, read = nth(20), []
    coverage = Coverage()
    for _, windows, _ in [*attempts, (0, 99, 1)]:
        left = windows
        for span in full_spans(coverage.anchored(FIRST), FIRST, end, coverage.last):
            first = span.first
            while first <= span.last and left:
                window = next_window(span, first, Pace(pace)).span
                read += [nth(n) for n in range(number_of(window.first), number_of(window.last) + 1)]
                coverage = coverage.advance(spans_first(coverage), window.last, 5)
                first, left = window.last + ONE_DAY, left - 1
    assert read == [nth(n) for n in range(21)]


def spans_first(coverage: Coverage) -> date:
    """Where a resumed refresh says that it reads from."""
    return FIRST if coverage.last is None else coverage.last + ONE_DAY


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5)), max_size=6), st.integers(1, 6))
@_quick
def test_a_full_refresh_whose_start_date_moves_still_reads_every_day_wanted_in_the_end(
    attempts: list[tuple[int, int]], pace: int
) -> None:
    end, read = nth(20), set()
    coverage = Coverage()
    for start, windows in [*attempts, (0, 99)]:
        left = windows
        spans = full_spans(coverage, nth(start), end, coverage.last)
        read_from = spans[0].first if spans else nth(start)
        for span in spans:
            first = span.first
            while first <= span.last and left:
                window = next_window(span, first, Pace(pace)).span
                read |= {nth(n) for n in range(number_of(window.first), number_of(window.last) + 1)}
                coverage = coverage.advance(read_from, window.last, 5)
                first, left = window.last + ONE_DAY, left - 1
    assert read == {nth(n) for n in range(21)}
