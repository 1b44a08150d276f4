"""Copies what queries of a DuckDB file give into files of Parquet; runs in PyAirbyte's environment.

    python copy_out.py warehouse.duckdb SCHEMA FOLDER < queries.json

The queries are an object: a name for each, which its file is called by.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb

database, schema, folder = sys.argv[1:]
with duckdb.connect(database, read_only=True) as connection:
    connection.execute(f"SET search_path = '{schema}'")
    for name, query in json.load(sys.stdin).items():
        target = str(Path(folder) / f"{name}.parquet")
        connection.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet)")
