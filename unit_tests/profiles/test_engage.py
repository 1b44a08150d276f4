"""`engage` through the real entry point."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from unit_tests.harness import column_names, multiset, placed
from unit_tests.project import Project

PATH = "/api/query/engage"
SESSION = {
    "part": "users", "since": None, "latest": None, "id": "1-a",
    "page_size": 5, "total": 12, "next_page": 1,
}  # fmt: skip


def profile(who: str, **properties: Any) -> dict[str, Any]:
    return {"$distinct_id": who, "$properties": properties}


def expected(
    profiles: Iterable[Mapping[str, Any]], stream: Mapping[str, Any], **fixed: Any
) -> list[dict[str, Any]]:
    """The records that the emulator's truth has to come out as."""
    return [
        {
            "last_seen": None,
            **placed(entry["$properties"], stream),
            "distinct_id": entry["$distinct_id"],
            **fixed,
        }
        for entry in profiles
    ]


def many(number: int, start: int = 0) -> list[dict[str, Any]]:
    return [
        profile(f"u-{n:04d}", **{"$last_seen": f"2026-03-0{1 + n % 9}T10:00:00", "n": n})
        for n in range(start, start + number)
    ]


@pytest.mark.parametrize("mode", ["full_refresh", "incremental"])
def test_every_profile_comes_as_mixpanel_holds_it(project: Project, mode: str) -> None:
    project.mixpanel.seed(7, events=10, days=2, profiles=800)
    project.config["page_size"] = 90
    stream = project.discover()["engage"]
    project.mixpanel.clear_journal()
    out = project.sync("engage", mode=mode)
    assert out.code == 0, out.log
    want = expected(project.mixpanel.truth("engage"), stream)
    assert multiset(out.records()) == multiset(want)
    assert any(row["last_seen"] is None for row in out.records())
    requests = project.asked(PATH)
    assert [entry["method"] for entry in requests] == ["POST"] * 9
    assert sum(not entry["body"].get("session_id") for entry in requests) == 1
    assert "9 of 9 pages" in out.log


def test_old_profiles_come_whatever_the_start_date(project: Project) -> None:
    project.mixpanel.add_profiles([profile("old", **{"$last_seen": "2012-01-01T00:00:00"})])
    out = project.sync("engage", mode="full_refresh")
    assert [row["distinct_id"] for row in out.records()] == ["old"]


def test_a_second_incremental_sync_brings_what_was_seen_since(project: Project) -> None:
    project.mixpanel.add_profiles([*many(18), profile("never seen", n=-1)])
    first = project.sync("engage")
    assert len(first.records()) == 19
    assert first.stream_state("engage")["last_seen"] == "2026-03-09T10:00:00"
    fresh = profile("fresh", **{"$last_seen": "2026-03-10T11:00:00", "n": 99})
    project.mixpanel.add_profiles([fresh])
    second = project.sync("engage", state=first.state_file())
    # Those of the very last second come again: more may have been seen in it.
    assert sorted(row["n"] for row in second.records()) == [8, 17, 99]
    assert second.stream_state("engage")["last_seen"] == "2026-03-10T11:00:00"
    assert "only a full refresh is an exact copy" in second.log


@pytest.mark.parametrize(
    ("old", "numbers"),
    [
        ({"last_seen": "2026-03-08T10:00:00"}, [7, 8]),
        ({"last_seen": "2026-03-08T10:00:00Z"}, [7, 8]),
        ({"last_seen": "2026-03-08T12:00:00+02:00"}, [7, 8]),
        ({"last_seen": "2026-03-09"}, [8]),
        ({"last_seen": ""}, list(range(9))),
        ({}, list(range(9))),
        ({"last_seen": "2999-01-01T00:00:00"}, []),
    ],
)
def test_states_of_airbytes_connector_are_taken(
    project: Project, old: dict[str, Any], numbers: list[int]
) -> None:
    project.mixpanel.add_profiles(many(9))
    state = {"stream_descriptor": {"name": "engage"}, "stream_state": old}
    given = [{"type": "STREAM", "stream": state}]
    out = project.sync("engage", state=given)
    assert out.code == 0, out.log
    assert sorted(row["n"] for row in out.records()) == numbers


@pytest.mark.parametrize(
    "old",
    [
        {"last_seen": 'x" or true or "'},
        {"last_seen": 5},
        {"session": {"part": "users"}},
        {"session": {**SESSION, "page_size": 0}},
        {"session": {**SESSION, "page_size": -5}},
        {"session": {**SESSION, "page_size": True}},
        {"session": {**SESSION, "total": -1}},
        {"session": {**SESSION, "next_page": 0}},
        {"session": {**SESSION, "next_page": -1}},
        {"session": {**SESSION, "next_page": None}},
        {"session": {**SESSION, "begun": "noon"}},
        {"finished": 3},
    ],
)
def test_a_corrupt_state_is_a_config_error(project: Project, old: dict[str, Any]) -> None:
    project.discover()
    project.mixpanel.clear_journal()
    state = {"stream_descriptor": {"name": "engage"}, "stream_state": old}
    out = project.sync("engage", mode="full_refresh", state=[{"type": "STREAM", "stream": state}])
    assert out.code == 1
    assert out.errors[0]["failure_type"] == "config_error"
    assert project.asked(PATH) == []


def test_properties_never_take_the_columns_of_others(project: Project) -> None:
    nasty = {"distinct_id": 1, "$distinct_id": 2, "last_seen": 3,
             "$last_seen": "2026-01-01T00:00:00", "Plan": 4,
             "$plan": 5, "plan": 6, "": 7, "\u2028": 8}  # fmt: skip
    project.mixpanel.add_profiles([profile("me", **nasty)])
    stream = project.discover()["engage"]
    [row] = project.sync("engage", mode="full_refresh").records()
    assert (row["distinct_id"], row["last_seen"]) == ("me", "2026-01-01T00:00:00")
    assert len({column.casefold() for column in row}) == len(nasty) + 2
    names = column_names(stream)
    assert {raw: row[names[raw]] for raw in nasty} == nasty


def test_new_properties_are_rescued_until_the_schema_is_refreshed(project: Project) -> None:
    project.mixpanel.add_profiles([profile("a", plan=1)])
    stream = project.discover()["engage"]
    project.mixpanel.add_profiles([profile("b", **{"$plan": 2}), profile("c", Plan=3)])
    first = project.sync(stream)
    held = {
        row["distinct_id"]: (row.get("plan"), row["rescued_properties"]) for row in first.records()
    }
    assert held == {"a": (1, None), "b": (None, {"$plan": 2}), "c": (None, {"Plan": 3})}
    assert "2 values of 2 properties are in the column rescued_properties" in first.log
    fresh = project.discover()["engage"]
    second = project.sync(fresh, mode="full_refresh", state=first.state_file())
    columns = {value: key for row in second.records() for key, value in row.items()}
    assert (columns[1], columns[2], columns[3]) == ("plan", "__plan", "_Plan")


def test_values_that_do_not_fit_are_rescued_and_counted(project: Project) -> None:
    project.mixpanel.add_profiles([profile(f"u{n}", age=n, since="2026-01-01") for n in range(5)])
    project.mixpanel.add_profiles([profile("text", age="about forty", tags=["a"], big=2**70)])
    stream = project.discover()["engage"]
    types = {name: spec["type"] for name, spec in stream["json_schema"]["properties"].items()}
    assert types["age"] == ["null", "number"]
    assert types["since"] == ["null", "string"]
    assert types["tags"] == ["null", "array"]
    out = project.sync("engage", mode="full_refresh")
    [row] = [row for row in out.records() if row["distinct_id"] == "text"]
    assert (row["age"], row["big"]) == (None, 2**70)
    assert row["rescued_properties"] == {"age": "about forty"}
    assert "'age' (1 x string in a column of number)" in out.log


def test_layouts_types_and_selection_hold_for_profiles_too(project: Project) -> None:
    project.mixpanel.add_profiles([profile("me", plan=["a"], other=1, **{"$city": "Paris"})])
    text = project.using(property_types="string")
    [row] = text.sync("engage", mode="full_refresh").records()
    assert (row["plan"], row["other"], row["city"]) == ('["a"]', "1", "Paris")
    flat = project.using(property_layout="object")
    stream = flat.discover()["engage"]
    assert set(stream["json_schema"]["properties"]) == {"distinct_id", "last_seen", "properties"}
    [row] = flat.sync(stream, mode="full_refresh").records()
    assert row["properties"] == {"plan": ["a"], "other": 1, "$city": "Paris"}
    few = project.using(select_properties_by_default=False)
    stream = few.discover()["engage"]
    del stream["json_schema"]["properties"]["other"]
    [row] = few.sync(stream, mode="full_refresh").records()
    assert set(row) == {"distinct_id", "last_seen", "plan", "city", "rescued_properties"}
