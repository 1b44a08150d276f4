"""What the configured catalog decides: each value in its column or rescued, once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.columns.catalog import parse_columns
from source_mixpanel.columns.naming import Core
from source_mixpanel.columns.properties import PropertyColumns, Shape
from source_mixpanel.columns.types import RESCUED, column_schema, object_schema

_quick = settings(max_examples=80)

CORE = Core({"id": "id"}, ("key",))
TYPES = ["string", "number", "integer", "boolean", "array", "object", "number or string"]

raws = st.sampled_from(["id", "a", "$a", "b", "c", "d", "e", "", "\u65e5"])
values = st.sampled_from(
    [None, True, 0, 1.5, 2**63, 2**64, -(2**63) - 1, 10**29, 1e29, -1e300, "x", "", [1], {"k": 2.5}]
)
schemas = st.dictionaries(raws, st.sampled_from(TYPES), max_size=5)
rows = st.lists(st.dictionaries(raws, values, max_size=7), max_size=8)


def declared(types: dict[str, str], *, rescues: bool = True) -> dict[str, Any]:
    """A catalog with a column `c_<name>` for each property."""
    columns = {f"c_{raw}": {**column_schema(kind), "mixpanel_property": raw}
               for raw, kind in types.items() if raw != "id"}  # fmt: skip
    core = {"key": "string", "id": "string", "event_key": "string"}
    return object_schema({**core, **columns}, rescues=rescues)


def maker(schema: dict[str, Any] | None, **shape: bool) -> PropertyColumns:
    return PropertyColumns(parse_columns(schema, CORE), Shape(**shape), CORE)


def fits(value: Any, kind: str) -> bool:
    """Whether a typed column of a warehouse takes a value as it is."""
    whole = type(value) is int
    number = (whole or type(value) is float) and abs(value) < 10**29
    return {
        "string": type(value) is str,
        "number": number,
        "integer": whole and -(2**63) <= value < 2**63,
        "boolean": type(value) is bool,
        "array": type(value) is list,
        "object": type(value) is dict,
        "number or string": type(value) in (int, float, str),
    }[kind]


@given(schemas, rows)
@_quick
def test_every_value_is_in_its_column_or_rescued_and_never_both(
    types: dict[str, str], many: list[dict[str, Any]]
) -> None:
    made = maker(declared(types))
    odd = 0
    # Rows of names and types that came before are made in another way than the first ones.
    for properties in many * 3:
        row = made.row(properties)
        want: dict[str, Any] = {"key": None, "id": properties.get("id"), RESCUED: None}
        rescued = {}
        for raw, value in properties.items():
            if raw == "id":
                continue
            inside = raw in types and (value is None or fits(value, types[raw]))
            if raw in types:
                want[f"c_{raw}"] = value if inside else None
            if not inside and value is not None:
                rescued[raw] = value
        odd += len(rescued)
        want[RESCUED] = rescued or None
        # `true` and 1, and 1 and 1.0, are equal to Python.
        assert repr(sorted(row.items())) == repr(sorted(want.items()))
    told = list(made.sentences("s"))
    assert [sentence.split(" values")[0] for sentence in told] == (
        [f"Stream 's': {odd}"] if odd else []
    )


@given(schemas, rows)
@_quick
def test_only_what_is_declared_comes_out_on_request_and_misfits_of_it_are_rescued(
    types: dict[str, str], many: list[dict[str, Any]]
) -> None:
    made = maker(declared(types), only_declared=True)
    for properties in many * 3:
        row = made.row(properties)
        assert set(row) <= {"key", "id", RESCUED, *(f"c_{raw}" for raw in types)}
        assert set(row[RESCUED] or {}) <= set(types)
        for raw in properties.keys() & (types.keys() - {"id"}):
            held = row[f"c_{raw}"] if row[f"c_{raw}"] is not None else (row[RESCUED] or {}).get(raw)
            assert held == properties[raw]


@given(rows)
@_quick
def test_an_older_catalog_has_every_value_in_a_column(many: list[dict[str, Any]]) -> None:
    schema = {"properties": {"c_a": {"type": ["null", "string"], "mixpanel_property": "a"}}}
    made = maker(schema)
    for properties in many * 3:
        row = made.row(properties)
        assert RESCUED not in row
        assert sorted(map(repr, row.values())) == sorted(
            map(repr, [None, *({"id": None} | properties).values()])
        )


def test_without_the_column_of_rescued_ones_they_are_counted_and_left_out() -> None:
    made = maker(declared({"a": "number"}, rescues=False))
    for _ in range(3):
        assert made.row({"a": "x", "b": 1}) == {"key": None, "id": None, "c_a": None}
    [sentence] = made.sentences("s")
    assert "6 values of 2 properties are left out" in sentence
    assert "is not selected" in sentence


def test_one_line_counts_and_names_a_few() -> None:
    made = maker(declared({"a": "number"}))
    for n in range(2_500):
        made.row({"a": "x", f"p{n}": n})
    [sentence] = made.sentences("engage")
    assert "5000 values of 1000 properties" in sentence
    assert "more than 995 more" in sentence
    assert "'a' (2500 x string in a column of number)" in sentence
    assert "property_layout" in sentence
    assert len(sentence) < 700


def test_a_column_without_a_mark_holds_the_property_that_is_called_like_it() -> None:
    core = Core({"id": "id"}, ("key",), frozenset({"$city"}))
    columns = {"key": {}, "city": {}, "plan": {"type": "string"}, RESCUED: {"type": "object"}}
    made = PropertyColumns(parse_columns({"properties": columns}, core), Shape(), core)
    for _ in range(3):
        row = made.row({"$city": 1, "city": 2, "plan": "x", "$plan": 4})
        rescued = {"city": 2, "$plan": 4}
        assert row == {"key": None, "city": 1, "plan": "x", RESCUED: rescued}


@pytest.mark.parametrize(
    ("spec", "text", "is_one"),
    [
        ({"format": "date-time"}, "2026-01-31T12:00:00Z", True),
        ({"format": "date-time"}, "2026-01-31T12:00:00.123+02:00", True),
        ({"format": "date-time"}, "2026-01-31 12:00:00", True),
        ({"format": "date-time"}, "2026-01-31", False),
        ({"format": "date-time"}, "2026-02-30T12:00:00Z", False),
        ({"format": "date-time"}, "soon", False),
        ({"format": "date"}, "2026-01-31", True),
        ({"format": "date"}, "2026-01-31T00:00:00Z", False),
        ({"format": "date-time", "airbyte_type": "timestamp_without_timezone"},
         "2026-01-31T12:00:00", True),
        ({"format": "date-time", "airbyte_type": "timestamp_without_timezone"},
         "2026-01-31T12:00:00Z", False),
    ],
)  # fmt: skip
def test_times_are_of_the_form_that_their_column_declares(
    spec: dict[str, Any], text: str, *, is_one: bool
) -> None:
    column = {**column_schema("string"), **spec, "mixpanel_property": "at"}
    made = maker(object_schema({"event_key": "string", "at": column}))
    for _ in range(3):
        row = made.row({"at": text})
        assert (row["at"], row[RESCUED]) == ((text, None) if is_one else (None, {"at": text}))


def test_memory_is_bounded_by_names_whatever_their_mixture() -> None:
    made = maker(declared({"p1": "number"}))
    names = [f"p{n}" for n in range(300)]
    for n in range(3_000):
        # Each set of names comes twice, so that it is worth remembering.
        properties = {name: 1 for at, name in enumerate(names) if at % 7 != n % 7 or at > n % 300}
        for _ in range(2):
            assert made.row(properties)["c_p1" if "p1" in properties else "key"] in (1, None)
    assert made.cached_names < 200_000


def test_a_schema_is_read_back_from_json() -> None:
    schema = json.loads(json.dumps(declared({"a": "number"})))
    assert maker(schema).row({"a": 1.5})["c_a"] == 1.5
