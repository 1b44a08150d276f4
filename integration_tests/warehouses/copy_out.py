"""Copies the tables of a DuckDB file into files of Parquet; runs in PyAirbyte's environment.

python copy_out.py warehouse.duckdb SCHEMA FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

database, schema, folder = sys.argv[1:]
with duckdb.connect(database, read_only=True) as connection:
    tables = connection.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = ?", [schema]
    ).fetchall()
    for (table,) in tables:
        target = str(Path(folder) / f"{table}.parquet")
        connection.execute(f"COPY {schema}.{table} TO '{target}' (FORMAT parquet)")
