"""Which day it is for Mixpanel, and where a day ends."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.times.days import ONE_DAY, Days
from source_mixpanel.times.event_time import EPOCH, PROJECT_KIND, UTC_KIND

_quick = settings(max_examples=50)

zones = st.sampled_from(
    ["UTC", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Kiritimati", "Etc/GMT+12"]
).map(ZoneInfo)
moments = st.datetimes(
    min_value=datetime(2009, 1, 1),  # noqa: DTZ001
    max_value=datetime(2035, 1, 1),  # noqa: DTZ001
    timezones=st.just(timezone.utc),
)

LATE_EVENING = datetime(2026, 3, 9, 23, 30, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("kind", "zone", "today"),
    [
        (UTC_KIND, "Asia/Tokyo", date(2026, 3, 9)),
        (PROJECT_KIND, "Asia/Tokyo", date(2026, 3, 10)),
        (None, "Asia/Tokyo", date(2026, 3, 9)),
        (None, "America/Los_Angeles", date(2026, 3, 9)),
        (PROJECT_KIND, None, date(2026, 3, 9)),
        (None, None, date(2026, 3, 9)),
    ],
)
def test_today_is_that_of_the_clock_the_project_counts_in(
    kind: str | None, zone: str | None, today: date
) -> None:
    assert Days(kind, ZoneInfo(zone) if zone else None).today(LATE_EVENING) == today


@given(moments, zones)
@_quick
def test_while_the_kind_is_not_known_today_is_no_later_than_it_can_be(
    now: datetime, zone: ZoneInfo
) -> None:
    possible = [Days(UTC_KIND, zone).today(now), Days(PROJECT_KIND, zone).today(now)]
    assert Days(None, zone).today(now) == min(possible)
    assert Days(None, None).today(now) <= min(possible)


@given(moments, zones, st.sampled_from([UTC_KIND, PROJECT_KIND, None]))
@_quick
def test_a_day_ends_where_the_next_one_begins(
    moment: datetime, zone: ZoneInfo, kind: str | None
) -> None:
    days = Days(kind, zone)
    day = days.of(moment)
    end = EPOCH + timedelta(milliseconds=days.ends(day))
    assert days.of(end - timedelta(milliseconds=1)) == day
    assert days.of(end) == day + ONE_DAY
    assert moment < end


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
@pytest.mark.parametrize(
    "moment",
    [
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone.utc),
        datetime(1, 1, 1, tzinfo=timezone.utc),
    ],
)
def test_the_first_and_last_instants_of_the_calendar_have_a_day(
    zone: str, moment: datetime
) -> None:
    day = Days(PROJECT_KIND, ZoneInfo(zone)).of(moment)
    assert abs((day - moment.date()).days) <= 1
