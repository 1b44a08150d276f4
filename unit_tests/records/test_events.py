"""Raw events to rows."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.errors import DataError
from source_mixpanel.instants import Stamper
from source_mixpanel.records.events import EventRows, Shape
from source_mixpanel.records.naming import ColumnNames

_quick = settings(max_examples=40)

EVER = 1 << 62
NOON_MS = 1_769_860_800_123
NOON = "2026-01-31T12:00:00.123Z"


def _line(properties: dict[str, Any], event: Any = "Buy", **extra: Any) -> bytes:
    return json.dumps({"event": event, "properties": properties, **extra}).encode() + b"\n"


def _maker(shape: Shape | None = None, zone: str | None = None) -> EventRows:
    return EventRows(ColumnNames({}), _stamper(zone), shape or Shape())


@cache
def _stamper(zone: str | None = None) -> Stamper:
    """One for all tests: it takes its time to make."""
    return Stamper(ZoneInfo(zone) if zone else None)


def _rows(block: bytes, shape: Shape | None = None) -> list[dict[str, Any]]:
    return list(_maker(shape).rows(block, -EVER, EVER))


def _only(column: str) -> Shape:
    """Only what the configured catalog has."""
    schema = {"properties": {column: {"type": ["null", "string"]}}}
    return Shape(only_declared=True).declared_by(schema, ())


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
    maker = _maker(Shape(as_object=as_object, declared={"n": frozenset({"boolean"})}))
    (row,) = maker.rows(_line(properties), -EVER, EVER)
    found = row["properties"] if as_object else row
    assert [found["n"], found["price"]] == [value, 2.5]
    assert type(found["n"]) is type(value)
    kind = {"flat": "integer", "listed": "array", "deep": "object"}[where]
    assert maker.columns.misfits() == ({} if as_object else {"n": {kind: 1}})


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
def test_no_value_is_lost_changed_or_moved_to_another_column(many: list[dict[str, Any]]) -> None:
    columns = ColumnNames({})
    maker = EventRows(columns, _stamper(), Shape())
    rows = list(maker.rows(b"".join(map(_line, many)), -EVER, EVER))
    assert len(rows) == len(many) == maker.seen
    for properties, row in zip(many, rows, strict=True):
        for raw, value in properties.items():
            if raw != "time":
                assert row[columns.column(raw)] == value
        extra = row.keys() - {columns.column(raw) for raw in properties}
        assert extra <= {"event", "time", "distinct_id", "insert_id"}


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


def test_only_selected_columns_come_out_and_the_core_ones_always() -> None:
    (row,) = _rows(_line({"time": NOON_MS, "distinct_id": "u", "a": 1, "b": 2}), _only("b"))
    assert row == {"event": "Buy", "time": NOON, "distinct_id": "u", "insert_id": None, "b": 2}


def test_leaving_a_column_out_does_not_change_the_others_names() -> None:
    block = _line({"time": NOON_MS, "$a": 1, "A": 2})
    (full,) = _rows(block)
    (some,) = _rows(block, _only("_A"))
    assert some["_A"] == full["_A"]
    assert "a" not in some


def test_custom_properties_become_text_and_mixpanels_own_do_not() -> None:
    (row,) = _rows(
        _line(
            {
                "time": NOON_MS,
                "distinct_id": 7,
                "mp_processing_time_ms": 5,
                "s": "x",
                "n": None,
                "i": 2**70,
                "b": True,
                "l": [1, "é"],
                "o": {"k": 1.5},
            }
        ),
        Shape(to_text=True, native=frozenset({"mp_processing_time_ms"})),
    )
    assert row["mp_processing_time_ms"] == 5
    assert row["distinct_id"] == 7
    assert (row["s"], row["n"], row["i"], row["b"]) == ("x", None, str(2**70), "true")
    assert json.loads(row["l"]) == [1, "é"]
    assert json.loads(row["o"]) == {"k": 1.5}


def test_further_keys_of_older_answers_become_columns_but_never_replace_properties() -> None:
    (row,) = _rows(_line({"time": NOON_MS, "dataset": "mine"}, labels=["x"], dataset="theirs"))
    assert row["labels"] == ["x"]
    assert row["dataset"] == "mine"


def test_values_of_other_types_than_declared_are_counted_by_column() -> None:
    declared = {"a": frozenset({"null", "integer"}), "b": frozenset({"number"}), "c": frozenset()}
    maker = _maker(Shape(declared=declared))
    lines: list[dict[str, Any]] = [
        {"time": NOON_MS, "a": 1, "b": 2, "c": 3},
        {"time": NOON_MS, "a": "x", "b": 2.5},
        {"a": True, "b": None, "time": NOON_MS},
        {"time": NOON_MS, "a": "y", "b": [], "z": 1},
    ]
    list(maker.rows(b"".join(map(_line, lines)), -EVER, EVER))
    expected = {"a": {"boolean": 1, "string": 2}, "b": {"array": 1}}
    assert maker.columns.misfits() == expected
    assert maker.columns.misfits() == expected


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


def test_more_kinds_of_event_than_are_kept_in_mind_still_give_the_same_rows_and_counts() -> None:
    maker = _maker(Shape(declared={"same": frozenset({"string"})}))
    block = b"".join(_line({"time": NOON_MS, "same": 1, f"p{n}": n}) for n in range(20_100))
    rows = list(maker.rows(block, -EVER, EVER))
    assert all(row[f"p{n}"] == n for n, row in enumerate(rows))
    assert maker.columns.misfits() == {"same": {"integer": 20_100}}


def test_more_mixtures_of_types_than_are_kept_in_mind_still_give_the_same_rows_and_counts() -> None:
    maker = _maker(Shape(declared={"p0": frozenset({"string"})}))
    many: list[dict[str, Any]] = [
        {"time": NOON_MS, **{f"p{bit}": n if n >> bit & 1 else str(n) for bit in range(15)}}
        for n in range(20_100)
    ]
    rows = maker.rows(b"".join(map(_line, many)), -EVER, EVER)
    assert all(row["p3"] == made["p3"] for row, made in zip(rows, many, strict=True))
    assert maker.columns.misfits() == {"p0": {"integer": 10_050}}
