"""What is fuzzed: for each target a check that any bytes have to pass, and bytes to begin with."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

from mixpanel_emulator.where import UNDEFINED, ExpressionError, compile_expression
from source_mixpanel.api.integrity import LineCensus, find_damage
from source_mixpanel.errors import DataError
from source_mixpanel.texts.json_lines import dump, parse_lines

_LONGEST_INTEGER = 4300
_HEAD = 3
_SEPARATOR = b"\xff"
_TEXT = b"t"


class MismatchError(AssertionError):
    """Something that must never be."""


@dataclass(frozen=True)
class Target:
    """One thing to fuzz.

    Attributes:
        check: Raises what is wrong with these bytes.
        seeds: Bytes to begin with.
    """

    check: Callable[[bytes], None]
    seeds: Sequence[bytes]


def _chosen(data: bytes, tokens: Sequence[str], between: str) -> bytes:
    """The first byte tells whether the others are text, or choose one token each."""
    if data[:1] == _TEXT:
        return data[1:]
    return between.join(tokens[byte % len(tokens)] for byte in data[1:]).encode()


# -- the line decoder ------------------------------------------------------------------------


def check_decode(data: bytes) -> None:
    """A line means what the standard library says that it means, or both refuse it."""
    line = _chosen(data, _JSON_TOKENS, "").replace(b"\n", b" ")
    want: list[Any] | None
    try:
        want = _as_the_library_reads(line)
    except ValueError:
        want = None if line.strip() else []
    except RecursionError:
        # Who gives up first depends on how deep the caller stands.
        return
    try:
        found = list(parse_lines(line))
    except DataError:
        if want is not None:
            raise MismatchError("a line was refused that is JSON") from None
        return
    if want is None:
        raise MismatchError("a line was read that is no JSON")
    if not _same(found, want):
        raise MismatchError(f"{found!r} is not {want!r}")
    _check_dump(found)


def _check_dump(values: list[Any]) -> None:
    """What was read comes out as it is."""
    for value in values:
        try:
            [again] = _as_the_library_reads(dump(value))
        except (DataError, RecursionError):
            continue
        if not _same(again, value):
            raise MismatchError(f"{value!r} came out as {again!r}")


def _as_the_library_reads(line: bytes) -> list[Any]:
    text = line.decode("utf-8", "surrogateescape")
    hooks: dict[str, Any] = {"parse_int": _integer, "parse_float": _real}
    return [json.loads(text, parse_constant=str, **hooks)]


def _integer(text: str) -> Any:
    return int(text) if len(text.lstrip("-")) <= _LONGEST_INTEGER else text


def _real(text: str) -> Any:
    return float(text) if math.isfinite(float(text)) else text


def _same(one: Any, other: Any) -> bool:
    """Equal and of the same types all through; -0.0 is not 0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return repr(one) == repr(other)


# -- the proof that a body is whole ----------------------------------------------------------


def check_wholeness(data: bytes) -> None:
    """No cut body is taken for a whole one, no whole one for a cut one; looks agree."""
    places, rest = list(data[:_HEAD]), data[_HEAD:]
    _looks_agree(rest, places)
    body = b"".join(_event(piece) for piece in rest.split(_SEPARATOR))
    if not _is_whole(body, places):
        raise MismatchError(f"taken for cut: {body!r}")
    place = int.from_bytes(data[:_HEAD], "big") % (len(body) + 1)
    at_an_end = place == 0 or body[place - 1 : place] == b"\n"
    if _is_whole(body[:place], places) != at_an_end:
        raise MismatchError(f"cut at {place}, misjudged: {body[:place]!r}")


def _looks_agree(body: bytes, places: Iterable[int]) -> None:
    """Where the quick look has no doubts, the thorough one finds no damage."""
    census = _census(body, places)
    if census.is_suspect:
        return
    damage = find_damage(body.splitlines(keepends=True) if b"\r" not in body else _lines(body))
    if damage is not None:
        raise MismatchError(f"overlooked: {damage} in {body!r}")
    if census.lines != sum(1 for line in _lines(body) if line.strip()):
        raise MismatchError(f"counted {census.lines} lines in {body!r}")


def _event(piece: bytes) -> bytes:
    text = piece.decode("utf-8", "surrogateescape")
    event = {"event": text, "properties": {text: [text, {"error": text}]}}
    plain = json.dumps(event, ensure_ascii=not len(piece) % 2)
    return plain.encode("utf-8", "surrogateescape") + b"\n"


def _is_whole(body: bytes, places: Iterable[int]) -> bool:
    return not _census(body, places).is_suspect or find_damage(_lines(body)) is None


def _census(body: bytes, places: Iterable[int]) -> LineCensus:
    """The body looked at in pieces."""
    ends = sorted({0, len(body), *(place % (len(body) + 1) for place in places)})
    census = LineCensus()
    for begin, end in pairwise(ends):
        census.feed(body[begin:end])
    return census


def _lines(body: bytes) -> list[bytes]:
    *whole, last = body.split(b"\n")
    return [line + b"\n" for line in whole] + ([last] if last else [])


# -- the expressions of the local Mixpanel ---------------------------------------------------


def check_where(data: bytes) -> None:
    """An expression is refused by name, or has a value for every event."""
    text = _chosen(data, _WHERE_TOKENS, " ").decode("utf-8", "surrogateescape")
    try:
        value_of = compile_expression(text)
    except ExpressionError:
        return
    for value in (UNDEFINED, None, True, 0, -1, 10**400, 0.5, 1e308, "", text, [text], {"a": 1}):
        value_of(partial(_always, value))


def _always(value: Any, _scope: str, _name: str) -> Any:
    return value


_JSON_TOKENS = (
    "{", "}", "[", "]", ",", ":", '"a"', '"b"', '"\\ud800"', '"\u2028"', '"\\u0000"', "\\", '"',
    " ", "0", "-0", "-", "1.5", "1e400", "1E-400", "-0.0", "7" * 19, "7" * 20, "7" * 4300,
    "7" * 4301, "9223372036854775808", "0.1", "true", "null", "NaN", "-Infinity", "\ufeff", "\x00",
    "\t",
)  # fmt: skip
_WHERE_TOKENS = (
    'properties["a"]', "( ", ")", "[", "]", ",", "not", "and", "or", "in", "==", "!=", "<", ">=",
    "+", "-", "*", "/", "%", "floor(", "round(", "ceil(", "string(", "number(", "boolean(",
    "defined(", "datetime(", "0", "1", "2.5", "1e999", "7" * 5000, "1e308", "true", "null", '""',
    "'b'", '"2026-01-31T00:00:00Z"', '"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-14:00"',
    '"[1,{}]"', '"1e999"', '"nan"',
)  # fmt: skip
_EVENT = b'{"event":"a","properties":{"time":1,"x":[1.5,true,null,"\\u2028"]}}'

_LINES = (
    _EVENT,
    b"123456789012345678901234567890",
    b"[1e400,-0.0,-0,1E-400,NaN,-Infinity]",
    b'{"a":1,"a":2}',
    b'"\\ud800\\u0000\\/"',
    b'"\xff\xfe\xe2\x80\xa8"',
    b" \t\r",
    b"[" * 300 + b"]" * 300,
)
_EXPRESSIONS = (
    b'properties["a"] == "b" and not user["c"] in ["d", 1]',
    b'(properties["$time"] >= datetime(1700000000)) or defined(event["x"])',
    b'datetime("2026-01-31T00:00:00Z") < number("5") % 2',
    b"floor(1.5e3) + round(-2.5) * ceil(.5) / 0",
    b"string(true) + boolean(null) - behaviors['x']",
    b"1e999 == number('1e999')",
    b"not " * 400 + b"1",
)

TARGETS = {
    "decode": Target(
        check_decode,
        [
            *(_TEXT + text for text in _LINES),
            bytes(range(len(_JSON_TOKENS) + 1)),
            bytes([0, 0, 6, 5, 2, 23, 4, 24, 3, 1]),
        ],
    ),
    "wholeness": Target(
        check_wholeness,
        [
            b"\x00\x10\x20" + _EVENT + b"\n" + _EVENT + b"\n",
            b"\x01\x02\x03a\xffb\xff",
            b"\x00\x00\x09" + _EVENT + b"\nterminated early\n",
            b"\x00\x00\x40" + _EVENT + b'\n{"error":"x"}\n',
            b"\x00\x00\x30}\n{\xff\r\n\xff\xe2\x80\xa8",
        ],
    ),
    "where": Target(
        check_where,
        [
            *(_TEXT + text for text in _EXPRESSIONS),
            bytes(range(len(_WHERE_TOKENS) + 1)),
            bytes([0, 22, 0, 2]),
            bytes([0, 19, 28, 2, 14, 20, 29, 2]),
        ],
    ),
}
