"""Which days the settings mean."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from source_mixpanel.instants import PROJECT_KIND, UTC_KIND
from source_mixpanel.sync.days import Days
from source_mixpanel.sync.period import Period, in_ms

START = date(2026, 3, 1)
NOW = datetime(2026, 3, 10, 15, tzinfo=timezone.utc)
TODAY = NOW.date()
MORNING = datetime(2026, 3, 5, 3, tzinfo=timezone.utc)
LOS_ANGELES = ZoneInfo("America/Los_Angeles")


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
