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


def test_a_zone_whose_clock_shows_utc_tells_nothing() -> None:
    assert (
        kind_of_project(_events(UTC_KIND, [2_000] * 10, ZoneInfo("UTC")), ZoneInfo("UTC")) is None
    )


def test_without_a_zone_prompt_events_can_still_tell_that_times_are_utc() -> None:
    assert kind_of_project(_events(UTC_KIND, [2_000] * 10), None) == UTC_KIND
    assert kind_of_project(_events(PROJECT_KIND, [2_000] * 10), None) is None


def test_contradicting_events_tell_nothing() -> None:
    events = _events(UTC_KIND, [2_000] * 10) + _events(PROJECT_KIND, [2_000] * 8)
    assert kind_of_project(events, LOS_ANGELES) is None


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
