"""`export` through the real entry point against the local Mixpanel over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from unit_tests.builders import DAY_MS, NOON_10_MARCH_MS, event
from unit_tests.harness import Output, multiset
from unit_tests.project import Project


@pytest.mark.parametrize("mode", ["full_refresh", "incremental"])
def test_records_equal_what_mixpanel_holds(project: Project, mode: str) -> None:
    project.mixpanel.seed(7, events=1500, days=9, profiles=30)
    out = project.sync("export", mode=mode)
    assert out.code == 0, out.log
    assert multiset(out.records()) == project.expected_export()
    assert out.statuses("export") == ["STARTED", "RUNNING", "COMPLETE"]


def test_second_sync_brings_only_what_is_new_or_late(project: Project) -> None:
    project.mixpanel.add_events([event(insert_id=f"old-{n}", days_ago=n) for n in range(1, 9)])
    first = project.sync("export")
    assert len(first.records()) == 8
    project.mixpanel.advance(86_400)
    fresh = event(insert_id="fresh", days_ago=-0.5)
    late = event(insert_id="late", days_ago=3)
    very_late = event(insert_id="very-late", days_ago=8.4)
    for entry in (late, very_late):
        entry["properties"]["mp_processing_time_ms"] = NOON_10_MARCH_MS + DAY_MS // 2
    unknown = event(insert_id="unknown", days_ago=2)
    unknown["properties"]["mp_processing_time_ms"] = None
    project.mixpanel.add_events([fresh, late, very_late, unknown])
    second = project.sync("export", state=first.state_file())
    ids = sorted(r["insert_id"] for r in second.records())
    assert ids == ["fresh", "late", "unknown", "very-late"]


def test_events_of_the_overlap_come_twice_and_others_once(project: Project) -> None:
    project.mixpanel.add_events(
        [event(insert_id="long-ago", days_ago=0.2), event(insert_id="just-now", days_ago=0.01)]
    )
    first = project.sync("export")
    second = project.sync("export", state=first.state_file())
    assert sorted(r["insert_id"] for r in first.records()) == ["just-now", "long-ago"]
    assert [r["insert_id"] for r in second.records()] == ["just-now"]


def test_reread_window_reads_it_in_full(project: Project) -> None:
    project.config.update(late_events="reread_window", attribution_window=2)
    project.mixpanel.add_events([event(insert_id=f"day-{n}", days_ago=n) for n in range(6)])
    first = project.sync("export")
    second = project.sync("export", state=first.state_file())
    assert len(first.records()) == 6
    assert sorted(r["insert_id"] for r in second.records()) == ["day-0", "day-1", "day-2"]


def test_full_refresh_begins_anew_after_a_whole_one(project: Project) -> None:
    project.mixpanel.add_events([event(insert_id=f"i-{n}", days_ago=n) for n in range(5)])
    first = project.sync("export", mode="full_refresh")
    second = project.sync("export", mode="full_refresh", state=first.state_file())
    assert multiset(first.records()) == multiset(second.records())
    assert "full_refresh" not in first.stream_state("export")


def test_full_refresh_goes_on_where_it_was_broken_off(project: Project) -> None:
    project.mixpanel.add_events([event(insert_id=f"i-{n}", days_ago=n + 0.1) for n in range(9)])
    whole = project.sync("export", mode="full_refresh")
    middle = whole.states[0]
    assert middle["stream"]["stream_state"]["full_refresh"] == "in progress"
    before = middle_records(whole, 0)
    rest = project.sync("export", mode="full_refresh", state=[middle])
    assert multiset(before + rest.records()) == multiset(whole.records())


def middle_records(out: Output, state_number: int) -> list[dict[str, Any]]:
    """The records before a state message."""
    rows, seen = [], 0
    for entry in out.messages:
        if entry["type"] == "RECORD":
            rows.append(entry["record"]["data"])
        if entry["type"] == "STATE":
            if seen == state_number:
                return rows
            seen += 1
    raise AssertionError("there are fewer states")


def test_states_count_the_records_before_them_and_the_newest_days_come_first(
    project: Project,
) -> None:
    project.mixpanel.seed(3, events=600, days=9, profiles=10)
    out = project.sync("export")
    counts, begins, cursors, rows = [], [], [], 0
    for entry in out.messages:
        rows += entry["type"] == "RECORD"
        if entry["type"] == "STATE":
            assert entry["state"]["sourceStats"]["recordCount"] == rows
            counts.append(rows)
            state = entry["state"]["stream"]["stream_state"]
            begins.append(state["covered"][0][0])
            cursors.append(state["time"])
            assert state["covered"][-1][1] == "2026-03-10"
            rows = 0
    assert sum(counts) == len(project.mixpanel.events())
    assert rows == 0
    assert begins == sorted(begins, reverse=True)
    assert len(set(begins)) > 1
    assert begins[-1] == "2026-03-01"
    # The cursor is the latest time of all, wherever the sync is.
    assert len(set(cursors)) == 1


def test_only_the_events_asked_for(project: Project) -> None:
    project.mixpanel.add_events(
        [
            event("Sign, Up", insert_id="a", plan="pro"),
            event("Sign, Up", insert_id="b", plan="free"),
            event("Other", insert_id="c", plan="pro"),
        ]
    )
    project.config.update(export_events=["Sign, Up"], export_where='properties["plan"] == "pro"')
    out = project.sync("export")
    assert [r["insert_id"] for r in out.records()] == ["a"]


def test_a_filter_that_changed_is_named_in_every_sync_until_the_stream_is_refreshed(
    project: Project,
) -> None:
    project.mixpanel.add_events([event("A", insert_id="a"), event("B", insert_id="b", plan="pro")])
    project.discover()
    told: list[bool] = []
    states: list[dict[str, Any]] | None = None
    for setting in (
        {"export_events": ["A", "B"]},
        {"export_events": "B,A"},
        {"export_events": ["A"]},
        {"export_events": ["A"]},
        {"export_events": ["A"], "export_where": 'properties["plan"] == "pro"'},
        {},
        {},
    ):
        project.mixpanel.advance(7_200)
        out = project.using(**setting).sync("export", state=states)
        assert out.code == 0, out.log
        told.append("export_events or export_where is not what it was" in out.log)
        states = out.state_file()
        assert '== "pro"' not in str(states)
    assert told == [False, False, True, True, True, True, True]
    again = project.using(export_events=["B"]).sync("export", mode="full_refresh")
    assert "is not what it was" not in again.log


def test_a_state_that_does_not_tell_its_filter_is_taken_as_it_is(project: Project) -> None:
    project.mixpanel.add_events([event("A", insert_id="a")])
    states = project.sync("export").state_file()
    for state in states:
        del state["stream"]["stream_state"]["origin"]["filters"]
    out = project.using(export_events=["A"]).sync("export", state=states)
    assert out.code == 0, out.log
    assert "is not what it was" not in out.log


def test_dates_bound_by_days_and_instants_by_the_instant(project: Project) -> None:
    project.mixpanel.add_events([event(insert_id=f"i-{n}", days_ago=n) for n in range(8)])
    project.discover()
    project.config.update(start_date="2026-03-05", end_date="2026-03-07")
    by_day = project.sync("export", mode="full_refresh")
    assert sorted(r["insert_id"] for r in by_day.records()) == ["i-3", "i-4", "i-5"]
    project.config.update(start_date="2026-03-05T12:00:01Z", end_date="2026-03-07T12:00:00Z")
    by_instant = project.sync("export", mode="full_refresh")
    assert sorted(r["insert_id"] for r in by_instant.records()) == ["i-3", "i-4"]


def test_nothing_is_asked_at_read_but_the_project_and_its_events(project: Project) -> None:
    project.mixpanel.add_events([event()])
    project.discover()
    project.mixpanel.clear_journal()
    project.sync("export")
    assert {entry["path"] for entry in project.mixpanel.journal()} == {
        "/api/app/me",
        "/api/2.0/export",
    }
    assert all(
        entry["query"]["time_in_ms"] == "true"
        for entry in project.mixpanel.journal()
        if entry["path"] == "/api/2.0/export"
    )


def test_an_empty_project_is_a_good_sync(project: Project) -> None:
    out = project.sync("export")
    assert (out.code, out.records()) == (0, [])
    assert project.mixpanel.events() == []
    assert out.statuses("export")[-1] == "COMPLETE"
    assert out.days_read("export")["covered"] == [["2026-03-01", "2026-03-10"]]


def test_a_start_in_the_future_of_the_project_reads_nothing(project: Project) -> None:
    project.mixpanel.add_events([event()])
    project.discover()
    project.config["start_date"] = "2026-03-11"
    out = project.sync("export")
    assert (out.code, out.records()) == (0, [])


@pytest.mark.parametrize("kind", ["Project Secret", "OAuth Token"])
def test_other_credentials_read_the_same(project: Project, kind: str) -> None:
    project.mixpanel.seed(5, events=300, days=5, profiles=10)
    want = project.sync("export").records()
    project.config["credentials"] = {
        "Project Secret": {"api_secret": "local-project-secret-0123456789ab"},
        "OAuth Token": {"access_token": "local-oauth-token-0123456789", "project_id": 12345678},
    }[kind]
    out = project.sync("export")
    assert out.code == 0, out.log
    assert multiset(out.records()) == multiset(want)
    assert ("3 March 2027" in out.log) == (kind == "Project Secret")
