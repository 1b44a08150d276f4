from __future__ import annotations

import json
from collections import Counter
from typing import Any

from mixpanel_emulator.clock import parse_instant

DAY = 86_400_000


def test_the_same_seed_makes_the_same_bytes(emulator: Any) -> None:
    bodies = []
    for seed in (3, 3, 4):
        emulator.control.set_clock("2026-03-10T12:00:00Z")
        emulator.control.seed(seed, events=300, days=5, profiles=20)
        bodies.append(emulator.export().content + json.dumps(truths(emulator)).encode())
    assert bodies[0] == bodies[1]
    assert bodies[0] != bodies[2]


def truths(client: Any) -> list[Any]:
    return [client.control.truth(kind) for kind in ("engage", "schemas")]


def test_the_shop_is_believable(shop: Any) -> None:
    now = parse_instant("2026-03-10T12:00:00Z")
    events = shop.control.events()
    assert len(events) == 1500
    assert len({event["event"] for event in events}) >= 15
    assert all(now - 10 * DAY <= event["time_ms"] <= now for event in events)
    assert all(event["visible_at_ms"] <= now for event in events)
    assert len({event["time_ms"] // DAY for event in events}) == 10
    assert len(shop.exported()) == 1500
    assert len(shop.control.truth("engage")) == 120


def test_the_shop_has_what_real_data_has(shop: Any) -> None:
    events = shop.control.events()
    rows = [event["properties"] for event in events]
    late = [
        event["properties"].get("mp_processing_time_ms", 0) - event["time_ms"] for event in events
    ]
    assert any(lateness > DAY for lateness in late)
    assert any("$insert_id" not in row for row in rows)
    assert any("mp_processing_time_ms" not in row for row in rows)
    assert any(row["distinct_id"] is None for row in rows)
    inserts = Counter(row.get("$insert_id") for row in rows if "$insert_id" in row)
    assert inserts.most_common(1)[0][1] > 1
    assert len({type(row["price"]) for row in rows if "price" in row}) == 3
    names = {name for row in rows for name in row}
    assert {"id", "Id", "$x", "x", "event", "insert_id", "", "brackets[0]"} <= names
    assert any(row.get("bigger") == 2**70 for row in rows)
    assert any("\u2028" in str(row.get("separators")) for row in rows)


def types(rows: list[dict[str, Any]], name: str) -> set[type]:
    return {type(row[name]) for row in rows if name in row}


def test_the_shop_has_ids_and_types_as_sdks_really_send_them(shop: Any) -> None:
    rows = [row["properties"] for row in shop.exported()]
    assert types(rows, "time") == {int, float}
    assert types(rows, "distinct_id") == {str, int, type(None)}
    assert int in types(rows, "$user_id")
    assert types(rows, "$app_build_number") == types(rows, "$browser_version") == {int, str}
    assert any(row["distinct_id"] == row["$device_id"] for row in rows)
    assert any(row["distinct_id"] == f"$device:{row['$device_id']}" for row in rows)


def test_float_seconds_are_the_true_moment_and_milliseconds_are_whole(shop: Any) -> None:
    def times(**asked: Any) -> dict[str, set[Any]]:
        found: dict[str, set[Any]] = {}
        for row in shop.exported(**asked):
            held = row["properties"]
            found.setdefault(held.get("$insert_id", ""), set()).add(held["time"])
        return found

    exact = times(time_in_ms="true")
    for key, moments in times().items():
        if key:
            [short], [ms] = moments, exact[key]
            assert short == (ms / 1000 if isinstance(short, float) else ms // 1000)
            assert isinstance(ms, int)


def test_a_bigger_world_covers_its_days(emulator: Any) -> None:
    assert emulator.control.seed(1, events=50, days=3)["events"] == 50
    emulator.control.seed(1, events=0, profiles=0)
    assert emulator.control.events() == []
    assert emulator.control.truth("engage") == []
