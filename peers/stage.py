"""A local Mixpanel on Mixpanel's own host names, and what a client did with it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from mixpanel_emulator.options import EmulatorOptions
from mixpanel_emulator.server import EmulatorServer
from peers.hosts import Tunnel, client_env
from peers.trust import certify

ROOT = Path(__file__).resolve().parent.parent
DAYS = 20
_SHOWN = 3_000
_PATIENCE_S = 1_800.0
_RUNNING: set[subprocess.Popen[bytes]] = set()


class PeerError(RuntimeError):
    """A client broke."""


@dataclass(frozen=True)
class Finding:
    """One thing that a client read or sent, and what there was.

    Attributes:
        client: Name and version.
        what: The stream, or the call.
        got: How many the client has, or Mixpanel got from it.
        truth: How many there had to be.
        note: What to know of it.
    """

    client: str
    what: str
    got: int
    truth: int
    note: str = ""

    @property
    def right(self) -> bool:
        """Whether the two are the same."""
        return self.got == self.truth


@dataclass(frozen=True)
class Stage:
    """Where one client plays.

    Attributes:
        server: The local Mixpanel.
        tunnel: The way to it.
        env: The client's environment.
        folder: For its files; it is the client's working directory.
    """

    server: EmulatorServer
    tunnel: Tunnel
    env: Mapping[str, str]
    folder: Path

    def write(self, name: str, content: Any) -> str:
        """A JSON file for the client."""
        path = self.folder / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)

    def run(self, *command: str | Path, env: Mapping[str, str] | None = None) -> list[str]:
        """Run a client's command; the lines it printed.

        Args:
            command: The program and its arguments.
            env: Variables besides those of the stage.

        Raises:
            PeerError: It failed; the message tells the end of what it said.
        """
        client = subprocess.Popen(  # noqa: S603 - a pinned client
            [str(part) for part in command],
            cwd=self.folder,
            env={**self.env, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        _RUNNING.add(client)
        try:
            out, errors = client.communicate(timeout=_PATIENCE_S)
        finally:
            client.kill()
            client.wait()
            _RUNNING.discard(client)
        if client.returncode:
            said = (out[-_SHOWN:] + errors[-_SHOWN:]).decode("utf-8", "replace")
            raise PeerError(f"{Path(command[0]).name} ended with {client.returncode}:\n{said}")
        # By bytes: separators such as U+2028 are no ends of lines.
        return [line.decode("utf-8", "replace") for line in out.split(b"\n") if line]

    def events(self, first: date, last: date) -> int:
        """Events that Mixpanel holds of these UTC days."""
        low = datetime.combine(first, datetime.min.time(), tzinfo=timezone.utc)
        high = datetime.combine(last + timedelta(days=1), datetime.min.time(), tzinfo=timezone.utc)
        held = self.server.control.events()
        return sum(low.timestamp() <= e["time_ms"] / 1000 < high.timestamp() for e in held)

    def truth(self, kind: str) -> list[Any]:
        """What Mixpanel holds of a kind."""
        return self.server.control.truth(kind)

    def refusals(self) -> list[str]:
        """Requests that Mixpanel answered with an error."""
        journal = self.server.control.journal()
        return [f"{e['path']}: {e['status']}" for e in journal if (e["status"] or 0) >= 400]  # noqa: PLR2004


def end_all() -> None:
    """End every client that runs."""
    for client in list(_RUNNING):
        client.kill()


@contextmanager
def stage(*, trusting: bool = False) -> Iterator[Stage]:
    """A seeded local Mixpanel for one client."""
    with tempfile.TemporaryDirectory(prefix="mixpanel-peer-") as name:
        folder = Path(name)
        trust = certify(folder)
        options = EmulatorOptions(
            events=4_000,
            days=DAYS,
            profiles=600,
            tls_cert=str(trust.cert),
            tls_key=str(trust.key),
        )
        with EmulatorServer(options) as server:
            port = int(server.base_url.rpartition(":")[2])
            with Tunnel(port) as tunnel:
                env = client_env(tunnel.url, trust.ca, trusting=trusting)
                yield Stage(server, tunnel, env, folder)


def messages(lines: Iterable[str]) -> list[dict[str, Any]]:
    """The JSON objects among printed lines."""
    return [json.loads(line) for line in lines if line.startswith("{")]


def count(items: Sequence[Mapping[str, Any]], stream: str) -> int:
    """How many of the records are a stream's."""
    return sum(1 for item in items if item["stream"] == stream)
