"""Records as lines of the Airbyte protocol, ready to be written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from source_mixpanel.texts.json_lines import dump


def record_lines(
    stream: str,
    rows: Iterable[Mapping[str, Any]],
    emitted_at_ms: int,
    mend: Callable[[Any], Any] | None = None,
) -> tuple[bytes, int]:
    """A RECORD line for each row, mended as `dump` does it, each with its newline; and how many."""
    head = b'{"type":"RECORD","record":{"stream":%b,"data":' % orjson.dumps(stream)
    tail = b',"emitted_at":%d}}\n' % emitted_at_ms
    pieces = [dump(row, mend) for row in rows]
    lines = b"".join([head, (tail + head).join(pieces), tail]) if pieces else b""
    return lines, len(pieces)
