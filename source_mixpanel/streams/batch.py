"""Records as messages of the CDK: a batch of many lines, or one message for each row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airbyte_cdk.models import AirbyteMessage, AirbyteRecordMessage, Type

from source_mixpanel.streams.lines import record_lines


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
    return batch_of(stream, *record_lines(stream, rows, emitted_at_ms, mend), emitted_at_ms)


def batch_of(stream: str, lines: bytes, count: int, emitted_at_ms: int) -> RecordBatch:
    """The batch of `count` lines."""
    made = message(stream, {}, emitted_at_ms)
    return RecordBatch(type=made.type, record=made.record, lines=lines, count=count)


def message(stream: str, row: Mapping[str, Any], emitted_at_ms: int) -> AirbyteMessage:
    """One row as a plain record message."""
    return AirbyteMessage(
        type=Type.RECORD,
        record=AirbyteRecordMessage(stream=stream, data=dict(row), emitted_at=emitted_at_ms),
    )
