"""Avro and Parquet, by strict conversion of each stream's JSON schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from integration_tests.warehouses.compare import double
from integration_tests.warehouses.files import Rows, through_avro, through_parquet
from integration_tests.warehouses.history import Sync
from integration_tests.warehouses.judging import Judge


@pytest.mark.parametrize("through", [through_avro, through_parquet])
def test_the_newest_rows_in_files_hold_what_mixpanel_holds(
    life: list[Sync], through: Callable[..., Rows]
) -> None:
    judge = Judge(double)
    newest: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = {}
    for sync in life:
        for name, stream in sync.catalog.items():
            rows = through(stream, sync.records[name])
            sync.newest(name, newest.setdefault(name, {}), rows)
        # A row of an older file has no value in a column that came later.
        tables = {
            name: [{column: row.get(column) for column in columns_of(stream)} for row in rows]
            for name, stream in sync.catalog.items()
            for rows in [newest[name].values()]
        }
        judge.look(sync, tables)


def columns_of(stream: Mapping[str, Any]) -> list[str]:
    """The columns that a stream declares."""
    return list(stream["json_schema"]["properties"])
