"""Lines of events made by other processes: the same as ever, whatever becomes of these."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from source_mixpanel.columns.privacy import Privacy
from source_mixpanel.columns.properties import Shape
from source_mixpanel.events import pool
from source_mixpanel.events.line_maker import Rendering
from source_mixpanel.events.worker import Task
from source_mixpanel.process.cores import cores, limit_of, older_limit_of
from unit_tests.harness import Running, multiset
from unit_tests.project import Project

DAYS, A_DAY, TEXT = 8, 700, 2_000
MINUTE_MS, DAY_MS = 60_000, 86_400_000
NOON_MS = 1_773_144_000_000
PATIENCE_S = 20.0

several_cores = pytest.mark.skipif(cores() < 2, reason="one core: there are no further processes")


@pytest.fixture
def project(project: Project) -> Project:
    """Eight days of large events, and values that are odd in every way that is counted."""
    project.mixpanel.reset()
    for day in range(DAYS):
        project.mixpanel.add_events([_event(day, number) for number in range(A_DAY)])
    project.config.update(start_date="2026-03-03", event_timestamps="utc")
    project.discover()
    return project


def _event(day: int, number: int) -> dict[str, Any]:
    time_ms = NOON_MS - day * DAY_MS - number * MINUTE_MS
    held = {
        "time": time_ms,
        "distinct_id": f"user-{number % 50}" if number % 7 else number,
        "$insert_id": f"{day}-{number}",
        "text": f"{number:04}" * (TEXT // 4),
        "size": number if number % 100 else "huge",
        "half": "\ud800" if number % 90 == 1 else "whole",
        "long": 2**70 + number if number % 80 == 2 else number,
    }
    return {"event": f"Event {number % 5}", "properties": held}


def _start(project: Project, **how: Any) -> Running:
    how = {"catalog": project.catalog("export"), "skip_waits": True, "quick_s": 0.0, **how}
    return project.start("read", **how)


def _workers(parent: int) -> set[int]:
    """The processes that a run has started."""
    found = set()
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            if b"events.worker" in (entry / "cmdline").read_bytes():
                stat = (entry / "stat").read_text().rpartition(") ")[2].split()
                if int(stat[1]) == parent and stat[0] != "Z":
                    found.add(int(entry.name))
    return found


def _when(running: Running, holds: Callable[[], bool]) -> bool:
    """Whether something comes to hold while a run lasts."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and running.alive():
        if holds():
            return True
        time.sleep(0.002)
    return holds()


@several_cores
def test_other_processes_make_the_same_lines(project: Project) -> None:
    running = _start(project)
    assert _when(running, lambda: bool(_workers(running.pid)))
    aside = running.end()
    alone = project.using(download_ahead_mb=0).sync("export", quick_s=0.0)
    assert (aside.code, alone.code) == (0, 0), aside.log
    expected = project.expected_export()
    assert multiset(aside.records("export")) == multiset(alone.records("export")) == expected
    told = [line for line in aside.log.splitlines() if "do not fit" in line]
    assert told
    assert told == [line for line in alone.log.splitlines() if "do not fit" in line]
    states = [out.stream_state("export") for out in (aside, alone)]
    assert states[0]["time"] == states[1]["time"]
    assert not _workers(running.pid)


@several_cores
def test_no_process_is_started_for_late_events(project: Project) -> None:
    project.mixpanel.advance(86_400)
    first = project.sync("export", quick_s=0.0)
    project.mixpanel.advance(86_400)
    project.mixpanel.add_events([_event(-2, number) for number in range(A_DAY)])
    running = _start(project, state=first.state_file())
    seen = _when(running, lambda: bool(_workers(running.pid)))
    out = running.end()
    assert not seen
    assert out.code == 0, out.log
    asked = [entry["query"].get("where", "") for entry in project.asked("/api/2.0/export")]
    assert any("mp_processing_time_ms" in where for where in asked)


@several_cores
def test_a_worker_that_is_killed_costs_nothing(project: Project) -> None:
    running = _start(project)
    killed: set[int] = set()

    def kill() -> bool:
        """Each one as it comes, be it at work or not yet."""
        for worker in _workers(running.pid):
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
                killed.add(worker)
        return False

    _when(running, kill)
    assert killed
    out = running.end()
    assert out.code == 0, out.log
    assert multiset(out.records("export")) == project.expected_export()
    assert "has ended early: signal 9. They are made here instead." in out.log


def test_a_worker_that_does_not_get_on_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_PATIENCE_S", 0.2)
    worker = pool.Worker(Rendering("export", {}, Shape(), Privacy(), (), (0, 1)))
    end = time.monotonic() + PATIENCE_S
    # A process that has just begun has no command line for a moment.
    while not (found := _workers(os.getpid())) and time.monotonic() < end:
        time.sleep(0.002)
    [process] = found
    os.kill(process, signal.SIGSTOP)
    with tempfile.TemporaryFile() as file:
        task = Task(gzipped=False, lines=(0, 1), zone=None, emitted_at_ms=0)
        with pytest.raises(pool.WorkerError, match="signal 9"):
            worker.make(task, file.fileno(), file.fileno(), size=0)
    assert not _workers(os.getpid())


@several_cores
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_the_connector(project: Project, number: int) -> None:
    running = _start(project)
    seen: set[int] = set()

    def started() -> bool:
        seen.update(_workers(running.pid))
        return bool(seen)

    assert _when(running, started)
    running.kill(number)
    running.end()
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and any(Path(f"/proc/{pid}/exe").exists() for pid in seen):
        time.sleep(0.01)
    assert not [pid for pid in seen if Path(f"/proc/{pid}/exe").exists()]


def test_small_windows_are_worth_no_process(project: Project) -> None:
    project.mixpanel.reset()
    project.mixpanel.seed(3, events=200, days=20, profiles=5)
    project.config.update(start_date="2026-02-20", event_timestamps="utc")
    project.discover()
    running = _start(project)
    assert not _when(running, lambda: bool(_workers(running.pid)))
    assert running.end().code == 0


@pytest.mark.parametrize(
    ("told", "expected"), [("150000 100000", 1), ("400000 100000", 4), ("max 100000", None)]
)
def test_a_containers_limit_counts(tmp_path: Path, told: str, expected: int | None) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(told)
    assert min(limit_of(file), 99) == (expected or 99)
    assert older_limit_of(tmp_path) > 99
    for name, value in zip(("quota", "period"), told.replace("max", "-1").split(), strict=True):
        (tmp_path / f"cpu.cfs_{name}_us").write_text(f"{value}\n")
    assert min(older_limit_of(tmp_path), 99) == (expected or 99)
