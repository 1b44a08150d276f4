"""Ending on a signal: nothing more is printed, and everything is closed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

_BY_SIGNAL = 128
"""What shells add to a signal's number for the exit code."""


class _Stopped(BaseException):
    """A signal came; not an `Exception`, so that no error handler catches it."""


@contextmanager
def stopped_by(*numbers: signal.Signals) -> Iterator[None]:
    """Inside the `with` block, signals end the process as by default, after everything is closed.

    So callers can tell a stop from a failure. A second signal ends the process at once.
    """
    received: list[int] = []

    def stop(number: int, _frame: object) -> NoReturn:
        if received:
            _kill_self(number)
        received.append(number)
        _silence_output()
        raise _Stopped

    for number in numbers:
        signal.signal(number, stop)
    try:
        try:
            yield
        finally:
            for number in numbers:
                signal.signal(number, signal.SIG_DFL)
    except BaseException:
        # A signal while closing may cause any error.
        if not received:
            raise
    if received:
        _kill_self(received[0])


def _silence_output() -> None:
    """Discard everything that is printed from now on.

    An interrupted write has left an incomplete line or buffer: output after it would be invalid or
    repeated. The last state that was printed before is valid.
    """
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _kill_self(number: int) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    # The first process of a container is not killed by it.
    os._exit(_BY_SIGNAL + number)
