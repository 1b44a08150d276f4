"""`groups` through the real entry point."""

from __future__ import annotations

from typing import Any

from mixpanel_emulator.control_client import ControlClient
from unit_tests.harness import multiset
from unit_tests.profiles.test_engage import PATH, expected, many, profile
from unit_tests.project import Project

COMPANIES = "-7712345678901234567"
TEAMS = "5512345678901234567"


def plant(mixpanel: ControlClient, *, companies: int = 12) -> None:
    """Two group keys, one with a negative number; both have a profile of the same id."""
    keys = [
        {"data_group_id": COMPANIES, "property_name": "company", "display_name": "Company"},
        {"data_group_id": int(TEAMS), "property_name": "team", "display_name": "Team"},
    ]
    mixpanel.set_truth("data_groups", keys)
    mixpanel.add_profiles(many(companies), COMPANIES)
    mixpanel.add_profiles([profile("u-0001", seats=3, data_group_id="mine")], TEAMS)


def wanted(mixpanel: ControlClient, stream: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        row
        for key in (COMPANIES, TEAMS)
        for row in expected(mixpanel.truth(f"groups:{key}"), stream, data_group_id=key)
    ]


def test_every_profile_of_every_group_key_comes(project: Project) -> None:
    plant(project.mixpanel)
    project.config["page_size"] = 5
    stream = project.discover()["groups"]
    assert stream["source_defined_primary_key"] == [["data_group_id"], ["distinct_id"]]
    out = project.sync("groups")
    assert out.code == 0, out.log
    assert multiset(out.records()) == multiset(wanted(project.mixpanel, stream))
    assert {"n", "seats", "_data_group_id"} <= stream["json_schema"]["properties"].keys()


def test_a_project_without_group_keys_has_an_empty_stream(project: Project) -> None:
    out = project.sync("groups")
    assert (out.code, out.records()) == (0, [])
    assert out.statuses("groups")[-1] == "COMPLETE"
    assert len(out.states) == 1
    assert project.asked(PATH) == []


def test_a_kill_at_any_state_loses_nothing_and_repeats_nothing(project: Project) -> None:
    plant(project.mixpanel)
    project.config["page_size"] = 5
    whole = project.sync("groups")
    assert len(whole.prefixes("groups")) == 4
    for rows, state in whole.prefixes("groups")[:-1]:
        rest = project.sync("groups", state=[state])
        assert multiset(rows + rest.records()) == multiset(whole.records())
    again = project.sync("groups", state=whole.state_file())
    assert multiset(again.records()) == multiset(whole.records())


def test_a_group_key_that_was_deleted_meanwhile_is_left_out(project: Project) -> None:
    plant(project.mixpanel)
    gone = [
        *project.mixpanel.truth("data_groups"),
        {"data_group_id": "99", "property_name": "gone"},
    ]
    project.mixpanel.set_truth("data_groups", gone)
    project.mixpanel.add_fault("status", PATH, query={"data_group_id": "99"}, status=404,
                       body={"error": "Missing Datagroup"})  # fmt: skip
    stream = project.discover()["groups"]
    out = project.sync("groups")
    assert out.code == 0, out.log
    assert multiset(out.records()) == multiset(wanted(project.mixpanel, stream))
    assert "group key 99 'gone' was deleted in Mixpanel" in out.log
    assert "finished" not in out.stream_state("groups")


def test_a_group_key_that_is_refused_stops_no_other_and_is_named(project: Project) -> None:
    plant(project.mixpanel)
    project.mixpanel.add_fault("status", PATH, query={"data_group_id": COMPANIES}, status=400,
                       body={"error": "Unable to read group"})  # fmt: skip
    out = project.sync("groups")
    assert (out.code, out.statuses("groups")[-1]) == (1, "INCOMPLETE")
    assert [row["data_group_id"] for row in out.records()] == [TEAMS]
    assert f"group key {COMPANIES} 'company'" in out.errors[0]["message"]
    assert "Unable to read group" in out.errors[0]["message"]


def test_a_project_secret_cannot_list_group_keys_and_says_so(project: Project) -> None:
    plant(project.mixpanel)
    project.config["credentials"] = {"api_secret": "local-project-secret-0123456789ab"}
    out = project.sync("groups")
    assert out.code == 1
    assert "Use a service account" in out.errors[0]["message"]
