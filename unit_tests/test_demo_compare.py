from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from examples.compare import (
    Event,
    as_text,
    differences,
    explain,
    hold,
    landed_in_duckdb,
    mend,
    mend_line,
    once,
    told_by_mixpanel,
)

NASTY = {
    "big": 2**70,
    "huge": 1e21,
    "minus zero": -0.0,
    "whole": 3.0,
    "separators": "a\u2028b\u0085c\x00d",
    "": None,
    "id": 1,
    "ID": "1",
    "nested": [{"a": [True, None]}],
}


def event(**properties: Any) -> Event:
    return Event("Buy", 1_000, "ann", "i-1", {"time": 1, **properties})


def counter(**counts: int) -> Counter[str]:
    return Counter(counts)


@pytest.mark.parametrize(
    ("value", "mended", "changed"),
    [
        ("plain \U0001f6d2", "plain \U0001f6d2", 0),
        ("lone \ud83d high", "lone \ufffd high", 1),
        ("\ud83d \ude00", "\ufffd \ufffd", 1),
        ({"k\ude00": ["\ud83d", 1, None]}, {"k\ufffd": ["\ufffd", 1, None]}, 2),
        (True, True, 0),
    ],
)
def test_a_lone_surrogate_becomes_the_replacement_character(
    value: Any, mended: Any, changed: int
) -> None:
    assert mend(value) == (mended, changed)


@pytest.mark.parametrize(
    "line",
    [
        '{"a":"\\ud83d\\ude00 a pair"}\n',
        '{"a":"\\\\ud83d is no escape"}\n',
        '{"a":1267650600228229401496703205376}\n',
        "not JSON \\ud83d\n",
    ],
)
def test_a_line_without_a_lone_surrogate_stays_as_it_is(line: str) -> None:
    assert mend_line(line) == (line, 0)


def test_a_mended_line_keeps_every_other_value() -> None:
    mended, changed = mend_line(json.dumps({**NASTY, "lone": "\ud83d"}) + "\n")
    assert changed == 1
    assert mended.endswith("\n")
    assert json.dumps(json.loads(mended)) == json.dumps({**NASTY, "lone": "\ufffd"})


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, None), ("a", "a"), (12, "12"), (1.5, "1.5"), ([1, "x"], '[1,"x"]'), (True, "true")],
)
def test_a_text_column_holds_other_values_as_json(value: Any, text: str | None) -> None:
    assert as_text(value) == text


def test_both_sides_tell_the_same_event_alike() -> None:
    told = {
        "event": "Buy",
        "time_ms": 1_700_000_000_123,
        "properties": {"distinct_id": "ann", "$insert_id": "i-1", **NASTY},
    }
    row = {
        "event": "Buy",
        "time_us": 1_700_000_000_123_000,
        "distinct_id": "ann",
        "insert_id": "i-1",
        "properties": json.dumps(
            {"time": 1_700_000_000_123, **NASTY, "$insert_id": "i-1", "distinct_id": "ann"}
        ),
    }
    mixpanel, duckdb = hold([told_by_mixpanel(told)]), hold([landed_in_duckdb(row)])
    assert not differences(mixpanel.events, duckdb.events)
    assert mixpanel.values == len(NASTY) + 3


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (1, True), (1, "1"), (0.0, -0.0), (None, ""), ([], {}), (2**53, 2**53 + 1)],
)
def test_values_that_look_alike_are_not_equal(one: Any, other: Any) -> None:
    assert differences(hold([event(x=one)]).events, hold([event(x=other)]).events)


def test_an_absent_property_is_not_a_null_one() -> None:
    assert differences(hold([event()]).events, hold([event(x=None)]).events)


def test_copies_count() -> None:
    holding = hold([event(x=1), event(x=1), event(x=2)])
    assert (holding.total, holding.copies) == (3, 1)
    difference = differences(holding.events, hold([event(x=1), event(x=2)]).events)
    assert (difference.missing.total(), difference.extra.total()) == (1, 0)


def test_each_mended_text_counts_once() -> None:
    lone = Event("Buy", 1, "\ud83d", None, {"distinct_id": "\ud83d", "x": "\ude00", "y": "z"})
    sound = Event("Buy", 1, "\ufffd", None, {"distinct_id": "\ufffd", "x": "\ufffd", "y": "z"})
    holding = hold([lone])
    assert holding.mended == 2
    assert holding.events == hold([sound]).events


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
