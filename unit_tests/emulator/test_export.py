from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

AFTER_DST = 1_773_010_800_000  # 2026-03-08T23:00:00Z, 16:00 in Los Angeles, on summer time


def test_a_day_is_read_inclusively_in_utc(emulator: Any, make_event: Any) -> None:
    midnight = 1_772_928_000_000  # 2026-03-08T00:00:00Z
    for offset in (-1, 0, 86_399_999, 86_400_000):
        emulator.control.add_events([make_event(time=midnight + offset, offset=offset)])
    rows = emulator.exported("2026-03-08", "2026-03-08")
    assert {row["properties"]["offset"] for row in rows} == {0, 86_399_999}


def test_an_old_project_reads_and_prints_wall_clock(emulator: Any, make_event: Any) -> None:
    emulator.control.configure(project_kind="local")
    emulator.control.add_events([make_event(time=AFTER_DST)])
    (row,) = emulator.exported("2026-03-08", "2026-03-08")
    assert row["properties"]["time"] == AFTER_DST // 1000 - 7 * 3600


def test_an_old_project_knows_winter_time(emulator: Any, make_event: Any) -> None:
    emulator.control.configure(project_kind="local")
    before = 1_772_960_400_000  # 2026-03-08T09:00:00Z, 01:00 local, an hour before the change
    emulator.control.add_events([make_event(time=before)])
    (row,) = emulator.exported("2026-03-08", "2026-03-08")
    assert row["properties"]["time"] == before // 1000 - 8 * 3600


def test_a_zone_change_leaves_stored_events_alone(emulator: Any, make_event: Any) -> None:
    emulator.control.configure(project_kind="local")
    emulator.control.add_events([make_event(time=AFTER_DST, when="before")])
    emulator.control.configure(timezone="UTC")
    emulator.control.add_events([make_event(time=AFTER_DST, when="after")])
    times = {r["properties"]["when"]: r["properties"]["time"] for r in emulator.exported()}
    assert times == {"before": AFTER_DST // 1000 - 7 * 3600, "after": AFTER_DST // 1000}


@pytest.mark.parametrize(
    ("kind", "now", "last", "status"),
    [
        ("utc", "2026-03-10T02:00:00Z", "2026-03-10", 200),
        ("utc", "2026-03-10T02:00:00Z", "2026-03-11", 400),
        ("local", "2026-03-10T02:00:00Z", "2026-03-09", 200),
        ("local", "2026-03-10T02:00:00Z", "2026-03-10", 400),
    ],
)
def test_to_date_may_be_today_but_not_later(
    emulator: Any, kind: str, now: str, last: str, status: int
) -> None:
    emulator.control.configure(project_kind=kind)
    emulator.control.set_clock(now)
    response = emulator.export("2026-03-01", last)
    assert response.status_code == status
    if status == 400:
        assert response.text == "to_date cannot be later than today"
        assert response.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (None, "2026-03-01", "from_date"),
        ("2026-03-01", None, "to_date"),
        ("2026-3-1", "2026-03-01", "from_date"),
        ("2026-02-30", "2026-03-01", "from_date"),
        ("1999-12-31", "2026-03-01", "bad year"),
        ("2026-03-02", "2026-03-01", "later than"),
    ],
)
def test_bad_dates_are_refused(emulator: Any, first: Any, last: Any, words: str) -> None:
    response = emulator.get("/api/2.0/export", from_date=first, to_date=last)
    assert response.status_code == 400
    assert words in response.text


@pytest.mark.parametrize(
    "params",
    [
        {"event": "Signup"},
        {"event": '{"a":1}'},
        {"event": "[1]"},
        {"limit": 0},
        {"limit": 100_001},
        {"limit": "ten"},
        {"time_in_ms": "yes"},
        {"where": "properties["},
        {"format": "json"},
    ],
)
def test_bad_parameters_are_refused(emulator: Any, params: Any) -> None:
    assert emulator.export(**params).status_code == 400


def test_filters_by_event_where_and_limit(emulator: Any, make_event: Any) -> None:
    emulator.control.add_events(
        [make_event("A", n=number) for number in range(10)] + [make_event("B", n=1)]
    )
    assert len(emulator.exported(event='["A","none"]')) == 10
    assert len(emulator.exported(event='["A"]', limit=3)) == 3
    assert len(emulator.exported(where='properties["n"] == 1')) == 2
    assert emulator.exported(event='["none"]') == []


def test_time_in_ms_and_iso_time(emulator: Any, make_event: Any) -> None:
    emulator.control.add_events([make_event(time=1_773_100_000_123)])
    (row,) = emulator.exported()
    assert row["properties"]["time"] == 1_773_100_000
    (row,) = emulator.exported(time_in_ms="true")
    assert row["properties"]["time"] == 1_773_100_000_123
    emulator.control.configure(time_as_iso=True)
    (row,) = emulator.exported()
    assert row["properties"]["time"] == "2026-03-09T23:46:40Z"


HARD = {
    "ints": [2**53 + 1, 2**70, -(2**63) - 1],
    "floats": [1e21, 0.1, 5e-324],
    "separators": "a\u2028b\u0085c\x0bd",
    "surrogate": "x\ud83dy",
    "nested": {"a": [{"b": None}, [], {}]},
    "": "empty",
    "id": 1,
    "Id": 2,
    "$x": 3,
    "x": 4,
    "event": "property",
    "time_": 5,
    "emoji": "🛒",
}


def test_values_round_trip_exactly(emulator: Any, make_event: Any) -> None:
    emulator.control.add_events([make_event(minus=-0.0, **HARD)])
    (row,) = emulator.exported()
    got = row["properties"]
    assert {name: got[name] for name in HARD} == HARD
    assert math.copysign(1, got["minus"]) == -1
    assert isinstance(got["minus"], float)


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


RESERVED = ("time", "mp_processing_time_ms")
NAMES = st.text().filter(lambda name: name not in RESERVED)
PATIENT = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@PATIENT
@given(properties=st.dictionaries(NAMES, ANY_JSON))
def test_any_json_round_trips(emulator: Any, properties: dict[str, Any]) -> None:
    emulator.control.reset()
    given_properties = {"mp_processing_time_ms": 1, **properties}
    event = {"event": "Any", "properties": {"time": 1_773_100_000_000, **given_properties}}
    emulator.control.add_events([event])
    (row,) = emulator.exported()
    del row["properties"]["time"]
    assert json.dumps(row["properties"]) == json.dumps(given_properties)


def test_odd_characters_appear_raw_and_surrogates_escaped(emulator: Any, make_event: Any) -> None:
    emulator.control.add_events([make_event("näme\u2028", **HARD)])
    body = emulator.export().content
    assert "a\u2028b\u0085c".encode() in body
    assert b"x\\ud83dy" in body
    assert body.count(b"\n") == 1
    assert body.startswith('{"event":"näme\u2028","properties":{"time":1773100000,'.encode())


def test_duplicates_are_kept_and_order_is_fixed_but_not_of_time(
    emulator: Any, make_event: Any
) -> None:
    base = 1_772_500_000_000
    emulator.control.add_events([make_event(time=base + n * 3_600_000, n=n) for n in range(100)])
    emulator.control.add_events([make_event(time=base, n=0)])
    order = [row["properties"]["n"] for row in emulator.exported()]
    assert order.count(0) == 2
    assert order != sorted(order)
    assert order == [row["properties"]["n"] for row in emulator.exported()]


def test_no_match_is_an_empty_200(emulator: Any) -> None:
    response = emulator.export()
    assert (response.status_code, response.content) == (200, b"")


def test_gzip_only_when_asked_and_over_1400_bytes(emulator: Any, make_event: Any) -> None:
    emulator.control.add_events([make_event(mark="small")])
    assert "content-encoding" not in emulator.export().headers
    emulator.control.add_events([make_event(mark="big", filler="x" * 1400)])
    response = emulator.export()
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["transfer-encoding"] == "chunked"
    emulator.session.headers["Accept-Encoding"] = "identity"
    plain = emulator.export()
    assert "content-encoding" not in plain.headers
    assert plain.content == response.content
    emulator.session.headers["Accept-Encoding"] = "gzip"
    emulator.control.configure(gzip=False)
    assert "content-encoding" not in emulator.export().headers


def test_events_show_after_the_lag_only(emulator: Any, make_event: Any) -> None:
    emulator.control.configure(visibility_lag=60)
    emulator.control.add_events([make_event()])
    assert emulator.exported() == []
    emulator.control.advance(61)
    assert len(emulator.exported()) == 1
    later = emulator.control.now_ms() + 5_000
    emulator.control.add_events([{**make_event(n=2), "visible_at_ms": later}])
    assert len(emulator.exported()) == 1
    emulator.control.advance(6)
    assert len(emulator.exported()) == 2


def test_history_limit_and_free_plan(emulator: Any) -> None:
    emulator.control.configure(plan="free", history_days=30)
    assert emulator.export("2026-02-10", "2026-02-11").status_code == 200
    response = emulator.export("2026-01-01", "2026-02-11")
    assert response.status_code == 403
    assert response.text == "Date range exceeds 30 days into the past"
    assert emulator.get("/api/query/events/names", type="general").status_code == 402


def test_processing_time_is_set_kept_or_left_out(emulator: Any, make_event: Any) -> None:
    control = emulator.control
    control.set_clock("2026-03-10T11:00:00Z", frozen=True)
    control.add_events(
        [
            make_event(case="set"),
            make_event(case="kept", mp_processing_time_ms=5),
            make_event(case="null", mp_processing_time_ms=None),
            make_event(case="none", mp_processing_time_ms="none"),
        ]
    )
    got = {
        row["properties"]["case"]: row["properties"].get("mp_processing_time_ms")
        for row in emulator.exported()
    }
    assert got == {"set": 1_773_140_400_000, "kept": 5, "null": None, "none": None}
    assert sum(b"mp_processing" in line for line in emulator.export().content.split(b"\n")) == 2


def test_removed_events_are_gone(emulator: Any, make_event: Any) -> None:
    insert = {"$insert_id": "a1"}
    emulator.control.add_events([make_event(**insert), make_event(**insert), make_event()])
    assert emulator.control.remove_events("a1", "zz") == 2
    assert len(emulator.exported()) == 1


def test_a_large_window_streams_in_pages(emulator: Any, make_event: Any) -> None:
    emulator.control.add_events([make_event(n=number) for number in range(3500)])
    numbers = [row["properties"]["n"] for row in emulator.exported()]
    assert sorted(numbers) == list(range(3500))


def test_the_truth_is_what_was_stored(emulator: Any, make_event: Any) -> None:
    emulator.control.add_events([make_event(**HARD)])
    (stored,) = emulator.control.events()
    assert stored["time_ms"] == 1_773_100_000_000
    assert {name: stored["properties"][name] for name in HARD} == HARD
    assert json.dumps(stored["properties"]["ints"]) == json.dumps(HARD["ints"])


def test_unknown_path_parameter_and_method(emulator: Any) -> None:
    assert emulator.get("/api/2.0/nothing").status_code == 404
    assert "colour" in emulator.export(colour="red").text
    assert emulator.post("/api/2.0/export").status_code == 405
