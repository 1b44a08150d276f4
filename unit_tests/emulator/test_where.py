from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mixpanel_emulator.json_text import ascii_text
from mixpanel_emulator.where import UNDEFINED, ExpressionError, compile_expression

ROW = {
    "n": 5,
    "f": 2.5,
    "s": "hello",
    "list": ["a", 1],
    "t": True,
    "nil": None,
    "$last_seen": "2026-01-02T00:00:00",
    "big": 2**70,
    "$time": 1767268800.5,
}


def run(text: str) -> Any:
    return compile_expression(text)(lambda _scope, name: ROW.get(name, UNDEFINED))


@pytest.mark.parametrize(
    "text",
    [
        'properties["n"] == 5',
        'properties["n"] == 5.0',
        'properties["n"] != "5"',
        'not (properties["n"] == "5")',
        'properties["n"] >= 5 and properties["f"] < 3',
        'properties["gone"] > 1 or properties["n"] > 1',
        'defined(properties["n"]) and not defined(properties["gone"])',
        '"ell" in properties["s"]',
        'properties["s"] in ["hello", "bye"]',
        '"a" in properties["list"]',
        'not ("1" in properties["list"])',
        'properties["$last_seen"]>"2026-01-01T00:00:00"',
        'properties["$time"]>=datetime(1767268800)',
        'event["$time"] >= datetime("2026-01-01T12:00:00")',
        'event["$time"] < datetime("2026-01-01T13:00:01+00:00")',
        'properties["n"] + 1 * 2 == 7 and (properties["n"] + 1) * 2 == 12',
        "7 % 4 == 3 and 7 / 2 == 3.5 and -1 < 0",
        'floor(properties["f"]) == 2 and ceil(properties["f"]) == 3 and round(2.4) == 2',
        'number("3.5") == 3.5 and string(properties["n"]) == "5" and boolean(1)',
        'properties["t"] == true and properties["nil"] == null',
        "properties['s'] == 'hello'",
        'properties["big"] == 1180591620717411303424',
        'user["n"] == 5',
    ],
)
def test_true_expressions(text: str) -> None:
    assert run(text) is True


@pytest.mark.parametrize(
    "text",
    [
        'properties["gone"] > 1',
        'properties["s"] > 1',
        'properties["n"] == "5"',
        'properties["t"] == 1',
        'properties["nil"] == 0',
        '"x" in properties["n"]',
        'properties["s"] / 2 > 0',
        "1 / 0 > 0",
        'number("abc") > 0',
        'defined(number("[]"))',
        'defined(number("true"))',
        "defined(floor(1e999))",
        "defined(round(1e999 - 1e999))",
        "defined(string(1e999))",
    ],
)
def test_false_or_undefined_expressions(text: str) -> None:
    assert not run(text)


@pytest.mark.parametrize(
    "text", ["", "properties[", 'properties["a"', "a == 1", "1 ==", 'properties["a"] = 1', "))"]
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        compile_expression(text)


def test_nesting_has_an_end_but_a_chain_has_none() -> None:
    for text in ("not " * 101 + "1", "-" * 500 + "1", "floor(" * 2000 + "1" + ")" * 2000):
        with pytest.raises(ExpressionError, match="too deep"):
            compile_expression(text)
    with pytest.raises(ExpressionError):
        compile_expression("7" * 5000)
    assert run("(" * 2000 + "1" + ")" * 2000) == 1
    assert run(" or ".join(f'properties["n"] == {n}' for n in range(2000))) is True
    assert run(" and ".join(["1"] * 2000)) is True


@given(st.text())
def test_any_name_can_be_addressed(name: str) -> None:
    seen = compile_expression(f"properties[{ascii_text(name)}]")(lambda _scope, key: key)
    assert seen == name


@given(st.integers(min_value=0), st.integers(min_value=0))
def test_integers_compare_exactly(left: int, right: int) -> None:
    assert compile_expression(f"{left} < {right}")(lambda *_: None) is (left < right)
