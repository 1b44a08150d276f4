"""What every judge asks of a table after a sync."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from integration_tests.warehouses.compare import Number, Table, exact
from integration_tests.warehouses.history import Sync


class Judge:
    """Holds tables against Mixpanel and against what the command printed, sync by sync.

    Args:
        number: How the tables hold numbers.
        drops_nul: Whether their texts lose NUL.
    """

    def __init__(self, number: Number = exact, *, drops_nul: bool = False) -> None:
        self._number = number
        self._drops_nul = drops_nul
        self._printed: dict[str, dict[tuple[Any, ...], Any]] = {}

    def look(self, sync: Sync, tables: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
        """Look at the tables after a sync, each by the columns that its stream declares.

        Raises:
            AssertionError: A key is null or there twice, or a value is lost, doubled or changed.
        """
        for name, stream in sync.catalog.items():
            rows = list(tables[name])
            key = sync.key(name)
            keys = [tuple(row[column] for column in key) for row in rows]
            assert not any(part is None for one in keys for part in one), f"{name}: a null key"
            assert len(set(keys)) == len(keys), f"{name}: a key is there twice"
            table = Table(stream, self._number, drops_nul=self._drops_nul)
            printed = self._printed.setdefault(name, {})
            sync.newest(name, printed, map(table.told, sync.records[name]))
            want = sync.truth.get(name, printed.values())
            told = table.differences(want, map(table.told, rows))
            assert not told, "\n".join([f"{sync.name}, {name}:", *told])
