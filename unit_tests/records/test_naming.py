"""Which column a property goes to."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.records.naming import CORE_COLUMNS, ColumnNames, fold

_quick = settings(max_examples=50)

_NO_CASE_BEYOND = 0x20000

# Few letters, so that names collide often.
names = st.text(alphabet="$_aAbB\u00df\u017fsS\u0130i", max_size=4) | st.sampled_from(
    ["event", "Event", "$event", "$time", "TIME", "insert_id", "$distinct_id", "Distinct_Id", ""]
)
batches = st.lists(st.lists(names, max_size=6), max_size=6)


@pytest.mark.parametrize(
    ("raw", "column"),
    [
        ("plan", "plan"),
        ("$city", "city"),
        ("$$twice", "$twice"),
        ("mp_lib", "mp_lib"),
        ("time", "time"),
        ("distinct_id", "distinct_id"),
        ("$insert_id", "insert_id"),
        ("insert_id", "_insert_id"),
        ("event", "_event"),
        ("EVENT", "_EVENT"),
        ("$time", "_time"),
        ("$distinct_id", "_distinct_id"),
        ("", "_"),
        ("$", "_"),
    ],
)
def test_a_lone_property_gets_its_name_without_a_dollar_unless_that_is_taken(
    raw: str, column: str
) -> None:
    assert ColumnNames({}).column(raw) == column


@given(batches)
@_quick
def test_no_two_properties_share_a_column_in_any_letter_case(seen: list[list[str]]) -> None:
    columns = ColumnNames({})
    for raws in seen:
        columns.add_all(raws)
    every = {*CORE_COLUMNS, *(raw for raws in seen for raw in raws)}
    given_names = [columns.column(raw) for raw in every]
    folded = {fold(name) for name in given_names}
    assert len(folded) == len(every)
    assert "event" not in folded
    assert "" not in given_names


@given(batches)
@_quick
def test_a_name_once_given_never_changes(seen: list[list[str]]) -> None:
    columns = ColumnNames({})
    first: dict[str, str] = {}
    for raws in seen:
        columns.add_all(raws)
        for raw in raws:
            first.setdefault(raw, columns.column(raw))
    assert {raw: columns.column(raw) for raw in first} == first


@given(st.lists(names, max_size=8), st.randoms())
@_quick
def test_the_order_within_one_batch_does_not_matter(raws: list[str], chance: object) -> None:
    mixed = list(raws)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = ColumnNames({}), ColumnNames({})
    one.add_all(raws)
    other.add_all(mixed)
    assert one.given() == other.given()


@given(st.lists(names, max_size=6), batches, st.lists(names, max_size=6))
@_quick
def test_every_later_sync_gives_the_same_columns_whatever_was_discovered_meanwhile(
    discovered: list[str], seen: list[list[str]], rivals: list[str]
) -> None:
    catalog = ColumnNames({})
    catalog.add_all(discovered)
    told = catalog.given()
    first = ColumnNames(told)
    for raws in seen:
        first.add_all(raws)
    memory = first.used()
    refreshed = ColumnNames({})
    refreshed.add_all([*discovered, *rivals, *memory])
    later = ColumnNames({**memory, **refreshed.given(), **memory})
    assert {raw: later.column(raw) for raw in memory} == memory


def test_only_what_was_asked_for_is_remembered() -> None:
    columns = ColumnNames({"plan": "plan", "never": "never"})
    columns.add_all(["plan", "$city", "time"])
    assert columns.used() == {"plan": "plan", "$city": "city"}


def test_a_remembered_name_that_would_cover_a_core_column_is_not_taken() -> None:
    columns = ColumnNames({"a": "Event", "b": "TIME", "c": "c", "d": "C"})
    assert [columns.column(raw) for raw in "abcd"] == ["a", "b", "c", "d"]


def test_is_free_tells_whether_a_property_would_get_its_plain_name() -> None:
    columns = ColumnNames({})
    columns.column("City")
    assert not columns.is_free("City")
    assert not columns.is_free("$city")
    assert not columns.is_free("event")
    assert columns.is_free("$region")


def test_folding_sees_through_every_letter_case_there_is() -> None:
    different = [
        hex(code)
        for code in range(_NO_CASE_BEYOND)
        if not (fold(chr(code)) == fold(chr(code).upper()) == fold(chr(code).lower()))
    ]
    assert different == []
