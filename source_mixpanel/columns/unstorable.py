"""Texts that warehouses cannot store. Pure.

A lone surrogate is not valid Unicode, and some clients drop a whole row for it: a value with one is
emitted as its JSON text, which is ASCII, in `rescued_properties`. PostgreSQL cannot store NUL in a
text: such a text is rescued unchanged. In ids, which every row needs, both become escapes. The one
object of `property_layout: object` is not changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from source_mixpanel.columns.catalog import CatalogColumns
from source_mixpanel.columns.naming import Core
from source_mixpanel.columns.types import RESCUED

_SURROGATE = re.compile("[\ud800-\udfff]")
_UNFIT = re.compile("[\x00\ud800-\udfff]")


def escaped(text: str) -> str:
    """A text with lone surrogates as JSON escapes."""
    return _SURROGATE.sub(_escape, text)


def can_be_stored(text: str) -> bool:
    """Whether every warehouse can store a text, also as the name of a column."""
    return _UNFIT.search(text) is None


def mending(
    catalog: CatalogColumns, core: Core, in_place: Collection[str]
) -> Callable[[Mapping[str, Any]], Mapping[str, Any]] | None:
    """The function that makes rows storable; None for an older catalog, whose rows do not change.

    Args:
        catalog: The columns, with the property of each.
        core: The fixed columns.
        in_place: Columns whose texts are escaped instead of rescued.
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
    """The row with only texts that warehouses can store.

    Args:
        row: Values by column.
        raw_name: The property of a column; None for columns whose texts are escaped in place.
        rescues: Whether rows have `rescued_properties`.
    """
    storable: dict[str, Any] = {}
    rescued: dict[str, Any] = {}
    for column, value in row.items():
        raw = raw_name(column)
        if column == RESCUED:
            storable[column] = value and {
                escaped(name): _escaped_value(item) for name, item in value.items()
            }
        elif raw is None:
            storable[column] = _UNFIT.sub(_escape, value) if isinstance(value, str) else value
        elif _has_surrogate(value) or (isinstance(value, str) and "\x00" in value):
            storable[column] = None
            rescued[escaped(raw)] = _escaped_value(value)
        else:
            storable[column] = value
    if rescued and rescues:
        storable[RESCUED] = {**(storable.get(RESCUED) or {}), **rescued}
    return storable


def _escape(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]


def _has_surrogate(value: Any) -> bool:
    if isinstance(value, str):
        return _SURROGATE.search(value) is not None
    if isinstance(value, Mapping):
        return any(_has_surrogate(name) or _has_surrogate(item) for name, item in value.items())
    return isinstance(value, list) and any(map(_has_surrogate, value))


def _escaped_value(value: Any) -> Any:
    """A value; its JSON text if it has a lone surrogate."""
    return json.dumps(value, separators=(",", ":")) if _has_surrogate(value) else value
