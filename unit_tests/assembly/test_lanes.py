"""Streams of different quotas are read side by side, and the log accounts for requests."""

from __future__ import annotations

import pytest

from unit_tests.builders import event
from unit_tests.harness import Output
from unit_tests.project import Project


def order_of_ends(out: Output) -> list[str]:
    return [
        t["stream_status"]["stream_descriptor"]["name"]
        for t in out.of("TRACE")
        if t["type"] == "STREAM_STATUS" and t["stream_status"]["status"] == "COMPLETE"
    ]


def test_a_slow_export_does_not_hold_up_what_other_quotas_pay_for(project: Project) -> None:
    project.mixpanel.add_events([event()])
    project.discover()
    project.mixpanel.add_fault("slow_first_byte", "/api/2.0/export", seconds=1.5, times=1)
    out = project.sync("export", "cohorts", "annotations", mode="full_refresh")
    assert out.code == 0, out.log
    assert sorted(order_of_ends(out)) == ["annotations", "cohorts", "export"]
    assert order_of_ends(out)[-1] == "export"


def test_records_and_states_of_a_stream_keep_their_order_beside_another_lane(
    project: Project,
) -> None:
    project.mixpanel.seed(7, events=900, days=8, profiles=120)
    out = project.using(page_size=20).sync("export", "engage", mode="full_refresh")
    assert out.code == 0, out.log
    since_state: dict[str, int] = {"export": 0, "engage": 0}
    for entry in out.messages:
        if entry["type"] == "RECORD":
            since_state[entry["record"]["stream"]] += 1
        if entry["type"] == "STATE":
            name = entry["state"]["stream"]["stream_descriptor"]["name"]
            assert entry["state"]["sourceStats"]["recordCount"] == since_state[name]
            since_state[name] = 0
    assert len(out.records("export")) == 900
    assert since_state == {"export": 0, "engage": 0}


def test_the_log_plans_requests_at_the_start_and_accounts_for_them_at_the_end(
    project: Project,
) -> None:
    project.mixpanel.add_events([event()])
    project.discover()
    project.mixpanel.clear_journal()
    out = project.sync("export", "cohorts", mode="full_refresh")
    assert "Requests to the Query API for this sync: 1 (cohorts 1)." in out.log
    assert "They fit into one hour's quota of 60." in out.log
    assert "Requests to the raw export API for export: as many as there is to read." in out.log
    paths = [entry["path"] for entry in project.mixpanel.journal()]
    exports = paths.count("/api/2.0/export")
    assert f"Requests used: Query API 1, raw export {exports}" in out.log
    assert out.log.rstrip(".").endswith("app API 1")


def _statuses(out: Output) -> list[tuple[str, str, bool]]:
    """Stream, status, and whether it waits, in the order they came."""
    told = [t["stream_status"] for t in out.of("TRACE") if t["type"] == "STREAM_STATUS"]
    return [(s["stream_descriptor"]["name"], s["status"], bool(s.get("reasons"))) for s in told]


def test_a_slow_list_holds_up_no_other_lane(project: Project) -> None:
    project.mixpanel.add_events([event()])
    project.discover()
    project.mixpanel.add_fault("slow_first_byte", "/api/query/cohorts/list", seconds=1.5, times=1)
    out = project.sync("export", "cohort_members", mode="full_refresh")
    assert out.code == 0, out.log
    told = "\n".join(str(message) for message in out.messages)
    assert told.index("Read 1 records from export stream") < told.index("(cohort_members")


@pytest.mark.parametrize(
    ("names", "speaker"),
    [(("cohorts", "funnels", "annotations"), "cohorts"), (("funnels", "annotations"), "funnels")],
)
def test_a_wait_is_told_of_the_stream_whose_turn_it_is(
    project: Project, names: tuple[str, ...], speaker: str
) -> None:
    """Costs are told in the first stream's turn, and `funnels` has to ask what it will cost."""
    project.discover()
    project.mixpanel.add_fault(
        "status",
        "/api/query/funnels/list",
        status=429,
        headers={"Retry-After": "3600"},
        body={"error": "Query rate limit exceeded."},
        times=1,
    )
    out = project.sync(*names, mode="full_refresh")
    assert out.code == 0, out.log
    statuses = _statuses(out)
    assert (speaker, "RUNNING", True) in statuses
    for name in names:
        assert next(status for who, status, _ in statuses if who == name) == "STARTED"
