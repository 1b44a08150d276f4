"""What a second process for rows would bring: the same blocks, with and without it.

    python -m benchmarks.pool

Blocks of events become lines of the Airbyte protocol in this process, or in two others that take
turns (a `multiprocessing.Pool`, results in order). Both read the same spooled body and write to
the same place. Names of columns are worked out in each process by itself, which a real pool could
not do: a property would get another column in another process. So this is more than one can have.
"""

from __future__ import annotations

import gzip
import multiprocessing
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path

from benchmarks.bodies import lines, templates
from source_mixpanel.api.disk import Disk
from source_mixpanel.api.spool import Spool, spool_body
from source_mixpanel.instants import Stamper
from source_mixpanel.records.catalog import parse_columns
from source_mixpanel.records.columns import Shape
from source_mixpanel.records.events import EVENT_CORE, EventRows
from source_mixpanel.records.lines import record_lines
from source_mixpanel.records.privacy import Privacy

_EVENTS = 200_000
_ROUNDS = 7
_PROCESSES = 2
_PIECE = 1 << 16
_EVER = 1 << 62

_rows = EventRows(parse_columns(None, EVENT_CORE), Stamper(None), Shape(), Privacy())


def body() -> Spool:
    """A day of events, spooled as from the wire."""
    text = b"".join(b"".join(block) for block in lines(templates(), date(2025, 3, 3), _EVENTS, 1))
    packed = gzip.compress(text, 6)
    pieces = (packed[start : start + _PIECE] for start in range(0, len(packed), _PIECE))
    return spool_body(pieces, gzipped=True, what="a day", share=Disk().share())


def lines_of(block: bytes) -> bytes:
    """What the hot path makes of a block."""
    return record_lines("export", _rows.rows(block, -_EVER, _EVER), 0)[0]


def alone(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """In this process."""
    return map(lines_of, blocks)


def cost(spool: Spool, work: Callable[[Iterable[bytes]], Iterable[bytes]]) -> tuple[float, float]:
    """Seconds by the clock, and seconds of CPU in this process, whose children do not count."""
    started, before = time.monotonic(), _cpu()
    with Path(os.devnull).open("wb") as out:
        out.writelines(work(spool.blocks()))
    return time.monotonic() - started, _cpu() - before


def pooled(spool: Spool) -> tuple[float, float]:
    """The same with a pool, whose processes' CPU counts from their start to their end.

    The clock runs only while they work: they are there before, and end after it.
    """
    before = _children_cpu()
    pool = multiprocessing.get_context("fork").Pool(_PROCESSES)
    pool.map(len, [b""] * _PROCESSES)
    seconds, cpu = cost(spool, lambda blocks: pool.imap(lines_of, blocks))
    pool.close()
    pool.join()
    return seconds, cpu + _children_cpu() - before


def _cpu() -> float:
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


def _children_cpu() -> float:
    return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


def main() -> int:
    """Measure in turns, and print the ratios."""
    spool = body()
    speed, cpu = [], []
    for _ in range(_ROUNDS):
        one, two = cost(spool, alone), pooled(spool)
        speed.append(one[0] / two[0])
        cpu.append(two[1] / one[1])
        print(
            f"alone {one[0] / _EVENTS * 1e6:.1f} us a record, {one[1] / _EVENTS * 1e6:.1f} of CPU; "
            f"two processes {two[0] / _EVENTS * 1e6:.1f}, {two[1] / _EVENTS * 1e6:.1f}"
        )
    print(
        f"Two processes: {statistics.median(speed):.2f} times the speed for "
        f"{statistics.median(cpu):.2f} times the CPU (median of {_ROUNDS}; speed from "
        f"{min(speed):.2f} to {max(speed):.2f})."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
