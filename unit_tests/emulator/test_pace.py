"""Exports as fast as a real line carries them, from the local Mixpanel and from the bench's."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from benchmarks.datasets import Dataset, day_file
from benchmarks.gzip_parts import write_part
from benchmarks.replay import Library, Line, Server
from mixpanel_emulator.options import CREDENTIALS, EmulatorOptions
from mixpanel_emulator.server import EmulatorServer
from peers.hosts import Tunnel
from peers.trust import certify

DAY = Dataset(50, 1)
SIZE = 400_000
BANDWIDTH = 200_000
LATENCY = 0.3
ASKED = {
    "project_id": str(DAY.events),
    "from_date": str(DAY.first),
    "to_date": str(DAY.last),
}
Read = Callable[[], tuple[float, float, int]]


def timed(url: str, **how: Any) -> tuple[float, float, int]:
    """Seconds to the first byte, from there to the last, and bytes on the wire."""
    begun = time.monotonic()
    with requests.get(url, stream=True, timeout=20, **how) as response:
        assert response.status_code == 200
        first = time.monotonic()
        size = len(response.raw.read(decode_content=False))
    return first - begun, time.monotonic() - first, size


@contextmanager
def local_mixpanel() -> Iterator[Read]:
    options = EmulatorOptions(
        empty=True,
        quota=False,
        now=f"{DAY.last}T23:00:00Z",
        export_latency=LATENCY,
        export_bandwidth=BANDWIDTH,
    )
    with EmulatorServer(options) as server:
        time_ms = 1_740_960_000_000
        fill = {"time": time_ms, "filler": "y" * (SIZE // 100)}
        server.control.add_events([{"event": "Signup", "properties": fill} for _ in range(100)])
        how = {
            "params": {**ASKED, "project_id": str(CREDENTIALS.project_id)},
            "auth": (CREDENTIALS.username, CREDENTIALS.secret),
            "headers": {"Accept-Encoding": "identity"},
        }
        yield lambda: timed(f"{server.base_url}/api/2.0/export", **how)


@contextmanager
def replay(folder: Path) -> Iterator[Read]:
    path = day_file(folder, DAY.events, "s", DAY.first)
    path.parent.mkdir()
    write_part(path, [[os.urandom(SIZE)]])
    trust = certify(folder)
    library = Library(folder, 0, folder / "journal")
    line = Line(LATENCY, BANDWIDTH)
    with Server(library, trust, line) as server, Tunnel(server.server_address[1]) as tunnel:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        how = {"params": ASKED, "proxies": {"https": tunnel.url}, "verify": str(trust.ca)}
        yield lambda: timed("https://data.mixpanel.com/api/2.0/export", **how)
        server.shutdown()


@pytest.mark.parametrize("served", ["local Mixpanel", "replay"])
def test_each_connection_has_the_bandwidth_for_itself(served: str, tmp_path: Path) -> None:
    serving = replay(tmp_path) if served == "replay" else local_mixpanel()
    quickest = math.inf
    with serving as read, ThreadPoolExecutor() as pool:
        # A busy machine only adds to what a line takes, so the quickest of a few tells.
        for _ in range(5):
            both = [done.result() for done in [pool.submit(read) for _ in range(2)]]
            for waited, lasted, size in both:
                assert waited >= LATENCY
                assert size >= SIZE
                assert lasted / (size / BANDWIDTH) > 0.9
            quickest = min(quickest, max(lasted / (size / BANDWIDTH) for _, lasted, size in both))
            # A line shared by both would take twice as long.
            if quickest < 1.8:
                break
    assert quickest < 1.8


def test_a_line_of_no_bandwidth_is_refused(emulator: Any) -> None:
    with pytest.raises(RuntimeError, match="above 0 bytes"):
        emulator.control.configure(export_bandwidth=0)
