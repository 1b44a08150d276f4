"""Avro and Parquet, by strict conversion of each stream's JSON schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integration_tests.warehouses.compare import Table, double
from integration_tests.warehouses.files import through_avro, through_parquet
from integration_tests.warehouses.history import INCREMENTAL, Sync


@pytest.mark.parametrize("through", [through_avro, through_parquet])
def test_files_hold_what_mixpanel_holds_and_the_newest_row_of_a_key_is_right(
    life: list[Sync], through: Callable[..., list[dict[str, Any]]]
) -> None:
    newest: dict[str, dict[Any, Any]] = {}
    for sync in life:
        for name, stream in sync.catalog.items():
            rows = through(stream, sync.records[name])
            assert len(rows) == len(sync.records[name])
            held = newest.setdefault(name, {})
            if sync.modes[name] != INCREMENTAL:
                held.clear()
            keys = [tuple(row[column] for column in sync.key(name)) for row in rows]
            assert None not in {part for key in keys for part in key}, f"{name}: a key is null"
            table = Table(stream, double)
            held.update(zip(keys, map(table.told, rows), strict=True))
            if name in sync.truth:
                told = table.differences(sync.truth[name], held.values())
                assert not told, "\n".join([f"{sync.name}, {name}:", *told])
