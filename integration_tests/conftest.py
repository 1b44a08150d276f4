"""The world of the acceptance files, served where they look for it, and the connector's command."""

from __future__ import annotations

import fcntl
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airbyte_cdk.test.standard_tests.pytest_hooks import (  # noqa: F401 - hooks of its tests
    connector_base_image_override,
    connector_image_override,
    pytest_addoption,
    pytest_generate_tests,
    read_from_streams,
    read_scenarios,
)

from integration_tests.local_mixpanel import OPTIONS, PORT
from mixpanel_emulator.server import EmulatorServer
from unit_tests.conftest import pytest_terminal_summary  # noqa: F401 - what `make day` counts
from unit_tests.harness import Command
from unit_tests.project import Project, Streams

FOLDER = Path(__file__).parent


def load(name: str) -> Any:
    """One of the acceptance suites' JSON files."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def world() -> Iterator[EmulatorServer]:
    """The local Mixpanel on the port that the configs name; runs side by side take turns."""
    turn = Path(tempfile.gettempdir()) / f"source-mixpanel-{PORT}.lock"
    with turn.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with EmulatorServer(OPTIONS) as server:
            yield server


@pytest.fixture(scope="session")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    made = Command(Path(tmp_path_factory.mktemp("runs")))
    yield made
    made.close()


@pytest.fixture(scope="session")
def config(world: EmulatorServer) -> dict[str, Any]:
    given = load("config.json")
    assert given["api_url"] == world.base_url
    return dict(given)


@pytest.fixture
def project(
    command: Command, world: EmulatorServer, config: dict[str, Any], streams: Streams
) -> Project:
    """The project of the acceptance files, which nobody changes."""
    return Project(command, world.control, config, streams)


@pytest.fixture(scope="session")
def streams(command: Command, config: dict[str, Any]) -> Streams:
    """Every discovered stream."""
    return command.run("discover", config=config).streams()


def load_lines(name: str) -> list[Any]:
    """The same for a file with a JSON value on each line."""
    lines = (FOLDER / name).read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]
