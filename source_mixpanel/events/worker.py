"""A process that makes records of raw events, window by window, for the one that started it.

It is told what to make as pickles, and gets files as descriptors. It ends with its parent,
however that ends.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from zoneinfo import ZoneInfo

from isal import isal_zlib

from source_mixpanel.api.spool import blocks_of, lines_between, read_file
from source_mixpanel.events.line_maker import LineMaker, Rendering
from source_mixpanel.events.rows import Found

_GZIP = 31
_FAST = 1


@dataclass(frozen=True)
class Task:
    """Events of a window to make lines of.

    Attributes:
        gzipped: Whether its events are.
        lines: Which of them: the number of the first, from 0, and the one after the last.
        zone: The zone that their times are in, None for UTC.
    """

    gzipped: bool
    lines: tuple[int, int]
    zone: ZoneInfo | None
    emitted_at_ms: int


@dataclass(frozen=True)
class Made:
    """What became of it.

    Attributes:
        size: Bytes of the lines.
        found: What the events have told.
    """

    size: int
    found: Found


def main(descriptor: int) -> None:
    """Work for whoever is at the other end of a socket, until it is closed."""
    # Whoever interrupts a terminal's processes interrupts the parent, which ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    line = socket.socket(fileno=descriptor)
    threading.Thread(target=_end_with, args=(descriptor,), daemon=True).start()
    orders = Connection(os.dup(descriptor))
    rendering: Rendering = orders.recv()
    maker = LineMaker(rendering)
    while True:
        _, (source, target), _, _ = socket.recv_fds(line, 1, 2)
        task: Task = orders.recv()
        try:
            made: Made | None = _made(maker, task, source, target)
        except Exception:  # noqa: BLE001 - whoever asked makes them itself, and meets the error
            made = None
            maker = LineMaker(rendering)
        os.close(source)
        os.close(target)
        orders.send(made)


def _made(maker: LineMaker, task: Task, source: int, target: int) -> Made:
    size, gzip = 0, isal_zlib.compressobj(_FAST, isal_zlib.DEFLATED, _GZIP)
    blocks = lines_between(blocks_of(read_file(source, gzipped=task.gzipped)), *task.lines)
    with os.fdopen(target, "wb", closefd=False) as file:
        for lines in maker.lines(blocks, task.zone, task.emitted_at_ms):
            size += len(lines)
            file.write(gzip.compress(lines))
        file.write(gzip.flush())
    return Made(size, maker.taken())


def _end_with(descriptor: int) -> None:
    """End this process at once when the other end of a socket is closed."""
    hung_up = select.poll()
    hung_up.register(descriptor, 0)
    hung_up.poll()
    os._exit(0)
