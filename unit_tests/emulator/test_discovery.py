from __future__ import annotations

from typing import Any

from mixpanel_emulator.options import CREDENTIALS

TOP = "/api/query/events/properties/top"


def test_top_properties_with_and_without_event(emulator: Any, make_event: Any) -> None:
    events = [make_event("A", a=1, b=2), make_event("A", a=1), make_event("B", ß=1)]
    emulator.control.add_events(events)
    assert emulator.get(TOP, event="A").json() == {
        "a": {"count": 2},
        "mp_processing_time_ms": {"count": 2},
        "b": {"count": 1},
    }
    everything = emulator.get(TOP, limit=2000).json()
    assert everything["ß"] == {"count": 1}
    assert emulator.get(TOP, limit=1).json() == {"mp_processing_time_ms": {"count": 3}}
    emulator.control.configure(top_without_event=False)
    assert emulator.get(TOP).status_code == 400


def test_top_properties_default_to_ten(shop: Any) -> None:
    assert len(shop.get(TOP).json()) == 10


def test_names_are_the_common_ones_in_descending_alphabet(shop: Any) -> None:
    names = shop.get("/api/query/events/names", type="general").json()
    assert names == sorted(names, reverse=True)
    assert set(names) == {event["event"] for event in shop.control.events()}
    assert len(shop.get("/api/query/events/names", type="general", limit=3).json()) == 3
    assert shop.get("/api/query/events/names").status_code == 400


def test_names_of_other_days(emulator: Any, make_event: Any) -> None:
    emulator.control.add_events([make_event("Now"), make_event("Then", time=1_735_732_800_000)])
    path = "/api/query/events/names"
    assert emulator.get(path, type="general").json() == ["Now"]
    old = {"from_date": "2025-01-01", "to_date": "2025-01-02"}
    assert emulator.get(path, type="general", **old).json() == ["Then"]
    bad = emulator.get(path, type="general", from_date="1999-01-01", to_date="2025-01-02")
    assert "invalid date, bad year" in bad.json()["error"]


def test_me_tells_the_zone(emulator: Any) -> None:
    emulator.control.configure(timezone="Asia/Kolkata")
    results = emulator.app("me").json()["results"]
    assert results["projects"][str(CREDENTIALS.project_id)]["timezone"] == "Asia/Kolkata"
    assert emulator.app("me/").status_code == 200


def test_workspaces(emulator: Any) -> None:
    (view, other) = emulator.project("workspaces/public").json()["results"]
    assert view["id"] == CREDENTIALS.workspace_id
    assert other["is_global"] is False
    index = emulator.app("projects/metadata/index").json()["results"]
    assert str(view["id"]) in index[str(CREDENTIALS.project_id)]["workspaces"]


def test_schemas(shop: Any) -> None:
    everything = shop.project("schemas").json()["results"]
    events = shop.project("schemas/event").json()["results"]
    assert {schema["entityType"] for schema in everything} == {"event", "profile"}
    assert {schema["name"] for schema in events} < {e["event"] for e in shop.control.events()}
    one = shop.project("schemas/event", entity_name="Purchase").json()["results"]
    assert one["properties"]["amount"]["type"] == "number"
    assert shop.project("schemas/event/Purchase").json()["results"] == one
    assert shop.project("schemas/planet").status_code == 400
    assert shop.project("schemas/event/none").status_code == 404
