"""What becomes of single properties: their columns, and which are left out or hashed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from source_mixpanel.columns.names import claims, first_fit, fits, fold, is_reserved
from source_mixpanel.config.credentials import FrozenModel
from source_mixpanel.config.values import PropertyNames

_FIXED = {
    "distinct_id": "distinct_id",
    "time": "time",
    "$insert_id": "insert_id",
    "$last_seen": "last_seen",
}
"""Properties whose column is no choice."""
_CORE = {
    fold(column): column
    for column in (
        *("event_key", "event", "time", "distinct_id", "insert_id", "last_seen"),
        *("cohort_id", "data_group_id", "properties", "rescued_properties"),
    )
}
"""The connector's own columns, as pins are compared with them."""
_IDS = ("distinct_id", "$distinct_id")
_GONE_BY = ("event", "time", "$last_seen", "cohort_id", "data_group_id")
"""What streams go by, as part of a key or as cursor, and so has to stay as it is."""


class ColumnPin(FrozenModel):
    """The column of one property."""

    model_config = ConfigDict(title="Column Name")

    property: str = Field(
        min_length=1,
        description="The property's name as Mixpanel has it, with its $ if it has one.",
        examples=["$city"],
    )
    column: str = Field(
        min_length=1,
        description="The name of its column, which no other property gets.",
        examples=["city"],
    )


def _possible(pin: ColumnPin) -> ColumnPin:
    """The column is one that a property may have in every warehouse."""
    told, folded = _said(pin), fold(pin.column)
    if pin.property in _FIXED:
        raise ValueError(f"{told}: its column is always {_FIXED[pin.property]!r}")
    if not folded:
        raise ValueError(f"{told}, a name without any letter or digit")
    if folded in _CORE:
        raise ValueError(f"{told}: that is no other than {_CORE[folded]!r}, the connector's own")
    if is_reserved(pin.column):
        raise ValueError(f"{told}: some destinations keep that name for themselves")
    return pin


def _apart(pins: tuple[ColumnPin, ...]) -> tuple[ColumnPin, ...]:
    """Each pin is for a property of its own, and a column of its own."""
    holders: dict[object, ColumnPin] = {}
    properties: set[str] = set()
    for pin in map(_possible, pins):
        if pin.property in properties:
            raise ValueError(f"{pin.property!r} is there twice: a property has one column")
        properties.add(pin.property)
        for claim in (fold(pin.column), *claims(pin.column)):
            other = holders.setdefault(claim, pin)
            if other is not pin:
                raise ValueError(
                    f"{_said(pin)}: some destinations do not tell it from {other.column!r}, the "
                    f"column of {other.property!r}"
                )
    return pins


def _said(pin: ColumnPin) -> str:
    return f"{pin.property!r} cannot have the column {pin.column!r}"


def _leave_keys(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Nothing is left out that a stream goes by."""
    for pattern in patterns:
        for name in (*_IDS, *_GONE_BY):
            if not fits(name, pattern):
                continue
            told = f"{pattern!r} means {name} too, which " if pattern != name else f"{name} "
            if name in _IDS:
                raise ValueError(
                    f"{told}is part of a primary key and cannot be left out; hash it instead "
                    f"(hash_properties)"
                )
            raise ValueError(
                f"{told}is part of a primary key or a cursor, so it can be neither left out nor "
                f"hashed"
            )
    return patterns


def _hashable(names: tuple[str, ...]) -> tuple[str, ...]:
    """Whole names, of nothing that a stream goes by."""
    for name in names:
        if "*" in name:
            raise ValueError(f"{name!r} is no whole name; only exclude_properties takes a *")
        if name in _GONE_BY:
            raise ValueError(f"{name} cannot be hashed: a stream goes by it, as key or cursor")
    return names


def contradictions(excluded: tuple[str, ...], hashed: tuple[str, ...]) -> Iterator[str]:
    """Names that are to be hashed and, by a pattern that is told with them, left out."""
    for name in hashed:
        pattern = first_fit(name, excluded)
        if pattern is not None:
            yield name if pattern == name else f"{name} (as {pattern!r})"


def is_kept_back(name: str, excluded: tuple[str, ...], hashed: tuple[str, ...]) -> bool:
    """Whether a property's values are not to be seen; the id has two names."""
    names = _IDS if name in _IDS else (name,)
    return first_fit(name, excluded) is not None or not set(hashed).isdisjoint(names)


ColumnPins = Annotated[tuple[ColumnPin, ...], AfterValidator(_apart)]
ExcludedProperties = Annotated[PropertyNames, AfterValidator(_leave_keys)]
HashedProperties = Annotated[PropertyNames, AfterValidator(_hashable)]
