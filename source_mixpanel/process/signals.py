"""How a signal ends the connector: nothing more is said, everything is closed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

_BY_SIGNAL = 128
"""What shells add to a signal's number for the exit code."""


class _Stopped(BaseException):
    """A signal came. No error: whatever handles errors lets it pass."""


@contextmanager
def stopped_by(*numbers: signal.Signals) -> Iterator[None]:
    """Let signals end the process as they would alone, after everything has been closed.

    Callers tell a stop from a failure by it. A second signal does not wait for the closing.
    """
    came: list[int] = []

    def stop(number: int, _frame: object) -> NoReturn:
        if came:
            _die_of(number)
        came.append(number)
        _fall_silent()
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
        # A signal amid closing makes any error of it.
        if not came:
            raise
    if came:
        _die_of(came[0])


def _fall_silent() -> None:
    """Whatever is printed from now on goes nowhere.

    An interrupted write has left half a line, or half of what a buffer holds: what followed would
    be no message, or come twice. The state is what was printed before.
    """
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _die_of(number: int) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    # The first process of a container is not killed by it.
    os._exit(_BY_SIGNAL + number)
