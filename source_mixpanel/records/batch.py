"""A message that stands for many records: their lines, ready to be written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from airbyte_cdk.models import AirbyteMessage, AirbyteRecordMessage, Type

from source_mixpanel.records.decode import dump


@dataclass
class RecordBatch(AirbyteMessage):
    """RECORD lines of one stream as bytes.

    It is an AirbyteMessage of type RECORD, so that slices, checkpoints and statuses of the CDK
    treat it as the record it stands for; the entrypoint counts `count` and writes `lines`.

    Attributes:
        lines: Whole lines of the Airbyte protocol, each with its newline.
    """

    lines: bytes = b""
    count: int = 0


def batch(
    stream: str,
    rows: Iterable[Mapping[str, Any]],
    emitted_at_ms: int,
    mend: Callable[[Any], Any] | None = None,
) -> RecordBatch:
    """The batch of these rows, mended as `dump` does it; `count` may be 0."""
    head = b'{"type":"RECORD","record":{"stream":%b,"data":' % orjson.dumps(stream)
    tail = b',"emitted_at":%d}}\n' % emitted_at_ms
    pieces = [dump(row, mend) for row in rows]
    count = len(pieces)
    lines = b"".join([head, (tail + head).join(pieces), tail]) if count else b""
    return RecordBatch(
        type=Type.RECORD,
        record=AirbyteRecordMessage(stream=stream, data={}, emitted_at=emitted_at_ms),
        lines=lines,
        count=count,
    )


def message(stream: str, row: Mapping[str, Any], emitted_at_ms: int) -> AirbyteMessage:
    """One row as a plain record message."""
    return AirbyteMessage(
        type=Type.RECORD,
        record=AirbyteRecordMessage(stream=stream, data=dict(row), emitted_at=emitted_at_ms),
    )
