"""What is downloaded before it is emitted: side by side, and within one bound of disk."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mixpanel_emulator.control_client import ControlClient
from unit_tests.builders import event
from unit_tests.harness import Running, multiset
from unit_tests.project import Project

LATENCY_S = 1.5
MB = 1_000_000
DAYS = 12


def _running(mixpanel: ControlClient, run: Running) -> Iterator[int]:
    """How many exports run at Mixpanel, again and again while the connector lives."""
    while run.alive():
        yield mixpanel.quota()["export"]["running"]
        time.sleep(0.02)


def _hundred_days(project: Project) -> dict[str, Any]:
    """A project with an event a day, and what a sync of it is called with."""
    project.mixpanel.add_events([event(days_ago=n + 0.3, insert_id=f"day-{n}") for n in range(100)])
    longer = project.using(start_date="2025-12-01", event_timestamps="utc")
    return {"config": longer.config, "catalog": longer.catalog("export")}


def test_slow_exports_are_asked_for_side_by_side(project: Project) -> None:
    files = _hundred_days(project)
    project.mixpanel.configure(export_latency=LATENCY_S)
    run = project.start("read", **files, quick_s=0.1)
    most = max(_running(project.mixpanel, run))
    out = run.end()
    assert out.code == 0, out.log
    assert {row["insert_id"] for row in out.records()} == {f"day-{n}" for n in range(100)}
    assert most >= 4


def test_quick_exports_come_one_after_the_other(project: Project) -> None:
    files = _hundred_days(project)
    run = project.start("read", **files, quick_s=30.0)
    assert max(_running(project.mixpanel, run), default=0) <= 1
    assert run.end().code == 0


def test_num_workers_bounds_exports(project: Project) -> None:
    files = _hundred_days(project.using(num_workers=2))
    project.mixpanel.configure(export_latency=0.4)
    run = project.start("read", **files, quick_s=0.0)
    assert max(_running(project.mixpanel, run)) == 2
    assert run.end().code == 0


@pytest.fixture
def wide(project: Project) -> None:
    """Profiles and events that hardly get smaller by compression."""
    chance = random.Random(5)  # noqa: S311 - no secret
    texts = [chance.randbytes(1_500).hex() for _ in range(2_400)]
    profiles = [
        {
            "$distinct_id": f"u-{n}",
            "$properties": {"text": text, "$last_seen": "2026-03-01T00:00:00"},
        }
        for n, text in enumerate(texts)
    ]
    project.mixpanel.add_profiles(profiles)
    project.mixpanel.add_events(
        [event(days_ago=n % DAYS + 0.2, insert_id=f"e-{n}", text=t) for n, t in enumerate(texts)]
    )


def _on_disk(pid: int) -> int:
    """Bytes of the files without a name that a process holds open."""
    size = 0
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            if "(deleted)" in str(descriptor.readlink()):
                size += descriptor.stat().st_size
    return size


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize(("limit_mb", "waiting_mb"), [(4, 2.0), (0, 0.0)])
def test_all_downloads_together_keep_to_the_disk_they_are_given(
    project: Project, tmp_path: Path, limit_mb: int, waiting_mb: float
) -> None:
    project.config.update(
        start_date="2026-02-26", event_timestamps="utc", page_size=300, download_ahead_mb=limit_mb
    )
    catalog = project.catalog("export", "engage")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        run = project.start("read", catalog=catalog, quick_s=0.0, places={"stdout": str(pipe)})
        # Nobody reads: what is ahead piles up as far as it may.
        sizes = []
        for _ in range(60):
            time.sleep(0.05)
            sizes.append(_on_disk(run.pid))
        os.set_blocking(held, True)
        raw = b"".join(iter(lambda: os.read(held, 1 << 20), b""))
    finally:
        os.close(held)
    assert run.end().code == 0
    page, day = 0.5, 0.4
    # Half for what waits; what is emitted next, one download of each stream, comes on top.
    assert max(sizes) <= (waiting_mb + 3 * page + 3 * day) * MB
    assert max(sizes) >= waiting_mb * MB / 2
    lines = raw.splitlines()
    texts = [line for line in lines if b'"RECORD"' in line]
    assert len(texts) == 2 * 2_400
    assert len(multiset([{"line": line.decode()} for line in texts])) == len(texts)
