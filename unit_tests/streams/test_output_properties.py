"""What is asked of Mixpanel where few properties of profiles are wanted: these alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from unit_tests.harness import Output
from unit_tests.profiles.test_engage import PATH, profile
from unit_tests.profiles.test_groups import COMPANIES, TEAMS
from unit_tests.project import Project

STREAMS = ["engage", "groups", "cohort_members"]
SEEN = "2026-03-01T10:00:00"


@pytest.fixture
def project(project: Project) -> Project:
    """With each kind of profile, and settings by which the catalog selects."""
    told = {"$city": "Graz", "plan": "pro", "$last_seen": SEEN, "n\u00e4me": "x", "secret": 1}
    project.mixpanel.add_profiles([profile(f"u-{n}", **told) for n in range(5)])
    project.mixpanel.set_truth(
        "data_groups", [{"data_group_id": COMPANIES, "property_name": "company"}]
    )
    project.mixpanel.add_profiles([profile("acme", **told)], COMPANIES)
    project.mixpanel.add_cohort({"id": 1, "name": "some"}, ["u-0", "u-1", "ghost"])
    project.mixpanel.add_cohort({"id": 2, "data_group_id": COMPANIES}, ["acme"])
    project.config.update(select_properties_by_default=False, page_size=2)
    return project


def selected(stream: dict[str, Any], *columns: str) -> dict[str, Any]:
    """The stream with these columns and its own."""
    own = {"distinct_id", "last_seen", "cohort_id", "data_group_id", "rescued_properties", *columns}
    schema = stream["json_schema"]
    kept = {name: spec for name, spec in schema["properties"].items() if name in own}
    return {**stream, "json_schema": {**schema, "properties": kept}}


def lists(project: Project) -> set[str | None]:
    """The lists that were asked for since the journal was cleared, as they were sent."""
    return {entry["body"].get("output_properties") for entry in project.asked(PATH)}


def run(project: Project, *streams: dict[str, Any]) -> Output:
    project.mixpanel.clear_journal()
    out = project.sync(*streams, mode="full_refresh")
    assert out.code == 0, out.log
    assert project.asked(PATH)
    return out


@pytest.mark.parametrize("name", STREAMS)
def test_only_what_the_catalog_has_is_asked_for_on_every_page(project: Project, name: str) -> None:
    stream = project.discover()[name]
    out = run(project, selected(stream, "city", "n\u00e4me"))
    [text] = lists(project)
    assert text is not None
    assert text.isascii()
    assert set(json.loads(text)) == {"$city", "$last_seen", "n\u00e4me"}
    rows = [row for row in out.records() if row["distinct_id"] != "ghost"]
    assert all((r["city"], r["n\u00e4me"], r["last_seen"]) == ("Graz", "x", SEEN) for r in rows)
    assert {row["rescued_properties"] for row in rows} == {None}
    assert not {"plan", "secret"} & {key for row in rows for key in row}


@pytest.mark.parametrize("name", STREAMS)
def test_what_was_seen_last_is_always_asked_for(project: Project, name: str) -> None:
    stream = selected(project.discover()[name])
    del stream["json_schema"]["properties"]["last_seen"]
    run(project, stream)
    assert lists(project) == {'["$last_seen"]'}


def test_misfits_of_what_is_asked_for_are_rescued(project: Project) -> None:
    stream = selected(project.discover()["engage"], "city")
    project.mixpanel.add_profiles([profile("odd", **{"$city": [1, 2], "plan": 5})])
    out = run(project, stream)
    [odd] = [row for row in out.records() if row["distinct_id"] == "odd"]
    assert odd["rescued_properties"] == {"$city": [1, 2]}


@pytest.mark.parametrize(
    "change",
    [{"select_properties_by_default": True}, {"property_layout": "object"},
     {"select_properties_by_default": True, "exclude_properties": ["plan"]}],
    ids=["all are wanted", "one object", "all but one are wanted"],
)  # fmt: skip
def test_all_are_asked_for_where_others_than_the_catalogs_are_wanted(
    project: Project, change: dict[str, Any]
) -> None:
    streams = project.using(select_properties_by_default=True).discover()
    out = run(project.using(**change), *(selected(streams[name], "city") for name in STREAMS))
    assert lists(project) == {None}
    assert ("secret" in json.dumps(out.records())) is True


def test_what_is_excluded_is_not_asked_for(project: Project) -> None:
    stream = selected(project.discover()["engage"], "city", "secret")
    out = run(project.using(exclude_properties=["sec*"]), stream)
    assert lists(project) == {'["$city","$last_seen"]'}
    assert all(row.get("secret") is None for row in out.records())


def _wide(stream: dict[str, Any], names: list[str]) -> dict[str, Any]:
    columns = {
        f"c{number}": {"type": ["null", "string"], "mixpanel_property": name}
        for number, name in enumerate(names)
    }
    made = selected(stream)
    made["json_schema"]["properties"] |= columns
    return made


@pytest.mark.parametrize(
    ("names", "few"),
    [
        ([f"p{n}" for n in range(199)], True),
        ([f"p{n}" for n in range(200)], False),
        (["x" * 2900 + str(n) for n in range(2)], True),
        (["x" * 3000 + str(n) for n in range(2)], False),
        (["\u00e9" * 900], True),
        (["\u00e9" * 1000], False),
    ],
    ids=["200", "201", "short", "long", "short in ASCII", "long in ASCII"],
)
def test_a_list_that_is_too_long_is_not_sent(
    project: Project, names: list[str], *, few: bool
) -> None:
    stream = _wide(project.discover()["engage"], names)
    run(project, stream)
    [text] = lists(project)
    assert (None if text is None else set(json.loads(text))) == (
        {*names, "$last_seen"} if few else None
    )


def test_a_catalog_of_an_earlier_version_with_columns_that_name_no_property_asks_for_all(
    project: Project,
) -> None:
    bare = {"type": ["null", "string"]}
    columns: dict[str, Any] = {"distinct_id": bare, "last_seen": bare, "city": bare}
    stream = {
        **project.discover()["engage"],
        "json_schema": {"properties": columns},
    }
    out = run(project, stream)
    assert lists(project) == {None}
    assert {row["city"] for row in out.records()} == {"Graz"}
    columns["city"] = {**bare, "mixpanel_property": "$city"}
    out = run(project, stream)
    assert lists(project) == {'["$city","$last_seen"]'}
    assert {row["city"] for row in out.records()} == {"Graz"}


def test_a_sync_that_was_broken_off_is_not_continued_with_another_list(project: Project) -> None:
    stream = project.discover()["engage"]
    project.mixpanel.add_fault("status", PATH, query={"page": "1"}, status=500)
    broken = project.sync(selected(stream, "city"), mode="full_refresh", tries=1)
    assert broken.code == 1
    project.mixpanel.clear_faults()
    out = project.sync(selected(stream, "plan"), mode="full_refresh", state=broken.state_file())
    assert out.code == 0, out.log
    assert {row["plan"] for row in out.records()} == {"pro"}
    assert len(out.records()) == 5


def test_other_group_keys_are_asked_in_the_same_way(project: Project) -> None:
    keys = [
        *project.mixpanel.truth("data_groups"),
        {"data_group_id": TEAMS, "property_name": "team"},
    ]
    project.mixpanel.set_truth("data_groups", keys)
    project.mixpanel.add_profiles([profile("blue", seats=3)], TEAMS)
    stream = selected(project.discover()["groups"], "seats")
    out = run(project, stream)
    assert lists(project) == {'["$last_seen","seats"]'}
    assert {(row["distinct_id"], row.get("seats")) for row in out.records()} == {
        ("acme", None), ("blue", 3),
    }  # fmt: skip
