"""The reports of the settings over several syncs: no number depends on what was asked when."""

from __future__ import annotations

import random
from typing import Any

import pytest

from mixpanel_emulator.control_client import ControlClient
from unit_tests.builders import event
from unit_tests.harness import Command, freeze, multiset
from unit_tests.worlds import Streams, asked, discovered, prefixes, sync

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
def streams(command: Command, mixpanel: ControlClient, config: dict[str, Any]) -> Streams:
    steps = [{"event": "Look"}, {"event": "Buy"}]
    funnel = {"funnel_id": 4411, "name": "F", "length": 2, "steps": steps}
    mixpanel.set_truth("funnels", [funnel])
    config.update(reports=REPORTS, start_date="2026-01-27")
    found = discovered(command, config)
    return {name: found[name] for name in (f"report_{report['name']}" for report in REPORTS)}


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
def test_windows_change_no_number(
    command: Command,
    mixpanel: ControlClient,
    config: dict[str, Any],
    streams: Streams,
    window: int,
) -> None:
    plant(mixpanel, window, days=(0.1, 50), count=150)
    once = sync(command, config, streams.values())
    assert once.code == 0, once.log
    mixpanel.clear_journal()
    config["date_window_size"] = window
    cut = sync(command, config, streams.values())
    assert cut.code == 0, cut.log
    for name in streams:
        assert once.records(name)
        assert multiset(cut.records(name)) == multiset(once.records(name)), name
    ranges = {
        (entry["query"]["from_date"], entry["query"]["to_date"])
        for entry in asked(mixpanel, "/api/query/segmentation")
        if entry["query"].get("unit") == "day" and "on" not in entry["query"]
    }
    assert len(ranges) == -(-43 // window)
    assert len(asked(mixpanel, "/api/query/retention")) == 4


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_incremental_syncs_leave_is_what_a_full_one_reads(
    command: Command,
    mixpanel: ControlClient,
    config: dict[str, Any],
    streams: Streams,
    seed: int,
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a made-up world
    config["attribution_window"] = 2
    mixpanel.set_clock("2026-02-12T08:00:00Z")
    plant(mixpanel, seed, days=(26.2, 42), count=60)
    kept: dict[str, dict[Any, dict[str, Any]]] = {name: {} for name in streams}
    state = None
    now = 26.2
    for step in range(4):
        out = sync(command, config, streams.values(), mode="incremental", state=state)
        assert out.code == 0, out.log
        state = out.state_file()
        for name, stream in streams.items():
            kept[name] |= keyed(out.records(name), stream)
        ahead = chance.uniform(1, 8)
        mixpanel.advance(ahead * DAY_S)
        now -= ahead
        # What is new, and some that arrive up to two days late.
        plant(mixpanel, seed * 10 + step, days=(max(now, 0), now + ahead + 2), count=25)
    last = sync(command, config, streams.values(), mode="incremental", state=state)
    whole = sync(command, config, streams.values())
    for name, stream in streams.items():
        kept[name] |= keyed(last.records(name), stream)
        wanted = keyed(whole.records(name), stream)
        for key, row in wanted.items():
            # A segment that is new has no zeros on the days before it was seen first.
            assert kept[name].get(key, row if is_nothing(row) else None) == row, name


@pytest.mark.parametrize("mode", ["full_refresh", "incremental"])
def test_a_kill_after_any_state_loses_nothing(
    command: Command, mixpanel: ControlClient, config: dict[str, Any], streams: Streams, mode: str
) -> None:
    plant(mixpanel, 5, days=(0.1, 50), count=60)
    config["date_window_size"] = 16
    stream = streams["report_funnel_months"]
    whole = sync(command, config, [stream], mode=mode)
    states = prefixes(whole, stream["name"])
    assert len(states) >= 3
    for rows, state in states[:-1]:
        rest = sync(command, config, [stream], mode=mode, state=[state])
        assert keyed(rows + rest.records(), stream) == keyed(whole.records(), stream)
        assert rest.days_read(stream["name"]) == whole.days_read(stream["name"])


def test_rows_are_read_again_until_their_intervals_are_over(
    command: Command, mixpanel: ControlClient, config: dict[str, Any], streams: Streams
) -> None:
    plant(mixpanel, 7, days=(0.1, 50), count=60)
    config["attribution_window"] = 1
    first = sync(command, config, streams.values(), mode="incremental")
    second = sync(command, config, streams.values(), mode="incremental", state=first.state_file())
    earliest = {
        name.removeprefix("report_"): min(row["date"] for row in second.records(name))
        for name in streams
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


def test_changed_parameters_are_read_from_the_start_and_the_log_says_so(
    command: Command, mixpanel: ControlClient, config: dict[str, Any], streams: Streams
) -> None:
    plant(mixpanel, 9, days=(0.1, 50), count=60)
    config["attribution_window"] = 0
    stream = streams["report_segmentation"]
    first = sync(command, config, [stream], mode="incremental")
    assert first.days_read("report_segmentation") == {
        "date": "2026-03-10",
        "covered": [["2026-01-27", "2026-03-10"]],
        "report": {"kind": "segmentation", "event": "Look"},
    }
    same = sync(command, config, [stream], mode="incremental", state=first.state_file())
    assert [row["date"] for row in same.records()] == ["2026-03-10"]
    assert "other parameters" not in same.log
    config["reports"] = [{**REPORTS[0], "parameters": {"event": "Look", "type": "unique"}}]
    other = sync(command, config, [stream], mode="incremental", state=first.state_file())
    assert len(other.records()) == 43
    assert "other parameters than in the last sync: stream 'report_segmentation'" in other.log


def test_an_end_date_and_the_projects_own_today_bound_the_days(
    command: Command, mixpanel: ControlClient, config: dict[str, Any], streams: Streams
) -> None:
    plant(mixpanel, 11, days=(0.1, 50), count=60)
    stream = streams["report_segmentation"]
    mixpanel.configure(timezone="Asia/Tokyo")
    mixpanel.set_clock("2026-03-10T16:00:00Z")
    assert sync(command, config, [stream]).records()[-1]["date"] == "2026-03-11"
    config["end_date"] = "2026-03-05"
    assert sync(command, config, [stream]).records()[-1]["date"] == "2026-03-05"
