"""Profile update operators (Ingestion API, user and group profiles), as pure functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Properties = dict[str, Any]


def _set(old: Properties, changes: Properties) -> Properties:
    return {**old, **changes}


def _set_once(old: Properties, changes: Properties) -> Properties:
    return {**changes, **old}


def _number(value: Any) -> Any:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else 0


def _add(old: Properties, changes: Properties) -> Properties:
    sums = {name: _number(old.get(name)) + _number(value) for name, value in changes.items()}
    return {**old, **sums}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _append(old: Properties, changes: Properties) -> Properties:
    return {**old, **{name: [*_list(old.get(name)), value] for name, value in changes.items()}}


def _union(old: Properties, changes: Properties) -> Properties:
    merged = dict(old)
    for name, values in changes.items():
        present = _list(old.get(name))
        merged[name] = [*present, *(value for value in _list(values) if value not in present)]
    return merged


def _remove(old: Properties, changes: Properties) -> Properties:
    merged = dict(old)
    for name, value in changes.items():
        if name in old:
            merged[name] = [item for item in _list(old[name]) if item != value]
    return merged


def _unset(old: Properties, changes: Any) -> Properties:
    names = changes if isinstance(changes, list) else [changes]
    return {name: value for name, value in old.items() if name not in names}


_OPERATORS: dict[str, Callable[[Properties, Any], Properties]] = {
    "$set": _set,
    "$set_once": _set_once,
    "$add": _add,
    "$append": _append,
    "$union": _union,
    "$remove": _remove,
    "$unset": _unset,
}
OPERATORS = frozenset((*_OPERATORS, "$delete"))


def apply_update(old: Properties, update: dict[str, Any]) -> Properties | None:
    """A profile's properties after an update; None if the update deletes the profile.

    Raises:
        ValueError: If the update names no operator, or an operator's value is of the wrong type.
    """
    named = [name for name in update if name in OPERATORS]
    if not named:
        raise ValueError("no operation in the update")
    if "$delete" in named:
        return None
    merged = old
    for name in named:
        value = update[name]
        if name != "$unset" and not isinstance(value, dict):
            raise ValueError(f"{name} must be an object")
        merged = _OPERATORS[name](merged, value)
    return merged
