"""Small worlds and the calls that every test of a stream makes."""

from __future__ import annotations

from typing import Any

from unit_tests.harness import Command, Output, configured

DAY_MS = 86_400_000
NOON_10_MARCH_MS = 1_773_144_000_000


def event(
    name: str = "Sign Up", *, days_ago: float = 1.0, insert_id: str = "i-1", **properties: Any
) -> dict[str, Any]:
    """An event that happened so many days before noon of 10 March 2026, sent at once."""
    ms = NOON_10_MARCH_MS - int(days_ago * DAY_MS)
    plain = {"time": ms, "distinct_id": "u-1", "$insert_id": insert_id}
    sent = {"$mp_api_timestamp_ms": ms + 1200, "mp_processing_time_ms": ms + 2300}
    return {"event": name, "properties": {**plain, **sent, **properties}}


def discover(command: Command, config: dict[str, Any]) -> dict[str, Any]:
    """The discovered `export`."""
    found = command.run("discover", config=config)
    assert found.code == 0, found.log
    return found.streams()["export"]


def read(
    command: Command,
    config: dict[str, Any],
    stream: dict[str, Any],
    *,
    state: Any = None,
    mode: str = "incremental",
    **patience: float,
) -> Output:
    """One sync of one stream; waits for quota take no time."""
    files = {"config": config, "catalog": configured([stream], mode), "state": state}
    return command.run("read", **files, **{"skip_waits": True, **patience})
