"""`event_counts` through the real entry point."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from mixpanel_emulator.control_client import ControlClient
from source_mixpanel.reports.event_counts import in_urls
from unit_tests.builders import event
from unit_tests.harness import multiset
from unit_tests.project import Project

PATH = "/api/query/events"
NAMES = "/api/query/events/names"
FIRST, LAST = date(2026, 3, 1), date(2026, 3, 10)


def plant(mixpanel: ControlClient) -> None:
    """Three kinds of events on some of the days, one kind before the start only."""
    happened = [("Sign Up", 0.1), ("Sign Up", 0.2), ("Sign Up", 3), ("Pay \u2028 'é\"", 8)]
    events = [
        event(name, days_ago=ago, insert_id=f"i-{n}") for n, (name, ago) in enumerate(happened)
    ]
    mixpanel.add_events([*events, event("Ancient", days_ago=20, insert_id="old")])


def wanted(
    mixpanel: ControlClient, first: date = FIRST, names: set[str] | None = None
) -> list[dict[str, Any]]:
    """Every event of the days from 1 March on, each day of it."""
    counts: Counter[tuple[str, date]] = Counter()
    for told in mixpanel.events():
        counts[told["event"], date(1970, 1, 1) + timedelta(told["time_ms"] // 86_400_000)] += 1
    names = names or {name for name, day in counts if FIRST <= day <= LAST}
    days = [first + timedelta(n) for n in range((LAST - first).days + 1)]
    return [
        {"event": name, "count": counts[name, day], "date": str(day),
         "datetime": f"{day}T00:00:00Z"}
        for name in names
        for day in days
    ]  # fmt: skip


@pytest.mark.parametrize("mode", ["full_refresh", "incremental"])
def test_every_event_is_counted_on_every_day_in_two_queries(project: Project, mode: str) -> None:
    plant(project.mixpanel)
    project.discover()
    project.mixpanel.clear_journal()
    out = project.sync("event_counts", mode=mode)
    assert out.code == 0, out.log
    assert multiset(out.records()) == multiset(wanted(project.mixpanel))
    days = {"date": "2026-03-10", "covered": [["2026-03-01", "2026-03-10"]]}
    assert out.days_read("event_counts") == days
    queries = [e["path"] for e in project.mixpanel.journal() if e["path"].startswith("/api/query")]
    assert queries == [NAMES, PATH]
    assert "event_counts 2" in out.log


def test_the_next_sync_looks_back_and_counts_what_is_no_more(project: Project) -> None:
    plant(project.mixpanel)
    project.config["attribution_window"] = 4
    first = project.sync("event_counts")
    project.mixpanel.add_events([event("Late", days_ago=2, insert_id="late")])
    project.mixpanel.remove_events("i-2")
    second = project.sync("event_counts", state=first.state_file())
    rows = wanted(project.mixpanel, LAST - timedelta(4))
    assert multiset(second.records()) == multiset(rows)
    assert {"event": "Sign Up", "count": 0, "date": "2026-03-07",
            "datetime": "2026-03-07T00:00:00Z"} in second.records()  # fmt: skip


def test_windows_and_a_kill_after_any_lose_nothing(project: Project) -> None:
    plant(project.mixpanel)
    project.config["date_window_size"] = 4
    project.discover()
    project.mixpanel.clear_journal()
    whole = project.sync("event_counts", mode="full_refresh")
    assert multiset(whole.records()) == multiset(wanted(project.mixpanel))
    assert len(project.asked(NAMES)) == 1
    states = whole.prefixes("event_counts")
    assert len(states) >= 4
    for rows, state in states[:-1]:
        rest = project.sync("event_counts", mode="full_refresh", state=[state])
        assert multiset(rows + rest.records()) == multiset(whole.records())


def test_an_event_that_has_not_happened_for_two_months_is_counted(project: Project) -> None:
    project.config["start_date"] = "2025-12-01"
    project.mixpanel.add_events([event("Retired", days_ago=60)])
    out = project.sync("event_counts", mode="full_refresh")
    counted = {row["date"]: row["count"] for row in out.records() if row["count"]}
    assert counted == {"2026-01-09": 1}


def test_days_are_the_projects_own(project: Project) -> None:
    project.mixpanel.configure(timezone="Asia/Tokyo")
    project.mixpanel.add_events([event("Late", days_ago=0.7)])
    out = project.sync("event_counts", mode="full_refresh")
    counted = {row["date"]: row["count"] for row in out.records() if row["count"]}
    assert counted == {"2026-03-10": 1}


def test_a_project_without_events_costs_the_names_alone(project: Project) -> None:
    project.discover()
    project.mixpanel.clear_journal()
    out = project.sync("event_counts", mode="full_refresh")
    assert (out.code, out.records()) == (0, [])
    assert (len(project.asked(NAMES)), project.asked(PATH)) == (1, [])


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"series": []}},
        {"data": []},
        {"legend_size": 1},
        {"data": {"values": {"Sign Up": 3}}},
    ],
)
def test_an_answer_of_another_form_is_an_error(project: Project, body: Any) -> None:
    plant(project.mixpanel)
    project.discover()
    # The fault's path is a prefix of that of the names, which are asked for first.
    project.mixpanel.add_fault("status", PATH, status=200, body=body, skip=1)
    out = project.sync("event_counts", mode="full_refresh", tries=2)
    assert out.code == 1
    assert out.records() == []
    assert out.statuses("event_counts")[-1] == "INCOMPLETE"
    assert out.errors[0]["failure_type"] == "system_error"
    assert "Mixpanel's answer to GET" in out.errors[0]["message"]


def test_names_are_asked_for_in_urls_of_a_bearable_length() -> None:
    names = ["é" * 255, *(f"event number {n}" for n in range(2_000)), "x" * 9_000]
    batches = list(in_urls(names))
    assert [name for batch in batches for name in json.loads(batch)] == names
    assert 5 < len(batches) < 20
    assert max(len(quote(batch)) for batch in batches[:-1]) < 6_100
    assert list(in_urls([])) == []
