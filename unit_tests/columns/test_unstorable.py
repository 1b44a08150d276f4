"""Texts with half a surrogate pair."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_mixpanel.columns.types import RESCUED
from source_mixpanel.columns.unstorable import mended

HALF = "a\ud800b"


def raw_name(column: str) -> str | None:
    return None if column in ("id", RESCUED, "properties") else f"${column}"


@pytest.mark.parametrize(
    ("row", "good"),
    [
        ({"n": HALF, RESCUED: None}, {"n": None, RESCUED: {"$n": '"a\\ud800b"'}}),
        ({"n": [HALF, 1], RESCUED: None}, {"n": None, RESCUED: {"$n": '["a\\ud800b",1]'}}),
        ({"id": HALF, RESCUED: None}, {"id": "a\\ud800b", RESCUED: None}),
        ({RESCUED: {"k": HALF, "l": 1}}, {RESCUED: {"k": '"a\\ud800b"', "l": 1}}),
        ({"n": "a\0b", RESCUED: None}, {"n": None, RESCUED: {"$n": "a\0b"}}),
        ({"n": ["\0"], "id": "a\0"}, {"n": ["\0"], "id": "a\\u0000"}),
        ({RESCUED: {HALF: 1}}, {RESCUED: {"a\\ud800b": 1}}),
        ({RESCUED: {"k": {HALF: 1}}}, {RESCUED: {"k": '{"a\\ud800b":1}'}}),
        ({"properties": {"k": {HALF: 1}}}, {"properties": {"k": {HALF: 1}}}),
        (
            {"n": "sound \U0001f600 \u2028", "i": 2**70},
            {"n": "sound \U0001f600 \u2028", "i": 2**70},
        ),
    ],
)
def test_they_come_out_as_their_json_text(row: dict[str, Any], good: dict[str, Any]) -> None:
    assert mended(row, raw_name, rescues=RESCUED in row) == good


texts = st.text(alphabet="a\ud800\u00e9\U0001f600", max_size=4)
values = st.recursive(
    st.integers(-(2**60), 2**60) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


columns = st.fixed_dictionaries({"n": values, "id": texts, "m": values})


@given(columns, st.dictionaries(texts, values))
def test_a_mended_row_is_unicode_and_nothing_of_it_is_lost(
    row: dict[str, Any], rescued: dict[str, Any]
) -> None:
    good = mended({**row, RESCUED: rescued or None}, raw_name, rescues=True)
    orjson.dumps(good)
    kept = good[RESCUED] or {}
    for column in row.keys() - {"id"}:
        text = kept.get(f"${column}")
        held = good[column] if text is None else json.loads(text)
        assert held == row[column]
