"""`cohorts` through the real entry point."""

from __future__ import annotations

from typing import Any

import pytest

from mixpanel_emulator.control_client import ControlClient
from unit_tests.harness import Command, multiset
from unit_tests.worlds import asked, discovered, sync

PATH = "/api/query/cohorts/list"


@pytest.fixture
def stream(command: Command, mixpanel: ControlClient, config: dict[str, Any]) -> dict[str, Any]:
    mixpanel.add_cohort({"id": 1, "created": "2011-01-02 03:04:05", "name": "ancient"}, ["a"])
    mixpanel.add_cohort({"id": 2, "is_visible": 0, "data_group_id": "-77"}, ["a", "b"])
    mixpanel.add_cohort({"id": 3, "count": 0}, [])
    return discovered(command, config)["cohorts"]


def test_every_cohort_comes_as_mixpanel_holds_it(
    command: Command, mixpanel: ControlClient, config: dict[str, Any], stream: dict[str, Any]
) -> None:
    out = sync(command, config, [stream])
    assert out.code == 0, out.log
    assert multiset(out.records()) == multiset(mixpanel.truth("cohorts"))
    assert out.statuses("cohorts") == ["STARTED", "RUNNING", "COMPLETE"]


def test_one_request_a_sync(
    command: Command, mixpanel: ControlClient, config: dict[str, Any], stream: dict[str, Any]
) -> None:
    mixpanel.clear_journal()
    sync(command, config, [stream])
    assert [entry["path"] for entry in mixpanel.journal()] == [PATH]


def test_a_later_sync_brings_changed_counts(
    command: Command, mixpanel: ControlClient, config: dict[str, Any], stream: dict[str, Any]
) -> None:
    first = sync(command, config, [stream])
    grown = [{**cohort, "count": cohort["count"] + 5} for cohort in mixpanel.truth("cohorts")]
    mixpanel.set_truth("cohorts", grown)
    second = sync(command, config, [stream], state=first.state_file())
    assert multiset(second.records()) == multiset(grown)


def test_a_catalog_and_state_of_airbytes_incremental_cohorts_are_taken(
    command: Command, config: dict[str, Any], stream: dict[str, Any]
) -> None:
    old = {"stream_descriptor": {"name": "cohorts"},
           "stream_state": {"created": "2026-01-02 03:04:05"}}  # fmt: skip
    stream["supported_sync_modes"] = ["full_refresh", "incremental"]
    state = [{"type": "STREAM", "stream": old}]
    out = sync(command, config, [stream], mode="incremental", state=state)
    assert out.code == 0, out.log
    assert len(out.records()) == 3


def test_an_answer_that_is_no_list_is_named(
    command: Command, mixpanel: ControlClient, config: dict[str, Any], stream: dict[str, Any]
) -> None:
    mixpanel.add_fault("status", PATH, status=200, body={"status": "ok", "results": {"a": 1}})
    out = sync(command, config, [stream])
    assert out.code == 1
    assert "stream 'cohorts' is no list" in out.errors[0]["message"]
    assert out.statuses("cohorts")[-1] == "INCOMPLETE"


def test_passing_faults_are_tried_again(
    command: Command, mixpanel: ControlClient, config: dict[str, Any], stream: dict[str, Any]
) -> None:
    mixpanel.clear_journal()
    for kind in ("empty_200", "json_error_200", "status", "reset"):
        mixpanel.add_fault(kind, PATH, times=1, body={"error": "Timeout"}, status=503)
    out = sync(command, config, [stream])
    assert multiset(out.records()) == multiset(mixpanel.truth("cohorts"))
    assert len(asked(mixpanel, PATH)) > 1
