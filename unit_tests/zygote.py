"""Runs the connector's command many times without paying for its imports each time.

A process imports the connector once, then forks for each job it is given: what runs is the real
entry point in a process of its own, with its own output, signals and exit code. A job is a line
of JSON on standard input: {"job", "args", "outputs", "patience", "env"}. The child's
process id is answered when it starts, its exit code when it ends, each with the number "job". Where
given, "limits" holds resource limits by name, "jumps" pairs of (reading of the clock, seconds it
then jumps by), and "time_of" the address of a local Mixpanel whose clock the run goes by, and
moves by waiting.
"""

from __future__ import annotations

import json
import math
import os
import resource
import sys
import threading
from typing import Any

import source_mixpanel.entrypoint  # noqa: F401 - loaded once, before anything forks
from benchmarks.virtual import VirtualClock
from mixpanel_emulator.control_client import ControlClient
from source_mixpanel.api.failures import Backoff
from source_mixpanel.api.patience import Patience, Timeouts
from source_mixpanel.run import run
from source_mixpanel.times.clock import Clock, SystemClock


class SkippingClock(SystemClock):
    """A clock on which waiting takes no time: it is noon, then it is later."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def now(self) -> float:
        return super().now() + self._skipped

    def monotonic(self) -> float:
        return super().monotonic() + self._skipped

    def wait(self, seconds: float, on: threading.Condition | None = None) -> None:
        if seconds == math.inf and on is not None:
            on.wait()
        # Others who hold the condition get their turn.
        elif on is None or not on.wait(0.001):
            self._skipped += seconds


class JumpingClock(SkippingClock):
    """A clock that somebody sets while the connector runs; what measures durations goes on."""

    def __init__(self, jumps: dict[int, float]) -> None:
        super().__init__()
        self._jumps = jumps
        self._readings = 0
        self._off = 0.0

    def now(self) -> float:
        self._readings += 1
        self._off += self._jumps.get(self._readings, 0.0)
        return super().now() + self._off


def _become(job: dict[str, Any]) -> None:
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        os.dup2(os.open(job["outputs"][name], flags, 0o600), descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(job.get("env") or {})
    for name, limit in job.get("limits", {}).items():
        resource.setrlimit(getattr(resource, name), (limit, limit))
    sys.argv = ["source-mixpanel", *job["args"]]


def _child(job: dict[str, Any]) -> int:
    _become(job)
    given = job["patience"]
    patience = Patience(
        Backoff(
            tries=given.get("tries", 5),
            first_s=given["first_s"],
            budget_s=given.get("budget_s", 0.0),
        ),
        Timeouts(read=given.get("read_s", 20.0)),
        quick_s=given.get("quick_s", 1.0),
    )
    clock: Clock | None = SkippingClock() if given.get("skip_waits") else None
    if job.get("time_of"):
        clock, patience = VirtualClock(ControlClient(job["time_of"])), Patience()
    if job.get("jumps"):
        clock = JumpingClock(dict(map(tuple, job["jumps"])))
    code = 0
    try:
        run(clock, patience)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except BaseException:  # noqa: BLE001 - what the interpreter does at its top level
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush()
    return code


def main() -> None:
    """Serve jobs until standard input ends."""
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if not pid:
            os._exit(_child(job))
        print(json.dumps({"job": job["job"], "pid": pid}), flush=True)
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        print(json.dumps({"job": job["job"], "code": code}), flush=True)


if __name__ == "__main__":
    main()
