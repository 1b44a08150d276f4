"""Which column a property goes to: a rule that depends on the names alone. Pure.

A column is the property's name without one leading `$`. Of rivals one keeps that name, and the
others get underscores in front of it. Rivals are names that some warehouse cannot tell apart: they
ignore letter case, clean away what is no letter or digit, and cut long names (PostgreSQL: 63
bytes). Names that destinations keep for themselves are nobody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import md5
from itertools import chain, count

from source_mixpanel.columns.names import LONGEST, claims, cleaned, is_reserved
from source_mixpanel.columns.types import RESCUED

_PART = 40
_MOST_UNDERSCORES = 20


@dataclass(frozen=True)
class Core:
    """The columns of a stream that the rule gives to no further property.

    Attributes:
        properties: Raw names of properties that have a column of their own.
        others: Columns that hold no property.
        reserved: Mixpanel's own properties, which come first among rivals.
    """

    properties: Mapping[str, str]
    others: tuple[str, ...] = ()
    reserved: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.others, *self.properties.values())


def bare(raw: str) -> str:
    """The name that a property's column has unless it is taken.

    Nothing would be left of a name without any Latin letter or digit where a destination keeps
    only these, and so many characters; such a name is told from others by digits of its hash.
    """
    name = raw.removeprefix("$")
    return name if cleaned(name)[:LONGEST].strip("_") else _hashed(raw)


def digest(text: str) -> str:
    """32 hexadecimal digits of a text; no secret depends on them."""
    return md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _hashed(raw: str) -> str:
    """A name that no other property's can be like, even where it is cut."""
    return f"{raw.removeprefix('$')[:_PART]}_{digest(raw)[:8]}"


class ColumnNames:
    """The map from raw property names to columns.

    Names that are added at once get the same columns in whichever order they come.

    Args:
        given: Columns that are settled, by raw name.

    Attributes:
        columns: The column of each property, the core ones' too.
    """

    def __init__(self, core: Core, given: Mapping[str, str] | None = None) -> None:
        self.columns: dict[str, str] = dict(core.properties)
        self._core = core
        self._taken = {c for column in (*core.columns, RESCUED) for c in claims(column)}
        for raw, column in (given or {}).items():
            if raw not in self.columns:
                self._give(raw, column)

    def add(self, raws: Iterable[str]) -> None:
        """Give columns to those that have none yet."""
        for raw in sorted({*raws} - self.columns.keys(), key=self._rank):
            self._give(raw, self._free(raw))

    def _free(self, raw: str) -> str:
        """A column for a property: underscores in front, but never so many that they are all."""
        rivals = (f"{'_' * n}{bare(raw)}" for n in range(_MOST_UNDERSCORES))
        hashed = (f"{'_' * n}{_hashed(raw)}" for n in count())
        return next(filter(self._is_free, chain(rivals, hashed)))

    def _is_free(self, column: str) -> bool:
        return not is_reserved(column) and self._taken.isdisjoint(claims(column))

    def add_if_free(self, raws: Iterable[str]) -> None:
        """Give columns to those that get their plain names."""
        for raw in sorted(raws, key=self._rank):
            if raw not in self.columns and self._is_free(bare(raw)):
                self._give(raw, bare(raw))

    def _rank(self, raw: str) -> tuple[bool, bool, bool, str]:
        """Mixpanel's own first, then who is spelled like the column, tidy names before others."""
        column = raw.removeprefix("$")
        return raw not in self._core.reserved, column != raw, column != cleaned(column), raw

    def _give(self, raw: str, column: str) -> None:
        self.columns[raw] = column
        self._taken.update(claims(column))
