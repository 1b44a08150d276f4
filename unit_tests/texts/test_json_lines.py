"""One line of JSON to Python and back, exactly."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.errors import DataError
from source_mixpanel.texts.json_lines import dump, parse_exactly, parse_lines
from unit_tests.hostile.values import DEEP_ENOUGH

_quick = settings(max_examples=60)

numbers = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(blacklist_categories=[]), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def _same(one: Any, other: Any) -> bool:
    """Equal and of the same types: 1, 1.0 and true differ."""
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and list(one) == list(other)
            and all(_same(one[k], other[k]) for k in one)
        )
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other


@given(st.lists(values, max_size=6))
@_quick
def test_values_survive_parsing_and_dumping_unchanged(many: list[Any]) -> None:
    block = b"".join(json.dumps(value).encode() + b"\n" for value in many)
    parsed = list(parse_lines(block))
    assert _same(parsed, many)
    again = list(parse_lines(b"".join(dump(value) + b"\n" for value in parsed)))
    assert _same(again, many)


@pytest.mark.parametrize(
    "line",
    [
        b"9223372036854775807",
        b"9223372036854775808",
        b"-9223372036854775808",
        b"-9223372036854775809",
        b"18446744073709551615",
        b"18446744073709551616",
        b"9007199254740993",
        b"123456789012345678901234567890",
        b'{"a":[18446744073709551616,1]}',
        b'"0000000000000000000000000"',
        b'{"a":true,"b":false,"c":null,"d":[],"e":{}}',
        b'"\xe2\x80\xa8\xc2\x85\x7f\\u0000"',
        b"1.5",
        b"0.1",
    ],
)
def test_a_line_comes_out_as_it_went_in(line: bytes) -> None:
    (value,) = parse_lines(line)
    assert dump(value) == line


def test_a_number_that_no_double_holds_comes_out_as_its_own_text() -> None:
    values = list(parse_lines(b"1e400\n-1e999\n[1E309]\nNaN\n[-Infinity]\n"))
    assert values == ["1e400", "-1e999", ["1E309"], "NaN", ["-Infinity"]]


def test_a_long_fraction_is_still_a_number() -> None:
    (value,) = parse_lines(b"0.1000000000000000055511151231257827")
    assert value == 0.1
    assert math.isfinite(value)


def test_bytes_that_are_no_text_are_kept() -> None:
    (value,) = parse_lines(b'{"id":"k3\xff\xfe"}\n')
    assert value["id"].encode("utf-8", "surrogateescape") == b"k3\xff\xfe"
    assert json.loads(dump(value))["id"] == value["id"]


def test_lone_surrogates_are_kept() -> None:
    (value,) = parse_lines(b'"\\ud800 \\udc00x"')
    assert value == "\ud800 \udc00x"
    assert json.loads(dump(value)) == value


def test_only_the_newline_byte_ends_a_line() -> None:
    block = '{"a":"x\u2028y\u0085z\u2029"}\n'.encode()
    assert list(parse_lines(block)) == [{"a": "x\u2028y\u0085z\u2029"}]


def test_blank_lines_and_carriage_returns_are_passed_over() -> None:
    assert list(parse_lines(b"\n1\r\n\r\n  \n2\n\n")) == [1, 2]


def test_a_last_line_without_its_newline_is_parsed_too() -> None:
    assert list(parse_lines(b"1\n2")) == [1, 2]


@pytest.mark.parametrize(
    "line", [b'{"a":1', b"terminated early", b"{'a':1}", b'{"a":1}{"b":2}', b"[" * 500, b"\xff"]
)
def test_a_line_that_is_no_json_stops_with_its_excerpt(line: bytes) -> None:
    with pytest.raises(DataError) as caught:
        list(parse_lines(b"1\n" + line + b"\n2\n"))
    assert "no JSON" in str(caught.value.message)
    assert line[:5].decode("ascii", "backslashreplace") in str(caught.value.internal_message)


def test_the_message_of_a_bad_line_repeats_none_of_it() -> None:
    with pytest.raises(DataError) as caught:
        parse_exactly(b'{"email": "a@example.com"')
    assert "example" not in str(caught.value.message)


@given(st.integers(1, 19), st.integers(0, 9))
@_quick
def test_integers_of_any_length_are_exact(digits: int, tail: int) -> None:
    number = 10**digits * 10**digits + tail
    assert list(parse_lines(b"%d\n" % number)) == [number]


def test_values_nested_as_deep_as_the_parser_reads_can_be_written() -> None:
    line = b"[" * 400 + b"]" * 400
    (value,) = parse_lines(line)
    assert dump(value) == line


@pytest.mark.parametrize("depth", [DEEP_ENOUGH + more for more in (100, 120, 200, 90_000)])
def test_a_value_nested_too_deep_is_named_whether_reading_or_writing_gives_up(depth: int) -> None:
    with pytest.raises(DataError, match="nested too deep"):
        [dump(value) for value in parse_lines(b"[" * depth + b"]" * depth)]


@pytest.mark.parametrize("sign", [b"", b"-"])
def test_an_integer_longer_than_python_reads_comes_out_as_its_own_text(sign: bytes) -> None:
    digits = sign + b"7" * 4301
    assert list(parse_lines(b"[%b,1]\n" % digits)) == [[digits.decode(), 1]]
    longest = sign + b"7" * 4300
    assert [dump(value) for value in parse_lines(longest)] == [longest]
