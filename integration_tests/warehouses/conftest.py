"""The project's life, recorded once for all judges that land what the command printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from integration_tests import postgres
from integration_tests.warehouses.history import Recorder, Recorders, Sync
from integration_tests.warehouses.merging import ZONE, Life, lived
from mixpanel_emulator.control_client import ControlClient
from mixpanel_emulator.options import EmulatorOptions, connector_config
from mixpanel_emulator.server import EmulatorServer
from unit_tests.builders import REPORTS
from unit_tests.harness import Command

NOW = "2026-03-10T12:00:00Z"


@pytest.fixture(scope="session")
def project() -> Iterator[EmulatorServer]:
    """A local Mixpanel of these tests alone."""
    options = EmulatorOptions(empty=True, quota=False, now=NOW, timezone="UTC")
    with EmulatorServer(options) as server:
        yield server


@pytest.fixture
def mixpanel(project: EmulatorServer) -> ControlClient:
    """The same, empty."""
    control = project.control
    control.reset()
    return control


@pytest.fixture(scope="session")
def settings(project: EmulatorServer) -> dict[str, Any]:
    """Settings that read it."""
    return connector_config(project.base_url, date(2026, 3, 1))


@pytest.fixture(scope="session")
def recorder_of(project: EmulatorServer, settings: dict[str, Any], command: Command) -> Recorders:
    """Makes a recorder of the project as it is."""

    def made(**more: Any) -> Recorder:
        return Recorder(command, project.control, {**settings, **more})

    return made


@pytest.fixture(scope="session")
def life(project: EmulatorServer, recorder_of: Recorders) -> list[Sync]:
    """Every sync of the project's life."""
    project.control.reset()
    return list(recorder_of(reports=REPORTS).life())


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Postgres]:
    """A PostgreSQL of these tests alone."""
    with postgres.running() as running:
        yield running


@pytest.fixture(scope="session")
def life_of(command: Command) -> Iterator[Callable[[str], Life]]:
    lives: dict[str, Life] = {}
    options = EmulatorOptions(empty=True, quota=False, now=NOW, timezone=ZONE)
    with EmulatorServer(options) as server:

        def made(system: str) -> Life:
            if system not in lives:
                server.control.reset()
                config = connector_config(server.base_url, date(2026, 2, 1))
                recorder = Recorder(command, server.control, config)
                lives[system] = lived(server.control, recorder, system)
            return lives[system]

        yield made
