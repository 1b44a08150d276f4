"""Which days the settings mean."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_mixpanel.streams.period import Cut, Period, in_ms
from source_mixpanel.times.days import Days
from source_mixpanel.times.event_time import PROJECT_KIND, UTC_KIND

START = date(2026, 3, 1)
NOW = datetime(2026, 3, 10, 15, tzinfo=timezone.utc)
TODAY = NOW.date()
MORNING = datetime(2026, 3, 5, 3, tzinfo=timezone.utc)
MORNING_MS = in_ms(MORNING)
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
BEFORE, FIFTH, AFTER = (date(2026, 3, number) for number in (4, 5, 6))


def test_days_wanted_are_bounded_by_today() -> None:
    days = Days(PROJECT_KIND, None)
    usual = Period()
    assert usual.last_day(days, NOW) == TODAY
    assert usual.first_day(days, NOW) == TODAY - timedelta(days=365)
    wide = Period(start=START, end=date(9999, 1, 1))
    assert (wide.first_day(days, NOW), wide.last_day(days, NOW)) == (START, TODAY)


def test_without_a_start_it_stays_where_the_saved_state_begins() -> None:
    days = Days(PROJECT_KIND, None)
    assert Period().first_day(days, NOW, START) == START
    assert Period(start=date(2026, 2, 1)).first_day(days, NOW, START) == date(2026, 2, 1)


@pytest.mark.parametrize(
    ("days", "first", "last"),
    [
        (Days(UTC_KIND, LOS_ANGELES), date(2026, 3, 5), date(2026, 3, 5)),
        (Days(PROJECT_KIND, LOS_ANGELES), date(2026, 3, 4), date(2026, 3, 4)),
        (Days(PROJECT_KIND, ZoneInfo("Asia/Tokyo")), date(2026, 3, 5), date(2026, 3, 5)),
    ],
)
def test_an_instant_lies_on_the_day_that_the_project_counts(
    days: Days, first: date, last: date
) -> None:
    period = Period(start=MORNING, end=MORNING)
    assert (period.first_day(days, NOW), period.last_day(days, NOW)) == (first, last)


def test_while_it_is_not_known_whose_days_count_the_one_before_is_asked_for_as_well() -> None:
    assert Period(start=MORNING).first_day(Days(None, LOS_ANGELES), NOW) < date(2026, 3, 5)
    assert Period(start=START).first_day(Days(None, LOS_ANGELES), NOW) == START


def test_only_instants_bound_events() -> None:
    assert (Period(start=START).since_ms, Period(end=START).until_ms) == (None, None)
    bounded = Period(start=MORNING, end=NOW)
    assert (bounded.since_ms, bounded.until_ms) == (in_ms(MORNING), in_ms(NOW))
    assert bounded.bounds_ms() == (in_ms(MORNING), in_ms(NOW))
    least, most = Period().bounds_ms()
    assert least < -(10**15)
    assert most > 10**15


# -- days that it cuts -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "cuts"),
    [
        (Period(), []),
        (Period(start=START, end=FIFTH), []),
        (Period(start=MORNING), [Cut(FIFTH, MORNING_MS, None)]),
        (Period(start=START, end=MORNING), [Cut(FIFTH, None, MORNING_MS)]),
        (Period(start=MORNING, end=MORNING), [Cut(FIFTH, MORNING_MS, MORNING_MS)]),
        (
            Period(start=MORNING, end=NOW),
            [Cut(FIFTH, MORNING_MS, None), Cut(TODAY, None, in_ms(NOW))],
        ),
    ],
)
def test_only_days_that_an_instant_lies_in_are_cut(period: Period, cuts: list[Cut]) -> None:
    assert list(period.cuts(Days(UTC_KIND, None))) == cuts


def test_the_day_that_is_cut_is_the_projects() -> None:
    in_los_angeles = Days(PROJECT_KIND, LOS_ANGELES)
    assert list(Period(start=MORNING).cuts(in_los_angeles)) == [Cut(BEFORE, MORNING_MS, None)]


def test_while_it_is_not_known_whose_days_count_any_that_may_be_cut_is_one() -> None:
    unknown = Days(None, LOS_ANGELES)
    assert list(Period(start=MORNING).cuts(unknown)) == [
        Cut(day, MORNING_MS, None) for day in (BEFORE, FIFTH, AFTER)
    ]
    next_day = MORNING + timedelta(days=1)
    told = list(Period(start=MORNING, end=next_day).cuts(unknown))
    assert told[0] == Cut(BEFORE, MORNING_MS, None)
    assert told[1] == Cut(FIFTH, MORNING_MS, in_ms(next_day))
    assert told[-1] == Cut(date(2026, 3, 7), None, in_ms(next_day))


bounds = st.none() | st.integers(0, 9)
cuts = st.builds(Cut, st.just(FIFTH), bounds, bounds)


def _wanted(cut: Cut) -> set[int]:
    """The moments of a day of ten, and one before and after them, that a cut wants."""
    since = -1 if cut.since_ms is None else cut.since_ms
    until = 10 if cut.until_ms is None else cut.until_ms
    return set(range(since, until + 1))


@given(cuts, cuts)
def test_what_two_cuts_have_in_common_is_a_cut(one: Cut, other: Cut) -> None:
    assert _wanted(one.within(other)) == _wanted(one) & _wanted(other)


@given(cuts, cuts)
def test_no_more_is_wanted_of_a_day_than_was_had_if_each_moment_was(one: Cut, other: Cut) -> None:
    more = bool(_wanted(one) - _wanted(other))
    assert one.wants_more_than(other) or not more
    if _wanted(one):
        assert one.wants_more_than(other) == more
    assert not one.wants_more_than(one)
    assert not one.wants_more_than(Cut(FIFTH))
