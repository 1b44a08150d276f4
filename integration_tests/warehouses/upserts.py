"""PostgreSQL as Airbyte's destination fills it: typed columns, an upsert on the primary key.

What is not declared is dropped, what does not fit its column becomes null, a null key matches no
other. Its default is numbers of DECIMAL(38, 9); "unconstrained numeric columns" is an option.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
from psycopg.rows import dict_row, tuple_row
from psycopg.sql import SQL, Composed, Identifier
from psycopg.types.json import Jsonb, set_json_loads
from typing_extensions import LiteralString

from integration_tests import postgres
from integration_tests.warehouses.columns import SIXTY_FOUR_BITS, Kind, kinds
from integration_tests.warehouses.compare import without_nul
from integration_tests.warehouses.history import INCREMENTAL, Sync
from integration_tests.warehouses.names import cleaned, in_postgres

NINE_DECIMALS, ANY_NUMBER = "numeric(38,9)", "numeric"

_TYPES: Mapping[Kind, LiteralString] = {
    Kind.TEXT: "varchar",
    Kind.INTEGER: "bigint",
    Kind.BOOLEAN: "boolean",
    Kind.INSTANT: "timestamp with time zone",
    Kind.CLOCK: "timestamp",
    Kind.DAY: "date",
    Kind.ARRAY: "jsonb",
    Kind.OBJECT: "jsonb",
    Kind.ANY: "jsonb",
}
_JSON: Mapping[Kind, type] = {Kind.ARRAY: list, Kind.OBJECT: dict, Kind.ANY: object}
_LEAST_TOO_LARGE = 10**29
_RAW_ID, _EXTRACTED = "_airbyte_raw_id", "_airbyte_extracted_at"
_DELETED = "_ab_cdc_deleted_at"
_AIRBYTES = {
    _RAW_ID: SQL("varchar"),
    _EXTRACTED: SQL("timestamp with time zone"),
    "_airbyte_meta": SQL("jsonb"),
    "_airbyte_generation_id": SQL("bigint"),
}


def _text(value: str) -> str:
    """A text as the destination writes it: `?` stands for half a character."""
    return value.encode("utf-8", "replace").decode()


def _moment(kind: Kind, value: str) -> datetime | date:
    if kind is Kind.DAY:
        return date.fromisoformat(value)
    moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return zoned if kind is Kind.INSTANT else zoned.replace(tzinfo=None)


def _number(kind: Kind, value: float, type_name: str) -> Any:
    if kind is Kind.INTEGER:
        return value if isinstance(value, int) and value in SIXTY_FOUR_BITS else None
    fits = type_name == ANY_NUMBER or abs(value) < _LEAST_TOO_LARGE
    return Decimal(repr(value)) if fits else None


def coerced(kind: Kind, value: Any, type_name: str) -> Any:
    """A value as its column takes it; null where it does not fit."""
    if value is None:
        return None
    value = without_nul(value)
    if kind in _JSON:
        return Jsonb(value) if isinstance(value, _JSON[kind]) else None
    if kind is Kind.BOOLEAN:
        return value if isinstance(value, bool) else None
    if kind in (Kind.NUMBER, Kind.INTEGER):
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return _number(kind, value, type_name) if is_number else None
    return _told(kind, value) if isinstance(value, str) else None


def _told(kind: Kind, value: str) -> Any:
    """A text in a column of texts, or of what texts tell."""
    try:
        return _text(value) if kind is Kind.TEXT else _moment(kind, value)
    except ValueError:
        return None


def connected(server: postgres.Postgres) -> psycopg.Connection[dict[str, Any]]:
    """A connection that gives numbers as they are, in JSON too."""
    connection = psycopg.connect(
        host=server.host,
        port=server.port,
        user=postgres.USER,
        dbname=postgres.DATABASE,
        autocommit=True,
        row_factory=dict_row,
    )
    set_json_loads(partial(json.loads, parse_float=Decimal), connection)
    return connection


class Upserts:
    """A schema of PostgreSQL, with a table for each stream.

    Args:
        numbers: The type of columns of numbers.
    """

    def __init__(self, server: postgres.Postgres, schema: str, numbers: LiteralString) -> None:
        self._schema = schema
        self._types = {**_TYPES, Kind.NUMBER: numbers}
        self._numbers = numbers
        self.connection = connected(server)
        self._do(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
        self._do(SQL("SET search_path TO {}").format(Identifier(schema)))

    def close(self) -> None:
        """End the connection."""
        self.connection.close()

    def _do(self, statement: Composed | SQL, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    # -- a sync ----------------------------------------------------------------------------

    def land(self, sync: Sync) -> None:
        """Load what a sync read."""
        for name, stream in sync.catalog.items():
            if sync.modes[name] != INCREMENTAL:
                self._do(SQL("DROP TABLE IF EXISTS {}").format(Identifier(name)))
            columns = cleaned(stream["json_schema"]["properties"], in_postgres)
            of_kind = kinds(stream)
            self._alter(name, {columns[column]: of_kind[column] for column in columns})
            self._stage(stream, columns, sync.records[name], sync.read_at)
            key = [columns[column] for column in sync.key(name)]
            cursor = sync.cursor(name)
            self._upsert(name, key, columns[cursor] if cursor else None)

    def _alter(self, table: str, columns: Mapping[str, Kind]) -> None:
        """Make the table, or make it what the catalog says now."""
        want = {
            **_AIRBYTES,
            **{name: SQL(self._types[kind]) for name, kind in columns.items()},
        }
        declared = SQL(", ").join(
            SQL("{} {}").format(Identifier(name), type_name) for name, type_name in want.items()
        )
        stage = Identifier(f"{table} staged")
        self._do(SQL("DROP TABLE IF EXISTS {}").format(stage))
        self._do(SQL("CREATE TABLE {} ({})").format(stage, declared))
        self._do(SQL("CREATE TABLE IF NOT EXISTS {} ({})").format(Identifier(table), declared))
        has, wants = self._columns(table), self._columns(f"{table} staged")
        for name in has.keys() - wants.keys():
            self._change(table, SQL("DROP COLUMN {}").format(Identifier(name)))
        for name in wants.keys() - has.keys():
            self._change(table, SQL("ADD COLUMN {} {}").format(Identifier(name), want[name]))
        changed = {name for name in has.keys() & wants.keys() if has[name] != wants[name]}
        assert not changed, f"{table}: {changed} have other types than in the sync before"

    def _change(self, table: str, how: Composed) -> None:
        self._do(SQL("ALTER TABLE {} {}").format(Identifier(table), how))

    def _columns(self, table: str) -> dict[str, str]:
        told = self._do(
            SQL("SELECT column_name, data_type FROM information_schema.columns"
                " WHERE table_schema = %s AND table_name = %s"),
            [self._schema, table],
        )  # fmt: skip
        return {row["column_name"]: row["data_type"] for row in told}

    def _stage(
        self,
        stream: Mapping[str, Any],
        columns: Mapping[str, str],
        records: Iterable[Mapping[str, Any]],
        read_at: datetime,
    ) -> None:
        table, of_kind = stream["name"], kinds(stream)
        names = SQL(", ").join(map(Identifier, [_RAW_ID, _EXTRACTED, *columns.values()]))
        copy = SQL("COPY {} ({}) FROM STDIN").format(Identifier(f"{table} staged"), names)
        with self.connection.cursor() as cursor, cursor.copy(copy) as rows:
            for number, record in enumerate(records):
                values = [
                    coerced(of_kind[column], record.get(column), self._numbers)
                    for column in columns
                ]
                at = read_at + timedelta(microseconds=number)
                rows.write_row([at.isoformat(), at, *values])

    def _upsert(self, table: str, key: Sequence[str], cursor: str | None) -> None:
        """The newest of each key takes the place of the row that the table has, if it is newer."""
        stage = f"{table} staged"
        columns = self._columns(table)
        # The destination numbers rows in a column of this name, too.
        newest = SQL("SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY {key}"
                     " ORDER BY {order} {at} DESC) AS row_number FROM {stage}) AS numbered"
                     " WHERE row_number = 1").format(
            key=SQL(", ").join(map(Identifier, key)),
            order=SQL("{} DESC NULLS LAST,").format(Identifier(cursor)) if cursor else SQL(""),
            at=Identifier(_EXTRACTED),
            stage=Identifier(stage),
        )  # fmt: skip
        same = SQL(" AND ").join(
            SQL("{t}.{c} = newest.{c}").format(t=Identifier(table), c=Identifier(column))
            for column in key
        )
        parts = {
            "newest": newest,
            "table": Identifier(table),
            "same": same,
            "newer": _newer(table, cursor),
            "alive": _alive(columns, SQL("AND newest.{} IS NULL")),
            "columns": SQL(", ").join(map(Identifier, columns)),
            "set": SQL(", ").join(SQL("{0} = newest.{0}").format(Identifier(c)) for c in columns),
        }
        if _DELETED in columns:
            gone = SQL("DELETE FROM {table} USING ({newest}) AS newest WHERE {same}"
                       " AND newest.{deleted} IS NOT NULL")  # fmt: skip
            self._do(gone.format(deleted=Identifier(_DELETED), **parts))
        self._do(
            SQL("WITH newest AS ({newest}),"
                " updates AS (UPDATE {table} SET {set} FROM newest"
                " WHERE {same} {alive} AND ({newer}))"
                " INSERT INTO {table} ({columns}) SELECT {columns} FROM newest"
                " WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE {same}) {alive}").format(**parts)
        )  # fmt: skip

    # -- what it holds ---------------------------------------------------------------------

    def rows(self, stream: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The table of a stream, by the columns that the stream declares."""
        columns = cleaned(stream["json_schema"]["properties"], in_postgres)
        held = self._do(SQL("SELECT * FROM {}").format(Identifier(stream["name"])))
        return [{name: row[column] for name, column in columns.items()} for row in held]

    def ask(self, queries: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
        """The rows that each query gives."""
        with self.connection.cursor() as cursor:
            return {
                name: cursor.execute(told.encode()).fetchall() for name, told in queries.items()
            }

    def run(self, statements: Iterable[str]) -> None:
        """Run statements."""
        for statement in statements:
            self.connection.execute(statement.encode())

    def tell(self, query: str) -> list[tuple[Any, ...]]:
        """The rows that a query gives, without the names of their columns."""
        with self.connection.cursor(row_factory=tuple_row) as cursor:
            return cursor.execute(query.encode()).fetchall()


def _alive(columns: Iterable[str], condition: SQL) -> Composed | SQL:
    """What leaves out the rows that the source says were deleted."""
    return condition.format(Identifier(_DELETED)) if _DELETED in columns else SQL("")


def _newer(table: str, cursor: str | None) -> Composed:
    """Whether a staged row is newer than the one that the table has."""
    parts = {"t": Identifier(table), "at": Identifier(_EXTRACTED)}
    if cursor is None:
        return SQL("{t}.{at} < newest.{at}").format(**parts)
    return SQL(
        "{t}.{c} < newest.{c} OR ({t}.{c} IS NULL AND newest.{c} IS NOT NULL) OR"
        " (({t}.{c} = newest.{c} OR ({t}.{c} IS NULL AND newest.{c} IS NULL))"
        " AND {t}.{at} < newest.{at})"
    ).format(c=Identifier(cursor), **parts)
