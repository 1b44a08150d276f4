"""Runs a command and measures what it took: CPU of its process tree, memory, time, records."""

from __future__ import annotations

import fcntl
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

_PIPE = 1 << 20
RECORD = b'{"type":"RECORD"'
_TAIL = 4_000
_PATIENCE_S = 900.0
_GLANCE_S = 0.1
_END = 1 << 16


@dataclass(frozen=True)
class Cost:
    """What a run took.

    Attributes:
        cpu: Seconds, user and system, of the process and all it waited for.
        wall: Seconds from start to end.
        rss: Peak resident bytes of the largest process.
        records: RECORD messages written, or whatever was counted instead.
        written: Bytes written.
        worker: Peak resident bytes of the largest process below the first; 0 where there was none.
        tail: The end of what was written.
    """

    cpu: float
    wall: float
    rss: int
    records: int
    written: int
    worker: int = 0
    tail: bytes = field(default=b"", repr=False)


class RunError(RuntimeError):
    """A measured command failed."""


def run(
    command: Sequence[str | Path], env: Mapping[str, str], log: Path, mark: bytes = RECORD
) -> Cost:
    """Run a command to its end, and count how often it writes `mark`.

    Raises:
        RunError: It failed; the message tells the end of what it wrote.
    """
    started = time.monotonic()
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own commands
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=dict(env),
        )
        # A connector that sleeps off a quota would do so for an hour.
        watch = threading.Timer(_PATIENCE_S, process.kill)
        watch.start()
        over, peaks = threading.Event(), dict[int, int]()
        threading.Thread(target=_watch, args=(process.pid, over, peaks), daemon=True).start()
        try:
            records, written, tail = _count(process.stdout, mark)
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        finally:
            watch.cancel()
            over.set()
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - started
    if process.returncode:
        said = tail[-_TAIL:].decode("utf-8", "replace") + log.read_text("utf-8", "replace")[-_TAIL:]
        raise RunError(f"{Path(command[0]).name} ended with {process.returncode}:\n{said}")
    cpu, rss = used.ru_utime + used.ru_stime, used.ru_maxrss * 1024
    return Cost(cpu, wall, rss, records, written, max(peaks.values(), default=0), tail)


def _watch(root: int, over: threading.Event, peaks: dict[int, int]) -> None:
    """Keep the peak of every process below one, for as long as it lasts.

    The last figure of each counts: until it starts its program, it has that of its parent.
    """
    while not over.wait(_GLANCE_S):
        for pid in _below(root):
            with suppress(OSError, StopIteration):
                lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                peak = next(line for line in lines if line.startswith("VmHWM:"))
                peaks[pid] = int(peak.split()[1]) * 1024


def _below(pid: int) -> Iterator[int]:
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, file.read_text().split()):
                yield child
                yield from _below(child)


def _count(output: IO[bytes] | None, mark: bytes) -> tuple[int, int, bytes]:
    """How often a mark is in an output, its bytes, and its end."""
    if output is None:
        raise ValueError("nothing to read")
    fcntl.fcntl(output, getattr(fcntl, "F_SETPIPE_SZ", 1031), _PIPE)
    records = written = 0
    rest = last = b""
    with output:
        # In JSON a quotation mark inside a text is escaped, so that the pattern is at the start
        # of a message or nowhere.
        while block := os.read(output.fileno(), _PIPE):
            written += len(block)
            # Nothing is copied that is not needed: what is measured shares the cores with this.
            seam = rest + block[: len(mark) - 1]
            records += block.count(mark) + seam.count(mark)
            # Shorter than the pattern: what is kept holds no whole one.
            rest = (rest + block[-len(mark) :])[1 - len(mark) :]
            last = block[-_END:] if len(block) >= _END else (last + block)[-_END:]
    return records, written, last
