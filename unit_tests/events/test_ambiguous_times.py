"""Where a time can be read in two ways."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from source_mixpanel.events.ambiguity import deciding_days, may_differ
from source_mixpanel.streams.coverage import Span

LONDON = ZoneInfo("Europe/London")
TODAY = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("zone", "first", "last", "differ"),
    [
        ("Europe/London", "2026-01-01", "2026-03-28", False),
        ("Europe/London", "2026-01-01", "2026-03-29", True),
        ("Europe/London", "2025-10-25", "2025-10-26", True),
        ("Europe/London", "2025-10-26", "2025-12-01", False),
        ("Asia/Tokyo", "2026-01-01", "2026-01-01", True),
        ("UTC", "2010-01-01", "2026-01-01", False),
        ("Africa/Abidjan", "2010-01-01", "2026-01-01", False),
    ],
)
def test_only_where_the_clock_is_not_utcs_can_times_mean_two_instants(
    zone: str, first: str, last: str, *, differ: bool
) -> None:
    span = Span(date.fromisoformat(first), date.fromisoformat(last))
    assert may_differ(ZoneInfo(zone), span) is differ


def test_without_a_zone_they_may() -> None:
    assert may_differ(None, Span(TODAY, TODAY))


def test_londons_last_summer_tells_in_winter() -> None:
    assert deciding_days(LONDON, TODAY) == Span(date(2025, 9, 25), date(2025, 10, 25))


def test_recent_days_tell_where_the_clock_is_never_utcs_or_not_known() -> None:
    month = Span(TODAY - timedelta(days=30), TODAY)
    assert deciding_days(ZoneInfo("Asia/Tokyo"), TODAY) == month
    assert deciding_days(None, TODAY) == month


def test_days_before_the_clock_changed_do_not_tell() -> None:
    assert deciding_days(LONDON, date(2026, 4, 2)) == Span(date(2026, 3, 29), date(2026, 4, 2))


def test_a_clock_that_shows_utc_all_year_tells_nowhere() -> None:
    assert deciding_days(ZoneInfo("UTC"), TODAY) is None
