from __future__ import annotations

from typing import Any

import pytest

BEFORE = "$distinct_id_before_identity"


@pytest.fixture
def merge(emulator: Any) -> Any:
    """Switches a system of merging on."""

    def switch(system: str, **settings: Any) -> None:
        emulator.control.configure(identity_merge=system, **settings)

    return switch


def ids(emulator: Any) -> dict[str, tuple[str, str | None]]:
    """Of each event the id it has and the one it came in with."""
    rows = [row["properties"] for row in emulator.exported()]
    return {row["$insert_id"]: (row["distinct_id"], row.get(BEFORE)) for row in rows}


def identify(make_event: Any, anon: str, who: str) -> Any:
    held = {"distinct_id": who, "$anon_id": anon, "$identified_id": who, "$insert_id": "identify"}
    return make_event("$identify", **held)


def test_identify_gives_old_events_the_identified_id_and_keeps_their_first(
    emulator: Any, make_event: Any, merge: Any
) -> None:
    merge("original")
    emulator.control.add_events([make_event(distinct_id="anon", **{"$insert_id": "old"})])
    assert ids(emulator) == {"old": ("anon", None)}
    emulator.control.add_events([identify(make_event, "anon", "ana")])
    emulator.control.add_events([make_event(distinct_id="anon", **{"$insert_id": "new"})])
    assert ids(emulator) == {
        "old": ("ana", "anon"),
        "identify": ("ana", None),
        "new": ("ana", "anon"),
    }


def test_ids_may_be_any_text(emulator: Any, make_event: Any, merge: Any) -> None:
    merge("original")
    emulator.control.add_events([make_event(distinct_id="a\ud800", **{"$insert_id": "old"})])
    emulator.control.add_events([identify(make_event, "a\ud800", 'b"\u2028')])
    assert ids(emulator)["old"] == ('b"\u2028', "a\ud800")


def test_an_anonymous_id_is_identified_once(emulator: Any, make_event: Any, merge: Any) -> None:
    merge("original")
    emulator.control.add_events([make_event(distinct_id="anon", **{"$insert_id": "old"})])
    emulator.control.add_events([identify(make_event, "anon", "ana")])
    emulator.control.add_events([identify(make_event, "anon", "bo")])
    assert ids(emulator)["old"] == ("ana", "anon")


def test_alias_and_merge_join_and_the_first_id_stays_through_all(
    emulator: Any, make_event: Any, merge: Any
) -> None:
    merge("original")
    emulator.control.add_events([make_event(distinct_id="a", **{"$insert_id": "1"})])
    alias = make_event("$create_alias", distinct_id="b", alias="a", **{"$insert_id": "2"})
    emulator.control.add_events([alias])
    assert ids(emulator)["1"] == ("b", "a")
    both = {"$distinct_ids": ["c", "b"], "distinct_id": "c", "$insert_id": "3"}
    emulator.control.add_events([make_event("$merge", **both)])
    assert ids(emulator)["1"] == ("c", "a")
    assert ids(emulator)["2"] == ("c", "b")


def test_a_device_belongs_to_its_first_user(emulator: Any, make_event: Any, merge: Any) -> None:
    merge("simplified")

    def on_device(insert_id: str, **user: str) -> Any:
        return make_event(**{"$device_id": "d", "$insert_id": insert_id, **user})

    emulator.control.add_events([on_device("1")])
    assert ids(emulator) == {"1": ("$device:d", None)}
    emulator.control.add_events([on_device("2", **{"$user_id": "ana"})])
    emulator.control.add_events([on_device("3", **{"$user_id": "bo"})])
    emulator.control.add_events([on_device("4")])
    assert ids(emulator) == {
        "1": ("ana", "$device:d"),
        "2": ("ana", None),
        "3": ("bo", None),
        "4": ("ana", "$device:d"),
    }


@pytest.mark.parametrize("touches", [False, True])
def test_a_merge_touches_the_processing_time_only_when_told(
    emulator: Any, make_event: Any, merge: Any, *, touches: bool
) -> None:
    merge("original", merge_touches_processing_time=touches)
    emulator.control.add_events([make_event(distinct_id="anon", **{"$insert_id": "old"})])

    def processed() -> int:
        rows = [row["properties"] for row in emulator.exported()]
        [found] = [r["mp_processing_time_ms"] for r in rows if r["$insert_id"] == "old"]
        return int(found)

    before = processed()
    emulator.control.advance(3600)
    emulator.control.add_events([identify(make_event, "anon", "ana")])
    assert (processed() >= before + 3_600_000) == touches


def test_profiles_of_joined_ids_become_one(emulator: Any, make_event: Any, merge: Any) -> None:
    merge("original")
    emulator.control.add_profiles(
        [
            {"$distinct_id": "anon", "$properties": {"plan": "free", "source": "ad"}},
            {"$distinct_id": "ana", "$properties": {"plan": "pro"}},
        ]
    )
    emulator.control.add_events([identify(make_event, "anon", "ana")])
    [profile] = emulator.control.truth("engage")
    held = profile["$properties"]
    assert (profile["$distinct_id"], held["plan"], held["source"]) == ("ana", "pro", "ad")


def test_the_query_api_counts_joined_people_once(
    emulator: Any, make_event: Any, merge: Any
) -> None:
    merge("original")

    def people() -> int:
        days = {"from_date": "2026-03-09", "to_date": "2026-03-09"}
        shape = {"event": '["Signup"]', "type": "unique", "unit": "day"}
        body = emulator.get("/api/query/events", **days, **shape).json()
        return sum(body["data"]["values"]["Signup"].values())

    emulator.control.add_events([make_event(distinct_id="anon"), make_event(distinct_id="ana")])
    assert people() == 2
    emulator.control.add_events([identify(make_event, "anon", "ana")])
    assert people() == 1


def test_without_a_system_nothing_is_joined(emulator: Any, make_event: Any) -> None:
    emulator.control.add_events([make_event(distinct_id="anon", **{"$insert_id": "old"})])
    emulator.control.add_events([identify(make_event, "anon", "ana")])
    assert ids(emulator)["old"] == ("anon", None)


def test_property_counts_follow_a_merge(emulator: Any, make_event: Any, merge: Any) -> None:
    merge("original")
    emulator.control.add_events([make_event(distinct_id="anon")])
    emulator.control.add_events([identify(make_event, "anon", "ana")])
    top = emulator.get("/api/query/events/properties/top", event="Signup", limit=50).json()
    assert top[BEFORE] == {"count": 1}
    assert top["distinct_id"] == {"count": 1}
