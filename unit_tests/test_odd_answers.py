"""Lists whose items are not what Mixpanel's lists hold: what can be used of them is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mixpanel_emulator.control_client import ControlClient
from mixpanel_emulator.options import CREDENTIALS
from unit_tests.builders import event
from unit_tests.project import Project

P = f"/api/app/projects/{CREDENTIALS.project_id}/"
LEXICON = P + "schemas/event"
PROPERTIES = "/api/query/engage/properties"
COHORT = {"id": 1, "name": "All"}


def _answer(mixpanel: ControlClient, path: str, body: Any) -> None:
    mixpanel.add_fault("status", path, status=200, body=body)


def _lexicon(spec: Any) -> dict[str, Any]:
    entry = {"entityType": "event", "name": "Sign Up", "schemaJson": {"properties": spec}}
    return {"results": [entry]}


@pytest.mark.parametrize(
    ("path", "body", "fails", "goes_on"),
    [
        (P + "data-groups", {"results": [{"id": "5"}]}, "groups", "data_groups"),
        (P + "data-groups", {"results": [{"data_group_id": None}]}, "groups", "data_groups"),
        (P + "data-groups", {"results": ["company"]}, "groups", "cohorts"),
        (P + "bookmarks", {"results": ["x"]}, "report_results", "cohorts"),
        (P + "bookmarks", {"results": [{"type": "insights"}]}, "report_results", "saved_reports"),
        ("/api/query/funnels/list", [{"id": 1, "name": "x"}], "funnels", "cohorts"),
        ("/api/query/cohorts/list", [None], "cohort_members", "annotations"),
        ("/api/query/cohorts/list", [{"id": True}], "cohort_members", "cohorts"),
        ("/api/query/cohorts/list", {"1": {"id": 1}}, "cohort_members", "funnels"),
        ("/api/query/events/names", {"a": 1}, "event_counts", "cohorts"),
    ],
)
def test_an_odd_list_ends_the_stream_that_needs_it_and_no_other(
    project: Project, path: str, body: Any, fails: str, goes_on: str
) -> None:
    project.mixpanel.add_events([event()])
    project.discover()
    _answer(project.mixpanel, path, body)
    out = project.sync("export", fails, goes_on, mode="full_refresh")
    assert out.code == 1
    error = out.errors[0]
    assert error["stream_descriptor"]["name"] == fails
    assert "Something went wrong" not in error["message"]
    assert out.statuses(fails)[-1] == "INCOMPLETE"
    assert out.statuses("export")[-1] == out.statuses(goes_on)[-1] == "COMPLETE"
    assert len(out.records("export")) == 1


@pytest.mark.parametrize("odd", ["x", None, [], 5])
@pytest.mark.parametrize(
    ("path", "good", "stream"),
    [
        ("/api/query/cohorts/list", COHORT, "cohorts"),
        (P + "data-groups", {"data_group_id": "5", "property_name": "company"}, "data_groups"),
        (P + "bookmarks", {"id": 7, "name": "All", "type": "funnels"}, "saved_reports"),
        (P + "annotations", {"id": 3, "date": "2026-03-01 00:00:00"}, "annotations"),
    ],
)
def test_one_odd_item_of_a_list_is_told_and_the_others_come(
    project: Project, path: str, good: dict[str, Any], stream: str, odd: Any
) -> None:
    project.discover()
    more = {**good, **dict.fromkeys(good.keys() & {"id", "data_group_id"}, 9)}
    _answer(project.mixpanel, path, {"results": [good, odd, more]})
    out = project.sync(stream, mode="full_refresh")
    assert out.code == 0, out.log
    assert out.records() == [good, more]
    assert f"list for stream {stream!r} has 1 of 3 items that are no objects" in out.log


@pytest.mark.parametrize("odd", [{"name": "x"}, {"id": None}, {"id": True}, {"id": ""}, "x"])
def test_one_odd_item_of_a_list_of_parts_is_told_and_the_other_parts_are_read(
    project: Project, odd: Any
) -> None:
    project.mixpanel.add_profiles([{"$distinct_id": "u-1", "$properties": {}}])
    project.mixpanel.add_cohort({"id": 1, "name": "All", "count": 1}, ["u-1"])
    project.discover()
    _answer(project.mixpanel, "/api/query/cohorts/list", [odd, {**COHORT, "count": 1}])
    out = project.sync("cohort_members")
    assert out.code == 0, out.log
    assert [(row["cohort_id"], row["distinct_id"]) for row in out.records()] == [(1, "u-1")]
    assert "has 1 of 2 items without 'id'" in out.log


def test_a_stream_that_is_no_more_ends_alone(project: Project) -> None:
    project.mixpanel.add_events([event()])
    streams = project.discover()
    gone = {**streams["cohorts"], "name": "report_gone"}
    out = project.sync(gone, "export", "cohorts", mode="full_refresh")
    assert out.code == 1
    assert out.statuses("report_gone")[-1] == "INCOMPLETE"
    assert out.statuses("export")[-1] == out.statuses("cohorts")[-1] == "COMPLETE"
    assert len(out.records("export")) == 1
    error = out.errors[0]
    assert error["stream_descriptor"]["name"] == "report_gone"
    assert error["failure_type"] == "config_error"
    assert "Refresh the connection's schema" in error["message"]


@pytest.mark.parametrize(
    ("path", "body", "stream"),
    [
        (P + "workspaces/public", {"results": [{"workspace_id": 1}]}, "feature_flags"),
        ("/api/app/me", {"results": {"projects": {"12345678": "x"}}}, "event_counts"),
        ("/api/app/me", {"results": {"projects": ["x"], "workspaces": {"1": "x"}}}, "cohorts"),
    ],
)
def test_what_only_helps_a_stream_may_be_odd(
    project: Project, path: str, body: Any, stream: str
) -> None:
    project.mixpanel.add_events([event()])
    project.discover()
    _answer(project.mixpanel, path, body)
    out = project.sync("export", stream, mode="full_refresh")
    assert out.code == 0, out.log
    assert len(out.records("export")) == 1


@pytest.mark.parametrize("views", [["x"], {"1": {"id": 1}}, [{"id": None}], None])
def test_a_project_whose_data_views_nobody_can_tell_ends_the_streams_that_need_them(
    project: Project, views: Any
) -> None:
    project.mixpanel.add_events([event()])
    project.discover()
    _answer(project.mixpanel, P + "workspaces/public", {"results": views})
    _answer(project.mixpanel, "/api/app/me", {"results": {"workspaces": {"1": views}}})
    out = project.sync("export", "feature_flags", mode="full_refresh")
    error = out.errors[0]
    assert error["stream_descriptor"]["name"] == "feature_flags"
    assert "Set workspace_id" in error["message"]
    assert out.statuses("export")[-1] == "COMPLETE"


@pytest.mark.parametrize("view", [{"id": [1]}, {"id": {"a": 1}}])
def test_items_of_several_data_views_come_out_whatever_their_ids(
    project: Project, view: dict[str, Any]
) -> None:
    project.discover()
    path = P + f"workspaces/{CREDENTIALS.workspace_id}/feature-flags"
    _answer(project.mixpanel, P + "workspaces/public", {"results": [{"id": n} for n in (1, 2)]})
    _answer(project.mixpanel, P + "workspaces/1/feature-flags", {"results": [view]})
    _answer(project.mixpanel, P + "workspaces/2/feature-flags", {"results": [view]})
    out = project.sync("feature_flags")
    assert out.code == 0, (path, out.log)
    assert [json.loads(record["id"]) for record in out.records()] == [view["id"]] * 2
    assert [record["rescued_properties"] for record in out.records()] == [{"id": view["id"]}] * 2


@pytest.mark.parametrize(
    "spec",
    [{"plan": None}, {"plan": True}, {"plan": {"type": [["string"]]}}, {"plan": {"type": 5}}, "{}"],
)
def test_a_lexicon_entry_that_tells_no_type_is_passed_over_by_discover(
    project: Project, spec: Any
) -> None:
    project.mixpanel.add_events([event(plan=5)])
    body = _lexicon(spec)
    body["results"] += [
        None,
        {"schemaJson": "{}"},
        _lexicon({"told": {"type": "number"}})["results"][0],
    ]
    _answer(project.mixpanel, LEXICON, body)
    columns = project.discover()["export"]["json_schema"]["properties"]
    assert columns["plan"]["type"] == ["null", "number"]
    assert columns["told"]["type"] == ["null", "number"]


@pytest.mark.parametrize("events", [1, 2_000], ids=["short", "long"])
@pytest.mark.parametrize(
    "envelope",
    [
        lambda items: items,
        lambda items: {"status": "ok", "results": items},
        lambda items: {"results": {"results": items, "page": 0}, "status": "ok"},
    ],
    ids=["bare", "wrapped", "nested"],
)
def test_lexicon_is_read_in_each_envelope_that_lists_have(
    project: Project, envelope: Callable[[Any], Any], events: int
) -> None:
    [entry] = _lexicon({"told": {"type": "number", "description": "as it is said to be"}})[
        "results"
    ]
    _answer(project.mixpanel, LEXICON, envelope([entry] * events))
    columns = project.discover()["export"]["json_schema"]["properties"]
    assert columns["told"]["type"] == ["null", "number"]


def test_lexicon_that_breaks_off_amid_a_list_is_asked_for_again(project: Project) -> None:
    [entry] = _lexicon({"told": {"type": "number"}})["results"]
    body = json.dumps({"results": [entry] * 2_000})
    broken = body[:150_000] + "}"
    project.mixpanel.add_fault("status", LEXICON, status=200, body=broken, times=1)
    _answer(project.mixpanel, LEXICON, json.loads(body))
    out = project.run("discover")
    assert out.streams()["export"]["json_schema"]["properties"]["told"]["type"] == [
        "null",
        "number",
    ]
    assert "discovered without" not in out.log


@pytest.mark.parametrize("error", [{"error": "no"}, {"status": "error", "error": "no"}])
def test_an_error_in_lexicons_place_is_no_empty_lexicon(
    project: Project, error: dict[str, Any]
) -> None:
    _answer(project.mixpanel, LEXICON, error)
    out = project.run("discover")
    assert out.code == 1
    assert out.errors[0]["failure_type"] == "transient_error"


@pytest.mark.parametrize(
    ("path", "body", "stream", "word"),
    [
        (LEXICON, {"results": {"a": 1}}, "export", "Lexicon"),
        (LEXICON, "text", "export", "Lexicon"),
        ("/api/query/events/properties/top", [], "export", "property names"),
        (PROPERTIES, [], "engage", "properties"),
        (PROPERTIES, {"results": ["x"]}, "engage", "properties"),
        (P + "data-groups", {"results": [{"id": "5"}]}, "groups", "properties"),
        (P + "data-groups", {"results": {"a": 1}}, "groups", "properties"),
    ],
)
def test_names_in_another_shape_cost_discover_no_stream_and_the_log_says_so(
    project: Project, path: str, body: Any, stream: str, word: str
) -> None:
    project.mixpanel.add_events([event(plan="pro")])
    _answer(project.mixpanel, path, body)
    out = project.run("discover")
    assert out.code == 0, out.log
    assert "plan" in out.streams()["export"]["json_schema"]["properties"]
    [line] = [li for li in out.log.splitlines() if f"'{stream}' is discovered without" in li]
    assert word in line


@pytest.mark.parametrize("told", [None, 5, {"type": ["string"]}, {"type": None}])
def test_a_profile_property_of_no_type_that_is_known_is_text(project: Project, told: Any) -> None:
    _answer(project.mixpanel, PROPERTIES, {"results": {"plan": told}})
    columns = project.discover()["engage"]["json_schema"]["properties"]
    assert columns["plan"]["type"] == ["null", "string"]


def test_values_that_do_not_fit_a_lists_columns_are_rescued(project: Project) -> None:
    project.discover()
    odd = {"id": "7", "name": 5, "count": "many", "created": "soon", "brand_new": [1]}
    _answer(project.mixpanel, "/api/query/cohorts/list", [odd, {"id": 8, "name": "sound"}])
    out = project.sync("cohorts")
    assert out.code == 0, out.log
    rescued = {"name": 5, "count": "many", "brand_new": [1]}
    assert out.records() == [
        {"id": 7, "name": None, "count": None, "created": "soon", "rescued_properties": rescued},
        {"id": 8, "name": "sound"},
    ]
    assert "'cohorts': 3 values of 3 properties are in the column rescued_properties" in out.log


def test_items_whose_key_cannot_be_in_its_column_are_left_out_and_told(project: Project) -> None:
    project.discover()
    items = [{"id": 1, "name": "a"}, {"id": None, "name": "b"}, {"id": "x", "name": "c"}]
    _answer(project.mixpanel, "/api/query/cohorts/list", items)
    out = project.sync("cohorts")
    assert out.code == 0, out.log
    assert out.records() == [items[0]]
    assert "2 items have no id of the type that the schema declares" in out.log
