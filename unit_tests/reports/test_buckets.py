"""Buckets of days: every day lies in one, and ranges are cut between them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_mixpanel.reports.buckets import Buckets
from source_mixpanel.times.days import ONE_DAY

DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
BUCKETS = st.one_of(
    st.builds(Buckets, st.sampled_from(["day", "week", "month"])),
    st.builds(lambda n: Buckets(days=n), st.integers(1, 90)),
)


@given(BUCKETS, DAYS)
def test_a_bucket_holds_its_days_and_ends_where_the_next_begins(
    buckets: Buckets, day: date
) -> None:
    start, end = buckets.start(day), buckets.end(day)
    assert start <= day <= end
    assert (end - start).days < buckets.longest
    assert buckets.start(start) == buckets.start(end) == start
    assert buckets.start(end + ONE_DAY) == end + ONE_DAY


@given(BUCKETS, DAYS, st.integers(0, 400), st.integers(1, 100))
def test_cuts_tile_a_range_at_the_ends_of_buckets(
    buckets: Buckets, day: date, length: int, most: int
) -> None:
    first = buckets.start(day)
    end = first + timedelta(days=length)
    while first <= end:
        last = buckets.reach(first, end, most)
        assert first <= last <= end
        assert last == end or buckets.end(last) == last
        assert (last - first).days < max(most, buckets.longest)
        first = last + ONE_DAY
    assert first == end + ONE_DAY


@pytest.mark.parametrize(
    ("buckets", "start", "end"),
    [
        (Buckets(), "2026-03-12", "2026-03-12"),
        (Buckets("week"), "2026-03-09", "2026-03-15"),
        (Buckets("month"), "2026-03-01", "2026-03-31"),
        (Buckets(days=7), "2026-03-09", "2026-03-15"),
        (Buckets(days=1), "2026-03-12", "2026-03-12"),
    ],
)
def test_buckets_are_calendar_ones(buckets: Buckets, start: str, end: str) -> None:
    day = date(2026, 3, 12)
    assert (str(buckets.start(day)), str(buckets.end(day))) == (start, end)


def test_a_range_without_a_limit_is_not_cut() -> None:
    first, end = date(2026, 1, 1), date(2026, 3, 12)
    assert Buckets("month").reach(first, end, date.max.toordinal()) == end
    assert Buckets("month").reach(first, end, 45) == date(2026, 1, 31)
    assert Buckets("month").reach(first, end, 3) == date(2026, 1, 31)
    assert Buckets("month").reach(first, end, 60) == date(2026, 2, 28)
