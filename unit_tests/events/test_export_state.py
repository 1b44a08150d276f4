"""The state of `export`, in every shape it ever had."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.errors import ConfigError
from source_mixpanel.events.state import ExportState, dump_state
from source_mixpanel.events.state import parse_state as parse_blob
from source_mixpanel.events.window import Strain
from source_mixpanel.streams.coverage import Coverage, CoveredDays
from source_mixpanel.streams.period import Cut
from source_mixpanel.streams.state import Origin, opened
from source_mixpanel.times.event_time import PROJECT_KIND, UTC_KIND
from unit_tests.events.numbered_days import apart, coverages, covered, marks_of, nth, read
from unit_tests.streams.origins import origins

_quick = settings(max_examples=50)

NOON_MS = 1_769_860_800_123
DAY = date(2026, 1, 31)
LATEST_MS = 250_000_000_000_000
EARLIER = date(2026, 1, 20)
BEGIN = date(2026, 1, 1)

moments = st.none() | st.integers(0, 4_000_000_000_000)
cuts = st.builds(Cut, st.dates(date(2, 1, 1), date(9998, 1, 1)), moments, moments)
states = st.builds(
    ExportState,
    latest_ms=moments,
    coverage=coverages,
    kind=st.sampled_from([None, UTC_KIND, PROJECT_KIND]),
    refreshing=st.booleans(),
    cuts=st.lists(cuts, max_size=3, unique_by=lambda cut: cut.day).map(tuple),
    origin=origins,
    ended_ms=moments,
    begin=st.none() | st.dates(date(2, 1, 1), date(9998, 1, 1)),
    empty=st.lists(st.tuples(st.integers(0, 25), st.integers(0, 10), st.integers(0, 10**6))).map(
        lambda many: read([(first, more, apart(mark)) for first, more, mark in many])
    ),
    strains=st.dictionaries(
        st.sampled_from(["all", "late"]),
        st.builds(Strain, st.integers(1, 3650), st.integers(0, 10**13), st.integers(1, 8)),
    ),
)


def parse_state(blob: dict[str, Any]) -> ExportState:
    """As the stream reads it."""
    return opened(blob, "export", parse_blob)


def _round_trip(state: ExportState) -> ExportState:
    return parse_state(json.loads(json.dumps(dump_state(state))))


@given(states)
@_quick
def test_a_state_survives_being_written_and_read(state: ExportState) -> None:
    assert _round_trip(state) == state


def test_a_state_that_nothing_was_read_into_comes_back_as_one() -> None:
    assert dump_state(ExportState()) == {"covered": [], "origin": {"version": 2}}
    assert _round_trip(ExportState()) == ExportState()
    assert parse_state({}) == ExportState()
    assert parse_state({"__ab_no_cursor_state_message": True}) == ExportState()


def test_a_cursor_without_covered_days_is_not_taken_for_another_connectors() -> None:
    state = ExportState(latest_ms=NOON_MS)
    assert dump_state(state)["covered"] == []
    assert _round_trip(state) == state


def test_the_state_of_days_whose_first_is_not_known_survives_too() -> None:
    state = parse_state({"time": "2026-01-31T12:00:00Z"})
    assert state.coverage.parts
    assert _round_trip(state) == state


def test_the_state_says_in_plain_values_what_was_read() -> None:
    coverage = Coverage(
        (CoveredDays(BEGIN, EARLIER, 5), CoveredDays(date(2026, 1, 30), DAY, NOON_MS))
    )
    origin = Origin(7, "EU", (None, 3), "Asia/Tokyo", ("f",))
    cuts = (Cut(BEGIN, 1, None), Cut(DAY, None, 2))
    state = ExportState(
        NOON_MS,
        coverage,
        UTC_KIND,
        True,
        cuts,
        origin,
        ended_ms=7,
        begin=BEGIN,
        empty=Coverage((CoveredDays(EARLIER, EARLIER, 8),)),
        strains={"all": Strain(60, NOON_MS, 2)},
    )
    assert dump_state(state) == {
        "time": "2026-01-31T12:00:00.123Z",
        "covered": [["2026-01-01", "2026-01-20", 5], ["2026-01-30", "2026-01-31", NOON_MS]],
        "event_timestamps": "utc",
        "full_refresh": "in progress",
        "cut_days": [["2026-01-01", 1, None], ["2026-01-31", None, 2]],
        "ended_ms": 7,
        "begin": "2026-01-01",
        "empty": [["2026-01-20", "2026-01-20", 8]],
        "strains": {"all": [60, NOON_MS, 2]},
        "origin": {
            "version": 2,
            "project_id": 7,
            "region": "EU",
            "workspace_ids": [None, 3],
            "project_timezone": "Asia/Tokyo",
            "filters": ["f"],
        },
    }


def test_the_cursor_never_moves_back() -> None:
    state = ExportState().with_latest(7)
    assert state.latest_ms == 7
    assert state.with_latest(5).latest_ms == 7
    assert state.with_latest(9).latest_ms == 9


def test_a_strain_of_as_many_days_as_there_may_be_survives() -> None:
    state = ExportState(strains={"all": Strain(10_000, 5, 1)})
    assert _round_trip(state) == state


@pytest.mark.parametrize(("passes", "ended_ms"), [("passes", 7), ("", None)])
def test_only_a_refresh_whose_error_passes_is_gone_on_with(
    passes: str, ended_ms: int | None
) -> None:
    state = ExportState(refreshing=True).ended(7, passes=bool(passes))
    assert (state.refreshing, state.ended_ms) == (bool(passes), ended_ms)


# -- answers without events ------------------------------------------------------------------


def _answered(state: ExportState, first: int, last: int, mark: int, events: str) -> ExportState:
    return state.read(nth(first), nth(last), apart(mark), proven=bool(events))


def test_an_answer_with_events_moves_the_watermark_and_one_without_does_not() -> None:
    state = _answered(ExportState(), 0, 9, 1, "some")
    assert state.coverage == covered((0, 9, apart(1)))
    state = _answered(state, 0, 9, 2, "")
    assert (state.coverage, state.empty) == (covered((0, 9, apart(1))), covered((0, 9, apart(2))))
    state = _answered(state, 5, 9, 3, "some")
    assert state.coverage == covered((0, 4, apart(1)), (5, 9, apart(3)))
    assert state.empty == covered((0, 4, apart(2)))


def test_a_second_one_without_events_moves_it_to_where_the_first_would_have() -> None:
    state = _answered(_answered(ExportState(), 0, 9, 1, "some"), 0, 4, 2, "")
    state = _answered(state, 0, 9, 3, "")
    assert marks_of(state.coverage) == {nth(n): apart(2 if n < 5 else 1) for n in range(10)}
    assert state.empty == covered((0, 9, apart(3)))


def test_days_without_events_are_read_after_two_answers() -> None:
    state = _answered(ExportState(), 0, 9, 1, "")
    assert state.coverage == Coverage()
    state = _answered(state, 3, 12, 2, "")
    assert state.coverage == covered((3, 9, apart(1)))
    assert state.empty == covered((0, 2, apart(1)), (3, 12, apart(2)))


def test_days_that_are_forgotten_have_not_been_empty_either() -> None:
    state = _answered(_answered(ExportState(), 0, 9, 1, "some"), 0, 9, 2, "")
    assert state.without(nth(3), nth(3)).empty == covered((0, 2, apart(2)), (4, 9, apart(2)))


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
    assert state.coverage == Coverage((CoveredDays(date.min, date(2026, 1, 30), None),))
    assert state.kind is None


@pytest.mark.parametrize("time", ["2026-01-31", "2026-01-31T00:00:00Z"])
def test_a_cursor_that_is_a_date_means_its_midnight(time: str) -> None:
    assert parse_state({"time": time}).coverage.last == date(2026, 1, 30)


@pytest.mark.parametrize(
    ("time", "ms"),
    [
        (0, 0),
        (100_000_000_000, 100_000_000_000_000),
        (100_000_000_001, 100_000_000_001),
        (LATEST_MS, LATEST_MS),
    ],
)
def test_a_number_is_seconds_unless_it_is_too_large_for_them(time: int, ms: int) -> None:
    assert parse_state({"time": time}).latest_ms == ms


@pytest.mark.usefixtures("in_kathmandu")
def test_the_day_of_a_cursor_is_not_the_machines_to_say() -> None:
    assert parse_state({"time": "2026-01-31T20:00:00Z"}).coverage.last == date(2026, 1, 30)


@pytest.mark.parametrize("blob", [{"time": None}, {"time": ""}, {"date": "2026-01-31"}, {"x": [1]}])
def test_a_state_without_a_cursor_covers_nothing(blob: dict[str, Any]) -> None:
    assert parse_state(blob) == ExportState()


# -- states of version 0.1.0 -----------------------------------------------------------------


def test_a_state_of_version_0_1_0_is_read() -> None:
    state = parse_state(
        {
            "time": "2026-01-31T12:00:00.123Z",
            "completed_from": "2026-01-01",
            "completed_through": "2026-01-30",
            "processed_until_ms": 5,
            "covered": [["2026-01-20", 5], ["2026-01-31", NOON_MS]],
            "event_timestamps": "utc",
            "project_timezone": "Asia/Tokyo",
            "filter": "f",
            "columns": {"$a": "a"},
            "full_refresh": "in progress",
            "since_ms": 1,
            "until_ms": 2,
        }
    )
    parts = (CoveredDays(BEGIN, EARLIER, 5), CoveredDays(date(2026, 1, 21), DAY, NOON_MS))
    origin = Origin(project_timezone="Asia/Tokyo", filters=("f",))
    cuts = (Cut(BEGIN, 1, None), Cut(DAY, None, 2))
    coverage = Coverage(parts)
    assert state == ExportState(NOON_MS, coverage, UTC_KIND, True, cuts, origin)
    assert _round_trip(state) == state


ONE_DAY_COVERED = {"completed_from": "2026-01-31", "covered": [["2026-01-31", 5]]}
SOME_DAYS_COVERED = {"completed_from": "2026-01-01", "covered": [["2026-01-31", 5]]}
NO_FIRST_DAY = {"covered": [["2026-01-31", 5]]}


@pytest.mark.parametrize(
    ("blob", "cuts"),
    [
        (SOME_DAYS_COVERED, ()),
        ({**SOME_DAYS_COVERED, "since_ms": 1}, (Cut(BEGIN, 1, None),)),
        ({**SOME_DAYS_COVERED, "until_ms": 2}, (Cut(DAY, None, 2),)),
        (
            {**SOME_DAYS_COVERED, "since_ms": 1, "until_ms": 2},
            (Cut(BEGIN, 1, None), Cut(DAY, None, 2)),
        ),
        ({**ONE_DAY_COVERED, "since_ms": 1}, (Cut(DAY, 1, None),)),
        ({**ONE_DAY_COVERED, "since_ms": 1, "until_ms": 2}, (Cut(DAY, 1, 2),)),
        pytest.param({**ONE_DAY_COVERED, "until_ms": 2}, (Cut(DAY, None, 2),)),
        ({**NO_FIRST_DAY, "until_ms": 2}, (Cut(DAY, None, 2),)),
        ({"covered": [], "since_ms": 1, "until_ms": 2}, ()),
        ({**NO_FIRST_DAY, "cut_days": [["2026-01-20", 1, 2]]}, (Cut(EARLIER, 1, 2),)),
    ],
)
def test_version_0_1_0_knew_the_first_and_the_last_day_that_was_cut(
    blob: dict[str, Any], cuts: tuple[Cut, ...]
) -> None:
    state = parse_state(blob)
    assert state.cuts == cuts
    assert _round_trip(state).cuts == cuts


@pytest.mark.parametrize(
    ("blob", "parts"),
    [
        ({"covered": [["2026-01-31", 5]]}, [CoveredDays(date.min, DAY, 5)]),
        ({"covered": [["2026-01-31", None]]}, [CoveredDays(date.min, DAY, None)]),
        (
            {"completed_from": "2026-01-31", "covered": [["2026-01-31", 5]]},
            [CoveredDays(DAY, DAY, 5)],
        ),
        ({"completed_from": "2026-01-31", "covered": []}, []),
        ({"covered": []}, []),
        (
            {"covered": [["2026-01-20", None], ["2026-01-31", 5]]},
            [CoveredDays(date.min, EARLIER, None), CoveredDays(date(2026, 1, 21), DAY, 5)],
        ),
    ],
)
def test_days_that_were_told_by_their_last_one_are_consecutive(
    blob: dict[str, Any], parts: list[CoveredDays]
) -> None:
    assert parse_state({"time": "2026-01-31T12:00:00Z", **blob}).coverage == Coverage(tuple(parts))


@pytest.mark.parametrize("first", [None, "2026-01-01"])
def test_the_two_plain_values_are_enough(first: str | None) -> None:
    blob = {"completed_through": "2026-01-31", "processed_until_ms": NOON_MS}
    state = parse_state(blob if first is None else {**blob, "completed_from": first})
    begin = date.min if first is None else BEGIN
    assert state.coverage == Coverage((CoveredDays(begin, DAY, NOON_MS),))


def test_parts_of_version_0_1_0_that_lie_close_together_are_joined() -> None:
    blob = {"completed_from": "2026-01-01", "covered": [["2026-01-20", 5], ["2026-01-31", 6]]}
    state = parse_state(blob)
    assert state.coverage == Coverage((CoveredDays(BEGIN, DAY, 5),))
    assert _round_trip(state) == state


def test_parts_that_lie_close_together_are_joined_by_reading_the_state() -> None:
    by_hand = Coverage((CoveredDays(BEGIN, EARLIER, 5), CoveredDays(date(2026, 1, 21), DAY, 6)))
    assert _round_trip(ExportState(coverage=by_hand)).coverage == Coverage(
        (CoveredDays(BEGIN, DAY, 5),)
    )


def test_a_state_of_a_later_version_is_refused() -> None:
    blob = {"covered": [], "origin": {"version": 3}}
    with pytest.raises(ConfigError, match="later version"):
        parse_state(blob)


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
        {"covered": [["2026-01-01", "2026-01-31", 5, 6]]},
        {"covered": [["2026-01-31", "2026-01-01", 5]]},
        {"covered": [["2026-01-01", "2026-01-31", 5], ["2026-01-31", "2026-02-01", 5]]},
        {"covered": [["2026-01-01", "2026-01-31", True]]},
        {"covered": [[5, "2026-01-31"]]},
        {"covered": ["ab"]},
        {"covered": [["9999-12-31", 5]]},
        {"covered": [["2026-01-31", 10**18]]},
        {"covered": [["2026-01-31", 5], ["2026-01-30", 5]]},
        {"covered": [["2026-01-31", 5], ["2026-01-31", 5]]},
        {"event_timestamps": "local"},
        {"event_timestamps": []},
        {"since_ms": "5"},
        {"until_ms": -1},
        {"cut_days": 5},
        {"cut_days": [5]},
        {"cut_days": [["2026-01-31", 5]]},
        {"cut_days": [["soon", 5, None]]},
        {"cut_days": [[5, 5, None]]},
        {"cut_days": [[None, 5, None]]},
        {"cut_days": [["9999-12-31", 5, None]]},
        {"cut_days": [["2026-01-31", "5", None]]},
        {"cut_days": [["2026-01-31", None, True]]},
        {"cut_days": [["2026-01-31", None, -1]]},
        {"project_timezone": 5},
        {"filter": []},
        {"ended_ms": "5"},
        {"begin": 5},
        {"begin": "9999-12-31"},
        {"empty": 5},
        {"empty": [["2026-01-31", 5]]},
        {"empty": [[None, "2026-01-31", 5]]},
        {"empty": [["2026-01-31", "2026-01-31", None]]},
        {"strains": 5},
        {"strains": [5]},
        {"strains": {"all": [60, 5]}},
        {"strains": {"all": [60, None, 1]}},
        {"strains": {"all": [0, 5, 1]}},
        {"strains": {"all": [60, 5, 10**9]}},
        {"strains": {"all": [True, 5, 1]}},
        {"origin": "x"},
        {"origin": {"project_id": "7"}},
        {"origin": {"region": 7}},
        {"origin": {"workspace_ids": 7}},
        {"origin": {"workspace_ids": [True]}},
        {"origin": {"filters": [7]}},
        {"origin": {"project_timezone": 7}},
    ],
)
def test_a_value_that_cannot_be_is_a_config_error_that_says_what_to_do(
    blob: dict[str, Any],
) -> None:
    with pytest.raises(ConfigError, match="Reset the stream"):
        parse_state(blob)


@pytest.mark.parametrize(
    ("blob", "detail"),
    [
        ({"event_timestamps": "local"}, "ValueError: event_timestamps"),
        ({"empty": [["2026-01-31", "2026-01-31", None]]}, "ValueError: empty"),
        ({"strains": {"all": [60, 5, 10_001]}}, "ValueError: strains"),
        (
            {"covered": [["2026-01-31", 5], ["2026-01-30", 5]]},
            "ValueError: covered is not ascending",
        ),
        ({"time": True}, "TypeError: True is no instant"),
        ({"time": -5}, "ValueError: -5 is no instant"),
        ({"time": LATEST_MS + 1}, f"ValueError: {LATEST_MS + 1} is no instant"),
    ],
)
def test_the_detail_of_the_error_says_what_it_is(blob: dict[str, Any], detail: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_state(blob)
    assert caught.value.internal_message == detail


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
        "since_ms",
        "until_ms",
        "cut_days",
        "ended_ms",
        "begin",
        "empty",
        "strains",
        "project_timezone",
        "filter",
        "origin",
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
    assert _round_trip(state).coverage == state.coverage
