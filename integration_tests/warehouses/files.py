"""Avro and Parquet as Airbyte's destinations of files write them, but strict.

A list whose items have no declared type, and an object, is a text of JSON; what is not declared,
or does not fit the type of its column, is an error instead of a loss.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timezone
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

from integration_tests.warehouses.columns import SIXTY_FOUR_BITS, Kind, kind_of
from integration_tests.warehouses.names import cleaned, in_avro

Records = Iterable[Mapping[str, Any]]
Rows = list[dict[str, Any]]

_AVRO: Mapping[Kind, Any] = {
    Kind.TEXT: "string",
    Kind.NUMBER: "double",
    Kind.INTEGER: "long",
    Kind.BOOLEAN: "boolean",
    Kind.INSTANT: {"type": "long", "logicalType": "timestamp-micros"},
    Kind.CLOCK: {"type": "long", "logicalType": "local-timestamp-micros"},
    Kind.DAY: {"type": "int", "logicalType": "date"},
    Kind.ARRAY: "string",
    Kind.OBJECT: "string",
}
_ARROW: Mapping[Kind, Any] = {
    Kind.TEXT: pa.string(),
    Kind.NUMBER: pa.float64(),
    Kind.INTEGER: pa.int64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.INSTANT: pa.timestamp("us", tz="UTC"),
    Kind.CLOCK: pa.timestamp("us"),
    Kind.DAY: pa.date32(),
    Kind.ARRAY: pa.string(),
    Kind.OBJECT: pa.string(),
    Kind.ANY: pa.string(),
}
_PYTHON: Mapping[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.NUMBER: (int, float),
    Kind.INTEGER: (int,),
    Kind.BOOLEAN: (bool,),
    Kind.INSTANT: (str,),
    Kind.CLOCK: (str,),
    Kind.DAY: (str,),
    Kind.ARRAY: (list,),
    Kind.OBJECT: (dict,),
    Kind.ANY: (str, int, float, bool, list, dict),
}
_AS_JSON = (Kind.ARRAY, Kind.OBJECT)


class MisfitError(ValueError):
    """A value that its column cannot hold."""


def converted(kind: Kind, value: Any) -> Any:
    """A value as a file's column has it.

    Raises:
        MisfitError: It does not fit.
    """
    if value is None:
        return None
    if type(value) not in _PYTHON[kind]:
        raise MisfitError(f"{value!r:.60} is no {kind.value}")
    if kind in _AS_JSON:
        return json.dumps(value, ensure_ascii=False)
    if kind is Kind.NUMBER:
        return float(value)
    if kind is Kind.INTEGER and value not in SIXTY_FOUR_BITS:
        raise MisfitError(f"{value} has more than 64 bits")
    return _time(kind, value)


def _time(kind: Kind, value: Any) -> Any:
    if kind is Kind.DAY:
        return date.fromisoformat(value)
    if kind not in (Kind.INSTANT, Kind.CLOCK):
        return value
    moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return zoned if kind is Kind.INSTANT else zoned.replace(tzinfo=None)


class _Columns:
    """The columns of a stream in files."""

    def __init__(self, stream: Mapping[str, Any]) -> None:
        specs = stream["json_schema"]["properties"]
        self.specs: Mapping[str, Mapping[str, Any]] = specs
        self.fields = cleaned(specs, in_avro)
        self.kinds = {column: kind_of(spec) for column, spec in specs.items()}

    def row(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """A record by field.

        Raises:
            MisfitError: A value is in no declared column, or does not fit it.
        """
        undeclared = record.keys() - self.fields.keys()
        if undeclared:
            raise MisfitError(f"not declared: {sorted(undeclared)}")
        try:
            return {
                field: converted(self.kinds[column], record.get(column))
                for column, field in self.fields.items()
            }
        except ValueError as error:
            raise MisfitError(f"{error}, in {dict(record)!r:.300}") from error

    def read(self, rows: Iterable[Mapping[str, Any]]) -> Rows:
        """Rows of a file by column, with JSON parsed."""
        found = []
        for row in rows:
            told = {column: row[field] for column, field in self.fields.items()}
            for column, kind in self.kinds.items():
                if kind in _AS_JSON and told[column] is not None:
                    told[column] = json.loads(told[column])
            found.append(told)
        return found


def _avro_type(spec: Mapping[str, Any], kind: Kind) -> list[Any]:
    if kind is not Kind.ANY:
        return ["null", _AVRO[kind]]
    types = [told for told in spec["type"] if told != "null"]
    return ["null", *(_AVRO[kind_of({"type": told})] for told in types)]


def through_avro(stream: Mapping[str, Any], records: Records) -> Rows:
    """What a file of Avro gives back."""
    columns = _Columns(stream)
    fields = [
        {"name": field, "type": _avro_type(columns.specs[column], columns.kinds[column])}
        for column, field in columns.fields.items()
    ]
    schema = fastavro.parse_schema({"type": "record", "name": stream["name"], "fields": fields})
    file = io.BytesIO()
    rows = map(columns.row, records)
    fastavro.writer(file, schema, rows, validator=True, strict=True)
    file.seek(0)
    return columns.read(fastavro.reader(file))  # type: ignore[arg-type]


def arrow_table(stream: Mapping[str, Any], records: Records) -> pa.Table:
    """Records as a typed table; a column of several types is a text of JSON."""
    columns = _Columns(stream)
    mixed = _mixed(columns)
    rows = [columns.row(record) for record in records]
    for row in rows:
        row.update({field: json.dumps(row[field]) for field in mixed if row[field] is not None})
    schema = pa.schema(
        [(field, _ARROW[columns.kinds[column]]) for column, field in columns.fields.items()]
    )
    return pa.Table.from_pylist(rows, schema=schema)


def _mixed(columns: _Columns) -> list[str]:
    return [columns.fields[column] for column, kind in columns.kinds.items() if kind is Kind.ANY]


def through_parquet(stream: Mapping[str, Any], records: Records) -> Rows:
    """What a file of Parquet gives back."""
    columns = _Columns(stream)
    file = io.BytesIO()
    pq.write_table(arrow_table(stream, records), file)
    file.seek(0)
    found = pq.read_table(file).to_pylist()
    mixed = _mixed(columns)
    for row in found:
        row.update({field: json.loads(row[field]) for field in mixed if row[field] is not None})
    return columns.read(found)
