"""A backfill in parts (docs/scaling.md): several processes at once read what one sync reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration_tests.conftest import load
from mixpanel_emulator.options import EmulatorOptions
from mixpanel_emulator.server import EmulatorServer
from unit_tests.builders import NOON_10_MARCH_MS, event
from unit_tests.harness import Command, expected_export, multiset
from unit_tests.project import Project

PARTS = (
    ("2026-02-10", "2026-02-19"),
    ("2026-02-20", "2026-02-28"),
    ("2026-03-01", "2026-03-10"),
)


@pytest.fixture(scope="module")
def server() -> Iterator[EmulatorServer]:
    options = EmulatorOptions(
        seed=11, events=3_000, days=29, profiles=40, now="2026-03-10T12:00:00Z", timezone="UTC"
    )
    with EmulatorServer(options) as running:
        yield running


@pytest.fixture
def commands(command: Command, tmp_path: Path) -> Iterator[list[Command]]:
    """One for each part: a command runs one job after the other."""
    others = []
    for number in range(len(PARTS) - 1):
        folder = tmp_path / str(number)
        folder.mkdir()
        others.append(Command(folder))
    yield [command, *others]
    for other in others:
        other.close()


def _settings(server: EmulatorServer, first: str, last: str | None) -> dict[str, Any]:
    days = {"start_date": first} | ({"end_date": last} if last else {})
    return {**load("config.json"), **days, "api_url": server.base_url}


def _joined(states: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The states of neighbouring ranges as one, as docs/scaling.md says it."""
    covered = [entry for state in states for entry in state["covered"]]
    whole = {**states[-1], "covered": covered}
    stream = {"stream_descriptor": {"name": "export"}, "stream_state": whole}
    return [{"type": "STREAM", "stream": stream}]


def test_parts_read_at_once_are_together_one_sync_and_go_on_as_one(
    commands: list[Command], server: EmulatorServer
) -> None:
    mixpanel = server.control
    project = Project(commands[0], mixpanel, _settings(server, PARTS[0][0], None))
    catalog = project.catalog("export")
    started = [
        command.start("read", config=_settings(server, *days), catalog=catalog)
        for command, days in zip(commands, PARTS, strict=True)
    ]
    parts = [running.end() for running in started]
    assert [part.code for part in parts] == [0] * len(PARTS)
    together: Counter[Any] = Counter()
    for part in parts:
        assert part.records(), "every part has a share"
        together += multiset(part.records())
    # The local Mixpanel counts requests by the real clock, so this one waits by it, too.
    at_once = project.sync("export", mode="full_refresh", skip_waits=False)
    assert together == multiset(at_once.records())
    assert together == multiset(expected_export(mixpanel.events(), project.streams["export"]))

    mixpanel.advance(7_200)
    late = event(insert_id="late", days_ago=25)
    late["properties"]["mp_processing_time_ms"] = NOON_10_MARCH_MS + 7_000_000
    mixpanel.add_events([late])
    state = _joined([part.stream_state("export") for part in parts])
    rest = project.sync("export", state=state, skip_waits=False)
    assert rest.code == 0, rest.log
    assert "late" in {record["insert_id"] for record in rest.records()}
    assert len(rest.records()) < together.total() / 4
