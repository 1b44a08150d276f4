"""Whether a person looks on: then there is a bar, and what goes wrong is told in plain words."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from airbyte_cdk.logger import PRINT_BUFFER
from airbyte_cdk.utils.traced_exception import AirbyteTracedException

from source_mixpanel.airbyte_errors import is_mendable
from source_mixpanel.process.progress import Watcher
from source_mixpanel.texts.masking import masked

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from source_mixpanel.process.bar import Bar


@contextmanager
def watching() -> Iterator[Watcher | None]:
    """A progress bar while the context lasts, if standard error is a terminal; else nothing."""
    err = sys.__stderr__
    if err is None or not err.isatty():
        yield None
        return
    # It takes a quarter of a second to import: for a person only.
    from source_mixpanel.process.bar import bar_on  # noqa: PLC0415

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


def is_terminal() -> bool:
    """Whether a person reads standard error."""
    return sys.__stderr__ is not None and sys.__stderr__.isatty()


def say(sentence: str) -> None:
    """Tell a person, on standard error, after all that was printed."""
    with PRINT_BUFFER.lock:
        PRINT_BUFFER.flush()
    err = sys.__stderr__
    if err is not None:
        with suppress(OSError):
            err.write(f"{masked(sentence)}\n")
            err.flush()


def in_words(error: BaseException) -> str:
    """An error as it is told to a person."""
    if isinstance(error, AirbyteTracedException):
        return error.message or str(error)
    return (
        f"Something went wrong in the connector itself ({type(error).__name__}). Standard output "
        f"holds the details for a bug report."
    )


def warnings_in_words() -> None:
    """From now on, warnings go to standard error, and what is logged beside them nowhere."""
    handler = logging.StreamHandler(sys.__stderr__)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_PlainFormatter())
    # What ends the command is told by itself.
    handler.addFilter(lambda record: record.levelno < logging.CRITICAL)
    logging.getLogger().handlers = [handler]


def without_stack_traces() -> None:
    """From now on, log no stack trace of what the user can mend."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(_without_trace)


def _without_trace(record: logging.LogRecord) -> bool:
    if record.exc_info and is_mendable(record.exc_info[1]):
        record.exc_info = None
    return True


class _PlainFormatter(logging.Formatter):
    """Sentences, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """The message alone."""
        return masked(super().format(record))


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
