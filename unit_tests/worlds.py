"""What tests of any stream ask: discover them all, read some, break off and go on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mixpanel_emulator.control_client import ControlClient
from unit_tests.harness import Command, Output, configured

Streams = dict[str, dict[str, Any]]

REPORTS = [
    {"name": name, "kind": name, "parameters": parameters}
    for name, parameters in {
        "segmentation": {"event": "Page View", "on": 'properties["$os"]'},
        "retention": {"born_event": "Sign Up", "interval_count": 3},
        "funnel": {"funnel_id": 4411, "length": 1, "length_unit": "day"},
        "frequency": {"unit": "day", "addiction_unit": "hour"},
    }.items()
]
"""One report of each kind that the seeded shop has an answer to, for the settings."""


def discovered(command: Command, config: dict[str, Any]) -> Streams:
    """Every discovered stream by name."""
    found = command.run("discover", config=config)
    assert found.code == 0, found.log
    return found.streams()


def sync(
    command: Command,
    config: dict[str, Any],
    streams: Iterable[dict[str, Any]],
    *,
    mode: str = "full_refresh",
    state: Any = None,
    **patience: float,
) -> Output:
    """One sync of these streams; a mode that a stream does not have becomes a full refresh."""
    catalog = configured(streams, mode)
    for entry in catalog["streams"]:
        if mode not in entry["stream"]["supported_sync_modes"]:
            entry["sync_mode"] = "full_refresh"
    files = {"config": config, "catalog": catalog, "state": state}
    return command.run("read", **files, **{"skip_waits": True, **patience})


def prefixes(out: Output, stream: str) -> list[tuple[list[dict[str, Any]], dict[str, Any]]]:
    """At each state of a stream: the records before it, and the state, as after a kill there."""
    rows: list[dict[str, Any]] = []
    found = []
    for entry in out.messages:
        if entry["type"] == "RECORD" and entry["record"]["stream"] == stream:
            rows.append(entry["record"]["data"])
        if entry["type"] == "STATE":
            descriptor = entry["state"]["stream"]["stream_descriptor"]
            if descriptor["name"] == stream:
                found.append((list(rows), entry["state"]))
    return found


def asked(mixpanel: ControlClient, path: str) -> list[dict[str, Any]]:
    """The requests seen for a path, in order."""
    return [entry for entry in mixpanel.journal() if entry["path"] == path]
