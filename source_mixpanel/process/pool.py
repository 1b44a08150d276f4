"""The processes that make records of raw events beside this one, started when there is work."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection

from source_mixpanel.process.worker import Made, Task
from source_mixpanel.records.rendering import Rendering

_START = (
    "import sys; sys.path[:] = sys.argv[2:]; "
    "from source_mixpanel.process.worker import main; main(int(sys.argv[1]))"
)
_PATIENCE_S = 5.0


class WorkerError(Exception):
    """A process has ended, or could not be started; the message says why."""


class Worker:
    """One process. Its modules are found where this one's are; it loads few of them.

    Raises:
        WorkerError: It cannot be started.
    """

    def __init__(self, rendering: Rendering) -> None:
        self._line, theirs = socket.socketpair()
        descriptor = theirs.fileno()
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 - our own module
                    [sys.executable, "-c", _START, str(descriptor), *sys.path],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[descriptor],
                )
        except OSError as error:
            self._line.close()
            raise WorkerError(f"it cannot be started ({error.strerror})") from error
        self._orders = Connection(os.dup(self._line.fileno()))
        try:
            self._orders.send(rendering)
        except OSError as error:
            raise WorkerError(self._end()) from error

    def make(self, task: Task, source: int, target: int) -> Made | None:
        """Lines of the events in one file, in another; None if it cannot make them.

        Raises:
            WorkerError: It has ended.
        """
        try:
            socket.send_fds(self._line, [b"\0"], [source, target])
            self._orders.send(task)
            made: Made | None = self._orders.recv()
        except (OSError, EOFError) as error:
            raise WorkerError(self._end()) from error
        return made

    def _end(self) -> str:
        self.close()
        code = self._process.returncode
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def close(self) -> None:
        """End it."""
        self._orders.close()
        self._line.close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Pool:
    """At most so many workers; each makes one window at a time. Thread safe by its caller's lock.

    Args:
        log: Where a sentence about a worker that ended goes.

    Attributes:
        size: Workers that there may be.
    """

    def __init__(self, rendering: Rendering, size: int, log: Callable[[str], None]) -> None:
        self.size = size if hasattr(socket, "send_fds") and sys.executable else 0
        self._rendering = rendering
        self._log = log
        self._idle: list[Worker] = []
        self._busy = 0

    @property
    def has_one(self) -> bool:
        """Whether a worker is idle, or may be started."""
        return bool(self._idle) or self._busy < self.size

    def take(self) -> Callable[[], Worker]:
        """A worker that is idle, or the way to start one."""
        self._busy += 1
        if self._idle:
            worker = self._idle.pop()
            return lambda: worker
        return lambda: Worker(self._rendering)

    def give_back(self, worker: Worker) -> None:
        """It is idle again."""
        self._busy -= 1
        if self._busy < self.size:
            self._idle.append(worker)
        else:
            worker.close()

    def lost(self, why: WorkerError) -> None:
        """One has ended; no other takes its place."""
        self._busy -= 1
        self.size -= 1
        self._log(
            f"A process that makes records of events beside this one has ended early: {why}. They "
            f"are made here instead."
        )

    def close(self) -> None:
        """End those that are idle; the others end when they are given back, or with this one."""
        self.size = 0
        while self._idle:
            self._idle.pop().close()
