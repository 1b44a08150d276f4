"""Output for a person at a terminal: a progress bar, warnings and errors as sentences."""

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

from source_mixpanel.airbyte_errors import is_user_fixable
from source_mixpanel.process.progress import Watcher
from source_mixpanel.texts.masking import masked

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from source_mixpanel.process.bar import Bar


@contextmanager
def watching() -> Iterator[Watcher | None]:
    """A progress bar inside the `with` block; None unless standard error is a terminal."""
    err = sys.__stderr__
    if err is None or not err.isatty():
        yield None
        return
    # Importing it takes a quarter of a second.
    from source_mixpanel.process.bar import bar_on  # noqa: PLC0415

    bar = bar_on(err)
    if bar is None:
        yield None
        return
    with bar, _written_above(bar):
        yield bar


@contextmanager
def _written_above(bar: Bar) -> Iterator[None]:
    """Write standard output above the bar, if it is a terminal as well."""
    out = sys.__stdout__
    if out is None or not out.isatty():
        yield
        return
    above = io.TextIOWrapper(io.BufferedWriter(_OutputAboveBar(bar)), encoding="utf-8")
    # Airbyte's print buffer writes to what this name holds, and so do we.
    vars(sys)["__stdout__"] = above
    try:
        yield
    finally:
        above.flush()
        vars(sys)["__stdout__"] = out


def is_terminal() -> bool:
    """Whether standard error is a terminal."""
    return sys.__stderr__ is not None and sys.__stderr__.isatty()


def say(sentence: str) -> None:
    """Write a sentence to standard error, after everything that was printed."""
    with PRINT_BUFFER.lock:
        PRINT_BUFFER.flush()
    err = sys.__stderr__
    if err is not None:
        with suppress(OSError):
            err.write(f"{masked(sentence)}\n")
            err.flush()


def in_words(error: BaseException) -> str:
    """The message of an error for a person."""
    if isinstance(error, AirbyteTracedException):
        return error.message or str(error)
    return (
        f"Something went wrong in the connector itself ({type(error).__name__}). Standard output "
        f"holds the details for a bug report."
    )


def warnings_in_words() -> None:
    """From now on, log only warnings, and to standard error."""
    handler = logging.StreamHandler(sys.__stderr__)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_PlainFormatter())
    # The error that ends the command is reported separately.
    handler.addFilter(lambda record: record.levelno < logging.CRITICAL)
    logging.getLogger().handlers = [handler]


def without_stack_traces() -> None:
    """From now on, log no stack trace of errors that the user can fix."""
    for handler in logging.getLogger().handlers:
        handler.addFilter(_without_trace)


def _without_trace(record: logging.LogRecord) -> bool:
    if record.exc_info and is_user_fixable(record.exc_info[1]):
        record.exc_info = None
    return True


class _PlainFormatter(logging.Formatter):
    """Formats log records as plain sentences, with secrets masked."""

    def format(self, record: logging.LogRecord) -> str:
        """The message without level or time."""
        return masked(super().format(record))


class _OutputAboveBar(io.RawIOBase):
    """Writes bytes to standard output, with the bar erased in between."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Write all bytes; the bar is drawn again when a line is complete."""
        raw = bytes(data)
        with self._bar.aside(at_line_start=raw.endswith(b"\n")):
            written = 0
            while written < len(raw):
                written += os.write(1, raw[written:])
        return written
