"""DuckDB as it is filled in append mode: rows of every sync, copies among them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from integration_tests.warehouses.files import arrow_table
from integration_tests.warehouses.history import Sync

SCHEMA = "mixpanel"


class Appends:
    """A file of DuckDB.

    Args:
        path: Where it is, or comes to be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.open()
        self.connection.execute(f"CREATE SCHEMA {SCHEMA}")

    def open(self) -> None:
        """Begin a connection; the file is closed to others meanwhile."""
        self.connection = duckdb.connect(str(self.path))

    def close(self) -> None:
        """End the connection."""
        self.connection.close()

    def land(self, sync: Sync) -> None:
        """Load what a sync read; times are without a zone, in UTC, as PyAirbyte has them."""
        for name, stream in sync.catalog.items():
            rows = arrow_table(stream, sync.records[name])
            self.connection.register("staged", _with_airbytes(rows, sync))
            told = ", ".join(
                f'"{field.name}" AT TIME ZONE \'UTC\' AS "{field.name}"'
                for field in rows.schema
                if pa.types.is_timestamp(field.type) and field.type.tz
            )
            query = f"SELECT * REPLACE ({told}) FROM staged"  # noqa: S608 - columns that we made
            self.connection.execute(
                f"CREATE TABLE IF NOT EXISTS {SCHEMA}.{name} AS {query} LIMIT 0"
            )
            self.connection.execute(f"INSERT INTO {SCHEMA}.{name} {query}")

    def run(self, statements: Iterable[str]) -> None:
        """Run statements."""
        for statement in statements:
            self.connection.execute(statement)

    def tell(self, query: str) -> list[tuple[Any, ...]]:
        """The rows that a query gives."""
        return self.connection.execute(query).fetchall()


def _with_airbytes(rows: pa.Table, sync: Sync) -> pa.Table:
    """The same with a number for each row, and when it was read, one after the other."""
    first = sync.read_at.astimezone(timezone.utc).replace(tzinfo=None)
    moments = [first + timedelta(microseconds=n) for n in range(len(rows))]
    numbered = rows.append_column("_airbyte_raw_id", pa.array(map(str, moments), pa.string()))
    return numbered.append_column("_airbyte_extracted_at", pa.array(moments, pa.timestamp("us")))
