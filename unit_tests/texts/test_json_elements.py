"""Elements of a long array, parsed as the text comes by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.api.envelopes import unwrap
from source_mixpanel.errors import CutError, DataError
from source_mixpanel.texts.json_elements import Elements

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
    assert found.has_array
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
    assert not found.has_array


def test_numbers_that_no_double_holds_stay_what_they_are() -> None:
    text = '{"results": [1e999, NaN, 123456789012345678901234567890, -0.0]}'
    big = 123456789012345678901234567890
    assert repr(list(Elements([text.encode()], "results"))) == repr(["1e999", "NaN", big, -0.0])


def enveloped(items: list[Any], envelope: str) -> Any:
    wraps: dict[str, Any] = {
        "bare": items,
        "wrapped": {"status": "ok", "results": items, "pagination": {"next_cursor": None}},
        "nested": {"status": "ok", "results": {"results": items, "page": 0}, "results_": [0]},
        "twice": {"results": {"results": {"results": items}}, "status": "ok"},
    }
    return wraps[envelope]


@settings(max_examples=100)
@given(
    elements=st.lists(ANY),
    envelope=st.sampled_from(["bare", "wrapped", "nested", "twice"]),
    size=st.integers(1, 40),
)
def test_a_list_is_found_in_each_envelope_that_is_known_of_lists(
    elements: list[Any], envelope: str, size: int
) -> None:
    body = enveloped(elements, envelope)
    page = unwrap(body)
    assert page is not None
    text = json.dumps(body).encode("utf-8", "surrogateescape")
    found = Elements(pieces(text, size), "results", enveloped=True)
    assert repr(list(found)) == repr(list(page.items))
    assert found.has_array


@settings(max_examples=50)
@given(
    elements=st.lists(ANY, min_size=1),
    envelope=st.sampled_from(["bare", "wrapped", "nested"]),
    data=st.data(),
)
def test_an_envelope_that_is_cut_anywhere_is_noticed(
    elements: list[Any], envelope: str, data: st.DataObject
) -> None:
    text = json.dumps(enveloped(elements, envelope)).encode()
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    with pytest.raises(CutError):
        list(Elements([cut], "results", enveloped=True))


@pytest.mark.parametrize("body", ['{"a": [1]}', '{"results": {"a": 1}}', '{"results": null}', "{}"])
def test_what_has_no_list_in_an_envelope_is_not_found(body: str) -> None:
    found = Elements([body.encode()], "results", enveloped=True)
    assert list(found) == []
    assert not found.has_array


def test_a_list_in_an_envelope_is_none_to_who_wants_the_member_itself() -> None:
    found = Elements([b'{"results": {"results": [1]}}'], "results")
    assert list(found) == []
    assert not found.has_array


@pytest.mark.parametrize("levels", [20, 100_000])
def test_envelopes_without_end_are_no_list(levels: int) -> None:
    text = '{"results":' * levels + "[1]" + "}" * levels
    found = Elements([text.encode()], "results", enveloped=True)
    if levels < 100:
        assert list(found) == []
        assert not found.has_array
    else:
        with pytest.raises(DataError, match="nested too deep"):
            list(found)
