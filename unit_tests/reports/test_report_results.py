"""`report_results` through the real entry point."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from mixpanel_emulator.control_client import ControlClient
from unit_tests.builders import event
from unit_tests.harness import multiset
from unit_tests.project import Project

PATH = "/api/query/insights"
DAY = "2026-03-09T00:00:00+00:00"


def plant(mixpanel: ControlClient, **series: Any) -> None:
    """A report for each series, numbered from 1, and reports of other kinds."""
    marks = [{"id": n, "name": name, "type": "insights"} for n, name in enumerate(series, start=1)]
    others = [{"id": 90, "name": "F", "type": "funnels"}, {"id": 91, "type": "retention"}]
    mixpanel.set_truth("bookmarks", [*marks, *others])
    answers = [
        {
            "bookmark_id": n,
            "result": {"headers": ["$event"], "computed_at": "2026-03-10", "series": told},
        }
        for n, told in enumerate(series.values(), start=1)
    ]
    mixpanel.set_truth("insights", answers)


def row(number: int, name: str, path: list[str], last: str, value: Any) -> dict[str, Any]:
    return {
        "bookmark_id": number,
        "report_name": name,
        "series": json.dumps(path, ensure_ascii=False),
        "date": last,
        "value": value,
        "headers": ["$event"],
        "computed_at": "2026-03-10",
    }


def read(project: Project) -> Any:
    project.discover()
    return project.sync("report_results")


def test_a_report_over_time_has_a_row_for_each_series_and_date(project: Project) -> None:
    project.mixpanel.add_events([event("Buy", days_ago=1, insert_id=f"i-{n}") for n in range(3)])
    project.mixpanel.set_truth(
        "bookmarks", [{"id": 9, "name": "Sales", "type": "insights", "params": {"event": "Buy"}}]
    )
    out = read(project)
    assert out.code == 0, out.log
    assert {entry["series"] for entry in out.records()} == {'["Buy"]'}
    assert Counter({entry["date"]: entry["value"] for entry in out.records()}) == {
        **{f"2026-03-{n:02d}T00:00:00+00:00": 0 for n in (4, 5, 6, 7, 8, 10)},
        DAY: 3,
    }


def test_any_nesting_becomes_rows(project: Project) -> None:
    split = {"$overall": {DAY: 3}, "Köln \u2028": {"$overall": {DAY: 2}, "pro": {DAY: 1.5}}}
    plant(
        project.mixpanel,
        broken={"Buy": split},
        total={"Buy": {"all": 7}},
        mean={"Buy": {DAY: None, "$average": 2.5}},
        curve={"Buy": {DAY: [3, 1]}},
        nothing={},
    )
    out = read(project)
    assert out.code == 0, out.log
    assert multiset(out.records()) == multiset(
        [
            row(1, "broken", ["Buy", "$overall"], DAY, 3),
            row(1, "broken", ["Buy", "Köln \u2028", "$overall"], DAY, 2),
            row(1, "broken", ["Buy", "Köln \u2028", "pro"], DAY, 1.5),
            row(2, "total", ["Buy"], "all", 7),
            row(3, "mean", ["Buy"], DAY, None),
            row(3, "mean", ["Buy"], "$average", 2.5),
            row(4, "curve", ["Buy", DAY], "0", 3),
            row(4, "curve", ["Buy", DAY], "1", 1),
        ]
    )
    keys = Counter((r["bookmark_id"], r["series"], r["date"]) for r in out.records())
    assert max(keys.values()) == 1


def test_one_query_a_report_and_the_log_says_so_before(project: Project) -> None:
    plant(project.mixpanel, **{name: {"Buy": {"all": 1}} for name in "abcdefg"})
    project.discover()
    project.mixpanel.clear_journal()
    out = project.sync("report_results", "saved_reports")
    assert out.code == 0, out.log
    assert len(out.records("report_results")) == 7
    assert len(project.asked(PATH)) == 7
    assert len(project.asked("/api/app/projects/12345678/bookmarks")) == 1
    assert "report_results 7" in out.log


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 404, "body": {"error": "not for you"}}, "not for you"),
        ({"status": 403, "body": {"error": "not for you"}}, "not for you"),
        ({"status": 200, "body": {"headers": []}}, "report 2 'b' has no series"),
    ],
)
def test_a_report_that_cannot_be_had_leaves_the_others_whole(
    project: Project, fault: dict[str, Any], words: str
) -> None:
    plant(project.mixpanel, a={"all": 1}, b={"all": 2}, c={"all": 3})
    project.discover()
    project.mixpanel.add_fault("status", PATH, query={"bookmark_id": 2}, **fault)
    out = project.sync("report_results", tries=2)
    assert [(r["series"], r["value"]) for r in out.records()] == [("[]", 1), ("[]", 3)]
    assert out.code == 1
    assert words in out.errors[0]["message"]
    assert "goes on without report 2 'b'" in out.log
    assert out.statuses("report_results")[-1] == "INCOMPLETE"


def test_where_the_reports_cannot_be_listed_the_stream_ends_politely(project: Project) -> None:
    path = "/api/app/projects/12345678/bookmarks"
    project.mixpanel.add_fault("status", path, status=404, body={"error": "gone"})
    out = project.sync("report_results", "event_counts", mode="full_refresh")
    assert out.statuses("report_results")[-1] == "INCOMPLETE"
    assert out.statuses("event_counts")[-1] == "COMPLETE"
    assert "undocumented" in out.errors[0]["message"]


def test_the_free_plan_is_asked_once_not_report_by_report(project: Project) -> None:
    plant(project.mixpanel, **{name: {"all": 1} for name in "abcdefghij"})
    project.discover()
    project.mixpanel.configure(plan="free")
    project.mixpanel.clear_journal()
    out = project.sync("report_results")
    assert "plan does not include" in out.errors[0]["message"]
    assert len(project.asked(PATH)) <= 6


def test_a_kill_after_any_report_goes_on_with_the_next(project: Project) -> None:
    plant(project.mixpanel, **{name: {"Buy": {"all": 1, DAY: 2}} for name in "abcd"})
    whole = project.sync("report_results")
    points = whole.prefixes("report_results")
    assert [len(rows) for rows, _ in points[:4]] == [2, 4, 6, 8]
    for rows, state in points[:4]:
        project.mixpanel.clear_journal()
        rest = project.sync("report_results", state=[state])
        assert multiset(rows + rest.records()) == multiset(whole.records())
        assert len(project.asked(PATH)) == 4 - len(rows) // 2
    again = project.sync("report_results", state=whole.state_file())
    assert multiset(again.records()) == multiset(whole.records())


def test_a_report_that_stays_closed_does_not_make_later_syncs_read_it_alone(
    project: Project,
) -> None:
    plant(project.mixpanel, a={"all": 1}, b={"all": 2})
    project.discover()
    project.mixpanel.add_fault("status", PATH, query={"bookmark_id": 2}, status=403, body="private")
    first = project.sync("report_results")
    second = project.sync("report_results", state=first.state_file())
    assert [row["value"] for row in second.records()] == [1]


def test_a_state_that_is_none_is_a_config_error(project: Project) -> None:
    plant(project.mixpanel, a={"all": 1})
    entry = {"stream_descriptor": {"name": "report_results"}, "stream_state": {"finished": [1]}}
    out = project.sync("report_results", state=[{"type": "STREAM", "stream": entry}])
    assert out.code == 1
    assert "saved state of stream 'report_results'" in out.errors[0]["message"]


@pytest.mark.parametrize("workers", [1, 4])
def test_reports_are_computed_as_many_at_a_time_as_is_set(project: Project, workers: int) -> None:
    plant(project.mixpanel, **{name: {"A": {DAY: 1}} for name in "abcdef"})
    project.discover()
    project.mixpanel.configure(quota=True, query_concurrency=1, query_latency=0.1)
    # With calls left, queries are not made one by one.
    left = {"RateLimit": '"project";r=50;t=3600'}
    body = {"series": {"A": {DAY: 1}}}
    project.mixpanel.add_fault("status", PATH, status=200, headers=left, body=body, times=1)
    out = project.using(num_workers=workers).sync("report_results")
    assert (out.code, len(out.records())) == (0, 6), out.log
    assert any(entry["status"] == 429 for entry in project.asked(PATH)) == (workers > 1)
