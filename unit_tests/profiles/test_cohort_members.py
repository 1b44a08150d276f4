"""`cohort_members` through the real entry point."""

from __future__ import annotations

from typing import Any

import pytest

from mixpanel_emulator.control_client import ControlClient
from unit_tests.harness import multiset
from unit_tests.profiles.test_engage import PATH, expected, many, profile
from unit_tests.project import Project

COMPANIES = "-7712345678901234567"
LIST = "/api/query/cohorts/list"


@pytest.fixture
def project(project: Project) -> Project:
    project.mixpanel.add_profiles([*many(12), profile("odd", cohort_id="mine")])
    project.mixpanel.set_truth(
        "data_groups", [{"data_group_id": COMPANIES, "property_name": "company"}]
    )
    project.mixpanel.add_profiles([profile("acme", seats=3)], COMPANIES)
    ids = [entry["$distinct_id"] for entry in many(12)]
    project.mixpanel.add_cohort({"id": 1, "name": "all"}, [*ids, "odd", "ghost"])
    project.mixpanel.add_cohort(
        {"id": 2, "name": "some", "created": "2011-01-01 00:00:00"}, ids[:3]
    )
    project.mixpanel.add_cohort({"id": 3, "name": "nobody"}, [])
    project.mixpanel.add_cohort({"id": 4, "name": "firms", "data_group_id": COMPANIES}, ["acme"])
    project.config["page_size"] = 5
    project.discover()
    return project


def wanted(mixpanel: ControlClient, stream: dict[str, Any]) -> list[dict[str, Any]]:
    """Every pair of cohort and member, with the profile where there is one."""
    users = [*mixpanel.truth("engage"), *mixpanel.truth(f"groups:{COMPANIES}")]
    held = {entry["$distinct_id"]: entry for entry in users}
    rows = []
    for pair in mixpanel.truth("cohort_members"):
        member = held.get(pair["distinct_id"], profile(pair["distinct_id"]))
        member["$properties"].pop("seats", None)
        rows += expected([member], stream, cohort_id=pair["cohort_id"])
    return rows


def without_seats(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records less the property of groups, which the schema of users does not tell."""
    return [{key: value for key, value in row.items() if key != "seats"} for row in rows]


def test_every_member_of_every_cohort_comes(project: Project) -> None:
    project.mixpanel.clear_journal()
    out = project.sync("cohort_members")
    assert out.code == 0, out.log
    assert multiset(without_seats(out.records())) == multiset(
        wanted(project.mixpanel, project.streams["cohort_members"])
    )
    assert [row["seats"] for row in out.records() if row["cohort_id"] == 4] == [3]
    assert "ghost" in {row["distinct_id"] for row in out.records()}
    assert "3 of 3 cohorts" in out.log
    counted = [entry for entry in project.asked(PATH) if not entry["body"].get("session_id")]
    cohorts = {entry["body"]["filter_by_cohort"] for entry in counted}
    assert len(counted) == len(cohorts) == 3


def test_the_list_of_cohorts_is_asked_for_once_a_sync(project: Project) -> None:
    project.mixpanel.clear_journal()
    out = project.sync("cohort_members", "cohorts")
    assert out.code == 0, out.log
    assert len(project.asked(LIST)) == 1


def test_a_kill_at_any_state_loses_nothing_and_repeats_nothing(project: Project) -> None:
    whole = project.sync("cohort_members")
    assert len(whole.prefixes("cohort_members")) == 5
    for rows, state in whole.prefixes("cohort_members")[:-1]:
        rest = project.sync("cohort_members", state=[state])
        assert multiset(rows + rest.records()) == multiset(whole.records())
    again = project.sync("cohort_members", state=whole.state_file())
    assert multiset(again.records()) == multiset(whole.records())


@pytest.mark.parametrize("gone", [1, 4])
def test_a_cohort_of_a_deleted_group_is_left_out(project: Project, gone: int) -> None:
    project.mixpanel.configure(missing_datagroup_cohorts=[gone])
    out = project.sync("cohort_members")
    assert out.code == 0, out.log
    assert {row["cohort_id"] for row in out.records()} == {1, 2, 4} - {gone}
    assert f"cohort {gone} " in out.log
    assert "was deleted in Mixpanel" in out.log
    assert "finished" not in out.stream_state("cohort_members")


def test_a_cohort_that_cannot_be_read_leaves_the_others_finished(project: Project) -> None:
    project.mixpanel.add_fault("status", PATH, query={"filter_by_cohort": '{"id": 2}'}, status=500)
    out = project.sync("cohort_members")
    assert out.code == 1
    assert out.statuses("cohort_members")[-1] == "INCOMPLETE"
    assert out.stream_state("cohort_members")["finished"] == ["1", "4"]
    assert out.errors[0]["failure_type"] == "transient_error"
    project.mixpanel.clear_faults()
    rest = project.sync("cohort_members", state=out.state_file())
    assert {row["cohort_id"] for row in rest.records()} == {2}
    project.mixpanel.advance(3_600)
    anew = project.sync("cohort_members", state=out.state_file())
    assert {row["cohort_id"] for row in anew.records()} == {1, 2, 4}, "too late to be a retry"


def test_an_expired_session_repeats_no_member(project: Project) -> None:
    uncached = {"error": "request for page in uncached query for params"}
    project.mixpanel.add_fault(
        "status", PATH, query={"page": "2"}, status=400, body=uncached, times=1
    )
    out = project.sync("cohort_members")
    assert out.code == 0, out.log
    assert multiset(without_seats(out.records())) == multiset(
        wanted(project.mixpanel, project.streams["cohort_members"])
    )


def test_a_catalog_and_state_of_airbytes_incremental_members_are_taken(project: Project) -> None:
    old = {
        "states": [
            {"partition": {"id": 2, "parent_slice": {}}, "cursor": {"last_seen": "2026-03-09"}}
        ],
        "parent_state": {},
    }
    state = {"stream_descriptor": {"name": "cohort_members"}, "stream_state": old}
    project.streams["cohort_members"]["supported_sync_modes"] = ["full_refresh", "incremental"]
    given = [{"type": "STREAM", "stream": state}]
    out = project.sync("cohort_members", state=given)
    assert out.code == 0, out.log
    assert multiset(without_seats(out.records())) == multiset(
        wanted(project.mixpanel, project.streams["cohort_members"])
    )


REFUSALS: list[dict[str, Any]] = [
    {"status": 400, "body": {"error": "Unable to compute cohort"}},
    {"status": 403, "body": {"error": "Unable to compute cohort"}},
]


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("number", [1, 2])
def test_a_cohort_that_is_refused_stops_no_other_and_is_named(
    project: Project, number: int, refusal: dict[str, Any]
) -> None:
    where = {"filter_by_cohort": f'{{"id": {number}}}'}
    project.mixpanel.add_fault("status", PATH, query=where, **refusal)
    out = project.sync("cohort_members")
    name = {1: "all", 2: "some"}[number]
    rest = [
        row
        for row in wanted(project.mixpanel, project.streams["cohort_members"])
        if row["cohort_id"] != number
    ]
    for _ in range(2):
        # Each time anew: for whoever stays in the other cohorts may change every day.
        assert (out.code, out.statuses("cohort_members")[-1]) == (1, "INCOMPLETE")
        assert multiset(without_seats(out.records())) == multiset(rest)
        error = out.errors[0]
        assert f"cohort {number} '{name}'" in error["message"]
        assert "Unable to compute cohort" in error["message"]
        assert error["failure_type"] == "config_error"
        assert "finished" not in out.stream_state("cohort_members")
        out = project.sync("cohort_members", state=out.state_file())
    project.mixpanel.clear_faults()
    out = project.sync("cohort_members", state=out.state_file())
    assert out.code == 0, out.log
    assert multiset(without_seats(out.records())) == multiset(
        wanted(project.mixpanel, project.streams["cohort_members"])
    )


def test_a_cohort_that_is_refused_on_the_way_stops_no_other(project: Project) -> None:
    where = {"filter_by_cohort": '{"id": 1}', "page": "1"}
    project.mixpanel.add_fault(
        "status", PATH, query=where, status=400, body={"error": "no such session"}
    )
    out = project.sync("cohort_members")
    assert out.code == 1
    assert "cohort 1 'all'" in out.errors[0]["message"]
    assert [row["cohort_id"] for row in out.records()] == [1] * 5 + [2] * 3 + [4]
    assert not {"finished", "session"} & out.stream_state("cohort_members").keys()


def test_a_kill_after_a_refusal_leaves_the_refused_cohort_to_do(project: Project) -> None:
    project.mixpanel.add_fault(
        "status", PATH, query={"filter_by_cohort": '{"id": 1}'}, **REFUSALS[0]
    )
    out = project.sync("cohort_members")
    [(_, state), *_] = out.prefixes("cohort_members")
    project.mixpanel.clear_faults()
    rest = project.sync("cohort_members", state=[state])
    assert {row["cohort_id"] for row in rest.records()} == {1, 4}


def test_every_refused_cohort_is_named_in_the_log_and_in_the_message(project: Project) -> None:
    project.mixpanel.add_fault("status", PATH, **REFUSALS[0])
    out = project.sync("cohort_members")
    assert (out.code, out.records()) == (1, [])
    for told in ("cohort 1 'all'", "cohort 2 'some'", "cohort 4 'firms'"):
        assert f"goes on without {told}" in out.log
        assert told in out.errors[0]["message"]
    assert "lacks 3 of 3 cohorts" in out.errors[0]["message"]


def test_a_plan_without_cohorts_is_asked_about_no_cohort_after_the_first(project: Project) -> None:
    project.config["num_workers"] = 1
    project.mixpanel.clear_journal()
    project.mixpanel.add_fault("status", PATH, status=402, body={"error": "not on this plan"})
    out = project.sync("cohort_members")
    assert out.code == 1
    assert "plan does not include" in out.errors[0]["message"]
    assert len(project.asked(PATH)) == 1


def test_a_role_that_may_read_no_cohort_costs_few_requests(project: Project) -> None:
    for number in range(10, 30):
        project.mixpanel.add_cohort({"id": number, "name": f"more {number}"}, [])
    project.mixpanel.add_fault("status", PATH, status=403, body={"error": "no permission"})
    project.mixpanel.clear_journal()
    out = project.sync("cohort_members")
    assert (out.code, out.records()) == (1, [])
    assert "no permission" in out.errors[0]["message"]
    assert "delete" not in out.errors[0]["message"]
    assert len(project.asked(PATH)) <= 6
