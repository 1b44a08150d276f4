"""Buckets of days: every day lies in one, and ranges are cut between them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_mixpanel.sync.days import ONE_DAY
from source_mixpanel.sync.grid import Grid

DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
GRIDS = st.one_of(
    st.builds(Grid, st.sampled_from(["day", "week", "month"])),
    st.builds(lambda n: Grid(days=n), st.integers(1, 90)),
)


@given(GRIDS, DAYS)
def test_a_bucket_holds_its_days_and_ends_where_the_next_begins(grid: Grid, day: date) -> None:
    start, end = grid.start(day), grid.end(day)
    assert start <= day <= end
    assert (end - start).days < grid.longest
    assert grid.start(start) == grid.start(end) == start
    assert grid.start(end + ONE_DAY) == end + ONE_DAY


@given(GRIDS, DAYS, st.integers(0, 400), st.integers(1, 100))
def test_cuts_tile_a_range_at_the_ends_of_buckets(
    grid: Grid, day: date, length: int, most: int
) -> None:
    first = grid.start(day)
    end = first + timedelta(days=length)
    while first <= end:
        last = grid.reach(first, end, most)
        assert first <= last <= end
        assert last == end or grid.end(last) == last
        assert (last - first).days < max(most, grid.longest)
        first = last + ONE_DAY
    assert first == end + ONE_DAY


@pytest.mark.parametrize(
    ("grid", "start", "end"),
    [
        (Grid(), "2026-03-12", "2026-03-12"),
        (Grid("week"), "2026-03-09", "2026-03-15"),
        (Grid("month"), "2026-03-01", "2026-03-31"),
        (Grid(days=7), "2026-03-09", "2026-03-15"),
        (Grid(days=1), "2026-03-12", "2026-03-12"),
    ],
)
def test_buckets_are_calendar_ones(grid: Grid, start: str, end: str) -> None:
    day = date(2026, 3, 12)
    assert (str(grid.start(day)), str(grid.end(day))) == (start, end)


def test_a_range_without_a_limit_is_not_cut() -> None:
    first, end = date(2026, 1, 1), date(2026, 3, 12)
    assert Grid("month").reach(first, end, date.max.toordinal()) == end
    assert Grid("month").reach(first, end, 45) == date(2026, 1, 31)
    assert Grid("month").reach(first, end, 3) == date(2026, 1, 31)
    assert Grid("month").reach(first, end, 60) == date(2026, 2, 28)
