"""The state of `export`, in every shape it ever had."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.errors import ConfigError
from source_mixpanel.instants import PROJECT_KIND, UTC_KIND
from source_mixpanel.sync.coverage import Coverage, Covered
from source_mixpanel.sync.cursor import ExportState, completed_through, dump_state, parse_state
from source_mixpanel.sync.days import Days

_quick = settings(max_examples=50)

UTC_DAYS = Days(UTC_KIND, None)
NOON_MS = 1_769_860_800_123
DAY = date(2026, 1, 31)

dates = st.dates(date(1990, 1, 1), date(2100, 1, 1))
marks = st.none() | st.integers(0, 4_000_000_000_000)


@st.composite
def _coverages(draw: st.DrawFn) -> Coverage:
    ends = sorted(draw(st.sets(dates, max_size=4)))
    if not ends:
        return Coverage()
    first = draw(st.none() | st.dates(date(1990, 1, 1), ends[0]))
    return Coverage(first, tuple(Covered(end, draw(marks)) for end in ends))


states = st.builds(
    ExportState,
    latest_ms=st.none() | st.integers(0, 4_000_000_000_000),
    coverage=_coverages(),
    kind=st.sampled_from([None, UTC_KIND, PROJECT_KIND]),
    columns=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
    refreshing=st.booleans(),
    wanted=st.none() | st.text(max_size=5),
)


def _round_trip(state: ExportState, days: Days = UTC_DAYS) -> ExportState:
    return parse_state(json.loads(json.dumps(dump_state(state, days))))


@given(states)
@_quick
def test_a_state_survives_being_written_and_read(state: ExportState) -> None:
    assert _round_trip(state) == state


def test_an_empty_state_is_an_empty_object() -> None:
    assert dump_state(ExportState(), UTC_DAYS) == {}
    assert parse_state({}) == ExportState()


def test_the_state_says_in_plain_values_what_was_read() -> None:
    coverage = Coverage(date(2026, 1, 1), (Covered(date(2026, 1, 20), 5), Covered(DAY, NOON_MS)))
    blob = dump_state(ExportState(NOON_MS, coverage, UTC_KIND, {"$a": "a"}, True), UTC_DAYS)
    assert blob == {
        "time": "2026-01-31T12:00:00.123Z",
        "completed_from": "2026-01-01",
        "completed_through": "2026-01-30",
        "processed_until_ms": 5,
        "covered": [["2026-01-20", 5], ["2026-01-31", NOON_MS]],
        "event_timestamps": "utc",
        "columns": {"$a": "a"},
        "full_refresh": "in progress",
    }


def test_the_cursor_never_moves_back() -> None:
    state = ExportState().with_latest(7)
    assert state.latest_ms == 7
    assert state.with_latest(5).latest_ms == 7
    assert state.with_latest(9).latest_ms == 9


# -- states of others ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "time",
    [
        "2026-01-31T12:00:00.123Z",
        "2026-01-31T12:00:00.123000+00:00",
        "2026-01-31T12:00:00.123",
        "2026-01-31 12:00:00.123",
        "2026-01-31T13:00:00.123+01:00",
        NOON_MS,
        NOON_MS / 1000,
    ],
)
def test_a_state_of_airbyte_4_0_2_means_the_days_before_its_cursor(time: Any) -> None:
    state = parse_state({"time": time})
    assert state.latest_ms == NOON_MS
    assert state.coverage == Coverage(None, (Covered(date(2026, 1, 30), None),))
    assert state.kind is None


@pytest.mark.parametrize("time", ["2026-01-31", "2026-01-31T00:00:00Z"])
def test_a_cursor_that_is_a_date_means_its_midnight(time: str) -> None:
    assert parse_state({"time": time}).coverage.last == date(2026, 1, 30)


@pytest.mark.parametrize("blob", [{"time": None}, {"time": ""}, {"date": "2026-01-31"}, {"x": [1]}])
def test_a_state_without_a_cursor_covers_nothing(blob: dict[str, Any]) -> None:
    assert parse_state(blob) == ExportState()


def test_the_two_plain_values_are_enough() -> None:
    state = parse_state({"completed_through": "2026-01-31", "processed_until_ms": NOON_MS})
    assert state.coverage == Coverage(None, (Covered(DAY, NOON_MS),))


# -- corrupt states --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "blob",
    [
        {"time": "yesterday"},
        {"time": True},
        {"time": []},
        {"time": {}},
        {"time": -5},
        {"time": 1e30},
        {"time": 10**40},
        {"time": float("nan")},
        {"time": float("inf")},
        {"time": "0001-01-01T00:00:00Z"},
        {"completed_through": "soon"},
        {"completed_through": 5},
        {"completed_through": "2026-01-31", "processed_until_ms": "5"},
        {"completed_through": "2026-01-31", "processed_until_ms": True},
        {"completed_through": "2026-01-31", "processed_until_ms": 1.5},
        {"completed_through": "2026-01-31", "processed_until_ms": 10**30},
        {"completed_through": "2026-01-31", "processed_until_ms": -(10**30)},
        {"completed_through": "9999-12-31", "processed_until_ms": 5},
        {"completed_through": "0001-01-01"},
        {"completed_from": "never", "covered": []},
        {"completed_from": 7, "covered": []},
        {"completed_from": "2026-01-31", "covered": [["2026-01-30", 5]]},
        {"covered": None},
        {"covered": 5},
        {"covered": [["2026-01-31"]]},
        {"covered": [["2026-01-31", 5, 6]]},
        {"covered": [[5, "2026-01-31"]]},
        {"covered": ["ab"]},
        {"covered": [["9999-12-31", 5]]},
        {"covered": [["2026-01-31", 10**18]]},
        {"covered": [["2026-01-31", 5], ["2026-01-30", 5]]},
        {"covered": [["2026-01-31", 5], ["2026-01-31", 5]]},
        {"event_timestamps": "local"},
        {"event_timestamps": []},
        {"columns": ["a"]},
        {"columns": "a"},
        {"columns": {"a": 1}},
        {"columns": {"a": None}},
    ],
)
def test_a_value_that_cannot_be_is_a_config_error_that_says_what_to_do(
    blob: dict[str, Any],
) -> None:
    with pytest.raises(ConfigError, match="Reset the stream"):
        parse_state(blob)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
keys = st.sampled_from(
    [
        "time",
        "covered",
        "completed_from",
        "completed_through",
        "processed_until_ms",
        "columns",
        "event_timestamps",
        "full_refresh",
    ]
)


@given(st.dictionaries(keys, json_values, max_size=4))
@_quick
def test_any_object_is_read_or_refused_and_what_is_read_can_be_written(
    blob: dict[str, Any],
) -> None:
    try:
        state = parse_state(blob)
    except ConfigError:
        return
    assert parse_state(dump_state(state, UTC_DAYS)).coverage.parts == state.coverage.parts


# -- completed days --------------------------------------------------------------------------


def _ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=timezone.utc).timestamp() * 1000)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("coverage", "expected"),
    [
        (Coverage(), None),
        (Coverage(None, (Covered(DAY, None),)), DAY),
        (Coverage(date(2026, 1, 1), (Covered(DAY, _ms(2026, 2, 3)),)), DAY),
        (Coverage(date(2026, 1, 1), (Covered(DAY, _ms(2026, 1, 31, 23)),)), date(2026, 1, 30)),
        (Coverage(DAY, (Covered(DAY, _ms(2026, 1, 31, 23)),)), None),
    ],
)
def test_a_day_is_complete_when_it_was_over_before_the_watermark(
    coverage: Coverage, expected: date | None
) -> None:
    assert completed_through(coverage, UTC_DAYS) == expected


def test_whether_a_day_is_over_is_the_projects_to_say() -> None:
    coverage = Coverage(date(2026, 1, 1), (Covered(DAY, _ms(2026, 2, 1, 3)),))
    in_los_angeles = Days(PROJECT_KIND, ZoneInfo("America/Los_Angeles"))
    assert completed_through(coverage, UTC_DAYS) == DAY
    assert completed_through(coverage, in_los_angeles) == date(2026, 1, 30)
