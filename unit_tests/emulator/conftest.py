from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from mixpanel_emulator.control_client import ControlClient
from mixpanel_emulator.options import CREDENTIALS, EmulatorOptions
from mixpanel_emulator.server import EmulatorServer

NOW = "2026-03-10T12:00:00Z"
ACCOUNT = (CREDENTIALS.username, CREDENTIALS.secret)
PROJECT = CREDENTIALS.project_id


@dataclass
class Client:
    """Talks to the emulator as the service account unless told otherwise."""

    url: str
    control: ControlClient
    session: requests.Session

    def get(self, path: str, auth: Any = ACCOUNT, **params: Any) -> requests.Response:
        given = {"project_id": PROJECT, **params}
        sent = {name: value for name, value in given.items() if value is not None}
        return self.session.get(self.url + path, params=sent, auth=auth, timeout=20)

    def post(self, path: str, data: Any = None, auth: Any = ACCOUNT, **kw: Any) -> Any:
        params = {"project_id": PROJECT, **kw.pop("params", {})}
        url = self.url + path
        return self.session.post(url, params=params, data=data, auth=auth, timeout=20, **kw)

    def app(self, path: str, auth: Any = ACCOUNT, **params: Any) -> requests.Response:
        return self.session.get(f"{self.url}/api/app/{path}", params=params, auth=auth, timeout=20)

    def project(self, path: str, **params: Any) -> requests.Response:
        return self.app(f"projects/{PROJECT}/{path}", **params)

    def export(self, first: str = "2026-03-01", last: str = "2026-03-10", **params: Any) -> Any:
        return self.get("/api/2.0/export", from_date=first, to_date=last, **params)

    def exported(self, *days: str, **params: Any) -> list[dict[str, Any]]:
        response = self.export(*days, **params)
        assert response.status_code == 200, response.text
        assert response.content == b"" or response.content.endswith(b"\n")
        return [json.loads(line) for line in response.content.split(b"\n") if line]


def event(name: str = "Signup", time: int = 1_773_100_000_000, **properties: Any) -> dict[str, Any]:
    """An event at 2026-03-09T23:46:40Z unless told otherwise."""
    return {"event": name, "properties": {"time": time, **properties}}


@pytest.fixture(scope="session")
def shared_server() -> Iterator[EmulatorServer]:
    with EmulatorServer(EmulatorOptions(now=NOW, quota=False, empty=True)) as server:
        yield server


@pytest.fixture
def emulator(shared_server: EmulatorServer) -> Iterator[Client]:
    """An empty world at noon of 10 March 2026, without limits."""
    control = shared_server.control
    control.reset()
    with requests.Session() as session:
        session.trust_env = False
        yield Client(shared_server.base_url, control, session)


@pytest.fixture
def make_event() -> Any:
    return event


@pytest.fixture(scope="session")
def seeded_server() -> Iterator[EmulatorServer]:
    options = EmulatorOptions(now=NOW, quota=False, events=1500, days=10, profiles=120)
    with EmulatorServer(options) as server:
        yield server


@pytest.fixture
def shop(seeded_server: EmulatorServer) -> Iterator[Client]:
    """A small seeded shop; tests only read it."""
    with requests.Session() as session:
        session.trust_env = False
        yield Client(seeded_server.base_url, seeded_server.control, session)
