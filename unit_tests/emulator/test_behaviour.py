"""Funnels, retention and frequency."""

from __future__ import annotations

from typing import Any

import pytest

Q = "/api/query/"
DAYS = {"from_date": "2026-03-08", "to_date": "2026-03-10"}
NOON = 1_773_082_800_000  # 2026-03-09T19:00:00Z, noon in Los Angeles
HOUR = 3_600_000
BY_PLAN = 'properties["plan"]'


@pytest.fixture
def small(emulator: Any, make_event: Any) -> Any:
    """Three people on 9 March, one of whom comes back on the 10th; a funnel from Open to Buy."""
    rows = [
        ("Open", "a", 0, 10),
        ("Open", "a", 1, 20),
        ("Open", "b", 1, 30),
        ("Buy", "a", 2, 5),
        ("Open", "c", 3, 50),
        ("Buy", "c", 1, 7),
        ("Open", "a", 16, 60),
    ]
    emulator.control.add_events(
        [
            make_event(name, NOON + hours * HOUR, distinct_id=who, amount=amount, plan=who)
            for name, who, hours, amount in rows
        ]
    )
    steps = [{"event": "Open"}, {"event": "Buy"}]
    emulator.control.set_truth(
        "funnels", [{"funnel_id": 7, "name": "F", "length": 1, "steps": steps}]
    )
    return emulator


def body(response: Any) -> Any:
    assert response.status_code == 200, response.text
    return response.json()


def test_funnels_match_steps_in_order(small: Any) -> None:
    assert body(small.get(Q + "funnels/list")) == [{"funnel_id": 7, "name": "F"}]
    found = body(small.get(Q + "funnels", funnel_id=7, **DAYS))
    assert found["meta"]["dates"] == ["2026-03-08", "2026-03-09", "2026-03-10"]
    first, second = found["data"]["2026-03-09"]["steps"]
    assert (first["count"], first["avg_time"], first["step_conv_ratio"]) == (3, None, 1)
    assert (second["count"], second["avg_time"]) == (1, 7200)
    assert second["overall_conv_ratio"] == pytest.approx(1 / 3)
    assert found["data"]["2026-03-09"]["analysis"]["starting_amount"] == 3
    assert small.get(Q + "funnels", funnel_id=8, **DAYS).status_code == 404
    assert small.get(Q + "funnels", funnel_id=7, length=91, **DAYS).status_code == 400
    short = body(small.get(Q + "funnels", funnel_id=7, length=1, length_unit="hour", **DAYS))
    assert short["data"]["2026-03-09"]["steps"][1]["count"] == 0


def test_completions_after_to_date_count(small: Any) -> None:
    days = {"from_date": "2026-03-08", "to_date": "2026-03-08"}
    small.control.add_events(
        [{"event": "Open", "properties": {"time": NOON - 13 * HOUR, "distinct_id": "a"}}]
    )
    day = body(small.get(Q + "funnels", funnel_id=7, **days))["data"]["2026-03-08"]
    assert [step["count"] for step in day["steps"]] == [1, 1]


def test_the_same_event_twice_in_a_funnel_needs_two_events(small: Any) -> None:
    steps = [{"event": "Open"}, {"event": "Open"}]
    small.control.set_truth("funnels", [{"funnel_id": 7, "name": "F", "length": 1, "steps": steps}])
    for split in ({}, {"on": BY_PLAN}):
        day = body(small.get(Q + "funnels", funnel_id=7, **DAYS, **split))["data"]["2026-03-09"]
        counted = day.get("steps") or day["$overall"]
        assert [step["count"] for step in counted] == [3, 1]


def test_funnels_by_segment_where_and_interval(small: Any) -> None:
    split = body(small.get(Q + "funnels", funnel_id=7, on=BY_PLAN, **DAYS))["data"]
    counts = {
        name: [step["count"] for step in steps] for name, steps in split["2026-03-09"].items()
    }
    assert counts == {"$overall": [3, 1], "a": [1, 1], "b": [1, 0], "c": [1, 0]}
    top = body(small.get(Q + "funnels", funnel_id=7, on=BY_PLAN, limit=1, **DAYS))["data"]
    assert list(top["2026-03-09"]) == ["$overall", "a"]
    some = body(small.get(Q + "funnels", funnel_id=7, where='properties["amount"] > 6', **DAYS))
    assert [step["count"] for step in some["data"]["2026-03-09"]["steps"]] == [3, 0]
    pairs = body(small.get(Q + "funnels", funnel_id=7, interval=2, **DAYS))
    assert pairs["meta"]["dates"] == ["2026-03-08", "2026-03-10"]
    assert pairs["data"]["2026-03-08"]["steps"][0]["count"] == 3
    weeks = body(small.get(Q + "funnels", funnel_id=7, unit="week", **DAYS))
    assert weeks["meta"]["dates"] == ["2026-03-02", "2026-03-09"]


def test_retention_counts_from_each_persons_own_entry(small: Any) -> None:
    query = {"born_event": "Open", "event": "Open", "interval_count": 2, **DAYS}
    found = body(small.get(Q + "retention", **query))
    # a came back after 16 hours: on another day, but within its own first 24 hours.
    assert found["2026-03-09"] == {"counts": [3, 0], "first": 3}
    assert found["2026-03-10"] == {"counts": [0], "first": 0}
    small.control.set_clock("2026-03-13T12:00:00Z")
    small.control.add_events(
        [{"event": "Open", "properties": {"time": NOON + 30 * HOUR, "distinct_id": "a"}}]
    )
    found = body(small.get(Q + "retention", **query))
    assert found["2026-03-09"] == {"counts": [3, 1, 0], "first": 3}
    unbounded = body(small.get(Q + "retention", unbounded_retention="true", **query))
    assert unbounded["2026-03-09"] == {"counts": [3, 1, 0], "first": 3}
    buys = body(small.get(Q + "retention", **{**query, "event": "Buy"}))
    assert buys["2026-03-09"] == {"counts": [1, 0, 0], "first": 3}
    assert small.get(Q + "retention", **DAYS).status_code == 400


def test_returns_after_to_date_count_and_unbounded_ones_for_the_intervals_before(
    small: Any,
) -> None:
    small.control.set_clock("2026-03-13T12:00:00Z")
    small.control.add_events(
        [{"event": "Buy", "properties": {"time": NOON + 60 * HOUR, "distinct_id": "b"}}]
    )
    query = {"born_event": "Open", "event": "Buy", "interval_count": 2}
    day = {"from_date": "2026-03-09", "to_date": "2026-03-09"}
    found = body(small.get(Q + "retention", **query, **day))
    assert found == {"2026-03-09": {"counts": [1, 0, 1], "first": 3}}
    found = body(small.get(Q + "retention", unbounded_retention=1, **query, **day))
    assert found == {"2026-03-09": {"counts": [2, 1, 1], "first": 3}}


def test_people_are_born_once_and_compounded_in_every_bucket(small: Any) -> None:
    small.control.set_clock("2026-03-13T12:00:00Z")
    small.control.add_events(
        [{"event": "Open", "properties": {"time": NOON + 30 * HOUR, "distinct_id": "a"}}]
    )
    birth = body(small.get(Q + "retention", born_event="Open", event="Open", **DAYS))
    assert [birth[day]["first"] for day in birth] == [0, 3, 0]
    later = {"from_date": "2026-03-10", "to_date": "2026-03-10"}
    birth = body(small.get(Q + "retention", born_event="Open", event="Open", **later))
    assert birth["2026-03-10"]["first"] == 1
    again = body(small.get(Q + "retention", retention_type="compounded", event="Open", **DAYS))
    assert [again[day]["first"] for day in again] == [0, 3, 1]


def test_retention_by_segment_where_and_interval(small: Any) -> None:
    query = {"born_event": "Open", "event": "Buy", **DAYS}
    split = body(small.get(Q + "retention", on=BY_PLAN, **query))
    assert split["2026-03-09"] == {
        "a": {"counts": [1, 0], "first": 3},
        "c": {"counts": [0, 0], "first": 3},
    }
    assert list(body(small.get(Q + "retention", on=BY_PLAN, limit=1, **query))["2026-03-09"]) == [
        "a"
    ]
    born = body(small.get(Q + "retention", born_where='properties["amount"] > 25', **query))
    assert born["2026-03-09"]["first"] == 2
    pairs = body(small.get(Q + "retention", interval=2, **query))
    assert {day: row["first"] for day, row in pairs.items()} == {"2026-03-08": 3, "2026-03-10": 0}
    both = small.get(Q + "retention", interval=2, unit="day", **query)
    assert both.status_code == 400
    assert "together" in both.json()["error"]
    assert small.get(Q + "retention", interval=91, **query).status_code == 400


def test_frequency(small: Any) -> None:
    query = {"unit": "day", "addiction_unit": "hour", **DAYS}
    row = body(small.get(Q + "retention/addiction", **query))["data"]["2026-03-09"]
    assert len(row) == 24
    assert row[:4] == [3, 2, 1, 0]
    split = body(small.get(Q + "retention/addiction", on=BY_PLAN, **query))["data"]["2026-03-09"]
    assert {name: counts[:4] for name, counts in split.items()} == {
        "a": [1, 1, 1, 0],
        "b": [1, 0, 0, 0],
        "c": [1, 1, 0, 0],
    }
    weeks = body(small.get(Q + "retention/addiction", unit="week", addiction_unit="day", **DAYS))[
        "data"
    ]
    assert weeks["2026-03-09"] == [3, 1, 0, 0, 0, 0, 0]
    assert small.get(Q + "retention/addiction", unit="day", **DAYS).status_code == 400


def test_what_is_not_modelled_is_refused(small: Any) -> None:
    response = small.get(Q + "retention", bookmark_id=1, **DAYS)
    assert response.status_code == 400
    assert "not modelled" in response.json()["error"]
