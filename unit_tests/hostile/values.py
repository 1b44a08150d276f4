"""JSON texts as no sane client sends them, and what each has to come out as."""

from __future__ import annotations

import json
import math
import os
import sys
from typing import Any

from hypothesis import strategies as st

DEEP_ENOUGH = {(3, 12): 1400, (3, 13): 9900}.get(sys.version_info[:2], 900)
"""The levels of nesting that Python surely reads; from 3.12 on they do not count as its own."""
EXAMPLES = int(os.environ.get("SOAK_EXAMPLES", "15"))
"""Syncs of each property-based test here; `make soak` asks for more."""

LONGEST = 4300
"""Digits of the longest integer that comes out as a number."""

ODD_TEXTS = [
    "",
    " ",
    "\t",
    '"',
    "\\",
    "'",
    "\x00",
    "\x7f",
    "\u0085",
    "\u2028",
    "\u2029",
    "\ufeff",
    "\ufffe",
    "\uffff",
    "\U0001ffff",
    "\U0010ffff",
    "\ud800",
    "\udc00\ud800",
    "e\u0301",
    "\u202etxt",
    "terminated early",
    '{"error": "no"}',
    "\n",
    "\r\n",
    "NaN",
    "null",
]
ODD_NUMBERS = [
    "0",
    "-0",
    "-0.0",
    "0e0",
    "1E400",
    "-1e400",
    "1e-400",
    "5e-324",
    "2.2250738585072014e-308",
    "1.7976931348623157e308",
    "0.1",
    "0.30000000000000004",
    "9007199254740993",
    "9007199254740993.0",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "1" + "0" * 309,
    "7" * LONGEST,
    "7" * (LONGEST + 1),
    "-" + "7" * LONGEST,
    "123456789012345678901234567890.5",
    "1e23",
    "1.0",
    "100",
]

_every_character = st.characters(exclude_categories=[])
texts = st.one_of(st.sampled_from(ODD_TEXTS), st.text(_every_character, max_size=12))
_numbers = st.one_of(
    st.sampled_from(ODD_NUMBERS),
    st.from_regex(r"\A-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?\Z"),
)


def spell(text: str, *, ascii_only: bool) -> str:
    """A string as JSON; what UTF-8 cannot carry is escaped either way."""
    told = json.dumps(text, ensure_ascii=ascii_only)
    return "".join(f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in told)


_strings = st.builds(lambda text, plain: spell(text, ascii_only=plain), texts, st.booleans())
_scalars = st.one_of(st.sampled_from(["null", "true", "false"]), _numbers, _strings)


def _array(items: list[str]) -> str:
    return "[" + ", ".join(items) + "]"


def _object(members: list[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{key} : {value}" for key, value in members) + "}"


json_texts = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(_array)
        # A list of pairs, so that a key may come twice.
        | st.lists(st.tuples(_strings, inner), max_size=3).map(_object)
    ),
    max_leaves=5,
)
"""JSON texts of any value."""

properties = st.lists(st.tuples(_strings, json_texts), max_size=6).map(dict)
"""JSON texts of properties: by JSON text of the name."""


def _integer(text: str) -> int | str:
    return int(text) if len(text.lstrip("-")) <= LONGEST else text


def _real(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def meant(text: str) -> Any:
    """The value that a JSON text has to come out as."""
    return json.loads(text, parse_int=_integer, parse_float=_real)
