"""The processes that make records of raw events beside this one, started when there is work."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection

from source_mixpanel.events.line_maker import Rendering
from source_mixpanel.events.worker import Made, Task

_START = (
    "import sys; sys.path[:] = sys.argv[2:]; "
    "from source_mixpanel.events.worker import main; main(int(sys.argv[1]))"
)
_A_MOMENT_S = 5.0
_PATIENCE_S = 120.0
_SLOWEST = 1_000_000
"""Bytes of events a second that a worker makes lines of at the least."""


class WorkerError(Exception):
    """A process has ended, or could not be started; the message says why."""


class Worker:
    """One process. Its modules are found where this one's are; it loads few of them.

    Raises:
        WorkerError: It cannot be started.
    """

    def __init__(self, rendering: Rendering) -> None:
        try:
            self._line, theirs = socket.socketpair()
            with theirs:
                descriptor = theirs.fileno()
                self._orders = Connection(os.dup(self._line.fileno()))
                self._process = subprocess.Popen(  # noqa: S603 - our own module
                    [sys.executable, "-c", _START, str(descriptor), *sys.path],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=[descriptor],
                )
        except OSError as error:
            raise WorkerError(f"it cannot be started ({error.strerror})") from error
        try:
            self._orders.send(rendering)
        except OSError as error:
            raise WorkerError(self._end()) from error

    def make(self, task: Task, source: int, target: int, size: int) -> Made | None:
        """Lines of the events in one file, in another; None if it cannot make them.

        How long it may take goes by the `size` of all events in bytes.

        Raises:
            WorkerError: It has ended, or does not get on.
        """
        try:
            socket.send_fds(self._line, [b"\0"], [source, target])
            self._orders.send(task)
            if not self._orders.poll(_PATIENCE_S + size / _SLOWEST):
                self._process.kill()
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
            self._process.wait(_A_MOMENT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Pool:
    """At most so many workers, each of which does one thing at a time.

    Whoever calls it holds a lock.

    Attributes:
        size: Workers that there may be.
    """

    def __init__(self, rendering: Rendering, size: int) -> None:
        self.size = size if hasattr(socket, "send_fds") and sys.executable else 0
        self._rendering = rendering
        self._idle: list[Worker] = []
        self._busy = 0

    @property
    def has_one(self) -> bool:
        """Whether a worker is idle, or may be started."""
        return self._busy < self.size

    def wanted(self, tasks: int) -> int:
        """How many workers to start for so many tasks to come."""
        return max(0, min(tasks, self.size) - self._busy - len(self._idle))

    def take(self) -> Callable[[], Worker]:
        """A worker that is idle, or the way to start one; `give_back` has to follow."""
        self._busy += 1
        if self._idle:
            worker = self._idle.pop()
            return lambda: worker
        return lambda: Worker(self._rendering)

    def give_back(self, worker: Worker | None) -> Worker | None:
        """It is idle again; None if it is lost, and none is to take its place.

        Returns:
            A worker that is to be closed.
        """
        self._busy -= 1
        if worker is None:
            self.size = max(0, self.size - 1)
        elif self._busy < self.size:
            self._idle.append(worker)
        else:
            return worker
        return None

    def closed(self) -> list[Worker]:
        """No worker is wanted any more; those that are idle."""
        self.size = 0
        idle, self._idle = self._idle, []
        return idle
