"""Whether a person looks on: then there is a bar, and what is printed keeps out of its way."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from source_mixpanel.sync.progress import Watcher

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from source_mixpanel.bar import Bar


@contextmanager
def watching() -> Iterator[Watcher | None]:
    """A progress bar while the context lasts, if standard error is a terminal; else nothing."""
    err = sys.__stderr__
    if err is None or not err.isatty():
        yield None
        return
    # It takes a quarter of a second to import: for a person only.
    from source_mixpanel.bar import bar_on  # noqa: PLC0415

    bar = bar_on(err)
    if bar is None:
        yield None
        return
    with bar, _written_above(bar):
        yield bar


@contextmanager
def _written_above(bar: Bar) -> Iterator[None]:
    """Where standard output is a terminal, too, what is written there goes above the bar."""
    out = sys.__stdout__
    if out is None or not out.isatty():
        yield
        return
    above = io.TextIOWrapper(io.BufferedWriter(_Above(bar)), encoding="utf-8")
    # Airbyte's print buffer writes to what this name holds, and so do we.
    vars(sys)["__stdout__"] = above
    try:
        yield
    finally:
        above.flush()
        vars(sys)["__stdout__"] = out


class _Above(io.RawIOBase):
    """Bytes to standard output, with the bar out of their way."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """All of it at once; the bar comes back when a line is complete."""
        raw = bytes(data)
        with self._bar.aside(at_line_start=raw.endswith(b"\n")):
            written = 0
            while written < len(raw):
                written += os.write(1, raw[written:])
        return written
