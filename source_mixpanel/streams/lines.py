"""Records as lines of the Airbyte protocol."""

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
    """A RECORD line with a newline for each row, mended as in `dump`; and the count of lines."""
    head = b'{"type":"RECORD","record":{"stream":%b,"data":' % orjson.dumps(stream)
    tail = b',"emitted_at":%d}}\n' % emitted_at_ms
    documents = [dump(row, mend) for row in rows]
    lines = b"".join([head, (tail + head).join(documents), tail]) if documents else b""
    return lines, len(documents)
