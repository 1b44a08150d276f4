"""Days of reports: which to ask for, and their state."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_mixpanel.instants import PROJECT_KIND
from source_mixpanel.sync.dated import (
    WHOLE,
    DatedSettings,
    DatedState,
    dump_state,
    is_day,
    is_too_long,
    parse_state,
)
from source_mixpanel.sync.days import Days

DAY = st.dates(date(1, 1, 1), date(9998, 1, 1))
START = date(2026, 3, 1)


@given(st.dictionaries(st.text("0123456789", min_size=1), DAY), st.booleans())
def test_a_state_comes_back_as_it_went(days: dict[str, date], refreshing: bool) -> None:  # noqa: FBT001
    state = DatedState(days, refreshing)
    assert parse_state(dump_state(state), "funnels", "funnel_id") == state


@given(DAY, st.booleans())
def test_a_state_without_parts_comes_back_as_it_went(day: date, refreshing: bool) -> None:  # noqa: FBT001
    state = DatedState({WHOLE: day}, refreshing)
    assert dump_state(state)["date"] == day.isoformat()
    assert parse_state(dump_state(state), "revenue") == state


@given(DAY, st.integers(0, 5000))
def test_never_before_the_start_and_never_past_what_was_read(done: date, back: int) -> None:
    state = DatedState({"a": done})
    first = state.first_day("a", START, back)
    assert first >= START
    assert first <= max(START, done)
    if done >= START:
        assert first == START or (done - first).days == back
    assert state.first_day("b", START, back) == START


def test_a_broken_off_refresh_goes_on_after_the_last_day_read() -> None:
    state = DatedState().begun(["a"], full=True).read("a", date(2026, 3, 4))
    again = parse_state(dump_state(state), "funnels", "funnel_id").begun(["a"], full=True)
    assert again.first_day("a", START, 5) == date(2026, 3, 5)
    assert DatedState({"a": START}).begun(["a"], full=True).days == {}


def test_parts_that_are_no_more_are_dropped() -> None:
    state = DatedState({"a": START, "b": START}).begun(["b", "c"], full=False)
    assert state.days == {"b": START}


@pytest.mark.parametrize(
    "blob",
    [
        {"7": {"date": "2026-13-01"}},
        {"7": {"date": 5}},
        {"states": [{"cursor": {"date": "2026-01-01"}}]},
        {"states": [5]},
        {"states": [{"partition": {"funnel_id": 1}, "cursor": {"date": "x"}}]},
    ],
)
def test_a_corrupt_state_is_named(blob: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="state of stream 'funnels'"):
        parse_state(blob, "funnels", "funnel_id")


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
    ("key", "day"),
    [("2026-03-01", True), ("$overall", False), ("2026-03-01T00:00:00", False), ("", False)],
)
def test_days_are_told_from_totals(key: str, day: bool) -> None:  # noqa: FBT001
    assert is_day(key) == day


def test_days_wanted_are_bounded_by_today() -> None:
    days, now = Days(PROJECT_KIND, None), datetime(2026, 3, 10, 15, tzinfo=timezone.utc)
    usual = DatedSettings()
    assert usual.last_day(days, now) == date(2026, 3, 10)
    assert usual.first_day(days, now) == date(2026, 3, 10) - timedelta(days=365)
    wide = DatedSettings(start=START, end=date(9999, 1, 1))
    assert (wide.first_day(days, now), wide.last_day(days, now)) == (START, date(2026, 3, 10))
