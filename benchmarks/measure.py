"""Runs a command and measures what it took: CPU of its process tree, memory, time, records."""

from __future__ import annotations

import fcntl
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_PIPE = 1 << 20
RECORD = b'{"type":"RECORD"'
_TAIL = 4_000
_PATIENCE_S = 900.0


@dataclass(frozen=True)
class Cost:
    """What a run took.

    Attributes:
        cpu: Seconds, user and system, of the process and all it waited for.
        wall: Seconds from start to end.
        rss: Peak resident bytes of the largest process.
        records: RECORD messages written.
        written: Bytes written.
    """

    cpu: float
    wall: float
    rss: int
    records: int
    written: int


class RunError(RuntimeError):
    """A measured command failed."""


def run(command: Sequence[str | Path], env: Mapping[str, str], log: Path) -> Cost:
    """Run a command to its end.

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
        try:
            records, written, tail = _count(process.stdout)
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        finally:
            watch.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - started
    if process.returncode:
        said = tail[-_TAIL:].decode("utf-8", "replace") + log.read_text("utf-8", "replace")[-_TAIL:]
        raise RunError(f"{Path(command[0]).name} ended with {process.returncode}:\n{said}")
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss * 1024, records, written)


def _count(output: IO[bytes] | None) -> tuple[int, int, bytes]:
    """Records and bytes of an output, and its end."""
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
            text = rest + block
            records += text.count(RECORD)
            # Shorter than the pattern: what is kept holds no whole one.
            rest = text[1 - len(RECORD) :]
            last = block
    return records, written, last
