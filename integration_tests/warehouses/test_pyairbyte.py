"""PyAirbyte into DuckDB and PostgreSQL: every stream, with a column for each property."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import pyarrow.parquet as pq
import pytest
from psycopg.sql import SQL, Identifier

from integration_tests import postgres
from integration_tests.warehouses import documented, truth
from integration_tests.warehouses.columns import Kind, kinds
from integration_tests.warehouses.compare import Number, Table, by_pandas, by_pyairbyte
from integration_tests.warehouses.history import Recorder, Recorders, begin
from integration_tests.warehouses.names import (
    by_pyairbyte as named,
)
from integration_tests.warehouses.names import (
    by_pyairbyte_in_postgres,
    cleaned,
)
from integration_tests.warehouses.upserts import connected
from integration_tests.warehouses.world import STEPS, Project, Takes, everything, what_pandas_keeps
from mixpanel_emulator.control_client import ControlClient

pytestmark = pytest.mark.clients

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-pyairbyte" / "bin" / "python"
SCHEMA = "mixpanel"
_STEPS = [step for step in STEPS if step.brings_news]
_JSON = (Kind.ARRAY, Kind.OBJECT)

Rows = list[dict[str, Any]]


class Warehouse(Protocol):
    """Where PyAirbyte lands a project.

    Attributes:
        takes: Which properties get there as they are.
        refused: Streams that it cannot take.
        bent: Streams of which only the rows are counted.
        seen: How it holds numbers.
    """

    takes: Takes
    refused: frozenset[str]
    bent: frozenset[str]
    seen: Number

    def sync(self) -> None:
        """Read what is new; the first time that is everything."""

    def rows(self, stream: Mapping[str, Any]) -> Rows:
        """The table of a stream, by the columns that the stream declares."""


def run(work: Path, script: Path, *args: str, told: str = "") -> None:
    """A script in PyAirbyte's environment, which is told something on its standard input."""
    environment = {
        **os.environ,
        "AIRBYTE_PROJECT_DIR": str(work),
        "PGPASSWORD": postgres.PASSWORD,
        "SOURCE_MIXPANEL": str(ROOT / ".venv" / "bin" / "source-mixpanel"),
    }
    done = subprocess.run(  # noqa: S603 - our own script
        [str(PYTHON), str(script), *args], input=told,
        capture_output=True, text=True, check=False, env=environment, cwd=work, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-4000:]}"


class InDuckDB:
    """A file of DuckDB."""

    takes: Takes = staticmethod(everything)
    refused: frozenset[str] = frozenset()
    bent: frozenset[str] = frozenset()
    seen: Number = staticmethod(by_pyairbyte)

    def __init__(self, work: Path, config: Path) -> None:
        self._work = work
        self._config = config
        self._file = work / "warehouse.duckdb"
        self._tables: dict[str, Rows] = {}

    def sync(self) -> None:
        script = ROOT / "examples" / "to_duckdb.py"
        run(self._work, script, str(self._config), str(self._file))
        self._tables = self.ask({name: f"FROM {name}" for name in truth.STREAMS})

    def ask(self, queries: Mapping[str, str]) -> dict[str, Rows]:
        """The rows that each query gives."""
        script = Path(__file__).with_name("copy_out.py")
        told = json.dumps(queries)
        run(self._work, script, str(self._file), SCHEMA, str(self._work), told=told)
        files = {name: self._work / f"{name}.parquet" for name in queries}
        return {name: pq.read_table(file).to_pylist() for name, file in files.items()}

    def rows(self, stream: Mapping[str, Any]) -> Rows:
        columns = cleaned(stream["json_schema"]["properties"], named)
        of_kind = kinds(stream)
        return [
            {name: _parsed(of_kind[name], row.get(column)) for name, column in columns.items()}
            for row in self._tables[stream["name"]]
        ]


def _parsed(kind: Kind, value: Any) -> Any:
    if kind in _JSON and value is not None:
        return json.loads(value, parse_float=Decimal)
    return value


class InPostgres:
    """A schema of PostgreSQL, which PyAirbyte fills through pandas."""

    takes: Takes = staticmethod(what_pandas_keeps)
    # Whole numbers that are called like a time; ids of digits, and times in columns of texts.
    refused = frozenset({"data_groups"})
    bent = frozenset(truth.STREAMS) - {"export", "engage", "cohort_members"}
    seen: Number = staticmethod(by_pandas)

    def __init__(self, work: Path, config: Path, server: postgres.Postgres) -> None:
        self._work = work
        where = (server.host, str(server.port), postgres.DATABASE, postgres.USER)
        self._args = (str(config), *where)
        self._streams = [name for name in truth.STREAMS if name not in self.refused]
        self._server = server

    def sync(self) -> None:
        run(self._work, ROOT / "examples" / "to_postgres.py", *self._args, *self._streams)

    def rows(self, stream: Mapping[str, Any]) -> Rows:
        columns = cleaned(stream["json_schema"]["properties"], by_pyairbyte_in_postgres)
        with closing(connected(self._server)) as connection:
            table = Identifier(SCHEMA, stream["name"])
            found = connection.execute(SQL("SELECT * FROM {}").format(table)).fetchall()
        return [{name: row.get(column) for name, column in columns.items()} for row in found]


def once(stream: Mapping[str, Any], rows: Rows) -> Rows:
    """A row for each key: copies that come in one load are not merged with each other."""
    key = [column for [column] in stream["source_defined_primary_key"]]
    return list({tuple(row[column] for column in key): row for row in rows}.values())


@pytest.fixture
def config(tmp_path: Path, settings: dict[str, Any]) -> Path:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(settings))
    return path


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path, config: Path) -> Iterator[Warehouse]:
    if request.param == "duckdb":
        yield InDuckDB(tmp_path, config)
    else:
        yield InPostgres(tmp_path, config, request.getfixturevalue("server"))


def test_after_every_sync_the_tables_hold_what_mixpanel_holds(
    warehouse: Warehouse, mixpanel: ControlClient, recorder_of: Recorders
) -> None:
    recorder: Recorder = recorder_of()
    project = Project(mixpanel, warehouse.takes)
    begin(project)
    for step in _STEPS:
        step.happens(project)
        warehouse.sync()
        streams = recorder.discover()
        for name, want in truth.held(mixpanel).items():
            if name in warehouse.refused:
                continue
            table = Table(streams[name], warehouse.seen, is_mixed_text=True)
            rows = once(streams[name], warehouse.rows(streams[name]))
            assert len(rows) == len(want), f"{step.name}, {name}"
            if name in warehouse.bent:
                continue
            told = table.differences(want, map(table.told, rows))
            assert not told, "\n".join([f"{step.name}, {name}:", *told])
    if isinstance(warehouse, InDuckDB):
        rows = warehouse.rows(recorder.streams["export"])
        documented.check(warehouse.ask, "duckdb", truth.held(mixpanel)["export"], rows)
