"""A syntax check that costs no request."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.texts.expressions import check_expression, texts_in

_quick = settings(max_examples=15)


@pytest.mark.parametrize(
    "text",
    [
        'properties["plan"] == "pro"',
        "properties['plan'] != 'pro'",
        'properties["$time"]>=datetime(1704067200)',
        'event["$time"] >= datetime("2026-01-01T00:00:00")',
        'properties["mp_processing_time_ms"] > 1 and properties["mp_processing_time_ms"] < 2',
        '(properties["a"] == 1 or not defined(properties["b"])) and user["c"] in ["x", "y"]',
        '"ro" in properties["plan"]',
        '"x" not in properties["plan"]',
        'not not (properties["a"] == -1.5e3)',
        'number(properties["a"]) % 2 == 0 and floor(properties["b"] / 3) * 2 - 1 > 0',
        'boolean(properties["nothing"]) == true',
        'properties["order"] == undefined AND properties["a"] == 1',
        'properties["a b\\"c"] == "\u2028\\\\"',
        'properties["cart"]["sku"] == "A"',
        ' properties["a"]\n==\n1 ',
        "[]",
        'defined(properties["a"])',
    ],
)
def test_a_documented_expression_passes(text: str) -> None:
    check_expression(text)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "at its end"),
        ("   ", "at its end"),
        ('properties["plan"] ==', "at its end"),
        ('properties["plan"', "at its end"),
        ('properties["plan"] = "pro"', "at character 2"),
        ('properties["plan"] == "pro', "at "),
        ('properties[plan] == "pro"', "at character 12"),
        ('(properties["a"] == 1', "at its end"),
        ('properties["a"] == 1)', "at character 21"),
        ('properties["a"] && 1', "at character 17"),
        ('properties["a"] == 1; drop', "at character 21"),
        ("and", "at "),
        ('properties["a"] == 1 or2', "at character 22"),
        ('properties["a"] in1', "at character 17"),
    ],
)
def test_a_typo_is_refused_with_its_place(text: str, where: str) -> None:
    with pytest.raises(ValueError, match="cannot be read as a Mixpanel expression") as caught:
        check_expression(text)
    assert where in str(caught.value)


@given(st.text("abn[]()\"'\\<=>+-*/%, 019.\u2028", max_size=15))
@_quick
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        check_expression(text)
    except ValueError as error:
        assert "Mixpanel expression" in str(error)  # noqa: PT017 - both outcomes are fine


def test_a_long_list_of_values_is_read() -> None:
    values = ", ".join(f'"value {number}"' for number in range(5_000))
    check_expression(f'properties["plan"] in [{values}]')


def test_an_expression_nested_beyond_reason_is_refused_or_read_but_never_breaks() -> None:
    depth = 200
    check_expression("(" * depth + 'properties["a"] == 1' + ")" * depth)


def test_the_names_in_an_expression_are_told_without_their_quotation_marks() -> None:
    expression = 'number(properties["a\\"b"]) + user[\'x\']["deep"] * "5"'
    assert texts_in(expression) == {'a"b', "x", "deep", "5"}
    assert texts_in("1 + 2") == set()
