"""How rows are made what the configured catalog says, before they leave."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from source_mixpanel.columns.catalog import CatalogColumns
from source_mixpanel.columns.naming import Core
from source_mixpanel.columns.properties import PropertyColumns, Shape
from source_mixpanel.columns.types import RESCUED
from source_mixpanel.texts.oddities import Oddities

Row: TypeAlias = Mapping[str, Any]


class Fitting:
    """Fits rows of declared columns; those of properties are made to fit.

    Args:
        key: The columns that no row can do without.
    """

    def __init__(self, catalog: CatalogColumns, key: Collection[str]) -> None:
        self._catalog = catalog
        self._key = key
        self._columns = PropertyColumns(catalog, Shape(), Core({}))
        self._keyless = Oddities()

    def rows(self, rows: Iterable[Row]) -> Iterable[Row]:
        """Rows whose every column the catalog declares, in a value that fits it."""
        return filter(None, map(self._fitted, rows))

    def _fitted(self, row: Row) -> Row | None:
        """The row, or None if its key holds what its column cannot; that is told in the end."""
        given = dict(row)
        for column in self._key:
            declared = self._catalog.columns.get(column)
            if declared is not None:
                given[column] = declared.converted(row.get(column))
        made = self._columns.row(given)
        for column in self._key:
            if type(row.get(column)) not in (str, int) and made.get(column) is not None:
                self._columns.rescue(made, column, row[column])
        if any(made.get(column) is None for column in self._key):
            self._keyless.add(row)
            return None
        if self._catalog.rescues and made[RESCUED] is None:
            # These streams hardly ever have any, and null is what is left out.
            del made[RESCUED]
        return made

    def sentences(self, stream: str) -> Iterator[str]:
        """What was odd, a sentence for each thing."""
        if self._keyless.count:
            yield (
                f"Stream {stream!r}: {self._keyless.count} items have no "
                f"{' and '.join(self._key)} of the type that the schema declares, so they are "
                f"left out: {self._keyless.shown()}."
            )
        yield from self._columns.sentences(stream)
