"""What an event's `time` means, and how it is written."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.times.event_time import (
    Stamper,
    from_rfc3339,
    local_to_utc,
    raw_ms,
    received_ms,
    rfc3339,
)
from unit_tests.wall_clock import utc_ms, wall_ms

_quick = settings(max_examples=60)

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
YEAR_1_MS = -62_135_596_800_000
YEAR_10000_MS = 253_402_300_800_000
YEAR_2009_MS = 1_230_768_000_000
YEAR_2035_MS = 2_051_222_400_000

any_ms = st.integers(YEAR_1_MS, YEAR_10000_MS - 1)
mixpanel_ms = st.integers(YEAR_2009_MS, YEAR_2035_MS)
zones = st.sampled_from(
    [
        "UTC",
        "America/Los_Angeles",
        "America/New_York",
        "America/Sao_Paulo",
        "America/St_Johns",
        "Asia/Gaza",
        "Asia/Kathmandu",
        "Asia/Kolkata",
        "Australia/Lord_Howe",
        "Europe/London",
        "Europe/Paris",
        "Pacific/Apia",
        "Pacific/Chatham",
        "Pacific/Kiritimati",
        "Africa/Casablanca",
    ]
).map(ZoneInfo)


# -- text -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1_769_860_800_123, "2026-01-31T12:00:00.123Z"),
        (YEAR_1_MS, "0001-01-01T00:00:00.000Z"),
        (YEAR_10000_MS - 1, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_an_instant_is_written_to_the_millisecond_with_a_year_of_four_digits(
    ms: int, text: str
) -> None:
    assert rfc3339(ms) == text


@given(any_ms)
@_quick
def test_text_and_milliseconds_are_each_others_inverse(ms: int) -> None:
    assert from_rfc3339(rfc3339(ms)) == ms


@given(st.lists(mixpanel_ms, max_size=20))
@_quick
def test_the_stamper_writes_what_the_plain_function_writes(many: list[int]) -> None:
    stamper = Stamper(None)
    assert [stamper.stamp({"time": ms}) for ms in many] == [(ms, rfc3339(ms)) for ms in many]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31", utc_ms(2026, 1, 31)),
        ("2026-01-31T12:00:00", utc_ms(2026, 1, 31, 12)),
        ("2026-01-31 12:00:00Z", utc_ms(2026, 1, 31, 12)),
        ("2026-01-31T12:00:00.5Z", utc_ms(2026, 1, 31, 12) + 500),
        ("2026-01-31T12:00:00.1234567+00:00", utc_ms(2026, 1, 31, 12) + 123),
        ("2026-01-31T12:00:00.25-08:00", utc_ms(2026, 1, 31, 20) + 250),
        (" 2026-01-31T12:00:00+05:30 ", utc_ms(2026, 1, 31, 6, 30)),
    ],
)
def test_a_text_is_read_with_any_fraction_and_any_offset(text: str, expected: int) -> None:
    assert from_rfc3339(text) == expected


# -- raw values -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (1_769_860_800_123, 1_769_860_800_123),
        (1_769_860_800, 1_769_860_800_000),
        (1_769_860_800.25, 1_769_860_800_250),
        (1_769_860_800_123.4, 1_769_860_800_123),
        (-86_400, -86_400_000),
        (-10_000_000_000, -10_000_000_000),
        (YEAR_1_MS + DAY_MS, YEAR_1_MS + DAY_MS),
        (float(YEAR_10000_MS - DAY_MS), YEAR_10000_MS - DAY_MS),
        ("2026-01-31T12:00:00Z", 1_769_860_800_000),
        ("1769860800123", 1_769_860_800_123),
        (" 1769860800.25 ", 1_769_860_800_250),
    ],
)
def test_a_raw_time_is_milliseconds_or_seconds_or_text(raw: Any, expected: int) -> None:
    assert raw_ms(raw) == expected
    assert Stamper(None).stamp({"time": raw}) == (expected, rfc3339(expected))


@pytest.mark.parametrize("raw", [True, [], 10**17])
def test_what_is_no_time_is_named(raw: Any) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(repr(raw))} is no time$"):
        raw_ms(raw)


@pytest.mark.parametrize(
    "raw",
    [
        None,
        True,
        False,
        [],
        {},
        "",
        "NaN",
        "soon",
        float("nan"),
        float("inf"),
        float("-inf"),
        1 << 70,
        -(1 << 70),
        10**17,
        1e300,
        YEAR_10000_MS + DAY_MS,
        YEAR_1_MS - DAY_MS,
    ],
)
def test_what_no_calendar_holds_is_no_time(raw: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whoever calls words the sentence
        raw_ms(raw)


@given(st.one_of(st.integers(), st.floats(), st.text(max_size=12), st.booleans(), st.none()), zones)
@_quick
def test_whatever_is_read_as_a_time_can_be_written(raw: Any, zone: ZoneInfo) -> None:
    for stamper in (Stamper(None), Stamper(zone)):
        try:
            ms, text = stamper.stamp({"time": raw})
        except ValueError:
            continue
        assert from_rfc3339(text) == ms


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, None),
        ({"mp_processing_time_ms": 7}, 7),
        ({"mp_processing_time_ms": 7, "$mp_api_timestamp_ms": 5}, 5),
        ({"mp_processing_time_ms": 7, "$mp_api_timestamp_ms": None}, 7),
        ({"mp_processing_time_ms": True}, None),
        ({"mp_processing_time_ms": "7"}, None),
    ],
)
def test_receipt_comes_before_processing_and_only_whole_numbers_count(
    properties: dict[str, Any], expected: int | None
) -> None:
    assert received_ms(properties) == expected


# -- the project's clock --------------------------------------------------------------------


def _prompt(raw: int, utc: int) -> dict[str, Any]:
    """Properties of an event that was received at once."""
    return {"time": raw, "$mp_api_timestamp_ms": utc + 500}


@given(mixpanel_ms, zones)
@_quick
def test_a_prompt_event_in_project_time_gets_its_true_instant(utc: int, zone: ZoneInfo) -> None:
    raw = wall_ms(utc, zone)
    assert local_to_utc(raw, zone, known_after_ms=utc + 1_000) == utc
    assert Stamper(zone).stamp(_prompt(raw, utc))[0] == utc


@pytest.mark.parametrize(
    ("name", "when"),
    [
        ("America/St_Johns", (2010, 3, 14)),
        ("America/St_Johns", (2010, 11, 7)),
        ("Asia/Gaza", (2012, 3, 29)),
        ("Asia/Gaza", (2013, 9, 26)),
        ("Australia/Lord_Howe", (2026, 4, 4)),
        ("Pacific/Apia", (2011, 12, 30)),
        ("Europe/London", (2026, 3, 29)),
        ("America/Los_Angeles", (2026, 11, 1)),
    ],
)
def test_every_minute_around_a_change_of_the_clock_gets_its_true_instant(
    name: str, when: tuple[int, int, int]
) -> None:
    zone, start = ZoneInfo(name), utc_ms(*when)
    stamper = Stamper(zone)
    wrong = [
        rfc3339(utc)
        for utc in range(start - 12 * HOUR_MS, start + 36 * HOUR_MS, 60_000)
        if stamper.stamp(_prompt(wall_ms(utc, zone), utc))[0] != utc
    ]
    assert wrong == []


def test_the_hour_that_comes_twice_is_the_first_one_when_nothing_tells() -> None:
    zone = ZoneInfo("America/Los_Angeles")
    wall = utc_ms(2026, 11, 1, 1, 30)
    first, second = utc_ms(2026, 11, 1, 8, 30), utc_ms(2026, 11, 1, 9, 30)
    assert local_to_utc(wall, zone) == first
    assert local_to_utc(wall, zone, known_after_ms=first + 1_000) == first
    assert local_to_utc(wall, zone, known_after_ms=second - 60_000) == second
    assert local_to_utc(wall, zone, known_after_ms=second - 60_001) == first


def test_an_hour_that_does_not_exist_still_gets_an_instant() -> None:
    zone = ZoneInfo("America/Los_Angeles")
    wall = utc_ms(2026, 3, 8, 2, 30)
    assert abs(local_to_utc(wall, zone) - utc_ms(2026, 3, 8, 10, 0)) <= HOUR_MS
