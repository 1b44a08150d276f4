from __future__ import annotations

import json
from typing import Any

import pytest

Q = "/api/query/"
DAYS = {"from_date": "2026-03-08", "to_date": "2026-03-10"}
NOON = 1_773_082_800_000  # 2026-03-09T19:00:00Z, noon in Los Angeles
HOUR = 3_600_000
DAY = 24 * HOUR


@pytest.fixture
def small(emulator: Any, make_event: Any) -> Any:
    """Three people on 9 March, one of whom comes back on the 10th."""
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
    return emulator


def values(response: Any, name: str) -> dict[str, float]:
    assert response.status_code == 200, response.text
    return dict(response.json()["data"]["values"][name])


def test_events_over_time_in_the_projects_zone(small: Any) -> None:
    query = {"event": '["Open"]', "unit": "day", **DAYS}
    days = {"2026-03-08": 0, "2026-03-09": 4, "2026-03-10": 1}
    assert values(small.get(Q + "events", type="general", **query), "Open") == days
    assert values(small.get(Q + "events", type="unique", **query), "Open")["2026-03-09"] == 3
    average = values(small.get(Q + "events", type="average", **query), "Open")
    assert average["2026-03-09"] == pytest.approx(4 / 3)
    body = small.get(Q + "events", type="general", **query).json()
    assert (body["data"]["series"], body["legend_size"]) == (list(days), 1)
    interval = small.get(Q + "events", event='["Open"]', type="general", unit="day", interval=2)
    assert list(values(interval, "Open")) == ["2026-03-09", "2026-03-10"]


def test_events_as_csv_and_by_other_units(small: Any) -> None:
    query = {"event": '["Open","Buy"]', "type": "general", **DAYS}
    text = small.get(Q + "events", unit="month", format="csv", **query).text
    assert text.split() == ["date,Open,Buy", "2026-03-01,5,2"]
    assert values(small.get(Q + "events", unit="week", **query), "Open") == {
        "2026-03-02": 0,
        "2026-03-09": 5,
    }
    hours = values(small.get(Q + "events", unit="hour", **query), "Open")
    assert hours["2026-03-09 13:00:00"] == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"event": None},
        {"event": "Open"},
        {"type": "many"},
        {"unit": "year"},
        {"type": "unique", "unit": "hour"},
        {"to_date": "2026-03-11"},
    ],
)
def test_events_refuses(small: Any, wrong: Any) -> None:
    query = {"event": '["Open"]', "type": "general", "unit": "day", **DAYS, **wrong}
    assert small.get(Q + "events", **query).status_code == 400


def test_top_events_of_today(small: Any) -> None:
    small.control.set_clock("2026-03-09T23:00:00Z")
    body = small.get(Q + "events/top", type="general").json()
    assert body["type"] == "general"
    assert body["events"][0] == {"amount": 4, "event": "Open", "percent_change": 0.0}


def test_property_values(small: Any) -> None:
    query = {"event": "Open", "name": "plan"}
    found = small.get(Q + "events/properties/values", **query).json()
    assert found[0] == "a"
    assert sorted(found) == ["a", "b", "c"]
    over = small.get(Q + "events/properties", type="general", unit="day", **query, **DAYS)
    assert values(over, "a") == {"2026-03-08": 0, "2026-03-09": 2, "2026-03-10": 1}
    only = small.get(
        Q + "events/properties", values='["b"]', type="general", unit="day", **query, **DAYS
    )
    assert list(only.json()["data"]["values"]) == ["b"]


def test_segmentation(small: Any) -> None:
    query = {"event": "Open", **DAYS}
    assert values(small.get(Q + "segmentation", **query), "Open")["2026-03-09"] == 4
    split = small.get(Q + "segmentation", on='properties["plan"]', **query)
    assert values(split, "c") == {"2026-03-08": 0, "2026-03-09": 1, "2026-03-10": 0}
    some = small.get(Q + "segmentation", where='properties["amount"] > 25', **query)
    assert values(some, "Open")["2026-03-09"] == 2
    none = small.get(Q + "segmentation", event="Nothing", **DAYS)
    assert values(none, "Nothing")["2026-03-09"] == 0


def test_segmentation_of_numbers(small: Any) -> None:
    query = {"event": "Open", "on": 'properties["amount"]', **DAYS}
    total = small.get(Q + "segmentation/sum", **query).json()
    assert total["results"]["2026-03-09"] == 110
    average = small.get(Q + "segmentation/average", **query).json()
    assert average["results"]["2026-03-09"] == 27.5
    ranges = small.get(Q + "segmentation/numeric", **query).json()["data"]["values"]
    assert sum(sum(row.values()) for row in ranges.values()) == 5
    assert small.get(Q + "segmentation/sum", event="Open", **DAYS).status_code == 400


def test_insights_are_computed_or_as_told(small: Any) -> None:
    small.control.set_truth(
        "bookmarks", [{"id": 9, "type": "insights", "params": {"event": "Buy"}}]
    )
    body = small.get(Q + "insights", bookmark_id=9).json()
    assert body["headers"] == ["$event"]
    assert body["series"]["Buy"]["2026-03-09T00:00:00-07:00"] == 2
    assert body["series"]["Buy"]["2026-03-07T00:00:00-08:00"] == 0
    told = {"headers": ["$event", "plan"], "series": {"$overall": {"all": 3}}}
    small.control.set_truth("insights", [{"bookmark_id": 9, "result": told}])
    assert small.get(Q + "insights", bookmark_id=9).json() == told
    assert small.get(Q + "insights", bookmark_id=10).status_code == 404


def test_cohorts_and_legacy_annotations(shop: Any) -> None:
    truth = shop.control.truth("cohorts")
    assert shop.get(Q + "cohorts/list").json() == truth
    assert shop.post("/api/2.0/cohorts/list").json() == truth
    body = shop.get("/api/2.0/annotations", from_date="2026-03-04", to_date="2026-03-10").json()
    assert body["error"] is False
    assert [note["id"] for note in body["annotations"]] == [9001, 9002, 9003]


def test_the_free_plan_pays_for_everything_but_export(shop: Any) -> None:
    shop.control.configure(plan="free")
    try:
        for path in ("engage", "cohorts/list", "funnels/list", "events/names", "annotations"):
            response = shop.get(Q + path)
            assert response.status_code == 402
            expected = "Your plan does not allow API calls. Upgrade at mixpanel.com/pricing"
            assert json.loads(response.text) == {"error": expected}
        assert shop.export().status_code == 200
        assert shop.project("annotations").status_code == 200
    finally:
        shop.control.configure(plan="growth")
