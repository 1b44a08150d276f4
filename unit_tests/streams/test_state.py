"""Whose a saved state is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from source_mixpanel.errors import ConfigError
from source_mixpanel.streams.state import (
    NOTHING,
    Origin,
    opened,
    parse_origin,
    sealed,
)
from unit_tests.streams.origins import origins

NOW = Origin(7, "US", (None,), "UTC", ("f",))


@given(origins)
def test_an_origin_comes_back_as_it_went(origin: Origin) -> None:
    blob = json.loads(json.dumps(sealed({"x": 1}, origin)))
    assert parse_origin(blob) == origin
    assert opened(blob, "export", parse_origin) == origin


@given(origins, origins)
def test_records_added_to_a_state_add_what_they_are_of(before: Origin, now: Origin) -> None:
    after = before.after(now)
    assert set(after.workspace_ids) == {*before.workspace_ids, *now.workspace_ids}
    assert set(after.filters) == {*before.filters, *now.filters}
    assert after.project_id == (now.project_id or before.project_id)
    assert after.after(now) == after


def test_a_state_that_says_nothing_is_airbytes_mark_of_none() -> None:
    assert sealed({"a": None}, NOW) == NOTHING
    assert sealed({}, NOW) == NOTHING
    assert opened(NOTHING, "export", dict) == {}
    assert opened({}, "export", dict) == {}


def test_what_is_not_known_is_not_told() -> None:
    assert sealed({"a": 1, "b": None}, Origin()) == {"a": 1, "origin": {"version": 2}}


@pytest.mark.parametrize("blob", [{}, {"x": 1}, {"origin": None}])
def test_states_without_one_tell_no_origin(blob: dict[str, Any]) -> None:
    assert parse_origin(blob) == Origin()


def test_version_0_1_0_told_zone_and_filter_beside_the_rest() -> None:
    blob = {"project_timezone": "Asia/Tokyo", "filter": "f"}
    assert parse_origin(blob) == Origin(project_timezone="Asia/Tokyo", filters=("f",))
    sealed_since = {**blob, "origin": {"version": 2, "project_timezone": "UTC"}}
    assert parse_origin(sealed_since) == Origin(project_timezone="UTC")


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (Origin(8, "US"), "is of project 8, and the settings name project 7"),
        (Origin(7, "EU"), "is of region EU, and the settings name region US"),
    ],
)
def test_a_state_of_another_project_is_refused(before: Origin, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        before.refuse_another_project(NOW, "export")
    assert "Reset the stream" in str(caught.value)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (NOW, NOW),
        (Origin(), NOW),
        (NOW, Origin()),
        (Origin(7), NOW),
        (Origin(region="US"), NOW),
    ],
)
def test_a_state_that_may_be_of_the_same_project_is_taken(before: Origin, now: Origin) -> None:
    before.refuse_another_project(now, "export")


@pytest.mark.parametrize(
    ("before", "now", "holds"),
    [
        (NOW, NOW, True),
        (Origin(), NOW, True),
        (Origin(), Origin(), True),
        (Origin(7), NOW, True),
        (NOW, replace(NOW, project_id=None), True),
        (NOW, replace(NOW, region=None), True),
        (replace(NOW, project_timezone="Asia/Tokyo"), NOW, True),
        (NOW, replace(NOW, workspace_ids=(None, 3)), True),
        (NOW, replace(NOW, filters=("e", "f")), True),
        (replace(NOW, project_id=8), NOW, False),
        (replace(NOW, region="EU"), NOW, False),
        (replace(NOW, workspace_ids=(3,)), NOW, False),
        (replace(NOW, workspace_ids=(None, 3)), NOW, False),
        (NOW, replace(NOW, workspace_ids=()), False),
        (replace(NOW, filters=("g",)), NOW, False),
        (replace(NOW, filters=("f", "g")), NOW, False),
    ],
)
def test_a_refresh_goes_on_if_all_that_it_has_read_is_what_is_read_now(
    before: Origin,
    now: Origin,
    holds: bool,  # noqa: FBT001 - one of the cases' values
) -> None:
    assert before.holds_for(now) == holds


def _complaints(before: Origin, now: Origin) -> list[str]:
    try:
        before.refuse_another_project(now, "export")
    except ConfigError as error:
        return [str(error)]
    return before.warnings(now, "export")


@given(origins, origins)
def test_what_a_state_holds_for_is_neither_refused_nor_warned_of(
    before: Origin, now: Origin
) -> None:
    assert before.holds_for(now) == (not _complaints(before, now))
    assert before.after(now).holds_for(now) or not before.holds_for(now)


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (NOW, []),
        (Origin(), []),
        (replace(NOW, workspace_ids=(3,)), ["data view 3, this one reads through all data"]),
        (
            replace(NOW, workspace_ids=(None, 3)),
            ["through all data, data view 3, this one reads through all data"],
        ),
        (replace(NOW, filters=("g",)), ["export_events or export_where is not what it was"]),
        (
            replace(NOW, workspace_ids=(3,), filters=("f", "g")),
            ["workspace_id", "export_where"],
        ),
    ],
)
def test_another_data_view_or_filter_is_told_until_all_records_are_alike(
    before: Origin, words: list[str]
) -> None:
    told = before.warnings(NOW, "export")
    assert len(told) == len(words)
    for sentence, word in zip(told, words, strict=True):
        assert word in sentence
        assert "'export'" in sentence
    assert len(before.after(NOW).warnings(NOW, "export")) == len(words)


@pytest.mark.parametrize("version", [3, 99])
def test_a_state_of_a_later_version_is_not_read(version: int) -> None:
    with pytest.raises(ConfigError, match="a later version of the connector"):
        opened({"origin": {"version": version}}, "export", dict)


@pytest.mark.parametrize(
    "error", [ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError]
)
def test_whatever_is_wrong_with_a_value_is_one_sentence_that_says_what_to_do(
    error: type[Exception],
) -> None:
    def parse(_: Mapping[str, Any]) -> None:
        raise error("details")

    with pytest.raises(ConfigError, match="Reset the stream") as caught:
        opened({"x": 1}, "engage", parse)
    assert "state of stream 'engage' cannot be read" in str(caught.value)
    assert error.__name__ in str(caught.value.internal_message)


@pytest.mark.parametrize(
    "told",
    [
        "x",
        5,
        [1],
        {"project_id": True},
        {"region": 5},
        {"workspace_ids": {"1": 2}},
        {"workspace_ids": ["1"]},
        {"filters": "f"},
        {"filters": [None, 5]},
        {"project_timezone": 5},
    ],
)
def test_what_is_no_origin_is_refused(told: Any) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        opened({"origin": told}, "export", parse_origin)
