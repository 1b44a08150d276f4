"""The reports of the settings through the real entry point: what they hold."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import pytest

from mixpanel_emulator.control_client import ControlClient
from unit_tests.builders import DAY_MS, event
from unit_tests.harness import multiset
from unit_tests.project import Project

PLAN = 'properties["plan"]'
FIRST, TODAY = date(2026, 3, 1), date(2026, 3, 10)
DAYS = [FIRST + timedelta(n) for n in range(10)]
SEGMENTATION = {"kind": "segmentation", "name": "looks", "parameters": {"event": "Look"}}
RETENTION = {
    "kind": "retention",
    "name": "back",
    "parameters": {"born_event": "Look", "event": "Buy", "interval_count": 2},
}
FUNNEL = {"kind": "funnel", "name": "look_to_buy", "parameters": {"funnel_id": 4411}}
FREQUENCY = {
    "kind": "frequency",
    "name": "often",
    "parameters": {"unit": "day", "addiction_unit": "hour", "event": "Look"},
}


def plant(mixpanel: ControlClient) -> None:
    """People who look on some days at some hours, of whom some buy half a day or two days later."""
    events = []
    for n in range(24):
        who = {"distinct_id": f"u-{n % 7}", "plan": ["pro", "free", None][n % 3]}
        ago = (n * 0.37) % 9 + 0.01
        events.append(event("Look", insert_id=f"l-{n}", days_ago=ago, **who))
        if n % 2:
            later = max(ago - (0.5 if n % 4 == 1 else 2), 0)
            events.append(event("Buy", insert_id=f"b-{n}", days_ago=later, **who))
    mixpanel.add_events(events)
    steps = [{"event": "Look"}, {"event": "Buy"}]
    mixpanel.set_truth("funnels", [{"funnel_id": 4411, "name": "F", "length": 1, "steps": steps}])


def happened(mixpanel: ControlClient, name: str) -> list[tuple[int, str, Any]]:
    """(instant, person, plan) of an event, in order."""
    return sorted(
        (told["time_ms"], told["properties"]["distinct_id"], told["properties"]["plan"])
        for told in mixpanel.events()
        if told["event"] == name
    )


def day_of(ms: int) -> date:
    return date(1970, 1, 1) + timedelta(ms // DAY_MS)


def dated(day: date, **columns: Any) -> dict[str, Any]:
    return {"date": str(day), "datetime": f"{day}T00:00:00Z", **columns}


def read(
    project: Project, report: dict[str, Any], mode: str = "full_refresh"
) -> list[dict[str, Any]]:
    """The records of the only report."""
    project.config["reports"] = [report]
    project.discover()
    name = f"report_{report['name']}"
    out = project.sync(name, mode=mode)
    assert out.code == 0, out.log
    assert out.statuses(name)[-1] == "COMPLETE"
    assert out.stream_state(name)["date"] == "2026-03-10"
    return out.records(name)


@pytest.mark.parametrize("mode", ["full_refresh", "incremental"])
def test_segmentation_counts_every_day_in_one_query(project: Project, mode: str) -> None:
    plant(project.mixpanel)
    rows = read(project, SEGMENTATION, mode)
    counts = [
        sum(day_of(ms) == day for ms, *_ in happened(project.mixpanel, "Look")) for day in DAYS
    ]
    assert max(counts) > 1
    assert multiset(rows) == multiset(
        dated(day, segment="Look", value=count) for day, count in zip(DAYS, counts, strict=True)
    )
    [request] = project.asked("/api/query/segmentation")
    kept = {k: v for k, v in request["query"].items() if k != "project_id"}
    assert kept == {
        "event": "Look",
        "unit": "day",
        "from_date": "2026-03-01",
        "to_date": "2026-03-10",
    }


def test_segmentation_of_people_by_segment_and_filter(project: Project) -> None:
    plant(project.mixpanel)
    parameters = {"event": "Look", "type": "unique", "on": PLAN, "where": f"defined({PLAN})"}
    rows = read(project, {**SEGMENTATION, "parameters": parameters})
    people: dict[tuple[date, str], set[str]] = defaultdict(set)
    for ms, who, plan in happened(project.mixpanel, "Look"):
        people[day_of(ms), plan or "null"].add(who)
    assert multiset(rows) == multiset(
        dated(day, segment=plan, value=len(people[day, plan]))
        for day in DAYS
        for plan in ("pro", "free", "null")
    )


def test_retention_follows_people_from_their_own_entry(project: Project) -> None:
    plant(project.mixpanel)
    rows = read(project, RETENTION)
    born: dict[str, int] = {}
    for ms, who, _ in happened(project.mixpanel, "Look"):
        born.setdefault(who, ms)
    wanted = []
    for day in DAYS:
        new = {who: ms for who, ms in born.items() if day_of(ms) == day}
        for index in range(min(2, (TODAY - day).days) + 1):
            back = {
                who
                for ms, who, _ in happened(project.mixpanel, "Buy")
                if who in new and (ms - new[who]) // DAY_MS == index
            }
            row = {"segment": "$overall", "interval_index": index}
            wanted.append(dated(day, **row, count=len(back), first=len(new)))
    assert multiset(rows) == multiset(wanted)
    assert any(row["count"] for row in rows if row["interval_index"] == 2)


def test_funnel_has_a_row_for_each_step(project: Project) -> None:
    plant(project.mixpanel)
    parameters = {"funnel_id": 4411, "on": PLAN, "length": 12, "length_unit": "hour"}
    rows = read(project, {**FUNNEL, "parameters": parameters})
    query = {"from_date": str(FIRST), "to_date": str(TODAY)}
    [request] = project.asked("/api/query/funnels")
    assert query.items() <= request["query"].items()
    looks, buys = happened(project.mixpanel, "Look"), happened(project.mixpanel, "Buy")
    for plan in ("pro", "free", "null", "$overall"):
        for day in DAYS:
            began: dict[str, int] = {}
            for ms, who, told in looks:
                if day_of(ms) == day and plan in (told or "null", "$overall"):
                    began.setdefault(who, ms)
            done = {
                who for ms, who, _ in buys if who in began and 0 <= ms - began[who] <= DAY_MS / 2
            }
            found = [
                (row["step_index"], row["event"], row["count"])
                for row in rows
                if (row["date"], row["segment"]) == (str(day), plan)
            ]
            assert found == [(0, "Look", len(began)), (1, "Buy", len(done))]
    assert len(rows) == 4 * 10 * 2


def test_a_funnel_without_segments_keeps_its_analysis(project: Project) -> None:
    plant(project.mixpanel)
    rows = read(project, FUNNEL)
    assert {row["segment"] for row in rows} == {"$overall"}
    starts = {row["date"]: row["count"] for row in rows if row["step_index"] == 0}
    assert any(starts.values())
    assert all(row["analysis"]["starting_amount"] == starts[row["date"]] for row in rows)


@pytest.mark.parametrize("split", [False, True])
def test_frequency_counts_people_by_active_hours(project: Project, *, split: bool) -> None:
    plant(project.mixpanel)
    more = {"on": PLAN} if split else {}
    parameters: dict[str, Any] = {**FREQUENCY["parameters"], **more}  # type: ignore[dict-item]
    rows = read(project, {**FREQUENCY, "parameters": parameters})
    hours: dict[tuple[date, str, str], set[int]] = defaultdict(set)
    for ms, who, plan in happened(project.mixpanel, "Look"):
        hours[day_of(ms), (plan or "null") if split else "$overall", who].add(ms // 3_600_000)
    segments = ["pro", "free", "null"] if split else ["$overall"]
    assert multiset(rows) == multiset(
        dated(
            day,
            segment=segment,
            at_least=least,
            count=sum(
                d == day and s == segment and len(active) >= least
                for (d, s, _), active in hours.items()
            ),
        )
        for day in DAYS
        for segment in segments
        for least in range(1, 25)
    )


def test_weeks_months_and_intervals_begin_before_the_start_date(project: Project) -> None:
    plant(project.mixpanel)
    project.config["start_date"] = "2026-03-04"
    firsts = {}
    for unit in ("week", "month"):
        parameters: dict[str, Any] = {"event": "Look", "unit": unit}
        rows = read(project, {**SEGMENTATION, "parameters": parameters})
        firsts[unit] = [row["date"] for row in rows]
    assert firsts == {"week": ["2026-03-02", "2026-03-09"], "month": ["2026-03-01"]}
    parameters = {"funnel_id": 4411, "interval": 7}
    rows = read(project, {**FUNNEL, "parameters": parameters})
    assert [row["date"] for row in rows if not row["step_index"]] == firsts["week"]


def test_the_log_counts_the_reports_queries(project: Project) -> None:
    plant(project.mixpanel)
    project.config["reports"] = [SEGMENTATION, RETENTION, FUNNEL, FREQUENCY]
    streams = project.discover()
    project.mixpanel.clear_journal()
    chosen = [streams[f"report_{report['name']}"] for report in project.config["reports"]]
    out = project.sync(*chosen, mode="full_refresh")
    assert out.code == 0, out.log
    planned = "4 (report_looks 1, report_back 1, report_look_to_buy 1, report_often 1)"
    assert f"Requests to the Query API for this sync: {planned}" in out.log
    queries = [e for e in project.mixpanel.journal() if e["path"].startswith("/api/query/")]
    assert len(queries) == 4
    assert "Query API 4" in out.log
