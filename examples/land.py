"""Lands `export` and `event_counts` in a DuckDB file with PyAirbyte, command by command.

`demo.py` starts it in PyAirbyte's own environment. Commands come in on standard input and answers
go out on standard output, each a line of JSON; what PyAirbyte prints goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from compare import Column, columns_of, landed_in_duckdb

# Both are read when PyAirbyte is imported.
os.environ.update(DO_NOT_TRACK="1", AIRBYTE_OFFLINE_MODE="1")

import airbyte as ab
from airbyte._executors.local import PathExecutor
from airbyte._util.name_normalizers import LowerCaseNormalizer
from airbyte.caches import DuckDBCache
from airbyte.exceptions import AirbyteConnectorCheckFailedError

STREAM = "export"
COUNTS = "event_counts"
SCHEMA = "mixpanel"
TABLE = f"{SCHEMA}.{STREAM}"
_PAGE = 5_000
_NO_ROW_YET = 1 << 62

# Each event as often as in the sync that saw more of it; see `compare.once`.
_ONCE = f"""
SELECT event, CAST(time AS DATE) AS day, CAST(sum(copies) AS BIGINT) AS events FROM (
  SELECT * EXCLUDE (n, again), max(n) AS copies FROM (
    SELECT * EXCLUDE (_airbyte_raw_id, _airbyte_extracted_at, _airbyte_meta),
           rowid > {{boundary}} AS again, count(*) AS n
    FROM {TABLE} GROUP BY ALL
  ) GROUP BY ALL
) GROUP BY ALL ORDER BY ALL
"""  # noqa: S608 - two constants and a number
_ROWS = f"SELECT rowid > {{boundary}} AS again, * FROM {TABLE}"  # noqa: S608 - a constant


class ListeningExecutor(PathExecutor):
    """Runs the connector, and listens to what it prints.

    Attributes:
        reasons: What the connector said about why it failed.
    """

    def __init__(self, name: str, *, path: Path) -> None:
        super().__init__(name, path=path)
        self.reasons: list[str] = []

    def execute(self, args: list[str], **options: Any) -> Iterator[str]:
        """The connector's lines."""
        for line in super().execute(args, **options):
            if line.startswith('{"type":"TRACE"'):
                error = json.loads(line)["trace"].get("error")
                self.reasons += [error["message"]] if error else []
            yield line


class Lander:
    """One source and one DuckDB file.

    Args:
        executable: The connector.
        config: Its settings.
        database: The DuckDB file.
    """

    def __init__(self, executable: str, config: dict[str, Any], database: str) -> None:
        self._source = ab.get_source(
            "source-mixpanel",
            config=config,
            local_executable=executable,
            install_if_missing=False,
        )
        self._executor = ListeningExecutor("source-mixpanel", path=Path(executable))
        self._source.executor = self._executor
        self._cache = DuckDBCache(db_path=database, schema_name=SCHEMA)
        self._boundary = _NO_ROW_YET

    @property
    def reason(self) -> str:
        """What the connector said about why it failed, if it did."""
        return "\n".join(self._executor.reasons)

    def check(self) -> dict[str, Any]:
        """Whether the source can be read."""
        try:
            self._source.check()
        except AirbyteConnectorCheckFailedError as error:
            self._executor.reasons += filter(None, [(error.context or {}).get("failure_reason")])
            raise
        return {}

    def discover(self) -> dict[str, Any]:
        """The streams there are, and the properties whose columns have several types."""
        mixed = [column.raw for column in self._columns().values() if column.is_mixed]
        return {"streams": self._source.get_available_streams(), "mixed": mixed}

    def _columns(self) -> dict[str, Column]:
        """The columns of properties, by the names that PyAirbyte gives them."""
        schema = self._source.get_stream_json_schema(STREAM)["properties"]
        named = columns_of(schema)
        return {LowerCaseNormalizer.normalize(name): column for name, column in named.items()}

    def read(self, *, full: bool) -> dict[str, Any]:
        """Sync once; rows are appended, so that copies that Mixpanel holds stay."""
        if not full:
            self._boundary = self._one(f"SELECT coalesce(max(rowid), -1) FROM {TABLE}")  # noqa: S608
        result = self._source.read(
            cache=self._cache,
            streams=[STREAM, COUNTS],
            write_strategy=ab.strategies.WriteStrategy.APPEND,
            force_full_refresh=full,
        )
        return {"records": result.processed_records}

    def counts(self) -> dict[str, Any]:
        """How many rows there are, and how many events of each name and day."""
        found = self._query(_ONCE.format(boundary=self._boundary))
        rows = self._one(f"SELECT count(*) FROM {TABLE}")  # noqa: S608 - a constant
        return {"rows": rows, "events": [[name, str(day), n] for name, day, n in found]}

    def dump(self, *, path: str) -> dict[str, Any]:
        """Write every row's event as a line of JSON; `again` marks those of the second sync."""
        columns = self._columns()
        with Path(path).open("w", encoding="ascii") as out:
            for row in self._query(_ROWS.format(boundary=self._boundary)):
                told = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
                event = landed_in_duckdb(told, columns)
                out.write(json.dumps({"again": told["again"], "event": event}) + "\n")
        return {}

    def _query(self, sql: str) -> Iterator[Any]:
        with self._cache.get_sql_engine().connect() as connection:
            result = connection.exec_driver_sql(sql)
            while page := result.fetchmany(_PAGE):
                yield from page

    def _one(self, sql: str) -> int:
        return int(next(iter(self._query(sql)))[0])


class Answerer:
    """Does what it is told; the first command is the arguments of `Lander`."""

    def __init__(self) -> None:
        self._lander: Lander | None = None

    def answer(self, command: dict[str, Any]) -> dict[str, Any]:
        """The result or what went wrong, and when."""
        began = time.time()
        try:
            result = self._obey(command)
        except Exception as error:  # noqa: BLE001 - told to who asked
            reason = self._lander.reason if self._lander else ""
            result = {"error": f"{type(error).__name__}: {error}", "reason": reason}
        return {**result, "began_ms": began * 1000, "ended_ms": time.time() * 1000}

    def _obey(self, command: dict[str, Any]) -> dict[str, Any]:
        if self._lander is None:
            self._lander = Lander(**command)
            return {}
        return dict(getattr(self._lander, command.pop("do"))(**command))


def main() -> None:
    """Answer commands until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    answerer = Answerer()
    for line in sys.stdin:
        answers.write(json.dumps(answerer.answer(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
