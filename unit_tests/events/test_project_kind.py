"""Whether times mean UTC or the project's wall clock, as events themselves tell."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.times.event_time import PROJECT_KIND, UTC_KIND, kind_of_project
from unit_tests.builders import DAY_MS
from unit_tests.wall_clock import utc_ms, wall_ms

HOUR_MS = 3_600_000
LOS_ANGELES = ZoneInfo("America/Los_Angeles")

_quick = settings(max_examples=60)


def _events(kind: str, delays_ms: list[int], zone: ZoneInfo = LOS_ANGELES) -> list[dict[str, Any]]:
    start = utc_ms(2026, 6, 1)
    events = []
    for number, delay in enumerate(delays_ms):
        utc = start + number * 7 * HOUR_MS
        raw = utc if kind == UTC_KIND else wall_ms(utc, zone)
        events.append({"time": raw, "mp_processing_time_ms": utc + delay})
    return events


@pytest.mark.parametrize("kind", [UTC_KIND, PROJECT_KIND])
def test_prompt_events_tell_the_kind_of_project(kind: str) -> None:
    assert kind_of_project(_events(kind, [2_000] * 10), LOS_ANGELES) == kind


@pytest.mark.parametrize("kind", [UTC_KIND, PROJECT_KIND])
@given(late=st.lists(st.integers(DAY_MS, 5 * DAY_MS), max_size=40))
@_quick
def test_late_events_do_not_change_what_prompt_ones_tell(kind: str, late: list[int]) -> None:
    events = _events(kind, [2_000] * 10 + late)
    assert kind_of_project(events, LOS_ANGELES) in (kind, None)


def test_imported_events_alone_tell_nothing() -> None:
    assert kind_of_project(_events(UTC_KIND, [30 * DAY_MS] * 100), LOS_ANGELES) is None


def test_two_prompt_events_are_too_few() -> None:
    assert kind_of_project(_events(UTC_KIND, [2_000] * 2), LOS_ANGELES) is None


@pytest.mark.parametrize(("imported", "kind"), [(27, UTC_KIND), (28, None)])
def test_a_tenth_of_the_events_has_to_be_prompt(imported: int, kind: str | None) -> None:
    events = _events(UTC_KIND, [2_000] * 3 + [30 * DAY_MS] * imported)
    assert kind_of_project(events, LOS_ANGELES) == kind


@pytest.mark.parametrize(
    ("delay_ms", "kind"),
    [(-60_001, None), (-60_000, UTC_KIND), (600_000, UTC_KIND), (600_001, None)],
)
def test_prompt_is_within_ten_minutes_of_clocks_that_differ_by_a_minute(
    delay_ms: int, kind: str | None
) -> None:
    assert kind_of_project(_events(UTC_KIND, [delay_ms] * 3), None) == kind


def test_events_of_the_hour_that_comes_twice_are_of_the_one_in_which_they_came() -> None:
    second = utc_ms(2026, 11, 1, 9, 30)
    event = {"time": wall_ms(second, LOS_ANGELES), "mp_processing_time_ms": second + 2_000}
    assert kind_of_project([event] * 3, LOS_ANGELES) == PROJECT_KIND


def test_an_event_that_does_not_say_when_it_came_does_not_keep_the_others_from_telling() -> None:
    events = [{"time": utc_ms(2026, 6, 1)}, *_events(UTC_KIND, [2_000] * 3)]
    assert kind_of_project(events, LOS_ANGELES) == UTC_KIND


def test_a_zone_whose_clock_shows_utc_tells_nothing() -> None:
    assert (
        kind_of_project(_events(UTC_KIND, [2_000] * 10, ZoneInfo("UTC")), ZoneInfo("UTC")) is None
    )


def test_without_a_zone_prompt_events_can_still_tell_that_times_are_utc() -> None:
    assert kind_of_project(_events(UTC_KIND, [2_000] * 10), None) == UTC_KIND
    assert kind_of_project(_events(PROJECT_KIND, [2_000] * 10), None) is None


@pytest.mark.parametrize(("others", "kind"), [(8, None), (5, None), (4, UTC_KIND)])
def test_events_tell_what_more_than_twice_as_many_say_as_do_not(
    others: int, kind: str | None
) -> None:
    events = _events(UTC_KIND, [2_000] * 10) + _events(PROJECT_KIND, [2_000] * others)
    assert kind_of_project(events, LOS_ANGELES) == kind


@pytest.mark.parametrize("time", [None, "soon", True, 1 << 62, 1e300, float("inf"), 10**17])
def test_an_event_without_a_readable_time_does_not_keep_the_others_from_telling(time: Any) -> None:
    odd = {"time": time, "mp_processing_time_ms": utc_ms(2026, 6, 1)}
    assert kind_of_project([odd, *_events(UTC_KIND, [2_000] * 10)], LOS_ANGELES) == UTC_KIND


@pytest.mark.parametrize("kind", [UTC_KIND, PROJECT_KIND])
def test_events_that_read_alike_do_not_outvote_those_that_tell(kind: str) -> None:
    london = ZoneInfo("Europe/London")
    winter = utc_ms(2026, 1, 10)
    alike = [
        {"time": winter + n * HOUR_MS, "mp_processing_time_ms": winter + n * HOUR_MS + 2_000}
        for n in range(500)
    ]
    assert kind_of_project(alike, london) is None
    assert kind_of_project([*alike, *_events(kind, [2_000] * 5, london)], london) == kind
