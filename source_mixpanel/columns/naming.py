"""The column of each property: a rule that depends on the names only. Pure.

A column is the property's name without one leading `$`. Of colliding names one keeps that name,
and the others get underscores in front. Names collide if some warehouse cannot tell them apart:
warehouses ignore letter case, remove what is no letter or digit, and cut long names (PostgreSQL:
63 bytes). Names that destinations reserve are never used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import md5
from itertools import chain, count

from source_mixpanel.columns.names import MAX_NAME_LENGTH, claims, cleaned, is_reserved
from source_mixpanel.columns.types import RESCUED

_HASHED_PREFIX = 40
_MOST_UNDERSCORES = 20


@dataclass(frozen=True)
class Core:
    """The fixed columns of a stream, which the rule gives to no other property.

    Attributes:
        properties: The column by raw name of properties with a fixed column.
        others: Columns that hold no property.
        reserved: Mixpanel's own properties, which come first in collisions.
    """

    properties: Mapping[str, str]
    others: tuple[str, ...] = ()
    reserved: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all core columns."""
        return (*self.others, *self.properties.values())


def bare(raw: str) -> str:
    """The name of a property's column unless it is taken.

    A name without Latin letters and digits would be empty in some destinations; it gets digits of
    its hash.
    """
    name = raw.removeprefix("$")
    return name if cleaned(name)[:MAX_NAME_LENGTH].strip("_") else _hashed(raw)


def digest(text: str) -> str:
    """32 hexadecimal digits of a text; no secret depends on them."""
    return md5(text.encode(errors="surrogatepass"), usedforsecurity=False).hexdigest()


def _hashed(raw: str) -> str:
    """A name that collides with no other property's, even if it is cut."""
    return f"{raw.removeprefix('$')[:_HASHED_PREFIX]}_{digest(raw)[:8]}"


class ColumnNames:
    """The map from raw property names to columns.

    Names of one call of `add` get the same columns in any order.

    Args:
        core: The fixed columns.
        given: Columns that are already decided, by raw name.

    Attributes:
        columns: The column of each property, core ones included.
    """

    def __init__(self, core: Core, given: Mapping[str, str] | None = None) -> None:
        self.columns: dict[str, str] = dict(core.properties)
        self._core = core
        self._taken = {c for column in (*core.columns, RESCUED) for c in claims(column)}
        for raw, column in (given or {}).items():
            if raw not in self.columns:
                self._assign(raw, column)

    def add(self, raws: Iterable[str]) -> None:
        """Give columns to those that have none yet."""
        for raw in sorted({*raws} - self.columns.keys(), key=self._rank):
            self._assign(raw, self._free(raw))

    def _free(self, raw: str) -> str:
        """A free column for a property: with underscores in front, or with a hash."""
        rivals = (f"{'_' * n}{bare(raw)}" for n in range(_MOST_UNDERSCORES))
        hashed = (f"{'_' * n}{_hashed(raw)}" for n in count())
        return next(filter(self._is_free, chain(rivals, hashed)))

    def _is_free(self, column: str) -> bool:
        return not is_reserved(column) and self._taken.isdisjoint(claims(column))

    def add_if_free(self, raws: Iterable[str]) -> None:
        """Give columns to those whose plain names are free."""
        for raw in sorted(raws, key=self._rank):
            if raw not in self.columns and self._is_free(bare(raw)):
                self._assign(raw, bare(raw))

    def _rank(self, raw: str) -> tuple[bool, bool, bool, str]:
        """The order in collisions: Mixpanel's own, then equal to the column, then clean names."""
        column = raw.removeprefix("$")
        return raw not in self._core.reserved, column != raw, column != cleaned(column), raw

    def _assign(self, raw: str, column: str) -> None:
        self.columns[raw] = column
        self._taken.update(claims(column))
