"""Texts with half a surrogate pair, which are no Unicode: no warehouse can hold them. Pure.

JSON can write them as escapes, and they come out as their JSON text, which has only ASCII: a whole
value under its raw name in `rescued_properties`; an id, which no row can do without, and a name in
place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from source_mixpanel.records.types import RESCUED


def escaped(text: str) -> str:
    """A text with its halves of pairs as JSON escapes."""
    return "".join(json.dumps(c)[1:-1] if "\ud800" <= c <= "\udfff" else c for c in text)


def _halves(value: Any) -> bool:
    if isinstance(value, str):
        return any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, Mapping):
        return any(_halves(name) or _halves(held) for name, held in value.items())
    return isinstance(value, list) and any(map(_halves, value))


def mended(
    row: Mapping[str, Any], raw_name: Callable[[str], str | None], *, rescues: bool
) -> dict[str, Any]:
    """A row that warehouses can hold.

    Args:
        row: By column.
        raw_name: The property that a column holds; None for columns whose text stays in place.
        rescues: Whether rows have `rescued_properties`.
    """
    good: dict[str, Any] = {}
    rescued: dict[str, Any] = {}
    for column, value in row.items():
        raw = raw_name(column)
        if not _halves(value):
            good[column] = value
        elif isinstance(value, Mapping) and raw is None:
            good[column] = _object(value)
        elif raw is None and isinstance(value, str):
            good[column] = escaped(value)
        else:
            good[column] = None
            rescued[escaped(raw or column)] = json.dumps(value)
    if rescued and rescues:
        good[RESCUED] = {**(good.get(RESCUED) or {}), **rescued}
    return good


def _object(held: Mapping[str, Any]) -> dict[str, Any]:
    """Each value by itself, under a name that is Unicode."""
    return {
        escaped(name): json.dumps(value) if _halves(value) else value
        for name, value in held.items()
    }
