"""Texts that warehouses cannot hold. Pure.

Half a surrogate pair is no Unicode, and some clients drop a whole row for it: a value with one
comes out as its JSON text, which has only ASCII, in `rescued_properties`. NUL has no place in a
text of PostgreSQL's: such a text is rescued as it is. An id, which no row can do without, has
either as escapes in place. The one object of `property_layout: object` keeps what it holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from source_mixpanel.columns.catalog import CatalogColumns
from source_mixpanel.columns.naming import Core
from source_mixpanel.columns.types import RESCUED

_HALF = re.compile("[\ud800-\udfff]")
_UNFIT = re.compile("[\x00\ud800-\udfff]")


def escaped(text: str) -> str:
    """A text with halves of pairs as JSON escapes."""
    return _HALF.sub(_escape, text)


def can_be_stored(text: str) -> bool:
    """Whether every warehouse can hold a text, and have a column of that name."""
    return _UNFIT.search(text) is None


def mending(
    catalog: CatalogColumns, core: Core, in_place: Collection[str]
) -> Callable[[Mapping[str, Any]], Mapping[str, Any]] | None:
    """What makes rows that warehouses can hold; None for an older catalog, whose rows stay.

    Args:
        catalog: Tells which property a column holds.
        core: Columns that it may give besides; those of properties hold them.
        in_place: Columns that no row can do without: their texts stay where they are.
    """
    if catalog.is_older:
        return None
    names = {**catalog.raw_names, **{column: raw for raw, column in core.properties.items()}}
    stay = frozenset(in_place)

    def raw_name(column: str) -> str | None:
        return None if column in stay else names.get(column, column)

    return lambda row: mended(row, raw_name, rescues=catalog.rescues)


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
        if column == RESCUED:
            good[column] = value and {escaped(name): _held(item) for name, item in value.items()}
        elif raw is None:
            good[column] = _UNFIT.sub(_escape, value) if isinstance(value, str) else value
        elif _has_half(value) or (isinstance(value, str) and "\x00" in value):
            good[column] = None
            rescued[escaped(raw)] = _held(value)
        else:
            good[column] = value
    if rescued and rescues:
        good[RESCUED] = {**(good.get(RESCUED) or {}), **rescued}
    return good


def _escape(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def _has_half(value: Any) -> bool:
    if isinstance(value, str):
        return _HALF.search(value) is not None
    if isinstance(value, Mapping):
        return any(_has_half(name) or _has_half(held) for name, held in value.items())
    return isinstance(value, list) and any(map(_has_half, value))


def _held(value: Any) -> Any:
    """A value, or its JSON text where it has half a pair."""
    return json.dumps(value, separators=(",", ":")) if _has_half(value) else value
