from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from examples.compare import (
    Column,
    Event,
    as_held,
    as_text,
    columns_of,
    differences,
    escaped,
    explain,
    hold,
    landed_in_duckdb,
    once,
    told_by_mixpanel,
)

NASTY = {
    "big": 2**70,
    "huge": 1e21,
    "minus zero": -0.0,
    "whole": 3.0,
    "price": 0.1,
    "separators": "a\u2028b\u0085c",
    "": None,
    "id": 1,
    "ID": "1",
    "lone": "half \ud83d",
    "version": 124,
    "nested": [{"a": [True, None]}],
}


def event(**properties: Any) -> Event:
    return Event("Buy", 1_000, "ann", "i-1", properties)


def counter(**counts: int) -> Counter[str]:
    return Counter(counts)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("a", "a"),
        (12, "12"),
        (1.5, "1.5"),
        ([1, "x"], '[1,"x"]'),
        (True, "true"),
        ("half \ud83d", "half \\ud83d"),
    ],
)
def test_a_column_of_ids_holds_other_values_as_json(value: Any, text: str | None) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("value", "held"),
    [
        (1, {"number": "1"}),
        (1.0, {"number": "1"}),
        (Decimal("1.000000000"), {"number": "1"}),
        (-0.0, {"number": "0"}),
        (0.12345678949, {"number": "0.123456789"}),
        (2**53 + 1, {"number": "9007199254740993"}),
        (Decimal("1000000000000000019884.624838656"), {"number": "1E+21"}),
        (True, True),
        ("1", "1"),
        ("half \ud83d", '"half \\ud83d"'),
        (["\ud83d", 1], '["\\ud83d",1]'),
        ("a\x00b", "a\x00b"),
        ({"a": "\ud83d\ude00"}, '{"a":"\\ud83d\\ude00"}'),
        ({"a": 1.0}, {"a": 1.0}),
    ],
)
def test_a_value_is_told_as_a_table_holds_it(value: Any, held: Any) -> None:
    assert as_held(value) == held


@pytest.mark.parametrize(("value", "held"), [(124, "124"), ("124", "124"), ([1], "[1]")])
def test_a_column_of_several_types_holds_text(value: Any, held: str) -> None:
    assert as_held(value, is_mixed=True) == held


def test_columns_are_known_by_what_their_schemas_say() -> None:
    said: dict[str, dict[str, Any]] = {
        "event": {"type": ["null", "string"]},
        "_a": {"type": ["null", "string"], "mixpanel_property": "A"},
        "tags": {"type": ["null", "array"], "mixpanel_property": "tags"},
        "version": {"type": ["null", "number", "string"], "mixpanel_property": "$version"},
    }
    assert columns_of(said) == {
        "_a": Column("A"),
        "tags": Column("tags", is_json=True),
        "version": Column("$version", is_mixed=True),
    }


def test_both_sides_tell_the_same_event_alike() -> None:
    told = {
        "event": "Buy \ud83d",
        "time_ms": 1_700_000_000_123,
        "properties": {"distinct_id": 12.5, "$insert_id": "i-1", **NASTY},
    }
    in_columns = {
        "whole": Decimal("3.000000000"),
        "price": Decimal("0.100000000"),
        "id": Decimal("1.000000000"),
        "_ID": "1",
        "separators": "a\u2028b\u0085c",
        "version": "124",
        "nested": '[{"a": [true, null]}]',
        "lone": None,
    }
    rescued = {"big": 2**70, "huge": 1e21, "minus zero": -0.0, "lone": '"half \\ud83d"'}
    row = {
        "event": "Buy \\ud83d",
        "time": datetime(2023, 11, 14, 22, 13, 20, 123_000),  # noqa: DTZ001 - as tables have it
        "distinct_id": "12.5",
        "insert_id": "i-1",
        **in_columns,
        "rescued_properties": json.dumps({**rescued, "distinct_id": 12.5}),
    }
    columns = {name: Column(name.removeprefix("_"), name == "nested") for name in in_columns}
    columns["version"] = Column("version", is_mixed=True)
    mixpanel = hold([told_by_mixpanel(told, ["version"])])
    duckdb = hold([landed_in_duckdb(row, columns)])
    assert not list(explain(differences(mixpanel.events, duckdb.events)))
    assert mixpanel.values == len(NASTY) - 1


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, True), (1, "1"), ("true", True), ([], {}), (2**53, 2**53 + 1), ([1], [1.0])],
)
def test_values_that_look_alike_are_not_equal(one: Any, other: Any) -> None:
    ours, theirs = (hold([event(x=as_held(value))]).events for value in (one, other))
    assert differences(ours, theirs)


def test_a_null_property_is_an_absent_one() -> None:
    nulled = {"event": "Buy", "time_ms": 1, "properties": {"x": None}}
    absent = {"event": "Buy", "time_ms": 1, "properties": {}}
    assert told_by_mixpanel(nulled) == told_by_mixpanel(absent)


def test_names_are_escaped_as_texts_are() -> None:
    odd = {"event": "a\ud800", "time_ms": 1, "properties": {"b\udfff": 1}}
    told = told_by_mixpanel(odd)
    assert (told.event, [*told.properties]) == ("a\\ud800", ["b\\udfff"])
    assert escaped("plain \U0001f6d2") == "plain \U0001f6d2"


def test_copies_count() -> None:
    holding = hold([event(x=1), event(x=1), event(x=2)])
    assert (holding.total, holding.copies) == (3, 1)
    difference = differences(holding.events, hold([event(x=1), event(x=2)]).events)
    assert (difference.missing.total(), difference.extra.total()) == (1, 0)


@pytest.mark.parametrize(
    ("first", "second", "held"),
    [
        (counter(a=2, b=1), counter(), counter(a=2, b=1)),
        (counter(a=2, b=1), counter(a=2), counter(a=2, b=1)),
        (counter(a=1), counter(a=2, c=1), counter(a=2, c=1)),
    ],
)
def test_what_the_second_sync_repeats_is_held_once(
    first: Counter[str], second: Counter[str], held: Counter[str]
) -> None:
    assert once(first, second) == held


def test_equal_multisets_need_no_explanation() -> None:
    events = hold([event(x=1)]).events
    assert not list(explain(differences(events, events)))


def test_a_changed_value_is_explained_by_its_property() -> None:
    lines = list(explain(differences(hold([event(x=1)]).events, hold([event(x="1")]).events)))
    assert lines[0].startswith("differs: ")
    assert lines[1:] == ['    "x": Mixpanel 1 | DuckDB "1"']


def test_lost_and_made_up_events_are_named() -> None:
    lost = event(x=1)
    made_up = Event("Sell", 1, "bob", "i-2", {})
    lines = list(explain(differences(hold([lost, lost]).events, hold([made_up]).events)))
    assert [line.partition(" {")[0] for line in lines] == [
        "missing in DuckDB (2):",
        "only in DuckDB (1):",
    ]


def test_an_explanation_is_short() -> None:
    lost = hold(event(x=number) for number in range(100)).events
    assert len(list(explain(differences(lost, Counter()), limit=5))) == 5
