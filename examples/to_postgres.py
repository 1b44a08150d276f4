"""Moves a Mixpanel project into PostgreSQL with PyAirbyte.

    PGPASSWORD=... python examples/to_postgres.py config.json HOST PORT DATABASE USER [--full] [STREAM ...]

The first run reads everything, later ones what is new or late; `--full` reads everything again.
Rows are merged by each stream's primary key.
"""  # noqa: E501 - one command

from __future__ import annotations

import argparse
import os
from pathlib import Path

# Both are read when PyAirbyte is imported.
os.environ.update(DO_NOT_TRACK="1", AIRBYTE_OFFLINE_MODE="1")

from airbyte.caches import PostgresCache
from pyairbyte import sync

given = argparse.ArgumentParser(description=__doc__)
given.add_argument("config", type=Path)
given.add_argument("host")
given.add_argument("port", type=int)
given.add_argument("database")
given.add_argument("user")
given.add_argument("streams", nargs="*")
given.add_argument("--full", action="store_true")
arguments = given.parse_args()

cache = PostgresCache(
    host=arguments.host,
    port=arguments.port,
    database=arguments.database,
    username=arguments.user,
    password=os.environ["PGPASSWORD"],
    schema_name="mixpanel",
)
sync(arguments.config, cache, arguments.streams, full=arguments.full)
