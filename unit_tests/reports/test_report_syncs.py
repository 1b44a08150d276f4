"""The reports of the settings over several syncs: no number depends on what was asked when."""

from __future__ import annotations

import random
from typing import Any

import pytest

from mixpanel_emulator.control_client import ControlClient
from unit_tests.builders import event
from unit_tests.harness import freeze, multiset
from unit_tests.project import Project

DAY_S = 86_400
PLAN = 'properties["plan"]'
REPORTS: list[dict[str, Any]] = [
    {"name": name, "kind": name.partition("_")[0], "parameters": parameters}
    for name, parameters in {
        "segmentation": {"event": "Look"},
        "segmentation_people": {"event": "Look", "type": "unique", "unit": "week"},
        "segmentation_split": {"event": "Look", "on": PLAN, "limit": 2},
        "segmentation_months": {"event": "Buy", "unit": "month", "type": "average"},
        "retention": {"born_event": "Look", "event": "Buy", "interval_count": 3},
        "retention_weeks": {"born_event": "Look", "unit": "week", "on": PLAN},
        "retention_pairs": {"retention_type": "compounded", "event": "Look", "interval": 2},
        "retention_unbounded": {"born_event": "Look", "unbounded_retention": True},
        "funnel": {"funnel_id": 4411, "length": 36, "length_unit": "hour"},
        "funnel_split": {"funnel_id": 4411, "interval": 3, "on": PLAN},
        "funnel_months": {"funnel_id": 4411, "unit": "month"},
        "frequency": {"unit": "day", "addiction_unit": "hour"},
        "frequency_weeks": {"unit": "week", "addiction_unit": "day", "event": "Look", "on": PLAN},
        "frequency_months": {"unit": "month", "addiction_unit": "day"},
    }.items()
]
NAMES = [f"report_{report['name']}" for report in REPORTS]


def plant(mixpanel: ControlClient, seed: int, *, days: tuple[float, float], count: int) -> None:
    """Looks and purchases of a few people, so many days ago."""
    chance = random.Random(seed)  # noqa: S311 - a made-up world
    mixpanel.add_events(
        [
            event(
                chance.choice(["Look", "Look", "Buy"]),
                insert_id=f"{seed}-{n}",
                days_ago=chance.uniform(*days),
                distinct_id=f"u-{chance.randrange(8)}",
                plan=chance.choice(["free", "pro", "team"]),
            )
            for n in range(count)
        ]
    )


@pytest.fixture
def project(project: Project) -> Project:
    steps = [{"event": "Look"}, {"event": "Buy"}]
    funnel = {"funnel_id": 4411, "name": "F", "length": 2, "steps": steps}
    project.mixpanel.set_truth("funnels", [funnel])
    project.config.update(reports=REPORTS, start_date="2026-01-27")
    project.discover()
    return project


def keyed(rows: list[dict[str, Any]], stream: dict[str, Any]) -> dict[Any, dict[str, Any]]:
    """Rows by primary key, the last one of each, as a destination keeps them."""
    return {
        tuple(freeze(row[column]) for [column] in stream["source_defined_primary_key"]): row
        for row in rows
    }


def is_nothing(row: dict[str, Any]) -> bool:
    """Whether a row says of a segment that there was none of it."""
    return row["segment"] != "$overall" and not row.get("value") and not row.get("count")


@pytest.mark.parametrize("window", [1, 4, 10, 20])
def test_windows_change_no_number(project: Project, window: int) -> None:
    plant(project.mixpanel, window, days=(0.1, 50), count=150)
    once = project.sync(*NAMES, mode="full_refresh")
    assert once.code == 0, once.log
    project.mixpanel.clear_journal()
    project.config["date_window_size"] = window
    cut = project.sync(*NAMES, mode="full_refresh")
    assert cut.code == 0, cut.log
    for name in NAMES:
        assert once.records(name)
        assert multiset(cut.records(name)) == multiset(once.records(name)), name
    ranges = {
        (entry["query"]["from_date"], entry["query"]["to_date"])
        for entry in project.asked("/api/query/segmentation")
        if entry["query"].get("unit") == "day" and "on" not in entry["query"]
    }
    assert len(ranges) == -(-43 // window)
    assert len(project.asked("/api/query/retention")) == 4


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_incremental_syncs_leave_is_what_a_full_one_reads(project: Project, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a made-up world
    project.config["attribution_window"] = 2
    project.mixpanel.set_clock("2026-02-12T08:00:00Z")
    plant(project.mixpanel, seed, days=(26.2, 42), count=60)
    kept: dict[str, dict[Any, dict[str, Any]]] = {name: {} for name in NAMES}
    state = None
    now = 26.2
    for step in range(4):
        out = project.sync(*NAMES, state=state)
        assert out.code == 0, out.log
        state = out.state_file()
        for name in NAMES:
            kept[name] |= keyed(out.records(name), project.streams[name])
        ahead = chance.uniform(1, 8)
        project.mixpanel.advance(ahead * DAY_S)
        now -= ahead
        # What is new, and some that arrive up to two days late.
        plant(project.mixpanel, seed * 10 + step, days=(max(now, 0), now + ahead + 2), count=25)
    last = project.sync(*NAMES, state=state)
    whole = project.sync(*NAMES, mode="full_refresh")
    for name in NAMES:
        stream = project.streams[name]
        kept[name] |= keyed(last.records(name), stream)
        wanted = keyed(whole.records(name), stream)
        for key, row in wanted.items():
            # A segment that is new has no zeros on the days before it was seen first.
            assert kept[name].get(key, row if is_nothing(row) else None) == row, name


@pytest.mark.parametrize("mode", ["full_refresh", "incremental"])
def test_a_kill_after_any_state_loses_nothing(project: Project, mode: str) -> None:
    plant(project.mixpanel, 5, days=(0.1, 50), count=60)
    project.config["date_window_size"] = 16
    stream = project.streams["report_funnel_months"]
    whole = project.sync(stream, mode=mode)
    states = whole.prefixes(stream["name"])
    assert len(states) >= 3
    for rows, state in states[:-1]:
        rest = project.sync(stream, mode=mode, state=[state])
        assert keyed(rows + rest.records(), stream) == keyed(whole.records(), stream)
        assert rest.days_read(stream["name"]) == whole.days_read(stream["name"])


def test_rows_are_read_again_until_their_intervals_are_over(project: Project) -> None:
    plant(project.mixpanel, 7, days=(0.1, 50), count=60)
    project.config["attribution_window"] = 1
    first = project.sync(*NAMES)
    second = project.sync(*NAMES, state=first.state_file())
    earliest = {
        name.removeprefix("report_"): min(row["date"] for row in second.records(name))
        for name in NAMES
    }
    assert earliest == {
        "segmentation": "2026-03-09",
        "segmentation_people": "2026-03-09",
        "segmentation_split": "2026-01-27",
        "segmentation_months": "2026-03-01",
        "retention": "2026-03-05",
        "retention_weeks": "2026-02-23",
        "retention_pairs": "2026-03-04",
        "retention_unbounded": "2026-01-27",
        "funnel": "2026-03-07",
        "funnel_split": "2026-01-26",
        "funnel_months": "2026-01-01",
        "frequency": "2026-03-09",
        "frequency_weeks": "2026-03-09",
        "frequency_months": "2026-03-01",
    }


def test_changed_parameters_are_read_from_the_start_and_the_log_says_so(project: Project) -> None:
    plant(project.mixpanel, 9, days=(0.1, 50), count=60)
    project.config["attribution_window"] = 0
    stream = project.streams["report_segmentation"]
    first = project.sync(stream)
    assert first.days_read("report_segmentation") == {
        "date": "2026-03-10",
        "covered": [["2026-01-27", "2026-03-10"]],
        "report": {"kind": "segmentation", "event": "Look"},
    }
    same = project.sync(stream, state=first.state_file())
    assert [row["date"] for row in same.records()] == ["2026-03-10"]
    assert "other parameters" not in same.log
    project.config["reports"] = [{**REPORTS[0], "parameters": {"event": "Look", "type": "unique"}}]
    other = project.sync(stream, state=first.state_file())
    assert len(other.records()) == 43
    assert "other parameters than in the last sync: stream 'report_segmentation'" in other.log


def test_an_end_date_and_the_projects_own_today_bound_the_days(project: Project) -> None:
    plant(project.mixpanel, 11, days=(0.1, 50), count=60)
    stream = project.streams["report_segmentation"]
    project.mixpanel.configure(timezone="Asia/Tokyo")
    project.mixpanel.set_clock("2026-03-10T16:00:00Z")
    assert project.sync(stream, mode="full_refresh").records()[-1]["date"] == "2026-03-11"
    project.config["end_date"] = "2026-03-05"
    assert project.sync(stream, mode="full_refresh").records()[-1]["date"] == "2026-03-05"
