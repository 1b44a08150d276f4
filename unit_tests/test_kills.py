"""A sync that is killed anywhere and resumed from the last state it printed loses nothing.

`make soak` kills some hundreds of times; an ordinary run a few.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from mixpanel_emulator.control_client import ControlClient
from unit_tests.builders import DAY_MS, NOON_10_MARCH_MS
from unit_tests.harness import Command, configured, expected_export, multiset

KILLS = int(os.environ.get("SOAK_KILLS", "4"))


def history(count: int) -> list[dict[str, Any]]:
    """Events of nine days, all processed long before the hour in which two syncs overlap."""
    chance = random.Random(5)  # noqa: S311 - a made-up history, the same each time
    events = []
    for n in range(count):
        ms = NOON_10_MARCH_MS - 3 * 3_600_000 - chance.randrange(9 * DAY_MS)
        sent = {"$mp_api_timestamp_ms": ms + 1000, "mp_processing_time_ms": ms + 2000}
        plain = {"time": ms, "distinct_id": f"u-{n % 50}", "$insert_id": f"i-{n}", "n": n}
        events.append({"event": f"Event {n % 7}", "properties": {**plain, **sent}})
    return events


def committed(raw: bytes) -> tuple[list[dict[str, Any]], list[dict[str, Any]] | None]:
    """The records before the last whole state line, and that state."""
    rows: list[dict[str, Any]] = []
    safe, state = 0, None
    for line in raw.split(b"\n")[:-1]:
        entry = json.loads(line)
        if entry["type"] == "RECORD":
            rows.append(entry["record"]["data"])
        if entry["type"] == "STATE":
            safe, state = len(rows), [entry["state"]]
    return rows[:safe], state


def is_over(state: list[dict[str, Any]]) -> bool:
    """Whether the sync that printed this state had nothing more to read."""
    blob = state[0]["stream"]["stream_state"]
    return "full_refresh" not in blob and blob["covered"][-1][0] == "2026-03-10"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "term"])
@pytest.mark.parametrize("mode", ["full_refresh", "incremental"])
def test_the_union_of_killed_and_resumed_syncs_is_the_whole(
    command: Command,
    mixpanel: ControlClient,
    config: dict[str, Any],
    tmp_path: Path,
    mode: str,
    number: signal.Signals,
) -> None:
    mixpanel.add_events(history(3000))
    config.update(start_date="2026-02-28", date_window_size=1, event_timestamps="utc")
    stream = command.run("discover", config=config).streams()["export"]
    files = {"config": config, "catalog": configured([stream], mode)}
    whole = command.start("read", **files, skip_waits=True).end()
    want = multiset(expected_export(mixpanel.events(), stream))
    assert multiset(whole.records()) == want
    chance = random.Random(number)  # noqa: S311 - as above
    kills = 0
    while kills < KILLS:
        rows, killed = killed_and_resumed(command, files, tmp_path, chance, len(whole.raw), number)
        kills += killed
        assert multiset(rows) == want
    if number is signal.SIGTERM:
        assert list(tmp_path.iterdir()) == []


def killed_and_resumed(
    command: Command,
    files: dict[str, Any],
    folder: Path,
    chance: random.Random,
    length: int,
    number: signal.Signals,
) -> tuple[list[dict[str, Any]], int]:
    """The records of a sync that is killed at random bytes of its output until it gets through.

    Returns:
        The records that states stood for, and how often it was killed.
    """
    rows: list[dict[str, Any]] = []
    state: list[dict[str, Any]] | None = None
    kills = 0
    while True:
        env = {"TMPDIR": str(folder)}
        running = command.start("read", **files, state=state, skip_waits=True, env=env)
        # By bytes, not by time: however slow the machine, some runs get further than others.
        point = chance.randrange(length)
        while running.alive() and len(running.so_far()) < point:
            time.sleep(0.001)
        if running.alive():
            running.kill(number)
        out = running.end()
        if out.code == 0:
            return rows + out.records(), kills
        assert out.code == -number
        kills += 1
        done, latest = committed(out.raw)
        rows += done
        state = latest or state
        if state and is_over(state):
            # Killed on its way out: a further full refresh would be a new one.
            return rows, kills
