"""`cohorts` through the real entry point."""

from __future__ import annotations

import pytest

from unit_tests.harness import multiset
from unit_tests.project import Project

PATH = "/api/query/cohorts/list"


@pytest.fixture
def project(project: Project) -> Project:
    project.mixpanel.add_cohort(
        {"id": 1, "created": "2011-01-02 03:04:05", "name": "ancient"}, ["a"]
    )
    project.mixpanel.add_cohort({"id": 2, "is_visible": 0, "data_group_id": "-77"}, ["a", "b"])
    project.mixpanel.add_cohort({"id": 3, "count": 0}, [])
    project.discover()
    return project


def test_every_cohort_comes_as_mixpanel_holds_it(project: Project) -> None:
    out = project.sync("cohorts")
    assert out.code == 0, out.log
    assert multiset(out.records()) == multiset(project.mixpanel.truth("cohorts"))
    assert out.statuses("cohorts") == ["STARTED", "RUNNING", "COMPLETE"]


def test_one_request_a_sync(project: Project) -> None:
    project.mixpanel.clear_journal()
    project.sync("cohorts")
    assert [entry["path"] for entry in project.mixpanel.journal()] == [PATH]


def test_a_later_sync_brings_changed_counts(project: Project) -> None:
    first = project.sync("cohorts")
    grown = [
        {**cohort, "count": cohort["count"] + 5} for cohort in project.mixpanel.truth("cohorts")
    ]
    project.mixpanel.set_truth("cohorts", grown)
    second = project.sync("cohorts", state=first.state_file())
    assert multiset(second.records()) == multiset(grown)


def test_a_catalog_and_state_of_airbytes_incremental_cohorts_are_taken(project: Project) -> None:
    old = {"stream_descriptor": {"name": "cohorts"},
           "stream_state": {"created": "2026-01-02 03:04:05"}}  # fmt: skip
    project.streams["cohorts"]["supported_sync_modes"] = ["full_refresh", "incremental"]
    state = [{"type": "STREAM", "stream": old}]
    out = project.sync("cohorts", state=state)
    assert out.code == 0, out.log
    assert len(out.records()) == 3


def test_an_answer_that_is_no_list_is_named(project: Project) -> None:
    project.mixpanel.add_fault(
        "status", PATH, status=200, body={"status": "ok", "results": {"a": 1}}
    )
    out = project.sync("cohorts")
    assert out.code == 1
    assert "stream 'cohorts' is no list" in out.errors[0]["message"]
    assert out.statuses("cohorts")[-1] == "INCOMPLETE"


def test_passing_faults_are_tried_again(project: Project) -> None:
    project.mixpanel.clear_journal()
    for kind in ("empty_200", "json_error_200", "status", "reset"):
        project.mixpanel.add_fault(kind, PATH, times=1, body={"error": "Timeout"}, status=503)
    out = project.sync("cohorts")
    assert multiset(out.records()) == multiset(project.mixpanel.truth("cohorts"))
    assert len(project.asked(PATH)) > 1
