"""`funnels` through the real entry point."""

from __future__ import annotations

from typing import Any

import pytest

from unit_tests.builders import event
from unit_tests.harness import multiset
from unit_tests.project import Project

PATH = "/api/query/funnels"
DAYS = [f"2026-03-{n:02d}" for n in range(1, 11)]


@pytest.fixture
def project(project: Project) -> Project:
    steps = [{"event": "Look"}, {"event": "Buy"}]
    project.mixpanel.set_truth("funnels", [
        {"funnel_id": 4411, "name": "Look to buy", "length": 14, "steps": steps},
        {"funnel_id": 4412, "name": "Look", "length": 14, "steps": steps[:1]},
    ])  # fmt: skip
    for n in range(9):
        who = {"distinct_id": f"u-{n}"}
        looked = event("Look", insert_id=f"l-{n}", days_ago=n, **who)
        bought = event("Buy", insert_id=f"b-{n}", days_ago=n - 0.01, **who)
        project.mixpanel.add_events([looked, bought] if n % 2 else [looked])
    project.discover()
    return project


def state_of(blob: dict[str, Any]) -> list[dict[str, Any]]:
    stream = {"stream_descriptor": {"name": "funnels"}, "stream_state": blob}
    return [{"type": "STREAM", "stream": stream}]


def ranges(project: Project) -> list[tuple[str, str, str]]:
    """What was asked for: funnel, first and last day."""
    asked_for = [entry["query"] for entry in project.asked(PATH)]
    return [(q["funnel_id"], q["from_date"], q["to_date"]) for q in asked_for]


def days_of(rows: list[dict[str, Any]], funnel: int) -> list[str]:
    return [row["date"] for row in rows if row["funnel_id"] == funnel]


@pytest.mark.parametrize("mode", ["full_refresh", "incremental"])
def test_each_day_of_each_funnel_by_one_request_a_funnel(project: Project, mode: str) -> None:
    project.mixpanel.clear_journal()
    out = project.sync("funnels", mode=mode)
    assert out.code == 0, out.log
    assert days_of(out.records(), 4411) == days_of(out.records(), 4412) == DAYS
    row = next(r for r in out.records() if r["date"] == "2026-03-07" and r["funnel_id"] == 4411)
    assert row["datetime"] == "2026-03-07T00:00:00Z"
    assert [step["count"] for step in row["steps"]] == [1, 1]
    assert row["analysis"]["completion"] == 1
    assert row["name"] == "Look to buy"
    assert sorted(ranges(project)) == [(n, DAYS[0], DAYS[-1]) for n in ("4411", "4412")]
    told = {"date": "2026-03-10", "covered": [["2026-03-01", "2026-03-10"]]}
    assert out.days_read("funnels") == {"4411": told, "4412": told}


def test_totals_are_no_days_and_new_keys_are_rescued(project: Project) -> None:
    day = {"steps": [], "analysis": {}, "extra": 1}
    body = {"meta": {}, "data": {"$overall": day, "2026-03-02": day, "2026-03-01": day}}
    project.mixpanel.add_fault("status", PATH, query={"funnel_id": 4411}, status=200, body=body)
    out = project.sync("funnels", mode="full_refresh")
    assert days_of(out.records(), 4411) == ["2026-03-01", "2026-03-02"]
    assert out.records()[0]["rescued_properties"] == {"extra": 1}
    assert "2 values of 1 properties are in the column rescued_properties" in out.log


def test_a_second_sync_reads_the_attribution_window_again_and_nothing_before_the_start(
    project: Project,
) -> None:
    first = project.sync("funnels")
    project.mixpanel.advance(86_400)
    project.mixpanel.clear_journal()
    project.config["attribution_window"] = 3
    second = project.sync("funnels", state=first.state_file())
    assert days_of(second.records(), 4411) == [*DAYS[6:], "2026-03-11"]
    project.config["attribution_window"] = 50
    third = project.sync("funnels", state=second.state_file())
    assert days_of(third.records(), 4411) == [*DAYS, "2026-03-11"]
    project.config["attribution_window"] = 0
    third = project.sync("funnels", state=second.state_file())
    assert days_of(third.records(), 4411) == ["2026-03-11"]


@pytest.mark.parametrize(
    "old",
    [
        {"4411": {"date": "2026-03-08"}, "99": {"date": "2026-03-08"}},
        {
            "use_global_cursor": False,
            "states": [
                {
                    "partition": {"funnel_id": 4411, "parent_slice": {}},
                    "cursor": {"date": "2026-03-08"},
                },
                {"partition": {"funnel_id": "99"}, "cursor": {"date": "2026-03-08"}},
            ],
            "state": {"date": "2026-03-08"},
            "parent_state": {"funnel_ids": {}},
            "lookback_window": 1,
        },
        {"4411": {"date": "2026-03-08T00:00:00Z"}},
    ],
)
def test_states_of_airbytes_connectors_are_taken_new_funnels_begin_and_old_ones_go(
    project: Project, old: dict[str, Any]
) -> None:
    project.config["attribution_window"] = 1
    out = project.sync("funnels", state=state_of(old))
    assert out.code == 0, out.log
    assert days_of(out.records(), 4411) == DAYS[6:]
    assert days_of(out.records(), 4412) == DAYS
    assert set(out.days_read("funnels")) == {"4411", "4412"}
    assert project.mixpanel.truth("funnels")[0]["funnel_id"] == 4411


@pytest.mark.parametrize("old", [{"4411": {"date": "soon"}}, {"states": [{"cursor": {"date": 1}}]}])
def test_a_corrupt_state_is_a_config_error(project: Project, old: dict[str, Any]) -> None:
    out = project.sync("funnels", state=state_of(old))
    assert out.code == 1
    assert out.errors[0]["failure_type"] == "config_error"
    assert "state of stream 'funnels'" in out.errors[0]["message"]


def test_a_state_from_the_future_reads_nothing_and_stays(project: Project) -> None:
    old = {number: {"date": "2121-01-01"} for number in ("4411", "4412")}
    out = project.sync("funnels", state=state_of(old))
    assert (out.code, out.records()) == (0, [])
    told = {number: day["date"] for number, day in out.days_read("funnels").items()}
    assert told == {number: day["date"] for number, day in old.items()}
    again = project.sync("funnels", state=out.state_file())
    assert (again.code, again.records()) == (0, [])


@pytest.mark.parametrize("mode", ["full_refresh", "incremental"])
def test_a_kill_at_any_state_loses_nothing(project: Project, mode: str) -> None:
    project.config.update(date_window_size=4, attribution_window=0)
    whole = project.sync("funnels", mode=mode)
    states = whole.prefixes("funnels")
    assert len(states) >= 6
    for rows, state in states[:-1]:
        rest = project.sync("funnels", mode=mode, state=[state])
        union = multiset(rows) | multiset(rest.records())
        assert union == multiset(whole.records())
        assert rest.days_read("funnels") == whole.days_read("funnels")


def test_ranges_are_halved_where_mixpanel_finds_them_too_long(project: Project) -> None:
    refusal = {"error": "Date range is too large"}
    long = {"from_date": "2026-03-01", "to_date": "2026-03-10"}
    project.mixpanel.add_fault("status", PATH, query=long, status=400, body=refusal)
    half = {**long, "to_date": "2026-03-05"}
    project.mixpanel.add_fault("status", PATH, query=half, status=400, body=refusal)
    project.config["num_workers"] = 1
    project.mixpanel.clear_journal()
    out = project.sync("funnels", mode="full_refresh")
    assert out.code == 0, out.log
    assert days_of(out.records(), 4411) == days_of(out.records(), 4412) == DAYS
    assert ranges(project)[:3] == [
        ("4411", "2026-03-01", "2026-03-10"),
        ("4411", "2026-03-01", "2026-03-05"),
        ("4411", "2026-03-01", "2026-03-02"),
    ]
    assert len(ranges(project)) == 2 + 5 + 5


def test_a_funnel_that_is_refused_does_not_stop_the_others(project: Project) -> None:
    project.mixpanel.add_fault("status", PATH, query={"funnel_id": 4411}, status=400,
                       body={"error": "bad funnel"})  # fmt: skip
    out = project.sync("funnels", mode="full_refresh")
    assert out.code == 1
    assert days_of(out.records(), 4412) == DAYS
    assert "bad funnel" in out.errors[0]["message"]
    assert out.statuses("funnels")[-1] == "INCOMPLETE"


@pytest.mark.parametrize(
    ("zone", "now", "last"),
    [
        ("America/Los_Angeles", "2026-03-10T05:00:00Z", "2026-03-09"),
        ("Asia/Tokyo", "2026-03-10T16:00:00Z", "2026-03-11"),
    ],
)
def test_the_last_day_is_the_projects_own_today(
    project: Project, zone: str, now: str, last: str
) -> None:
    project.mixpanel.configure(timezone=zone)
    project.mixpanel.set_clock(now)
    out = project.sync("funnels", mode="full_refresh")
    assert out.code == 0, out.log
    assert days_of(out.records(), 4411)[-1] == last


def test_a_project_secret_asks_for_no_day_that_may_be_tomorrow(project: Project) -> None:
    project.mixpanel.configure(timezone="America/Los_Angeles")
    project.mixpanel.set_clock("2026-03-10T05:00:00Z")
    project.config["credentials"] = {"api_secret": "local-project-secret-0123456789ab"}
    out = project.sync("funnels", mode="full_refresh")
    assert out.code == 0, out.log
    assert days_of(out.records(), 4411)[-1] == "2026-03-09"
    project.config["project_timezone"] = "Asia/Tokyo"
    out = project.sync("funnels", mode="full_refresh")
    assert out.code == 1
    assert "Asia/Tokyo" in out.errors[0]["message"]


def test_an_end_date_bounds_the_days(project: Project) -> None:
    project.config.update(start_date="2026-03-03", end_date="2026-03-05T12:00:00Z")
    out = project.sync("funnels", mode="full_refresh")
    assert days_of(out.records(), 4411) == DAYS[2:5]
