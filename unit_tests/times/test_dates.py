"""Dates, instants and zones as people write them."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.times.dates import parse_moment, parse_zone, same_zone

_quick = settings(max_examples=50)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31", date(2026, 1, 31)),
        (" 2026-01-31 ", date(2026, 1, 31)),
        ("2026-01-31T10:20:30Z", datetime(2026, 1, 31, 10, 20, 30, tzinfo=timezone.utc)),
        ("2026-01-31 10:20", datetime(2026, 1, 31, 10, 20, tzinfo=timezone.utc)),
        ("2026-01-31T10:20:30", datetime(2026, 1, 31, 10, 20, 30, tzinfo=timezone.utc)),
        ("2026-01-31T00:30:00+02:00", datetime(2026, 1, 30, 22, 30, tzinfo=timezone.utc)),
        ("2026-01-31T00:30:00-0330", datetime(2026, 1, 31, 4, 0, tzinfo=timezone.utc)),
        ("2026-01-31T00:00:00.5Z", datetime(2026, 1, 31, microsecond=500_000, tzinfo=timezone.utc)),
        (
            "2026-01-31T00:00:00.123456789Z",
            datetime(2026, 1, 31, microsecond=123_456, tzinfo=timezone.utc),
        ),
    ],
)
def test_a_moment_is_read_in_every_usual_form(text: str, expected: date) -> None:
    moment = parse_moment(text)
    assert moment == expected
    assert type(moment) is type(expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-02-30",
        "2026-13-01",
        "31/01/2026",
        "2026-1-31",
        "2026-01-31T25:00:00Z",
        "2026-01-31T10:00:00+99:99",
        "2026-01-31T10:00:00 UTC",
        "2026-01-31T10Z",
        "20260131",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_what_is_no_moment_is_refused_with_both_accepted_forms(text: str) -> None:
    with pytest.raises(ValueError, match="2026-01-31 or 2026-01-31T00:00:00Z"):
        parse_moment(text)


@given(
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1)),  # noqa: DTZ001
    st.integers(-14 * 60, 14 * 60),
)
@_quick
def test_an_instant_keeps_its_place_in_time_whatever_offset_it_is_written_with(
    naive: datetime, minutes: int
) -> None:
    instant = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_moment(instant.isoformat()) == instant


@given(st.text(max_size=30))
@_quick
def test_any_text_is_either_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        assert isinstance(parse_moment(text), date)
    except ValueError as error:
        assert repr(text) in str(error)  # noqa: PT017 - both outcomes are fine


@pytest.mark.parametrize("name", ["UTC", "America/Los_Angeles", "Asia/Kolkata", "US/Pacific"])
def test_an_iana_name_is_a_zone(name: str) -> None:
    assert parse_zone(name).key == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "America", "a\0b", "x" * 999],
)
def test_what_is_no_zone_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(ValueError, match="write an IANA name such as America/Los_Angeles"):
        parse_zone(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("US/Pacific", "America/Los_Angeles"),
        ("Etc/UTC", "UTC"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Europe/Paris", "Europe/Paris"),
        ("Europe/Paris", "Europe/Berlin"),
    ],
)
def test_two_names_of_one_clock_are_the_same_zone(one: str, other: str) -> None:
    assert same_zone(ZoneInfo(one), ZoneInfo(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("America/Los_Angeles", "America/Phoenix"),
        ("Europe/London", "UTC"),
        ("America/New_York", "America/Havana"),
        ("Asia/Kolkata", "Asia/Kathmandu"),
    ],
)
def test_clocks_that_differ_for_part_of_the_year_are_not_the_same_zone(
    one: str, other: str
) -> None:
    assert not same_zone(ZoneInfo(one), ZoneInfo(other))
