"""The types of `export`'s columns: what tells them, and that they stay what they are."""

from __future__ import annotations

import random
from typing import Any

import pytest

from unit_tests.builders import DAY_MS, NOON_10_MARCH_MS, event
from unit_tests.project import Project

EXPORT = "/api/2.0/export"
TOP = "/api/query/events/properties/top"
LEXICON = "/api/app/projects/12345678/schemas/event"
RARE = 'defined(properties["rare"])'

A_MONTH_LATER = "2026-04-09T12:00:00Z"
LAST_SHARD = 1
LATER_MS = NOON_10_MARCH_MS + 30 * DAY_MS


def types(stream: dict[str, Any]) -> dict[str, Any]:
    """Each column's types but null; one type alone is no list."""
    columns = stream["json_schema"]["properties"]
    told = {
        name: [kind for kind in spec["type"] if kind != "null"] for name, spec in columns.items()
    }
    return {name: kinds[0] if len(kinds) == 1 else kinds for name, kinds in told.items()}


def many(count: int, *rare: dict[str, Any], **usual: Any) -> list[dict[str, Any]]:
    """So many events; those of the last ones that an export gives have something rare.

    The local Mixpanel deals events out to four shards, and gives these one after the other.
    """
    events = [event(insert_id=f"i-{n}", common=n + 0.5, **usual) for n in range(count)]
    for one, more in zip(events[LAST_SHARD::4], rare):  # noqa: B905 - fewer are rare
        one["properties"].update(more)
    return events


def wheres(project: Project) -> list[str | None]:
    """The filter of each export asked for."""
    return [entry["query"].get("where") for entry in project.asked(EXPORT)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.5] * 19 + ["n/a"], "number"),
        ([1] * 18 + ["n/a"] * 2, "number"),
        ([1] * 17 + ["n/a"] * 3, "string"),
        ([None] * 15 + [True] * 5, "boolean"),
        ([True] * 9 + [1], "boolean"),
        ([["a"]] * 9 + ["a"], "array"),
        ([2**53, 1, -5], "number"),
        ([2**53 + 1] + [1] * 9, "number"),
        ([2**53 + 1] * 9 + [1], "integer"),
        ([-(2**60), 1, 2.5], "number"),
        ([2**60] * 9 + ["x"], "integer"),
        ([2**70, 2**60, 1], "number"),
        ([None, None], "string"),
    ],
)
def test_a_type_is_what_nine_in_ten_values_show(
    project: Project, values: list[Any], expected: str
) -> None:
    project.mixpanel.add_events(
        [event(insert_id=f"i-{n}", it=value) for n, value in enumerate(values)]
    )
    assert types(project.discover()["export"])["it"] == expected


def test_lexicon_counts_its_events_and_goes_before_the_sample(project: Project) -> None:
    project.mixpanel.add_events([event(told="text", hard=1)])
    schemas = [
        {
            "entityType": "event",
            "name": f"Event {n}",
            "schemaJson": {
                "properties": {
                    "told": {"type": "integer" if n else "string"},
                    "hard": {"type": "string" if n % 2 else "number"},
                }
            },
        }
        for n in range(10)
    ]
    project.mixpanel.set_truth("schemas", schemas)
    found = types(project.discover()["export"])
    assert (found["told"], found["hard"]) == ("number", "string")


# -- rare properties ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"), [(7, "number"), (False, "boolean"), ({"a": 1}, "object")]
)
def test_a_property_that_one_event_of_thousands_has_is_asked_for_by_name(
    project: Project, value: Any, expected: str
) -> None:
    project.mixpanel.add_events(many(3_000, {"rare": value}))
    assert types(project.discover()["export"])["rare"] == expected
    assert wheres(project) == [None, RARE]
    first, second = (entry["query"] for entry in project.asked(EXPORT))
    assert {**second, "where": None} == {**first, "where": None}


def test_the_users_filters_hold_for_rare_properties_too(project: Project) -> None:
    named = many(3_000, {"rare": 7}, plan="pro")
    other = [
        event("Other", insert_id="o", rare="x", plan="pro"),
        event(insert_id="p", rare="x", plan="free"),
    ]
    project.mixpanel.add_events([*named, *other])
    project.config.update(export_events=["Sign Up"], export_where='properties["plan"] == "pro"')
    assert types(project.discover()["export"])["rare"] == "number"
    assert wheres(project)[1] == f'(properties["plan"] == "pro") and ({RARE})'
    assert {entry["query"]["event"] for entry in project.asked(EXPORT)} == {'["Sign Up"]'}


def test_what_is_told_elsewhere_is_not_asked_for(project: Project) -> None:
    schema = {"properties": {"described": {"type": "boolean"}}}
    project.mixpanel.set_truth(
        "schemas", [{"entityType": "event", "name": "A", "schemaJson": schema}]
    )
    reserved = {"$screen_dpi": 1.5, "$ae_session_length": "1", "$radio": "LTE"}
    project.mixpanel.add_events(many(3_000, {"described": True, **reserved}))
    found = types(project.discover()["export"])
    assert (found["described"], found["screen_dpi"]) == ("boolean", "number")
    assert found["ae_session_length"] == ["number", "string"]
    assert wheres(project) == [None]


def test_types_of_text_are_not_asked_for(project: Project) -> None:
    project.mixpanel.add_events(many(3_000, {"rare": 7}))
    project.config["property_types"] = "string"
    assert types(project.discover()["export"])["rare"] == "string"
    assert wheres(project) == [None]


def test_names_that_no_url_holds_are_text(project: Project) -> None:
    rare = [f"a rare property {n:04d}" for n in range(300)]
    project.mixpanel.add_events(many(4_000, {"tab\t": 1}, *({raw: 1} for raw in rare)))
    found = types(project.discover()["export"])
    kinds = [found[raw] for raw in rare]
    assert 60 < kinds.count("number") < 120
    assert set(kinds) == {"number", "string"}
    assert found["tab\t"] == "string"
    assert len(wheres(project)) == 2


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 400, "body": "bad expression"},
        {"kind": "status", "status": 403, "body": "no"},
        {"kind": "status", "status": 504, "body": "Timeout Error"},
        {"kind": "terminated_early"},
    ],
)
def test_a_rare_sample_that_cannot_be_had_costs_a_type_and_a_line_of_the_log(
    project: Project, fault: dict[str, Any]
) -> None:
    project.mixpanel.add_events(many(3_000, {"rare": 7}))
    project.mixpanel.add_fault(path=EXPORT, query={"where": RARE}, **fault)
    out = project.run("discover")
    assert out.code == 0, out.log
    found = types(out.streams()["export"])
    assert (found["rare"], found["common"]) == ("string", "number")
    told = [line for line in out.log.splitlines() if "discovered without" in line]
    assert len(told) == 1
    assert "Stream 'export' is discovered without a sample of its rare properties: " in told[0]


def test_an_outage_at_the_rare_sample_fails_as_at_any_other(project: Project) -> None:
    project.mixpanel.add_events(many(3_000, {"rare": 7}))
    project.mixpanel.add_fault("status", EXPORT, query={"where": RARE}, status=503)
    out = project.run("discover")
    assert out.code == 1
    assert out.errors[0]["failure_type"] == "transient_error"


def test_what_is_closed_is_not_asked_for_twice(project: Project) -> None:
    project.mixpanel.add_events(many(3_000, {"rare": 7}))
    project.mixpanel.configure(forbidden=[{"path_prefix": EXPORT, "status": 403, "body": "no"}])
    assert types(project.discover()["export"])["rare"] == "string"
    assert wheres(project) == [None]


# -- from one discovery to the next ---------------------------------------------------------

VALUES: dict[str, tuple[Any, Any]] = {
    "zip": (75_001, "2A100"),
    "price": (9.5, "n/a"),
    "vip": (True, "yes"),
    "tags": (["a"], "a"),
    "cart": ({"a": 1}, []),
    "name": ("Ada", 5),
    "account": (2**60 + 1, "none"),
    "coupon": ("SPRING", None),
}
"""What a property mostly holds, and what it now and then does."""

OFTEN = 0.03
RARELY: dict[str, Any] = {"refund": 3.5, "is_test": True, '$weird "name"\\': 12}
"""What one event in three thousand has."""


def a_month(end_ms: int, seed: int) -> list[dict[str, Any]]:
    luck = random.Random(seed)  # noqa: S311 - the same each time, guards nothing
    events = []
    for n in range(3_000):
        made = event(insert_id=f"{seed}-{n}", distinct_id=f"u-{n}")
        properties = made["properties"]
        properties["time"] = end_ms - 29 * DAY_MS + n * 29 * DAY_MS // 3_000
        for raw, (usual, odd) in VALUES.items():
            properties[raw] = odd if luck.random() < OFTEN else usual
        events.append(made)
    for raw, value in RARELY.items():
        luck.choice(events)["properties"][raw] = value
    return events


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_discoveries_a_month_apart_agree_on_every_column(project: Project, seed: int) -> None:
    project.mixpanel.add_events(a_month(NOON_10_MARCH_MS, 2 * seed))
    before = project.discover()["export"]
    project.mixpanel.set_clock(A_MONTH_LATER)
    project.mixpanel.add_events(a_month(LATER_MS, 2 * seed + 1))
    assert project.discover()["export"] == before
    assert {name: types(before)[name] for name in (*VALUES, "refund", "is_test")} == {
        "zip": "number", "price": "number", "vip": "boolean", "tags": "array", "cart": "object",
        "name": "string", "account": "integer", "coupon": "string", "refund": "number",
        "is_test": "boolean",
    }  # fmt: skip
    assert types(before)['weird "name"\\'] == "number"
