"""Documents that are nearly right: one place of a valid one is something else."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from unit_tests.hostile.values import texts

JUNK: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308, "", " ", "0", "null",
    "true", "x" * 300, "2026-13-45", "9999-12-31", "0001-01-01", "2121-01-01T00:00:00Z", "\x00",
    "\ud800", "\u2028", "../../etc/passwd", "$ref", [], [[]], [None], ["a", 1], {}, {"": {}},
    {"a": None}, {"type": "STREAM"}, [{}] * 3,
]  # fmt: skip
RAW = ["1e999", "NaN", "-Infinity", "7" * 5000, "[" * 5000 + "]" * 5000, '{"a":1,"a":2}']
"""Values that no dump writes, as text."""

_MARK = "@raw@"

junk = st.one_of(
    st.sampled_from(JUNK),
    texts,
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(0, len(RAW) - 1).map(lambda number: f"{_MARK}{number}"),
)


def places(document: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a document, its own included."""
    yield here
    if isinstance(document, dict):
        for key, value in document.items():
            yield from places(value, (*here, key))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from places(value, (*here, index))


def written(document: Any) -> str:
    """The document as text, with the values that no dump writes."""
    text = json.dumps(document)
    for number, raw in enumerate(RAW):
        text = text.replace(f'"{_MARK}{number}"', raw)
    return text


@st.composite
def mutants(draw: st.DrawFn, document: Any, spared: frozenset[str] = frozenset()) -> Any:
    """The document with one to three places changed; what lies under `spared` stays."""
    changed = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        paths = [path for path in places(changed) if path and not spared & set(map(str, path))]
        if not paths:
            break
        *way, last = draw(st.sampled_from(paths))
        holder = changed
        for step in way:
            holder = holder[step]
        _change(draw, holder, last)
    return changed


def _change(draw: st.DrawFn, holder: Any, last: Any) -> None:
    how = draw(st.sampled_from(["replace", "replace", "replace", "remove", "double", "beside"]))
    if how == "replace":
        holder[last] = draw(junk)
    elif how == "remove":
        del holder[last]
    elif how == "double" and isinstance(holder, list):
        holder.insert(last, copy.deepcopy(holder[last]))
    elif isinstance(holder, dict):
        holder[draw(texts)] = draw(junk)
