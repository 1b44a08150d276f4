"""Profiles to rows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_mixpanel.columns.catalog import parse_columns
from source_mixpanel.columns.privacy import Privacy
from source_mixpanel.columns.properties import Shape
from source_mixpanel.columns.types import RESCUED, object_schema
from source_mixpanel.errors import DataError
from source_mixpanel.profiles.rows import Emitted, ProfileRows, profile_core
from source_mixpanel.profiles.schema import core_columns, property_columns

CORE = profile_core(["cohort_id"])


def maker(types: dict[str, set[str]] | None = None, **shape: Any) -> ProfileRows:
    """By an older catalog, unless properties are declared with their types."""
    schema = None
    if types is not None:
        columns = property_columns(types, CORE, {}, Privacy(), to_text=False)
        schema = object_schema({**core_columns({"cohort_id": "integer"}), **columns})
    return ProfileRows(parse_columns(schema, CORE), Shape(**shape), CORE, Privacy())


def rows(*profiles: Any, made: ProfileRows | None = None) -> list[dict[str, Any]]:
    return list((made or maker()).rows(profiles, {"cohort_id": 9}, Emitted()))


def test_the_id_and_fixed_columns_are_never_overwritten() -> None:
    properties = {"distinct_id": 1, "cohort_id": 2, "last_seen": 3, "$last_seen": "2026-01-01"}
    [row] = rows({"$distinct_id": "me", "$properties": properties})
    assert row == {
        "distinct_id": "me", "cohort_id": 9, "last_seen": "2026-01-01",
        "_distinct_id": 1, "_cohort_id": 2, "_last_seen": 3,
    }  # fmt: skip


@pytest.mark.parametrize("properties", [{}, {"$properties": {}}, {"$properties": None}])
def test_a_member_without_a_profile_has_its_id(properties: dict[str, Any]) -> None:
    assert rows({"$distinct_id": "me", **properties}) == [
        {"distinct_id": "me", "cohort_id": 9, "last_seen": None}
    ]


def test_a_numeric_id_is_text_and_further_keys_are_properties() -> None:
    [row] = rows({"$distinct_id": 7, "$properties": {"a": 1}, "$group_id": "g"})
    assert (row["distinct_id"], row["a"], row["group_id"]) == ("7", 1, "g")


NOBODIES: list[Any] = [
    5,
    None,
    "me",
    [],
    {},
    {"$distinct_id": None},
    {"$distinct_id": ""},
    {"$properties": {"a": 1}},
    {"$distinct_id": "a", "$properties": [1]},
    {"$distinct_id": "a", "$properties": "x"},
]


@pytest.mark.parametrize("odd", NOBODIES)
def test_what_is_no_profile_is_left_out_and_counted_and_the_others_come(odd: Any) -> None:
    made = maker()
    me, you = {"$distinct_id": "me"}, {"$distinct_id": "you"}
    assert [row["distinct_id"] for row in rows(me, odd, you, made=made)] == ["me", "you"]
    assert (made.seen, made.made) == (3, 2)
    [sentence] = made.sentences("engage")
    assert "'engage': 1 profiles have no id, so they are left out" in sentence


@pytest.mark.parametrize("odd", NOBODIES)
def test_a_page_of_which_none_is_a_profile_stops_it(odd: Any) -> None:
    with pytest.raises(DataError, match="without an id"):
        rows(odd)
    with pytest.raises(DataError, match="without an id"):
        rows(odd, odd)


def test_each_page_is_judged_by_itself() -> None:
    made, emitted = maker(), Emitted()
    assert len(list(made.rows([{"$distinct_id": "a"}, None], {}, emitted))) == 1
    assert list(made.rows([], {}, emitted)) == []
    with pytest.raises(DataError, match="without an id"):
        list(made.rows([None], {}, emitted))


def test_a_page_whose_profiles_have_all_been_emitted_is_no_odd_one() -> None:
    made, emitted = maker(), Emitted()
    page = [{"$distinct_id": "a"}, None]
    list(made.rows(page, {}, emitted))
    emitted.settle()
    assert list(made.rows(page, {}, emitted, again=True)) == []
    assert (made.seen, made.made) == (4, 1)


@pytest.mark.parametrize(
    ("odd", "text"),
    [(True, "true"), (1.5, "1.5"), (["a", 1], '["a",1]'), ({"k": "é"}, '{"k":"é"}')],
)
def test_an_id_that_is_no_text_is_its_json_and_is_counted(odd: Any, text: str) -> None:
    made = maker()
    [row, _] = rows({"$distinct_id": odd}, {"$distinct_id": 7}, made=made)
    assert row["distinct_id"] == text
    [sentence] = made.sentences("engage")
    assert "1 profiles have an id that is no text" in sentence


def test_of_many_odd_profiles_a_few_are_shown() -> None:
    made = maker()
    rows({"$distinct_id": "me"}, *range(10), made=made)
    [sentence] = made.sentences("engage")
    assert "10 profiles have no id" in sentence
    assert "0, 1, 2 and 7 more" in sentence


def test_a_page_that_begins_as_an_earlier_one_repeats_no_profile() -> None:
    made, emitted = maker(), Emitted()
    first = [{"$distinct_id": "a"}, {"$distinct_id": "b"}]
    assert len(list(made.rows(first, {}, emitted))) == 2
    again = list(made.rows([*first, {"$distinct_id": "c"}], {}, emitted))
    assert [row["distinct_id"] for row in again] == ["c"]


def test_columns_that_are_not_configured_are_left_out_on_request() -> None:
    made = maker({"b": {"number"}}, only_declared=True)
    [row] = rows({"$distinct_id": "me", "$properties": {"a": 1, "b": 2}}, made=made)
    core = {"distinct_id": "me", "cohort_id": 9, "last_seen": None}
    assert row == {**core, RESCUED: None, "b": 2}
    assert made.sentences("engage") == []


@pytest.mark.parametrize(
    "seen", ["2026-01-01T00:00:00+02:00", "2026-01-01T00:00:00Z", "soon", 5, "2026-02-30T00:00:00"]
)
def test_a_last_seen_of_another_form_is_rescued(seen: Any) -> None:
    made = maker({})
    [row] = rows({"$distinct_id": "me", "$properties": {"$last_seen": seen}}, made=made)
    assert (row["last_seen"], row[RESCUED]) == (None, {"$last_seen": seen})
    [sentence] = made.sentences("engage")
    assert "1 values of 1 properties are in the column rescued_properties" in sentence


def test_an_odd_id_is_rescued_too() -> None:
    [row] = rows({"$distinct_id": 1.5, "$properties": {}}, made=maker({}))
    assert (row["distinct_id"], row[RESCUED]) == ("1.5", {"$distinct_id": 1.5})


def test_the_latest_time_is_one() -> None:
    made = maker()
    seen = ["zzz", 5, None, "2026-01-02T03:04:05", "2026-01-02", "9999", "2026-01-01T00:00:00.5"]
    rows(*({"$distinct_id": "a", "$properties": {"$last_seen": at}} for at in seen), made=made)
    assert made.latest == "2026-01-02T03:04:05"


@given(st.lists(st.tuples(st.text(min_size=1, max_size=3), st.sampled_from(["1", "2", None]))))
def test_what_has_been_emitted_is_left_out_once_settled_and_nothing_else(
    told: list[tuple[str, str | None]],
) -> None:
    half = len(told) // 2
    profiles = [{"$distinct_id": who, "$properties": {"$last_seen": at}} for who, at in told]
    made, emitted = maker(), Emitted()
    list(made.rows(profiles[:half], {}, emitted))
    emitted.settle()
    again = list(made.rows(profiles, {}, emitted, again=True))
    assert [(row["distinct_id"], row["last_seen"]) for row in again] == [
        entry for entry in told if entry not in told[:half]
    ]
