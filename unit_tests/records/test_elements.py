"""Elements of a long array, parsed as the text comes by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.errors import CutError
from source_mixpanel.records.elements import Elements

ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


def pieces(text: bytes, size: int) -> Iterator[bytes]:
    return (text[at : at + size] for at in range(0, len(text), size))


@settings(max_examples=50)
@given(
    before=st.dictionaries(st.text(), ANY),
    elements=st.lists(ANY),
    after=st.dictionaries(st.text(), ANY),
    size=st.integers(1, 40),
    indent=st.sampled_from([None, 1]),
    ascii_only=st.booleans(),
)
def test_elements_and_members_come_out_as_they_are_however_the_text_is_cut(
    before: dict[str, Any],
    elements: list[Any],
    after: dict[str, Any],
    size: int,
    indent: int | None,
    ascii_only: bool,  # noqa: FBT001 - hypothesis names its arguments
) -> None:
    body = {**before, "results": elements, **{k: v for k, v in after.items() if k != "results"}}
    text = json.dumps(body, indent=indent, ensure_ascii=ascii_only)
    found = Elements(pieces(text.encode("utf-8", "surrogateescape"), size), "results")
    assert repr(list(found)) == repr(elements)
    assert found.found
    assert repr(found.members) == repr({k: v for k, v in body.items() if k != "results"})


@settings(max_examples=50)
@given(elements=st.lists(ANY, min_size=1), size=st.integers(1, 40), data=st.data())
def test_a_text_that_is_cut_anywhere_is_noticed(
    elements: list[Any], size: int, data: st.DataObject
) -> None:
    text = json.dumps({"page": 0, "results": elements, "total": 12}).encode()
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    with pytest.raises(CutError):
        list(Elements(pieces(cut, size), "results"))


@pytest.mark.parametrize(
    "text",
    ["[]", '{"results": [1 2]}', '{"results": [1,]}', '{"results": []} x', "{1: 2}", '{"a" 1}'],
)
def test_what_is_no_object_is_noticed(text: str) -> None:
    with pytest.raises(CutError):
        list(Elements([text.encode()], "results"))


@pytest.mark.parametrize("results", ["5", "null", '{"a": 1}'])
def test_a_member_that_is_no_array_is_not_found(results: str) -> None:
    found = Elements([f'{{"results": {results}}}'.encode()], "results")
    assert list(found) == []
    assert not found.found


def test_numbers_that_no_double_holds_stay_what_they_are() -> None:
    text = '{"results": [1e999, NaN, 123456789012345678901234567890, -0.0]}'
    big = 123456789012345678901234567890
    assert repr(list(Elements([text.encode()], "results"))) == repr(["1e999", "NaN", big, -0.0])
