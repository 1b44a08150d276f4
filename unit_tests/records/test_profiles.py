"""Profiles to rows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_mixpanel.errors import DataError
from source_mixpanel.records.columns import Shape
from source_mixpanel.records.naming import ColumnNames
from source_mixpanel.records.profiles import CORE_PROPERTIES, Emitted, ProfileRows


def maker(**shape: Any) -> ProfileRows:
    names = ColumnNames({}, core=CORE_PROPERTIES, taken=("distinct_id", "cohort_id"))
    return ProfileRows(names, Shape(**shape), ("cohort_id",))


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


@pytest.mark.parametrize(
    "odd", [5, None, {}, {"$distinct_id": None}, {"$distinct_id": "a", "$properties": [1]}]
)
def test_what_is_no_profile_stops_it(odd: Any) -> None:
    with pytest.raises(DataError, match="without an id"):
        rows(odd)


def test_the_latest_time_is_one() -> None:
    made = maker()
    seen = ["zzz", 5, None, "2026-01-02T03:04:05", "2026-01-02", "9999", "2026-01-01T00:00:00.5"]
    rows(*({"$distinct_id": "a", "$properties": {"$last_seen": at}} for at in seen), made=made)
    assert made.latest == "2026-01-02T03:04:05"


@given(st.lists(st.tuples(st.text(max_size=3), st.sampled_from(["1", "2", None]))))
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
