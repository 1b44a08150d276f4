"""Texts with half a surrogate pair, which are no Unicode: no warehouse can hold them. Pure.

JSON can write them as escapes, and they come out as their JSON text, which has only ASCII: a whole
value under its raw name in `rescued_properties`; an id, which no row can do without, and a name in
place. The one object of `property_layout: object` keeps what it holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from source_mixpanel.records.types import RESCUED

_UNFIT = re.compile("[\ud800-\udfff]")


def escaped(text: str) -> str:
    """A text with what no warehouse can hold as JSON escapes."""
    return _UNFIT.sub(lambda found: json.dumps(found[0])[1:-1], text)


def can_be_stored(text: str) -> bool:
    """Whether every warehouse can hold a text, and have a column of that name."""
    return _UNFIT.search(text) is None


def _is_unfit(value: Any) -> bool:
    if isinstance(value, str):
        return not can_be_stored(value)
    if isinstance(value, Mapping):
        return any(_is_unfit(name) or _is_unfit(held) for name, held in value.items())
    return isinstance(value, list) and any(map(_is_unfit, value))


def _json_text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


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
        if not _is_unfit(value):
            good[column] = value
        elif isinstance(value, Mapping) and raw is None:
            good[column] = _object(value) if column == RESCUED else value
        elif raw is None and isinstance(value, str):
            good[column] = escaped(value)
        else:
            good[column] = None
            rescued[escaped(raw or column)] = _json_text(value)
    if rescued and rescues:
        good[RESCUED] = {**(good.get(RESCUED) or {}), **rescued}
    return good


def _object(held: Mapping[str, Any]) -> dict[str, Any]:
    """Each value by itself, under a name that can be held."""
    return {
        escaped(name): _json_text(value) if _is_unfit(value) else value
        for name, value in held.items()
    }
