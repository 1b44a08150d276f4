"""A fresh local Mixpanel a test, and the connector's command."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from mixpanel_emulator.options import EmulatorOptions, connector_config
from mixpanel_emulator.server import EmulatorServer
from unit_tests import figures
from unit_tests.harness import Command
from unit_tests.project import Project

NOW = "2026-03-10T12:00:00Z"

settings.register_profile(
    "house",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("house")


RELIABILITY = Path(__file__).parent.parent / "docs" / "reliability.md"


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int) -> None:
    """Tell what the tests counted; `make soak` keeps it, if all of them passed."""
    passed = terminalreporter.getreports("passed")
    counts = figures.total(pair for report in passed for pair in report.user_properties)
    if counts:
        terminalreporter.write_line(f"Counted: {figures.sentence(counts)}")
    if counts and os.environ.get("SOAK_FIGURES") and not exitstatus:
        figures.write(RELIABILITY, counts, os.environ)


@pytest.fixture(scope="session")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """The connector's command; one process imports it, each run forks."""
    made = Command(Path(tmp_path_factory.mktemp("runs")))
    yield made
    made.close()


@pytest.fixture(scope="session")
def _server() -> Iterator[EmulatorServer]:
    options = EmulatorOptions(empty=True, quota=False, now=NOW, timezone="UTC")
    with EmulatorServer(options) as server:
        yield server


@pytest.fixture
def project(_server: EmulatorServer, command: Command) -> Iterator[Project]:
    """An empty one in UTC at noon of 10 March 2026, without quotas, read by service account."""
    _server.control.reset()
    yield Project(command, _server.control, connector_config(_server.base_url, date(2026, 3, 1)))
    command.stop()


@pytest.fixture
def in_kathmandu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The clock of the machine shows Kathmandu's time."""
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
