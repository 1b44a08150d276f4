"""The state of streams of profiles, in every shape it ever had."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.errors import ConfigError
from source_mixpanel.profiles.paging import Walk
from source_mixpanel.profiles.state import (
    OpenWalk,
    ProfileState,
    can_be_saved,
    dump_state,
)
from source_mixpanel.profiles.state import parse_state as parse_blob
from source_mixpanel.streams.state import RETRIED_WITHIN_MS, Origin, Refresh, opened

_quick = settings(max_examples=50)

NOW = Origin(7, "US", (None,))
MOMENT = "2026-03-01T10:00:00"
SESSION = {
    "part": "users",
    "since": None,
    "latest": MOMENT,
    "begun": MOMENT,
    "id": "s-1",
    "page_size": 1000,
    "total": 2500,
    "next_page": 2,
}
OPEN = OpenWalk(None, MOMENT, Walk("s-1", 1000, 2500, 2), MOMENT)

moments = st.none() | st.sampled_from([MOMENT, "2026-03-02", "2026-03-02T10:00:00.25"])
walks = st.builds(
    Walk,
    session=st.text("abc-1", min_size=1, max_size=8),
    size=st.none() | st.integers(1, 9000),
    total=st.none() | st.integers(0, 10**7),
    next_page=st.integers(1, 999),
)
states = st.builds(
    ProfileState,
    last_seen=moments,
    refresh=st.builds(
        Refresh,
        finished=st.lists(st.text(max_size=3), max_size=3).map(tuple),
        ended_ms=st.none() | st.integers(0, 4_000_000_000_000),
    ),
    open=st.dictionaries(
        st.text(max_size=4), st.builds(OpenWalk, moments, moments, walks, moments), max_size=3
    ),
    origin=st.builds(Origin, st.none() | st.integers(1, 99), st.sampled_from([None, "EU"])),
)


def parse_state(blob: dict[str, Any]) -> ProfileState:
    """As the stream `engage` reads it."""
    return opened(blob, "engage", parse_blob)


def _round_trip(state: ProfileState) -> ProfileState:
    return parse_state(json.loads(json.dumps(dump_state(state))))


@given(states)
@_quick
def test_a_state_comes_back_as_it_went(state: ProfileState) -> None:
    said = state.last_seen or state.open or state.refresh != Refresh()
    assert _round_trip(state) == (state if said else ProfileState())


@given(st.none() | st.text(max_size=80) | st.text("a-1", min_size=60, max_size=70))
@_quick
def test_a_walk_that_may_be_saved_can_be_gone_on_with(session: str | None) -> None:
    walk = Walk(session, 1000, 2500, 2)
    state = ProfileState().at("users", OpenWalk(None, MOMENT, walk, MOMENT))
    if can_be_saved(walk):
        assert _round_trip(state) == state
    else:
        with pytest.raises(ConfigError):
            _round_trip(state)


def test_a_state_that_says_nothing_is_told_as_airbytes_mark_of_none() -> None:
    assert dump_state(ProfileState(origin=NOW)) == {"__ab_no_cursor_state_message": True}


@pytest.mark.parametrize(
    ("told", "cursor"),
    [
        ("2026-03-01T10:00:00", MOMENT),
        ("2026-03-01T10:00:00Z", MOMENT),
        ("2026-03-01T11:00:00+01:00", MOMENT),
        ("2026-03-01", "2026-03-01"),
        ("2026-03-01T10:00:00.250", "2026-03-01T10:00:00.25"),
        (None, None),
        ("", None),
    ],
)
def test_a_cursor_of_airbyte_4_0_2_is_read(told: Any, cursor: str | None) -> None:
    assert parse_state({"last_seen": told}) == ProfileState(last_seen=cursor)


@pytest.mark.parametrize("blob", [{}, {"states": []}, {"x": {"last_seen": 5}}])
def test_a_state_without_a_cursor_is_none(blob: dict[str, Any]) -> None:
    assert parse_state(blob) == ProfileState()


def test_a_state_of_version_0_1_0_is_read() -> None:
    state = parse_state(
        {
            "last_seen": MOMENT,
            "finished": ["1", "2"],
            "session": SESSION,
            "columns": {"$a": "a"},
        }
    )
    assert state == ProfileState(MOMENT, Refresh(("1", "2")), {"users": OPEN})
    assert _round_trip(state) == state


def test_a_session_of_version_0_1_0_need_not_tell_when_it_was_begun() -> None:
    told = {key: value for key, value in SESSION.items() if key != "begun"}
    [(_, mark)] = parse_state({"session": told}).open.items()
    assert mark == OpenWalk(None, MOMENT, Walk("s-1", 1000, 2500, 2))


def test_what_is_on_its_way_is_told_in_plain_values() -> None:
    state = ProfileState(None, Refresh(("1",), 5), {"users": OPEN}, origin=Origin(7))
    assert dump_state(state) == {
        "finished": ["1"],
        "ended_ms": 5,
        "sessions": [SESSION],
        "origin": {"version": 2, "project_id": 7},
    }


@pytest.mark.parametrize(
    "blob",
    [
        {"last_seen": "yesterday"},
        {"last_seen": 5},
        {"finished": "x"},
        {"finished": [1]},
        {"session": 5},
        {"session": {**SESSION, "id": "é"}},
        {"session": {**SESSION, "id": "x" * 65}},
        {"session": {**SESSION, "id": 5}},
        {"session": {**SESSION, "next_page": 0}},
        {"session": {**SESSION, "next_page": True}},
        {"session": {**SESSION, "page_size": 0}},
        {"session": {**SESSION, "total": -1}},
        {"session": {**SESSION, "since": "x"}},
        {"sessions": 5},
        {"sessions": [5]},
        {"sessions": {"a": 1}},
        {"origin": {"version": 3}},
    ],
)
def test_a_corrupt_state_is_named(blob: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="state of stream 'engage'"):
        parse_state(blob)


# -- what becomes of it ----------------------------------------------------------------------

GOING = ProfileState(MOMENT, Refresh(("1",)), {"2": OPEN}, NOW)


def test_a_sync_goes_on_with_what_an_attempt_of_its_own_kind_has_read() -> None:
    assert GOING.at_start(NOW, 0, None) == GOING
    other = GOING.at_start(NOW, 0, MOMENT)
    assert other.open == {}
    assert other.last_seen == MOMENT


@pytest.mark.parametrize("other", [Origin(8, "US", (None,)), Origin(7, "US", (3,))])
def test_of_another_project_or_data_view_nothing_is_gone_on_with(other: Origin) -> None:
    assert GOING.at_start(other, 0, None) == ProfileState(origin=other)
    incremental = GOING.at_start(other, 0, MOMENT)
    assert (incremental.last_seen, incremental.refresh, incremental.open) == (MOMENT, Refresh(), {})


def test_what_ended_long_ago_is_begun_anew() -> None:
    ended = ProfileState(MOMENT, Refresh(("1",), 1000), origin=NOW)
    soon, late = 1000 + RETRIED_WITHIN_MS, 1001 + RETRIED_WITHIN_MS
    assert ended.at_start(NOW, soon, None).refresh == Refresh(("1",))
    assert ended.at_start(NOW, late, None).refresh == Refresh()


def test_a_part_moves_from_open_to_finished_and_all_is_forgotten_in_the_end() -> None:
    state = ProfileState().at("1", OPEN).at("2", OPEN)
    assert state.finished("1") == ProfileState(refresh=Refresh(("1",)), open={"2": OPEN})
    assert state.only(["2", "3"]).open == {"2": OPEN}
    assert state.finished("1").over() == ProfileState()
