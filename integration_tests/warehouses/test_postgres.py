"""PostgreSQL, by an upsert on the primary key as Airbyte's destination does it."""

from __future__ import annotations

from contextlib import closing

import pytest

from integration_tests import postgres
from integration_tests.warehouses.compare import Number, Table, exact, nine_decimals
from integration_tests.warehouses.history import Sync
from integration_tests.warehouses.upserts import ANY_NUMBER, NINE_DECIMALS, Upserts


@pytest.mark.parametrize(("numbers", "seen"), [(NINE_DECIMALS, nine_decimals), (ANY_NUMBER, exact)])
def test_after_every_sync_the_tables_hold_what_mixpanel_holds(
    life: list[Sync], server: postgres.Postgres, numbers: str, seen: Number
) -> None:
    schema = f"judged_{numbers[:9]}"
    with closing(Upserts(server, schema, numbers)) as warehouse:
        for sync in life:
            warehouse.land(sync)
            for name, want in sync.truth.items():
                stream = sync.catalog[name]
                table = Table(stream, seen)
                told = table.differences(want, map(table.told, warehouse.rows(stream)))
                assert not told, "\n".join([f"{sync.name}, {name}:", *told])
