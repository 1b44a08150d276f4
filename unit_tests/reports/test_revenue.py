"""`revenue` through the real entry point."""

from __future__ import annotations

import pytest

from mixpanel_emulator.control_client import ControlClient
from unit_tests.harness import multiset
from unit_tests.project import Project

PATH = "/api/query/engage/revenue"


def plant(mixpanel: ControlClient) -> None:
    rows = [
        {"date": f"2026-03-{n:02d}", "amount": 1.5 * n, "count": n, "paid_count": n // 2}
        for n in range(1, 11)
    ]
    mixpanel.set_truth("revenue", rows)


@pytest.mark.parametrize("mode", ["full_refresh", "incremental"])
def test_each_day_comes_as_mixpanel_holds_it(project: Project, mode: str) -> None:
    plant(project.mixpanel)
    project.discover()
    project.mixpanel.clear_journal()
    out = project.sync("revenue", mode=mode)
    assert out.code == 0, out.log
    stamped = [
        {**row, "datetime": f"{row['date']}T00:00:00Z"} for row in project.mixpanel.truth("revenue")
    ]
    assert multiset(out.records()) == multiset(stamped)
    days = {"date": "2026-03-10", "covered": [["2026-03-01", "2026-03-10"]]}
    assert out.days_read("revenue") == days
    assert len(project.asked(PATH)) == 1


def test_a_second_sync_reads_the_attribution_window_again(project: Project) -> None:
    plant(project.mixpanel)
    project.config["attribution_window"] = 2
    first = project.sync("revenue")
    second = project.sync("revenue", state=first.state_file())
    assert [row["date"] for row in second.records()] == ["2026-03-08", "2026-03-09", "2026-03-10"]


def test_a_kill_at_any_state_loses_nothing(project: Project) -> None:
    plant(project.mixpanel)
    project.config["date_window_size"] = 3
    whole = project.sync("revenue", mode="full_refresh")
    states = whole.prefixes("revenue")
    assert len(states) >= 4
    for rows, state in states[:-1]:
        rest = project.sync("revenue", mode="full_refresh", state=[state])
        assert multiset(rows + rest.records()) == multiset(whole.records())


@pytest.mark.parametrize("status", [400, 404, 410])
def test_where_mixpanel_has_withdrawn_it_the_stream_says_so_and_others_go_on(
    project: Project, status: int
) -> None:
    project.mixpanel.add_cohort({"id": 1}, ["a"])
    project.mixpanel.configure(revenue_status=status)
    out = project.sync("revenue", "cohorts", mode="full_refresh")
    assert out.code == 1
    assert "withdrawn" in out.errors[0]["message"]
    assert out.errors[0]["failure_type"] == "config_error"
    assert out.statuses("revenue")[-1] == "INCOMPLETE"
    assert out.statuses("cohorts")[-1] == "COMPLETE"
