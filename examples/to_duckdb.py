"""Moves a Mixpanel project into a DuckDB file with PyAirbyte.

    python examples/to_duckdb.py config.json mixpanel.duckdb [--full] [STREAM ...]

The first run reads everything, later ones what is new or late; `--full` reads everything again.
Rows are merged by each stream's primary key.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

# Both are read when PyAirbyte is imported.
os.environ.update(DO_NOT_TRACK="1", AIRBYTE_OFFLINE_MODE="1")

from airbyte.caches import DuckDBCache
from pyairbyte import sync

given = argparse.ArgumentParser(description=__doc__)
given.add_argument("config", type=Path)
given.add_argument("database", type=Path)
given.add_argument("streams", nargs="*")
given.add_argument("--full", action="store_true")
arguments = given.parse_args()

# The schema must not have the file's name: DuckDB could not tell the two apart.
schema = "mixpanel" if arguments.database.stem != "mixpanel" else "mixpanel_raw"
cache = DuckDBCache(db_path=arguments.database, schema_name=schema)
sync(arguments.config, cache, arguments.streams, full=arguments.full)
