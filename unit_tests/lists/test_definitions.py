"""The streams that are lists of what the project's people have set up."""

from __future__ import annotations

from typing import Any

import pytest

from mixpanel_emulator.control_client import ControlClient
from mixpanel_emulator.options import CREDENTIALS
from unit_tests.harness import multiset
from unit_tests.project import Project, Streams

P = f"/api/app/projects/{CREDENTIALS.project_id}/"
VIEWS = (CREDENTIALS.workspace_id, CREDENTIALS.workspace_id + 1)
KINDS = {
    "annotation_tags": "annotation_tags",
    "saved_reports": "bookmarks",
    "dashboards": "dashboards",
    "event_definitions": "schemas",
    "custom_events": "custom_events",
    "custom_properties": "custom_properties",
    "lookup_tables": "lookup_tables",
    "data_groups": "data_groups",
    "feature_flags": "feature_flags",
    "experiments": "experiments",
    "warehouse_imports": "warehouse_imports",
    "service_accounts": "project_service_accounts",
}
PATHS = {
    "annotation_tags": P + "annotations/tags",
    "saved_reports": P + "bookmarks",
    "dashboards": P + "dashboards",
    "event_definitions": P + "schemas",
    "custom_events": P + "custom_events",
    "custom_properties": P + "custom_properties",
    "lookup_tables": "/lookup-tables",
    "data_groups": P + "data-groups",
    "feature_flags": P + f"workspaces/{VIEWS[0]}/feature-flags",
    "experiments": f"/api/app/workspaces/{VIEWS[0]}/experiments",
    "warehouse_imports": P + "warehouse-sources/imports",
    "service_accounts": P + "service-accounts",
    "workspaces": P + "workspaces/public",
}
UNDOCUMENTED = {
    "saved_reports",
    "dashboards",
    "custom_events",
    "custom_properties",
    "data_groups",
    "workspaces",
}
ALSO = {"event_definitions": ("entity_type", "entityType"),
        "custom_properties": ("id", "customPropertyId")}  # fmt: skip
_STREAMS: Streams = {}


@pytest.fixture
def project(project: Project) -> Project:
    """The seed's world, which has something of every kind; what is discovered stays the same."""
    project.mixpanel.seed(7, events=40, days=2, profiles=10)
    if not _STREAMS:
        _STREAMS.update(project.discover())
    project.streams = _STREAMS
    project.mixpanel.clear_journal()
    return project


def wanted(mixpanel: ControlClient, name: str) -> list[dict[str, Any]]:
    """The truth, with what the stream says a second time."""
    rows = mixpanel.truth(KINDS[name])
    if name in ALSO:
        column, own = ALSO[name]
        rows = [{**row, column: row[own]} for row in rows]
    return rows


def test_all_of_them_in_one_sync_are_as_mixpanel_holds_them(project: Project) -> None:
    out = project.sync(*PATHS)
    assert out.code == 0, out.log
    for name in KINDS:
        assert multiset(out.records(name)) == multiset(wanted(project.mixpanel, name)), name
        assert out.statuses(name) == ["STARTED", "RUNNING", "COMPLETE"], name
    assert {row["id"]: row["name"] for row in out.records("workspaces")} == {
        VIEWS[0]: "All Project Data",
        VIEWS[1]: "Europe",
    }


def test_each_list_is_asked_for_once_and_the_data_views_too(project: Project) -> None:
    project.sync(*PATHS)
    paths = [entry["path"] for entry in project.mixpanel.journal()]
    elsewhere = [
        P + f"workspaces/{VIEWS[1]}/feature-flags",
        f"/api/app/workspaces/{VIEWS[1]}/experiments",
    ]
    assert sorted(paths) == sorted([*PATHS.values(), *elsewhere])


@pytest.mark.parametrize("name", KINDS)
def test_every_column_that_comes_is_in_the_schema(project: Project, name: str) -> None:
    told = project.streams[name]["json_schema"]["properties"].keys()
    extra = {column for row in wanted(project.mixpanel, name) for column in row} - told
    assert extra <= {"entityType"}


@pytest.mark.parametrize(
    "switches",
    [
        {"annotation_tags_bare": True, "bookmarks_nested": True},
        {"app_page_size": 1},
    ],
)
def test_the_envelope_makes_no_difference(project: Project, switches: dict[str, Any]) -> None:
    project.mixpanel.configure(**switches)
    out = project.sync(*KINDS)
    assert out.code == 0, out.log
    for name in KINDS:
        assert multiset(out.records(name)) == multiset(wanted(project.mixpanel, name)), name


@pytest.mark.parametrize("name", ["dashboards", "experiments"])
def test_a_cursor_without_end_is_noticed(project: Project, name: str) -> None:
    project.mixpanel.configure(app_page_size=2, endless_cursor=True)
    out = project.sync(name, "annotation_tags")
    assert out.code == 1
    assert "does not end" in out.errors[0]["message"]
    assert out.statuses(name)[-1] == "INCOMPLETE"
    assert out.statuses("annotation_tags")[-1] == "COMPLETE"
    assert len(project.mixpanel.journal()) < 100


@pytest.mark.parametrize("name", ["feature_flags", "experiments"])
def test_an_error_under_status_200_is_an_error(project: Project, name: str) -> None:
    project.mixpanel.configure(status_error_200=[PATHS[name].rpartition("/")[2]])
    out = project.sync(name, "dashboards", tries=2)
    assert out.code == 1
    assert out.records(name) == []
    assert "could not be loaded" in out.errors[0]["message"]
    assert out.statuses(name)[-1] == "INCOMPLETE"
    assert out.statuses("dashboards")[-1] == "COMPLETE"


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("name", PATHS)
def test_one_that_is_closed_says_so_and_leaves_the_others_whole(
    project: Project, name: str, status: int
) -> None:
    body = {"status": "error", "error": "not for you"}
    project.mixpanel.add_fault("status", PATHS[name], status=status, body=body)
    project.mixpanel.add_fault(
        "status", P + "data-definitions", status=404, body={"error": "nor here"}
    )
    other = "lookup_tables" if name == "annotation_tags" else "annotation_tags"
    out = project.sync(name, other)
    assert out.code == 1
    assert out.statuses(name)[-1] == "INCOMPLETE"
    assert out.statuses(other)[-1] == "COMPLETE"
    assert multiset(out.records(other)) == multiset(wanted(project.mixpanel, other))
    message = out.errors[0]["message"]
    assert "not for you" in message
    assert ("undocumented" in message) == (name in UNDOCUMENTED)
    if name in UNDOCUMENTED:
        assert out.errors[0]["failure_type"] == "config_error"


@pytest.mark.parametrize(
    ("name", "key", "status"),
    [("custom_events", "customEventId", 404), ("lookup_tables", "token", 410)],
)
def test_one_whose_endpoint_is_gone_is_read_from_the_lexicon(
    project: Project, name: str, key: str, status: int
) -> None:
    project.mixpanel.add_fault("status", PATHS[name], status=status, body={"error": "gone"})
    out = project.sync(name)
    assert out.code == 0, out.log
    truth = wanted(project.mixpanel, name)
    assert [(row["id"], row["name"]) for row in out.records()] == [
        (row["id"], row["name"]) for row in truth
    ]
    for row in out.records():
        assert row["rescued_properties"]["definition_id"] >= 70_001
        assert row["rescued_properties"][key] == row["id"]
    assert f"Stream {name!r} is read from {P}data-definitions/" in out.log
    assert len(project.asked(PATHS[name])) == 1


def test_an_item_of_the_lexicon_without_the_streams_id_is_told_and_left_out(
    project: Project,
) -> None:
    project.mixpanel.add_fault("status", PATHS["custom_events"], status=404, body={"error": "gone"})
    items = [{"id": 1, "name": "plain", "customEventId": None},
             {"id": 2, "name": "made", "customEventId": 12}]  # fmt: skip
    body = {"status": "ok", "results": items}
    project.mixpanel.add_fault("status", P + "data-definitions/events/", status=200, body=body)
    out = project.sync("custom_events")
    assert [row["id"] for row in out.records()] == [12]
    assert "1 items have no id" in out.log


def test_a_later_page_that_is_not_there_is_no_endpoint_that_is_gone(project: Project) -> None:
    [one] = project.mixpanel.truth("custom_events")
    project.mixpanel.set_truth("custom_events", [one, {**one, "id": 13}])
    project.mixpanel.configure(app_page_size=1)
    path, second = PATHS["custom_events"], {"cursor": "1"}
    project.mixpanel.add_fault(
        "status", path, query=second, status=404, body={"error": "no such page"}
    )
    out = project.sync("custom_events")
    assert out.statuses("custom_events")[-1] == "INCOMPLETE"
    assert not project.asked(P + "data-definitions/events/")


def test_undocumented_streams_are_told_in_the_catalog(project: Project) -> None:
    told = {
        n
        for n, s in project.streams.items()
        if "not document" in s["json_schema"].get("description", "")
    }
    assert told >= UNDOCUMENTED
    assert not told & (KINDS.keys() - UNDOCUMENTED)


@pytest.mark.parametrize("name", ["feature_flags", "experiments"])
def test_every_data_view_is_read_and_what_several_show_comes_once(
    project: Project, name: str
) -> None:
    here = wanted(project.mixpanel, name)
    there = {"id": "only-there", "name": "Only in the other view", "status": "draft"}
    other = PATHS[name].replace(str(VIEWS[0]), str(VIEWS[1]))
    body = {"status": "ok", "results": [here[0], there]}
    project.mixpanel.add_fault("status", other, status=200, body=body)
    out = project.sync(name)
    assert multiset(out.records()) == multiset([*here, there])
    assert f"this sync: 2 ({name} 2)" in out.log
    assert {entry["query"]["include_archived"] for entry in project.asked(other)} == {"true"}


def test_a_closed_data_view_does_not_hide_the_others(project: Project) -> None:
    project.mixpanel.add_fault("status", PATHS["experiments"], status=404, body={"error": "gone"})
    out = project.sync("experiments")
    assert multiset(out.records()) == multiset(wanted(project.mixpanel, "experiments"))
    assert out.statuses("experiments")[-1] == "INCOMPLETE"


def test_a_configured_data_view_is_the_only_one_read(project: Project) -> None:
    project.config["workspace_id"] = VIEWS[1]
    project.sync("experiments")
    paths = [entry["path"] for entry in project.mixpanel.journal()]
    assert paths == [f"/api/app/workspaces/{VIEWS[1]}/experiments"]


def test_data_views_are_found_where_their_own_list_is_closed(project: Project) -> None:
    project.mixpanel.add_fault("status", PATHS["workspaces"], status=404, body={"error": "gone"})
    out = project.sync("experiments")
    assert out.code == 0, out.log
    assert multiset(out.records()) == multiset(wanted(project.mixpanel, "experiments"))
    project.mixpanel.add_fault("status", "/api/app/me", status=404, body={"error": "gone"})
    out = project.sync("experiments")
    assert out.code == 1
    assert "Set workspace_id" in out.errors[0]["message"]


def test_no_secret_of_a_service_account_leaves(project: Project) -> None:
    [account, *_] = project.mixpanel.truth("project_service_accounts")
    hidden = {"secret": "s3cret-1", "apiToken": "s3cret-2", "login": {"Password_hash": "s3cret-3"}}
    listed = {**account, **hidden, "keys": [{"client_secret": "s3cret-4", "n": 1}]}
    project.mixpanel.set_truth("project_service_accounts", [listed])
    out = project.sync("service_accounts")
    rescued = {"login": {}, "keys": [{"n": 1}]}
    assert out.records() == [{**account, "rescued_properties": rescued}]
    assert b"s3cret" not in out.raw
    assert "s3cret" not in out.stderr


def test_lexicon_is_read_within_its_own_five_a_minute(project: Project) -> None:
    project.mixpanel.configure(quota=True)
    out = project.sync("event_definitions")
    assert out.code == 0, out.log
    assert "Lexicon 1" in out.log
    assert len(project.mixpanel.quota()["lexicon"]["started"]) == 1


def test_a_project_secret_is_told_to_be_the_wrong_key(project: Project) -> None:
    project.config["credentials"] = {"api_secret": "local-project-secret-0123456789ab"}
    out = project.sync("lookup_tables", "dashboards")
    assert out.code == 1
    for name in ("lookup_tables", "dashboards"):
        assert out.statuses(name)[-1] == "INCOMPLETE"
    messages = [e["message"] for e in out.errors if e.get("stream_descriptor")]
    assert len(messages) == 2
    assert all("takes no project secret" in message for message in messages)
    assert not any("undocumented" in message for message in messages)


def test_a_redirect_to_the_path_with_a_slash_is_followed(project: Project) -> None:
    slashed = {"Location": f"{project.config['api_url']}{PATHS['custom_properties']}/"}
    project.mixpanel.add_fault(
        "status", PATHS["custom_properties"], status=301, headers=slashed, times=1
    )
    out = project.sync("custom_properties")
    assert out.code == 0, out.log
    assert multiset(out.records()) == multiset(wanted(project.mixpanel, "custom_properties"))
