"""Raw events to rows."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.columns.catalog import parse_columns
from source_mixpanel.columns.privacy import Privacy
from source_mixpanel.columns.properties import Shape
from source_mixpanel.columns.types import RESCUED, object_schema
from source_mixpanel.errors import DataError
from source_mixpanel.events.rows import EVENT_CORE, EventRows
from source_mixpanel.events.schema import CORE, property_columns
from source_mixpanel.times.event_time import Stamper

_quick = settings(max_examples=40)

EVER = 1 << 62
NOON_MS = 1_769_860_800_123
NOON = "2026-01-31T12:00:00.123Z"


def _line(properties: dict[str, Any], event: Any = "Buy", **extra: Any) -> bytes:
    return json.dumps({"event": event, "properties": properties, **extra}).encode() + b"\n"


def _schema(types: dict[str, str | None] | None = None) -> dict[str, Any]:
    """As discovered: the columns of these properties, of which none is Mixpanel's own."""
    columns = property_columns(types or {}, {}, Privacy(), to_text=False)
    wanted = {
        name: spec for name, spec in columns.items() if spec["mixpanel_property"] in (types or {})
    }
    return object_schema({**CORE, **wanted})


def _maker(
    shape: Shape | None = None, zone: str | None = None, schema: dict[str, Any] | None = None
) -> EventRows:
    """By an older catalog, unless there is a schema."""
    catalog = parse_columns(schema, EVENT_CORE)
    return EventRows(catalog, _stamper(zone), shape or Shape(), Privacy())


@cache
def _stamper(zone: str | None = None) -> Stamper:
    """One for all tests: it takes its time to make."""
    return Stamper(ZoneInfo(zone) if zone else None)


def _rows(
    block: bytes, shape: Shape | None = None, schema: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    return list(_maker(shape, schema=schema).rows(block, -EVER, EVER))


def test_a_row_has_the_core_columns_first_then_one_for_each_property() -> None:
    (row,) = _rows(
        _line({"time": NOON_MS, "distinct_id": "u", "$insert_id": "i", "$city": "Lyon", "n": 2})
    )
    assert list(row.items()) == [
        ("event", "Buy"),
        ("time", NOON),
        ("distinct_id", "u"),
        ("insert_id", "i"),
        ("city", "Lyon"),
        ("n", 2),
    ]


@pytest.mark.parametrize("as_object", [False, True])
@pytest.mark.parametrize("where", ["flat", "listed", "deep"])
@pytest.mark.parametrize(
    "number", [2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30, -(2**63), -(2**63) - 1, -(10**25)]
)
def test_integers_of_any_size_stay_exact(number: int, where: str, *, as_object: bool) -> None:
    value = {"flat": number, "listed": [0.5, number], "deep": {"a": [{"b": number}]}}[where]
    properties = {"time": NOON_MS, "n": value, "price": 2.5}
    for schema in (None, _schema({"n": "boolean"}), _schema({"n": "number", "price": "number"})):
        rows = _rows(_line(properties) * 3, Shape(as_object=as_object), schema)
        for row in rows:
            found = row["properties"] if as_object else {**row, **(row.get(RESCUED) or {})}
            assert [found["n"], found["price"]] == [value, 2.5]
            assert type(found["n"]) is type(value)


def test_large_floats_stay_floats() -> None:
    (row,) = _rows(b'{"event":"a","properties":{"x":1e19,"y":-1E300,"z":[1e20]}}\n')
    assert repr([row["x"], row["y"], row["z"]]) == "[1e+19, -1e+300, [1e+20]]"


def test_an_integer_beyond_64_bits_becomes_its_own_text() -> None:
    (row,) = _rows(_line({"time": NOON_MS, "n": 10**25}), Shape(to_text=True))
    assert row["n"] == str(10**25)


def test_missing_core_properties_are_null() -> None:
    (row,) = _rows(_line({"time": NOON_MS}))
    assert row == {"event": "Buy", "time": NOON, "distinct_id": None, "insert_id": None}


def test_properties_named_like_core_columns_get_columns_of_their_own() -> None:
    (row,) = _rows(
        _line(
            {
                "time": NOON_MS,
                "event": 1,
                "$time": 2,
                "insert_id": 3,
                "$distinct_id": 4,
                "Time": 5,
                "$insert_id": "i",
            }
        )
    )
    assert (row["event"], row["time"], row["insert_id"]) == ("Buy", NOON, "i")
    assert sorted(v for v in row.values() if isinstance(v, int)) == [1, 2, 3, 4, 5]


names = st.sampled_from(["time", "$time", "a", "A", "$a", "_a", "event", "$insert_id", "$$a", ""])
json_values = st.sampled_from([None, True, 0, 1.5, 2**70, "x", "\ud800", [1], {"k": None}])


@given(st.lists(st.dictionaries(names, json_values, max_size=6), max_size=8))
@_quick
def test_the_object_layout_keeps_raw_names_and_values(many: list[dict[str, Any]]) -> None:
    rows = _rows(b"".join(map(_line, many)), Shape(as_object=True))
    assert [row["properties"] for row in rows] == many
    assert [row["insert_id"] for row in rows] == [p.get("$insert_id") for p in many]


@pytest.mark.parametrize("as_object", [True, False])
@pytest.mark.parametrize(
    "time", [None, "soon", True, [], "NaN", 10**17, -(10**17), 2**62 + 1, 2**80, 1e300, -1e300]
)
def test_an_event_without_a_readable_time_is_emitted_with_none(
    time: Any, *, as_object: bool
) -> None:
    maker = _maker(Shape(as_object=as_object))
    (row,) = maker.rows(_line({"time": time, "a": 1}), NOON_MS, NOON_MS)
    assert row["time"] is None
    assert maker.timeless == 1
    assert maker.latest_ms is None


def test_only_events_between_the_bounds_come_out_and_all_are_counted() -> None:
    maker = _maker()
    block = b"".join(_line({"time": NOON_MS + n, "n": n}) for n in range(-2, 3))
    rows = list(maker.rows(block, NOON_MS - 1, NOON_MS + 1))
    assert [row["n"] for row in rows] == [-1, 0, 1]
    assert maker.seen == 5
    assert maker.latest_ms == NOON_MS + 1


def test_times_in_the_projects_zone_become_utc_before_they_are_bounded() -> None:
    maker = _maker(zone="America/Los_Angeles")
    eight_hours = 8 * 3_600_000
    block = _line({"time": NOON_MS - eight_hours})
    assert [r["time"] for r in maker.rows(block, NOON_MS, NOON_MS)] == [NOON]


def test_only_selected_columns_come_out_and_the_core_ones_that_are_declared() -> None:
    line = _line({"time": NOON_MS, "distinct_id": "u", "$insert_id": "i", "a": 1, "b": 2})
    (row,) = _rows(line, Shape(only_declared=True), _schema({"b": "number"}))
    assert row.pop("event_key")
    core = {"event": "Buy", "time": NOON, "distinct_id": "u", "insert_id": "i"}
    assert row == {**core, "rescued_properties": None, "b": 2}
    some = {"properties": {"event_key": {"type": "string"}, "time": {"type": "string"}}}
    (row,) = _rows(line, Shape(only_declared=True), some)
    assert row.keys() == {"event_key", "time"}


def test_an_older_catalog_gives_values_as_they_are_and_counts_those_that_do_not_fit() -> None:
    schema = {"properties": {"n": {"type": ["null", "number"]}}}
    maker = _maker(schema=schema)
    line = _line({"time": NOON_MS, "distinct_id": 7, "n": "x", "other": [1]})
    rows = list(maker.rows(line * 3, -EVER, EVER))
    assert rows[0] == rows[2]
    assert (rows[0]["n"], rows[0]["other"], rows[0]["distinct_id"]) == ("x", [1], 7)
    assert rows[0].keys() == {"event", "time", "distinct_id", "insert_id", "n", "other"}
    [sentence] = maker.columns.sentences("export")
    assert "6 values of 2 properties" in sentence
    assert "'n' (3 x string in a column of number)" in sentence
    assert "'distinct_id' (3 x integer)" in sentence


def test_custom_properties_become_text_where_their_columns_take_it() -> None:
    line = _line(
        {
            "time": NOON_MS,
            "mp_processing_time_ms": 5,
            "s": "x",
            "n": None,
            "i": 2**70,
            "b": True,
            "l": [1, "é"],
            "o": {"k": 1.5},
            "counted": 3,
        }
    )
    types: dict[str, str | None] = dict.fromkeys(["s", "n", "i", "b", "l", "o"])
    schema = _schema({**types, "counted": "number", "mp_processing_time_ms": "integer"})
    for row in _rows(line * 3, Shape(to_text=True), schema):
        assert row["mp_processing_time_ms"] == 5
        assert (row["s"], row["n"], row["i"], row["b"]) == ("x", None, str(2**70), "true")
        assert json.loads(row["l"]) == [1, "é"]
        assert json.loads(row["o"]) == {"k": 1.5}
        assert row["counted"] == 3
        assert row[RESCUED] is None


@pytest.mark.parametrize(
    ("odd", "text", "rescued"),
    [
        (12345, "12345", None),
        (12345.5, "12345.5", {"distinct_id": 12345.5}),
        (True, "true", {"distinct_id": True}),
        (["a"], '["a"]', {"distinct_id": ["a"]}),
        (None, None, None),
    ],
)
def test_an_id_that_is_no_text_becomes_text_and_is_rescued_where_that_loses_something(
    odd: Any, text: str | None, rescued: Any
) -> None:
    for row in _rows(_line({"time": NOON_MS, "distinct_id": odd}) * 3, schema=_schema({})):
        assert (row["distinct_id"], row[RESCUED]) == (text, rescued)
    (row,) = _rows(_line({"time": NOON_MS, "distinct_id": odd}), Shape(as_object=True), _schema({}))
    assert (row["distinct_id"], row["properties"]["distinct_id"]) == (text, odd)


def test_a_time_that_cannot_be_read_is_rescued() -> None:
    (row,) = _rows(_line({"time": "soon"}), schema=_schema({}))
    assert (row["time"], row[RESCUED]) == (None, {"time": "soon"})


def test_further_keys_of_older_answers_become_columns_but_never_replace_properties() -> None:
    (row,) = _rows(_line({"time": NOON_MS, "dataset": "mine"}, labels=["x"], dataset="theirs"))
    assert row["labels"] == ["x"]
    assert row["dataset"] == "mine"


@pytest.mark.parametrize(
    "line",
    [
        b"{}\n",
        b"[1,2]\n",
        b"5\n",
        b'"event"\n',
        b"null\n",
        b'{"event":"a"}\n',
        b'{"properties":{}}\n',
        b'{"event":null,"properties":{}}\n',
        b'{"event":"a","properties":[]}\n',
        b'{"error":"too much"}\n',
        b'{"event":"a","prop{"error":"x"}\n',
    ],
)
def test_a_line_that_is_no_event_stops_the_sync(line: bytes) -> None:
    with pytest.raises(DataError, match="so the sync stops rather than drop it"):
        _rows(_line({"time": NOON_MS}) + line)
