from __future__ import annotations

import json
from typing import Any

import pytest

ENGAGE = "/api/query/engage"
UNCACHED = "request for page in uncached query for params"


def people(count: int, **properties: Any) -> list[dict[str, Any]]:
    return [
        {"$distinct_id": f"u-{n:02d}", "$properties": {"n": n, **properties}} for n in range(count)
    ]


def ask(client: Any, **params: Any) -> Any:
    return client.post(ENGAGE, params)


def ids(body: dict[str, Any]) -> list[str]:
    return [profile["$distinct_id"] for profile in body["results"]]


def test_pages_of_a_session_give_everything_once(emulator: Any) -> None:
    emulator.control.add_profiles(people(25))
    first = ask(emulator, page_size=10).json()
    assert (first["page"], first["page_size"], first["total"], first["status"]) == (0, 10, 25, "ok")
    found = ids(first)
    for page in (1, 2):
        body = ask(emulator, page_size=10, session_id=first["session_id"], page=page).json()
        assert "total" not in body
        assert "page_size" not in body
        found += ids(body)
    assert found == [profile["$distinct_id"] for profile in people(25)]
    last = ask(emulator, page_size=10, session_id=first["session_id"], page=3).json()
    assert last["results"] == []


def test_total_everywhere_and_page_sizes(emulator: Any) -> None:
    emulator.control.add_profiles(people(5))
    emulator.control.configure(
        engage_total_everywhere=True, engage_page_size=2, engage_max_page_size=3
    )
    first = ask(emulator).json()
    assert first["page_size"] == 2
    second = ask(emulator, session_id=first["session_id"], page=1).json()
    assert (second["total"], second["page_size"]) == (5, 2)
    assert len(ids(ask(emulator, page_size=50_000).json())) == 3


def test_a_session_is_a_snapshot(emulator: Any) -> None:
    emulator.control.add_profiles(people(4))
    first = ask(emulator, page_size=2).json()
    emulator.control.set_truth("engage", [])
    second = ask(emulator, page_size=2, session_id=first["session_id"], page=1).json()
    assert ids(second) == ["u-02", "u-03"]


def test_pages_without_a_living_session_are_uncached(emulator: Any) -> None:
    emulator.control.add_profiles(people(4))
    assert ask(emulator, page=1).json()["error"] == UNCACHED
    assert ask(emulator, page=1, session_id="none").status_code == 400
    session = ask(emulator, page_size=2).json()["session_id"]
    other = ask(emulator, page_size=2, session_id=session, page=1, where='properties["n"]>0')
    assert other.json()["error"] == UNCACHED
    emulator.control.configure(engage_session_lifetime=60)
    emulator.control.advance(61)
    late = ask(emulator, page_size=2, session_id=session, page=1)
    assert (late.status_code, late.json()["error"]) == (400, UNCACHED)
    fresh = ask(emulator, page_size=2).json()["session_id"]
    emulator.control.expire_sessions()
    assert ask(emulator, session_id=fresh, page=1).status_code == 400


def test_behaviors_page_only_with_as_of_timestamp(emulator: Any, make_event: Any) -> None:
    emulator.control.add_profiles(people(4))
    emulator.control.add_events([make_event("X", distinct_id=f"u-{n:02d}") for n in range(3)])
    behaviors = json.dumps([{"window": "30d", "name": "b", "event_selectors": [{"event": "X"}]}])
    query = {"behaviors": behaviors, "where": '(behaviors["b"] > 0)', "page_size": 2}
    first = ask(emulator, **query).json()
    assert first["total"] == 3
    assert ask(emulator, session_id=first["session_id"], page=1, **query).status_code == 400
    query["as_of_timestamp"] = 1_773_144_000
    first = ask(emulator, **query).json()
    assert ids(ask(emulator, session_id=first["session_id"], page=1, **query).json()) == ["u-02"]
    both = ask(emulator, behaviors=behaviors, filter_by_cohort='{"id": 1}')
    assert both.status_code == 400


def test_sessions_are_free_of_quota(emulator: Any) -> None:
    emulator.control.add_profiles(people(9))
    emulator.control.configure(quota=True, query_per_hour=1)
    session = ask(emulator, page_size=1).json()["session_id"]
    pages = [ask(emulator, page_size=1, session_id=session, page=n) for n in range(1, 9)]
    assert {page.status_code for page in pages} == {200}
    assert ask(emulator, page_size=1).status_code == 429


def test_filters(emulator: Any) -> None:
    emulator.control.add_profiles(people(5, plan="pro"))
    emulator.control.add_profiles(
        [{"$distinct_id": "z", "$properties": {"$last_seen": "2026-02-01"}}]
    )
    assert ids(ask(emulator, where='properties["n"] >= 3').json()) == ["u-03", "u-04"]
    assert ids(ask(emulator, selector='properties["$last_seen"] > "2026-01"').json()) == ["z"]
    assert ids(ask(emulator, distinct_id="u-01").json()) == ["u-01"]
    assert ids(ask(emulator, distinct_ids='["u-01","z","none"]').json()) == ["u-01", "z"]
    assert ids(ask(emulator, search="2026-02").json()) == ["z"]
    assert ids(ask(emulator, limit=2).json()) == ["u-00", "u-01"]
    down = ask(emulator, sort_key='properties["n"]', sort_order="descending").json()
    assert ids(down)[:2] == ["u-04", "u-03"]
    one = ask(emulator, output_properties='"plan"', distinct_id="u-01").json()["results"][0]
    assert one["$properties"] == {"plan": "pro"}
    assert ask(emulator, where="properties[").status_code == 400


def test_get_and_json_bodies_work_too(emulator: Any) -> None:
    emulator.control.add_profiles(people(3))
    assert emulator.get("/api/2.0/engage", page_size=2).json()["total"] == 3
    body = {"filter_by_cohort": {"id": 5}, "include_all_users": False}
    emulator.control.add_cohort({"id": 5}, ["u-01"])
    assert ids(emulator.post(ENGAGE, json=body).json()) == ["u-01"]


def test_cohort_members_with_and_without_profile(emulator: Any) -> None:
    emulator.control.add_profiles(people(3))
    emulator.control.add_cohort({"id": 5}, ["u-01", "ghost"])
    everyone = ask(emulator, filter_by_cohort='{"id": 5}').json()
    assert everyone["results"][1] == {"$distinct_id": "ghost", "$properties": {}}
    known = ask(emulator, filter_by_cohort='{"id": 5}', include_all_users="false").json()
    assert ids(known) == ["u-01"]
    assert ask(emulator, filter_by_cohort='{"id": 6}').status_code == 404
    emulator.control.configure(missing_datagroup_cohorts=[5])
    missing = ask(emulator, filter_by_cohort='{"id": 5}')
    assert missing.status_code == 404
    assert "Missing Datagroup" in missing.json()["error"]


def test_groups(shop: Any) -> None:
    groups = shop.project("data-groups").json()["results"]
    for group in groups:
        number = group["data_group_id"]
        body = ask(shop, data_group_id=number).json()
        assert body["results"] == shop.control.truth(f"groups:{number}")
    firms = ask(shop, filter_by_cohort='{"id": 3210}').json()
    assert ids(firms) == [f"company-{n:03d}" for n in range(5)]
    assert ask(shop, data_group_id="-1").status_code == 404


def test_the_seeded_truth_is_what_is_read(shop: Any) -> None:
    assert ask(shop).json()["results"] == shop.control.truth("engage")
    members = ask(shop, filter_by_cohort='{"id": 3207}').json()
    truth = [
        m["distinct_id"] for m in shop.control.truth("cohort_members") if m["cohort_id"] == 3207
    ]
    assert ids(members) == truth
    assert "ghost-without-profile" in truth
    assert any("$last_seen" not in p["$properties"] for p in shop.control.truth("engage"))


def test_properties_have_types(emulator: Any) -> None:
    kinds = {
        "text": "a",
        "number": 1.5,
        "yes": True,
        "day": "2026-01-02",
        "moment": "2026-01-02T03:04:05",
        "many": [1],
        "thing": {"a": 1},
    }
    emulator.control.add_profiles([{"$distinct_id": "u", "$properties": kinds}])
    results = emulator.get("/api/2.0/engage/properties", limit=2000).json()["results"]
    assert {name: entry["type"] for name, entry in results.items()} == {
        "text": "string",
        "number": "number",
        "yes": "boolean",
        "day": "datetime",
        "moment": "datetime",
        "many": "list",
        "thing": "object",
    }
    assert results["text"]["count"] == 1


def test_properties_take_the_where_of_profiles(shop: Any) -> None:
    path = "/api/query/engage/properties"
    asked = shop.get(path, where='properties["$last_seen"] >= "2999-01-01T00:00:00"').json()
    assert asked == shop.get(path).json()
    assert asked["results"]


def test_stats_count(shop: Any) -> None:
    assert shop.post(ENGAGE + "/stats", {"action": "count()"}).json()["results"] == 120
    assert shop.post(ENGAGE + "/stats", {"action": "percentile(5)"}).status_code == 400


@pytest.mark.parametrize("status", [400, 404, 410])
def test_revenue_is_there_or_gone(emulator: Any, status: int) -> None:
    rows = [{"date": "2026-03-01", "amount": 1.5, "count": 2, "paid_count": 1}]
    emulator.control.set_truth("revenue", rows)
    path = "/api/2.0/engage/revenue"
    body = emulator.get(path, from_date="2026-03-01", to_date="2026-03-02", unit="day").json()
    assert body["results"]["2026-03-01"] == {"amount": 1.5, "count": 2, "paid_count": 1}
    assert body["results"]["$overall"]["amount"] == 1.5
    emulator.control.configure(revenue_status=status)
    assert emulator.get(path).status_code == status


def test_a_cohorts_number_may_be_text(shop: Any) -> None:
    def asked(number: Any) -> Any:
        body = {"filter_by_cohort": json.dumps({"id": number})}
        return shop.post("/api/query/engage", body).json()["results"]

    assert asked("3207") == asked(3207) != []
