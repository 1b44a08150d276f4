"""Which column a property goes to. One property one column, for good.

A column is the property's name without one leading `$`. Where that is taken, in any mix of
upper and lower case, underscores are put before it until it is free: the names that Airbyte's
connector gives in its schema. Who came first keeps the plain name, so a name, once given, never
changes; a set of names seen at once is served in sorted order, as `discover` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

CORE_COLUMNS = {
    "time": "time",
    "distinct_id": "distinct_id",
    "$insert_id": "insert_id",
}
"""The properties that are columns of every event; `event` is no property."""

EVENT_COLUMN = "event"


def fold(name: str) -> str:
    """The name as warehouses compare it: without regard to letter case."""
    return name.upper().casefold()


class ColumnNames:
    """The growing map from raw property names to columns.

    Args:
        core: Raw names with a fixed column.
        taken: Further columns that no property may have.
    """

    def __init__(
        self,
        known: Mapping[str, str],
        *,
        core: Mapping[str, str] = CORE_COLUMNS,
        taken: Iterable[str] = (EVENT_COLUMN,),
    ) -> None:
        self._columns: dict[str, str] = dict(core)
        self._folded = {fold(column) for column in (*core.values(), *taken)}
        self._core = frozenset(core)
        self._used: dict[str, None] = {}
        for raw, column in known.items():
            if raw not in self._columns and fold(column) not in self._folded:
                self._give(raw, column)

    def column(self, raw: str) -> str:
        """The column of a property, given now if it is new."""
        self._used[raw] = None
        column = self._columns.get(raw)
        return column if column is not None else self._choose(raw)

    def add_all(self, raws: Iterable[str]) -> None:
        """Give columns to all these names as if they had come at once."""
        for raw in sorted(raws):
            self.column(raw)

    def _choose(self, raw: str) -> str:
        column = raw.removeprefix("$")
        while not column or fold(column) in self._folded:
            column = f"_{column}"
        return self._give(raw, column)

    def _give(self, raw: str, column: str) -> str:
        self._columns[raw] = column
        self._folded.add(fold(column))
        return column

    def is_free(self, raw: str) -> bool:
        """Whether a new property would get its plain name."""
        return raw not in self._columns and fold(raw.removeprefix("$")) not in self._folded

    def given(self) -> dict[str, str]:
        """Every property's column but the core ones'."""
        return {raw: column for raw, column in self._columns.items() if raw not in self._core}

    def used(self) -> dict[str, str]:
        """The columns of properties that were asked for, but the core ones'.

        A later sync has to be told them all: the schema is numbered anew each time it is
        discovered, and a rival that appeared meanwhile may come first in it.
        """
        return {raw: self._columns[raw] for raw in self._used if raw not in self._core}
