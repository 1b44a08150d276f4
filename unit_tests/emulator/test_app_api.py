from __future__ import annotations

from typing import Any

import pytest

from mixpanel_emulator.options import CREDENTIALS

WORKSPACE = f"workspaces/{CREDENTIALS.workspace_id}/"
ORGANIZATION = f"organizations/{CREDENTIALS.organization_id}/"
PROJECT = f"projects/{CREDENTIALS.project_id}/"

LISTS = [
    (PROJECT + "annotations", "annotations"),
    (PROJECT + "annotations/tags", "annotation_tags"),
    (WORKSPACE + "experiments", "experiments"),
    (PROJECT + "experiments", "experiments"),
    (PROJECT + "service-accounts", "project_service_accounts"),
    (ORGANIZATION + "service-accounts", "service_accounts"),
    (PROJECT + "warehouse-sources/imports", "warehouse_imports"),
    (PROJECT + "warehouse-sources/sources", "warehouse_sources"),
    (PROJECT + "bookmarks", "bookmarks"),
    (PROJECT + "dashboards", "dashboards"),
    (PROJECT + "custom_properties", "custom_properties"),
    (PROJECT + "custom_events", "custom_events"),
    (f"custom_events/{CREDENTIALS.project_id}", "custom_events"),
    (PROJECT + "data-groups", "data_groups"),
]


@pytest.fixture
def filled(emulator: Any) -> Any:
    emulator.control.seed(7, events=0, days=10, profiles=20)
    return emulator


@pytest.mark.parametrize(("path", "kind"), LISTS)
def test_lists_give_their_truth(shop: Any, path: str, kind: str) -> None:
    truth = shop.control.truth(kind)
    assert truth
    for ending in ("", "/"):
        body = shop.app(path + ending).json()
        assert body == {"status": "ok", "results": truth}


def test_lists_page_by_cursor_when_told(filled: Any) -> None:
    filled.control.configure(app_page_size=3)
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        body = filled.project("annotations", **cursor).json()
        found += body["results"]
        if body["pagination"]["next_cursor"] is None:
            break
        cursor = {"cursor": body["pagination"]["next_cursor"]}
    assert found == filled.control.truth("annotations")
    filled.control.configure(endless_cursor=True)
    body = filled.project("annotations", cursor="99").json()
    assert (body["results"], body["pagination"]["next_cursor"]) == ([], "102")


def test_annotations_filter_and_single(shop: Any) -> None:
    some = shop.project("annotations", fromDate="2026-03-04", toDate="2026-03-07").json()["results"]
    assert [note["id"] for note in some] == [9002, 9003]
    tagged = shop.project("annotations", tags="4").json()["results"]
    assert {note["tags"][0]["name"] for note in tagged} == {"campaign"}
    ignored = shop.project("annotations", from_date="2026-03-09", to_date="2026-03-09").json()
    assert len(ignored["results"]) == 8
    assert shop.project("annotations/9001").json()["results"]["id"] == 9001
    assert shop.project("annotations/1").status_code == 404


def test_switchable_envelopes(filled: Any) -> None:
    filled.control.configure(
        annotation_tags_bare=True, bookmarks_nested=True, schema_by_name_bare=True
    )
    assert filled.project("annotations/tags").json() == filled.control.truth("annotation_tags")
    nested = filled.project("bookmarks", v=2).json()["results"]["results"]
    assert nested == filled.control.truth("bookmarks")
    assert "properties" in filled.project("schemas/event/Purchase").json()


def test_bookmarks_filter(shop: Any) -> None:
    kinds = shop.project("bookmarks", v=2, type="funnels").json()["results"]
    assert [item["type"] for item in kinds] == ["funnels"]
    assert len(shop.project("bookmarks", ids="55001,55002").json()["results"]) == 2


def test_cohorts_say_visible_in_booleans(shop: Any) -> None:
    found = shop.project("cohorts").json()["results"]
    assert [cohort["is_visible"] for cohort in found] == [True, False, True, True]
    firms = shop.project("cohorts", data_group_id=found[3]["data_group_id"]).json()["results"]
    assert [cohort["id"] for cohort in firms] == [3210]


def test_flags_and_experiments(filled: Any) -> None:
    path = f"{PROJECT}{WORKSPACE}feature-flags"
    assert len(filled.app(path).json()["results"]) == 2
    everything = filled.app(path, include_archived="true").json()["results"]
    assert everything == filled.control.truth("feature_flags")
    one = everything[0]["id"]
    assert filled.app(f"{path}/{one}").json()["results"]["id"] == one
    filled.control.configure(status_error_200=["feature-flags", "experiments"])
    for refused in (path, WORKSPACE + "experiments"):
        response = filled.app(refused)
        assert (response.status_code, response.json()["status"]) == (200, "error")
    assert filled.app(f"{PROJECT}workspaces/1/feature-flags").status_code == 404


def test_warehouse_import_details_and_runs(shop: Any) -> None:
    path = "warehouse-sources/imports/301"
    assert shop.project(path).json()["results"]["event_name"] == "Purchase"
    runs = shop.project(path + "/history").json()["results"]["runs"]
    assert len(runs) == 30
    assert runs[-1]["num_events_imported"] == 320
    assert shop.project("warehouse-sources/imports/9/history").status_code == 404


def test_roles(filled: Any) -> None:
    one = filled.app(ORGANIZATION + "service-accounts/801")
    assert one.json()["id"] == 801
    filled.control.configure(service_account_role="consumer")
    for path in (ORGANIZATION + "service-accounts", PROJECT + "annotations/tags"):
        response = filled.app(path)
        assert (response.status_code, response.json()["status"]) == (403, "error")
    filled.control.configure(service_account_role="analyst")
    assert filled.project("annotations/tags").status_code == 200
    assert filled.app("organizations/1/service-accounts").status_code == 403


def test_lookup_tables(shop: Any) -> None:
    body = shop.get("/lookup-tables").json()
    tables = shop.control.truth("lookup_tables")
    assert body == {"code": 200, "status": "OK", "results": tables}
    refused = shop.get("/lookup-tables", auth=("who", "what"))
    assert refused.json() == {"code": 401, "error": "Invalid credentials", "status": "Unauthorized"}


def test_unknown_parameters_are_refused(shop: Any) -> None:
    assert shop.project("dashboards", colour="red").status_code == 400
    assert shop.app("nothing").status_code == 404


def test_the_official_client_signs_what_it_asks(shop: Any) -> None:
    signed = {"query_origin": "mixpanel-headless"}
    for path in ("/api/query/funnels/list", "/api/query/events/names"):
        given = {**signed, "type": "general"} if "names" in path else signed
        assert shop.get(path, **given).status_code == 200
    assert shop.project("bookmarks", v="2", **signed).status_code == 200
    assert shop.project("schemas", **signed).status_code == 200


def test_definitions_of_the_lexicon(shop: Any) -> None:
    path = "data-definitions/"
    [custom] = shop.project(path + "events/", custom_event="true").json()["results"]
    [truth] = shop.control.truth("custom_events")
    assert (custom["customEventId"], custom["name"]) == (truth["id"], truth["name"])
    tables = shop.project(path + "lookup-tables/").json()["results"]
    assert [(table["token"], table["name"]) for table in tables] == [
        (table["id"], table["name"]) for table in shop.control.truth("lookup_tables")
    ]
    assert all(isinstance(table["id"], int) for table in tables)
    names = {"name[]": ["Search", "Purchase"]}
    events = shop.project(path + "events/", **names).json()["results"]
    assert [event["name"] for event in events] == ["Purchase", "Search"]
    assert shop.project(path + "events/").json()["results"] != events
    of_users = shop.project(path + "properties/", resourceType="User").json()["results"]
    of_events = shop.project(path + "properties/", resourceType="Event").json()["results"]
    assert {"spent"} == {"spent"} & {row["name"] for row in of_users}
    assert "spent" not in {row["name"] for row in of_events}
