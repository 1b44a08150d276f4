from __future__ import annotations

import base64
import gc
import gzip
import json
import warnings
from typing import Any

import mixpanel
import pytest

from mixpanel_emulator.options import CREDENTIALS
from mixpanel_emulator.updates import apply_update

NOW = 1_773_144_000  # 2026-03-10T12:00:00Z


@pytest.fixture(autouse=True)
def _dropped_sessions() -> Any:
    """The SDK never closes its connections; collect them here, where the warning is expected."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def addresses(emulator: Any) -> dict[str, Any]:
    credentials = mixpanel.ServiceAccountCredentials(
        CREDENTIALS.username, CREDENTIALS.secret, str(CREDENTIALS.project_id)
    )
    return {
        "events_url": emulator.url + "/track",
        "people_url": emulator.url + "/engage",
        "import_url": emulator.url + "/import",
        "groups_url": emulator.url + "/groups",
        "credentials": credentials,
    }


@pytest.fixture
def consumer(addresses: Any) -> Any:
    return mixpanel.Consumer(**addresses)


@pytest.fixture
def sdk(consumer: Any) -> Any:
    return mixpanel.Mixpanel(CREDENTIALS.token, consumer=consumer)


def test_the_official_sdk_tracks(emulator: Any, sdk: Any) -> None:
    sdk.track("u-1", "Buy 🛒", {"time": NOW - 60, "n": 2**70, "nested": {"a": [1]}})
    (row,) = emulator.exported()
    got = row["properties"]
    assert row["event"] == "Buy 🛒"
    assert got["time"] == NOW - 60
    assert got["n"] == 2**70
    assert got["mp_lib"] == "python"
    assert got["$mp_api_endpoint"] == "api.mixpanel.com"
    assert got["mp_processing_time_ms"] >= NOW * 1000
    assert got["$mp_api_timestamp_ms"] >= NOW * 1000
    assert "token" not in got
    assert len(got["$insert_id"]) == 32


def test_the_official_sdk_imports(emulator: Any, sdk: Any) -> None:
    sdk.import_data(None, "u-1", "Old", NOW - 9 * 86_400, {"a": 1})
    (row,) = emulator.exported("2026-03-01", "2026-03-01")
    assert row["properties"]["$import"] is True
    assert row["properties"]["$mp_event_size"] > 0


def test_the_official_sdk_sends_batches(emulator: Any, addresses: Any) -> None:
    buffered = mixpanel.BufferedConsumer(max_size=7, **addresses)
    sdk = mixpanel.Mixpanel(CREDENTIALS.token, consumer=buffered)
    for number in range(20):
        sdk.track(f"u-{number}", "Ping", {"time": NOW - number, "n": number})
    buffered.flush()
    rows = emulator.exported()
    assert sorted(row["properties"]["n"] for row in rows) == list(range(20))
    assert len(emulator.control.journal()) == 4


def test_the_official_sdk_updates_profiles(emulator: Any, sdk: Any) -> None:
    sdk.people_set("u-1", {"$name": "Ana", "n": 1})
    sdk.people_set_once("u-1", {"n": 5, "m": 2})
    sdk.people_increment("u-1", {"n": 2})
    sdk.people_append("u-1", {"list": "a"})
    sdk.people_union("u-1", {"list": ["a", "b"]})
    sdk.people_remove("u-1", {"list": "a"})
    sdk.people_unset("u-1", ["m"])
    sdk.people_set("u-2", {"x": 1})
    sdk.people_delete("u-2")
    (profile,) = emulator.control.truth("engage")
    assert profile["$distinct_id"] == "u-1"
    assert profile["$properties"].pop("$last_seen").startswith("2026-03-10T12:00")
    assert profile["$properties"] == {"$name": "Ana", "n": 3, "list": ["b"]}


def test_the_official_sdk_updates_groups(emulator: Any, sdk: Any) -> None:
    sdk.group_set("company", "Acme", {"seats": 3})
    (group,) = emulator.control.truth("data_groups")
    (profile,) = emulator.control.truth(f"groups:{group['data_group_id']}")
    assert (group["property_name"], profile["$distinct_id"]) == ("company", "Acme")
    assert profile["$properties"]["seats"] == 3


def test_the_sdk_is_told_of_a_wrong_token(emulator: Any, consumer: Any) -> None:
    stranger = mixpanel.Mixpanel("wrong", consumer=consumer)
    with pytest.raises(mixpanel.MixpanelException, match="token"):
        stranger.track("u-1", "X")
    assert emulator.control.events() == []


def test_track_refuses_what_is_older_than_five_days(sdk: Any) -> None:
    with pytest.raises(mixpanel.MixpanelException, match="5 days"):
        sdk.track("u-1", "X", {"time": NOW - 6 * 86_400})


def test_track_moves_the_future_to_now(emulator: Any, sdk: Any) -> None:
    sdk.track("u-1", "X", {"time": NOW + 90_000})
    (stored,) = emulator.control.events()
    assert NOW * 1000 <= stored["time_ms"] < (NOW + 60) * 1000


def test_track_takes_base64_by_get(emulator: Any) -> None:
    item = {"event": "Pixel", "properties": {"token": CREDENTIALS.token, "time": NOW * 1000 - 5}}
    data = base64.b64encode(json.dumps(item).encode()).decode()
    assert emulator.get("/track", project_id=None, auth=None, data=data).text == "1"
    assert emulator.get("/track", project_id=None, auth=None, data="?").text == "0"
    (stored,) = emulator.control.events()
    assert stored["time_ms"] == NOW * 1000 - 5


def _row(**properties: Any) -> dict[str, Any]:
    usual = {"time": NOW - 5, "distinct_id": "u", "$insert_id": "i-1"}
    return {"event": "X", "properties": {**usual, **properties}}


def test_strict_import_of_gzipped_json_names_each_failure(emulator: Any) -> None:
    batch = [
        _row(),
        _row(time=NOW + 7200),
        _row(**{"$insert_id": "not allowed!"}),
        _row(time="soon"),
        {"event": 5},
    ]
    response = emulator.post(
        "/import",
        gzip.compress(json.dumps(batch).encode()),
        params={"strict": "1"},
        headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
    )
    assert response.status_code == 400
    body = response.json()
    assert (body["num_records_imported"], body["status"]) == (1, "Bad Request")
    assert [failure["index"] for failure in body["failed_records"]] == [1, 2, 3, 4]
    assert body["failed_records"][0]["field"] == "properties.time"


def test_strict_import_of_lines(emulator: Any) -> None:
    lines = "\n".join(json.dumps(_row()) for _ in range(3))
    headers = {"Content-Type": "application/x-ndjson"}
    response = emulator.post("/import", lines, params={"strict": "1"}, headers=headers)
    assert response.json() == {"code": 200, "num_records_imported": 3, "status": "OK"}


def test_import_needs_credentials(emulator: Any) -> None:
    response = emulator.post("/import", "[]", auth=("who", "what"))
    assert response.status_code == 401
    body = {"code": 401, "error": "Invalid credentials", "status": "Unauthorized"}
    assert response.json() == body


def test_import_refuses_big_bodies(emulator: Any) -> None:
    response = emulator.post("/import", b"x" * 2_097_153, params={"strict": "1"})
    assert response.status_code == 413
    assert response.json()["status"] == "Request Entity Too Large"


def test_operators_are_pure() -> None:
    old = {"n": 1}
    assert apply_update(old, {"$set": {"n": 2}, "$unset": ["m"]}) == {"n": 2}
    assert old == {"n": 1}
    with pytest.raises(ValueError, match="no operation"):
        apply_update(old, {})
    with pytest.raises(ValueError, match="object"):
        apply_update(old, {"$set": 5})


def test_fractions_of_seconds_come_out_as_they_went_in(emulator: Any) -> None:
    for moment in (1_773_100_000, 1_773_100_000.25):
        held = {"token": CREDENTIALS.token, "distinct_id": "u", "time": moment}
        sent = [{"event": "Fraction", "properties": held}]
        emulator.session.post(emulator.url + "/track", json=sent, timeout=20)
    rows = [row["properties"]["time"] for row in emulator.exported()]
    assert sorted(map(repr, rows)) == ["1773100000", "1773100000.25"]
