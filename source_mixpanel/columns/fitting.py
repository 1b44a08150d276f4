"""Fitting rows to the configured catalog before they are emitted."""

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
    """Fits the rows of streams with declared columns.

    Args:
        catalog: The configured columns.
        key: The primary key; rows need a value in each of its columns.
    """

    def __init__(self, catalog: CatalogColumns, key: Collection[str]) -> None:
        self._catalog = catalog
        self._key = key
        self._columns = PropertyColumns(catalog, Shape(), Core({}))
        self._without_key = Oddities()

    def rows(self, rows: Iterable[Row]) -> Iterable[Row]:
        """The rows with declared columns and fitting values only; without rows that have no key."""
        return filter(None, map(self._fitted, rows))

    def _fitted(self, row: Row) -> Row | None:
        """The fitted row; None if its key does not fit, which is counted."""
        converted = dict(row)
        for column in self._key:
            declared = self._catalog.columns.get(column)
            if declared is not None:
                converted[column] = declared.converted(row.get(column))
        fitted = self._columns.row(converted)
        for column in self._key:
            if type(row.get(column)) not in (str, int) and fitted.get(column) is not None:
                self._columns.rescue(fitted, column, row[column])
        if any(fitted.get(column) is None for column in self._key):
            self._without_key.add(row)
            return None
        if self._catalog.rescues and fitted[RESCUED] is None:
            # These streams hardly ever have any; a missing column means null.
            del fitted[RESCUED]
        return fitted

    def sentences(self, stream: str) -> Iterator[str]:
        """Sentences about rows and values that do not fit."""
        if self._without_key.count:
            yield (
                f"Stream {stream!r}: {self._without_key.count} items have no "
                f"{' and '.join(self._key)} of the type that the schema declares, so they are "
                f"left out: {self._without_key.shown()}."
            )
        yield from self._columns.sentences(stream)
