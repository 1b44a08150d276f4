"""Responses that are cut, broken or refused: nothing lost, nothing repeated, over real HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from unit_tests.builders import event
from unit_tests.harness import multiset
from unit_tests.project import Project

EXPORT = "/api/2.0/export"

CUTS: dict[str, dict[str, Any]] = {
    "terminated early, alone": {"kind": "terminated_early", "after_lines": 0},
    "terminated early, after lines": {"kind": "terminated_early", "after_lines": 40},
    "export terminated early": {"kind": "export_terminated_early", "after_lines": 40},
    "error line": {"kind": "error_line", "after_lines": 40},
    "error line, alone": {"kind": "error_line", "after_lines": 0},
    "cut in the middle of a line": {"kind": "cut_mid_line", "after_lines": 40},
    "no newline at the end": {"kind": "missing_last_newline"},
    "gzip without its trailer": {"kind": "gzip_no_trailer"},
    "gzip cut": {"kind": "gzip_cut", "after_bytes": 2000},
    "chunks without their end": {"kind": "chunk_cut", "after_bytes": 2000},
    "chunks without their end, at the first byte": {"kind": "chunk_cut", "after_bytes": 0},
    "connection reset": {"kind": "reset", "after_bytes": 2000},
    "connection reset at once": {"kind": "reset"},
    "silence in the middle": {"kind": "hang", "after_bytes": 2000},
    "silence from the start": {"kind": "hang"},
    "an empty answer": {"kind": "empty_200"},
    "an error under 200": {"kind": "json_error_200"},
    "503 with HTML": {"kind": "status", "status": 503, "body": "<html>busy</html>"},
    "500 without a body": {"kind": "status", "status": 500},
    "a time-out of the query": {
        "kind": "status", "status": 400, "body": '{"error": "Timeout Error."}',
    },
}  # fmt: skip


@pytest.fixture
def project(project: Project) -> Project:
    """Ten days of events, fetched in one window after the first day."""
    project.mixpanel.seed(11, events=700, days=6, profiles=20)
    project.config.update(start_date="2026-03-05", event_timestamps="utc", date_window_size=6)
    project.discover()
    return project


@pytest.mark.parametrize("fault", CUTS.values(), ids=CUTS)
def test_a_cut_answer_is_asked_for_again(project: Project, fault: dict[str, Any]) -> None:
    project.mixpanel.add_fault(path=EXPORT, skip=1, times=1, **fault)
    out = project.sync("export", read_s=0.3)
    assert project.mixpanel.faults()[0]["seen"] > 1, "the fault never struck"
    assert out.code == 0, out.log
    assert multiset(out.records()) == project.expected_export()


LASTING = {
    name: {**cut, "after_lines": 0} if "after_lines" in cut else cut
    for name, cut in CUTS.items()
    if cut["kind"] != "empty_200"
}
"""Cuts that hit the smallest part too; an answer that is always empty is an empty project."""


@pytest.mark.parametrize("fault", LASTING.values(), ids=LASTING)
def test_a_cut_that_lasts_fails_the_stream_at_its_last_whole_slice(
    project: Project, fault: dict[str, Any]
) -> None:
    project.mixpanel.add_fault(path=EXPORT, skip=1, **fault)
    broken = project.sync("export", read_s=0.3, tries=2)
    assert broken.code == 1
    assert broken.statuses("export")[-1] == "INCOMPLETE"
    assert {error["failure_type"] for error in broken.errors} == {"transient_error"}
    project.mixpanel.clear_faults()
    resumed = project.sync("export", state=broken.state_file())
    want = project.expected_export()
    got = multiset(broken.records()) + multiset(resumed.records())
    recent = {key for key, n in (got - want).items() if n}
    assert not want - got, "events were lost"
    assert all(is_recent(row) for row in recent), "events outside the overlap were repeated"


def is_recent(frozen: Any) -> bool:
    """Whether a frozen record was processed in the hour before the sync."""
    row = dict(frozen[1])
    processed = row.get("mp_processing_time_ms")
    return processed is None or processed[1] > 1_773_144_000_000 - 3_700_000


def test_a_window_that_cannot_be_had_whole_is_split(project: Project) -> None:
    whole_window = {"from_date": "2026-03-06", "to_date": "2026-03-09"}
    project.mixpanel.add_fault("terminated_early", EXPORT, query=whole_window, after_lines=9)
    out = project.sync("export")
    assert project.mixpanel.faults()[0]["seen"] >= 2, "the fault never struck"
    assert out.code == 0, out.log
    assert "in two parts" in out.log
    assert multiset(out.records()) == project.expected_export()


def test_a_day_that_cannot_be_had_whole_is_split_by_the_clock(project: Project) -> None:
    project.config["date_window_size"] = 1
    day = {"from_date": "2026-03-07", "to_date": "2026-03-07"}
    project.mixpanel.add_fault("cut_mid_line", EXPORT, query=day, times=2, after_lines=9)
    out = project.sync("export", tries=2)
    assert out.code == 0, out.log
    parts = [e["query"].get("where", "") for e in project.mixpanel.journal() if e["path"] == EXPORT]
    assert sum("$time" in where for where in parts) == 2
    assert multiset(out.records()) == project.expected_export()
    days = [s["stream"]["stream_state"]["covered"][0][0] for s in out.states]
    assert days == sorted(days, reverse=True)


@pytest.mark.parametrize("mode", ["full_refresh", "incremental"])
def test_of_a_day_that_cannot_be_had_whole_nothing_leaves_and_the_days_beside_it_do(
    project: Project, mode: str
) -> None:
    project.config["date_window_size"] = 1
    day = {"from_date": "2026-03-07", "to_date": "2026-03-07"}
    project.mixpanel.add_fault("cut_mid_line", EXPORT, query=day, times=2, after_lines=9)
    # The first half of the day comes, and nothing of the other.
    project.mixpanel.add_fault("chunk_cut", EXPORT, query=day, skip=1, after_bytes=0)
    out = project.sync("export", mode=mode, tries=2)
    assert out.code == 1
    [error] = [e for e in out.errors if e.get("stream_descriptor")]
    assert "lacks 1 of 6 days. 2026-03-07 (in 2026-03-07 " in error["message"]
    days = {row["time"][:10] for row in out.records()}
    assert days == {f"2026-03-{n:02}" for n in (5, 6, 8, 9, 10)}
    project.mixpanel.clear_faults()
    rest = project.sync("export", mode=mode, state=out.state_file())
    assert rest.code == 0
    want = project.expected_export()
    got = multiset(out.records()) + multiset(rest.records())
    assert not want - got, "events were lost"
    assert all(is_recent(row) for row in got - want), "events outside the overlap were repeated"


def test_a_broken_line_amid_whole_ones_stops_the_stream_by_name(project: Project) -> None:
    project.mixpanel.add_fault("bad_line_middle", EXPORT, skip=1, after_lines=20)
    out = project.sync("export", tries=2)
    assert out.code == 1
    [error] = [e for e in out.errors if e.get("stream_descriptor")]
    assert "no event" in error["message"]
    assert "whole ones after it" in out.log
    days = [day for part in out.stream_state("export")["covered"] for day in part[:2]]
    assert {row["time"][:10] for row in out.records()} <= set(days)
    project.mixpanel.clear_faults()
    rest = project.sync("export", state=out.state_file())
    got = multiset(out.records()) + multiset(rest.records())
    assert not project.expected_export() - got


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Retry-After": "40"}, ""),
        ({"Retry-After": "Tue, 10 Mar 2026 12:05:00 GMT"}, ""),
        ({"RateLimit": '"project";r=0;t=50'}, "{}"),
        ({}, '{"error": "too many export requests in progress for this project"}'),
        (
            {},
            (
                '{"error": "Query rate limit exceeded for project_id: 1. This request exceeded '
                'the rate limit (61/60 queries running in the last hour)."}'
            ),
        ),
    ],
    ids=["seconds", "date", "reset", "load shed", "hourly, no headers"],
)
def test_a_429_is_waited_out_and_told(project: Project, headers: dict[str, str], body: str) -> None:
    project.mixpanel.reset()
    project.mixpanel.add_events([event()])
    project.discover()
    project.mixpanel.add_fault("status", EXPORT, status=429, times=2, headers=headers, body=body)
    out = project.sync("export")
    assert (out.code, len(out.records())) == (0, 1), out.log
    limited = [
        t["stream_status"]
        for t in out.of("TRACE")
        if t["type"] == "STREAM_STATUS" and t["stream_status"].get("reasons")
    ]
    assert limited
    assert limited[0]["reasons"][0]["type"] == "RATE_LIMITED"
    assert limited[0]["reasons"][0]["rate_limited"]["quota_reset"] > 0
    assert "waits for Mixpanel's raw export until" in out.log
