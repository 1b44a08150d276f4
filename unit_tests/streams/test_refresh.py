"""A full refresh in several attempts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_mixpanel.errors import ConfigError
from source_mixpanel.streams.state import (
    NOTHING,
    RETRIED_WITHIN_MS,
    Origin,
    Refresh,
    opened,
    parse_refresh,
    sealed,
)

refreshes = st.builds(
    Refresh,
    finished=st.lists(st.text(max_size=4), max_size=4, unique=True).map(tuple),
    ended_ms=st.none() | st.integers(0, 4_000_000_000_000),
)


@given(refreshes)
def test_a_refresh_comes_back_as_it_went(refresh: Refresh) -> None:
    blob = json.loads(json.dumps(sealed(refresh.dump(), Origin(7))))
    assert opened(blob, "report_results", parse_refresh) == refresh


def test_a_refresh_that_is_over_leaves_nothing_to_remember() -> None:
    assert sealed(Refresh().dump(), Origin(7)) == NOTHING
    assert opened(NOTHING, "report_results", parse_refresh) == Refresh()


@pytest.mark.parametrize(
    ("blob", "finished"),
    [({"finished": ["1", "2"]}, ("1", "2")), ({"finished": []}, ()), ({}, ()), ({"x": 1}, ())],
)
def test_a_state_of_version_0_1_0_names_the_parts_that_were_read(
    blob: dict[str, Any], finished: tuple[str, ...]
) -> None:
    assert parse_refresh(blob) == Refresh(finished)


@pytest.mark.parametrize(
    "blob",
    [
        {"finished": 5},
        {"finished": "12"},
        {"finished": [1]},
        {"finished": {"1": True}},
        {"ended_ms": "soon"},
        {"ended_ms": True},
        {"ended_ms": -1},
    ],
)
def test_what_is_no_refresh_is_named(blob: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="state of stream 'report_results' cannot be read"):
        opened(blob, "report_results", parse_refresh)


def test_parts_that_are_read_are_added_in_their_order() -> None:
    assert Refresh(("1",), 5).with_part("2") == Refresh(("1", "2"), 5)


def test_it_is_over_when_nobody_tries_again_what_it_lacks() -> None:
    assert not Refresh(("1",)).is_over(10**13)
    ended = Refresh(("1",), ended_ms=1000)
    assert not ended.is_over(1000)
    assert not ended.is_over(1000 + RETRIED_WITHIN_MS)
    assert ended.is_over(1001 + RETRIED_WITHIN_MS)
