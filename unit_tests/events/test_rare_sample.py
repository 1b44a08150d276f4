"""The request for events that have one of some properties."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpanel_emulator.where import UNDEFINED, compile_expression
from source_mixpanel.events.request import (
    ExportFilter,
    rare_sample_request,
    sample_request,
)
from source_mixpanel.streams.coverage import Span
from source_mixpanel.texts.expressions import check_expression

MONTH = Span(date(2026, 2, 8), date(2026, 3, 10))
LONGEST = 5_900
LONGEST_TERM = 300

any_text = st.text(st.characters(codec=None), max_size=12)
names = any_text | st.sampled_from(['"', "\\", '\\"', "a'b", "]", "x\\", "\u2028", "\n", "\ud800"])


def where_of(wanted: ExportFilter, raws: list[str]) -> str | None:
    request = rare_sample_request(MONTH, wanted, raws)
    if request is None:
        return None
    plain = dict(sample_request(MONTH, wanted).params)
    assert {**request.params, "where": ""} == {**plain, "where": ""}
    assert len(urlencode(request.params)) <= LONGEST
    where = request.params["where"]
    check_expression(where)
    return where


def holds(where: str, properties: dict[str, object]) -> bool:
    return bool(compile_expression(where)(lambda _, name: properties.get(name, UNDEFINED)))


@given(st.lists(names, max_size=6, unique=True), any_text)
def test_it_finds_events_with_each_property_that_can_be_written_and_no_other(
    raws: list[str], other: str
) -> None:
    where = where_of(ExportFilter(), raws)
    writable = [raw for raw in raws if raw and raw.isprintable()]
    assert where is not None or not writable
    if where is not None:
        assert all(holds(where, {raw: 0}) for raw in writable)
        assert not holds(where, {other: 0}) or other in raws
        assert not holds(where, {})


@pytest.mark.parametrize("raws", [[], [""], ["\n", "\x00", "a\x7f", "\ud800"]])
def test_there_is_none_where_nothing_can_be_asked_for(raws: list[str]) -> None:
    assert rare_sample_request(MONTH, ExportFilter(), raws) is None


def test_the_users_own_filter_holds_as_well() -> None:
    wanted = ExportFilter(("A", "B"), 'properties["plan"] == "pro" or properties["old"]')
    where = where_of(wanted, ["a", "b"])
    assert where is not None
    assert holds(where, {"plan": "pro", "b": 1})
    assert holds(where, {"old": True, "a": None})
    assert not holds(where, {"plan": "pro"})
    assert not holds(where, {"plan": "free", "a": 1, "b": 2})


@pytest.mark.parametrize("letters", ["x", "\u00e4", "\u6f22", "\U0001f600", '"'])
@pytest.mark.parametrize("users", [None, 'properties["plan"] == "pro" and not user["x"]'])
def test_it_takes_the_first_names_up_to_what_a_url_holds(letters: str, users: str | None) -> None:
    raws = [f"{letters * 20}{n:04d}" for n in range(500)]
    wanted = ExportFilter(("Sign Up",), users)
    where = where_of(wanted, raws)
    assert where is not None
    told = [raw for raw in raws if holds(where, {raw: 1, "plan": "pro"})]
    assert told == raws[: len(told)]
    request = rare_sample_request(MONTH, wanted, raws)
    assert request is not None
    assert len(urlencode(request.params)) > LONGEST - LONGEST_TERM


def test_a_name_that_is_too_long_leaves_room_for_others() -> None:
    where = where_of(ExportFilter(), ["x" * 6_000, "a", "b"])
    assert where == 'defined(properties["a"]) or defined(properties["b"])'


def test_a_filter_that_fills_a_url_leaves_no_room() -> None:
    wanted = ExportFilter(where=" or ".join(f'properties["{n}"]' for n in range(300)))
    assert rare_sample_request(MONTH, wanted, ["a"]) is None
