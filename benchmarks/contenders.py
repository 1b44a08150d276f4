"""What is measured: our connector, Airbyte's, and plain Python, each told to read a dataset."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.datasets import Dataset
from benchmarks.measure import Cost, RunError, run

ROOT = Path(__file__).resolve().parent.parent
OURS = ROOT / ".venv" / "bin" / "source-mixpanel"
PYTHON = ROOT / ".venv" / "bin" / "python"
PEER = ROOT / ".venv-airbyte" / "bin" / "source-mixpanel"
LIMIT = Path(__file__).with_name("limit.py")


@dataclass
class Runner:
    """Runs commands against the replay server.

    Attributes:
        env: With the way to the server.
        folder: For files of runs.
        journal: Where the server notes requests.
    """

    env: Mapping[str, str]
    folder: Path
    journal: Path

    def measure(self, *command: str | Path) -> Cost:
        """What a command took."""
        return run(command, self.env, self.folder / "stderr")

    def messages(self, *command: str | Path) -> list[dict[str, Any]]:
        """What a connector says.

        Raises:
            RunError: It fails.
        """
        done = subprocess.run(  # noqa: S603 - our own commands
            [str(part) for part in command], env=dict(self.env), capture_output=True, check=False
        )
        if done.returncode:
            raise RunError(f"{command[0]} {command[1]} failed: {done.stdout[-2000:]!r}")
        lines = [line for line in done.stdout.split(b"\n") if line.startswith(b"{")]
        return [json.loads(line) for line in lines]

    def write(self, name: str, content: Any) -> Path:
        """A JSON file for a command."""
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(content))
        return path

    def requests(self, path: str, action: Any) -> list[dict[str, str]]:
        """The parameters of the requests to an endpoint while something is done."""
        before = len(self.journal.read_bytes()) if self.journal.exists() else 0
        action()
        lines = self.journal.read_bytes()[before:].splitlines()
        noted = (json.loads(line) for line in lines)
        return [params for _, asked, params in noted if asked == path]


@dataclass
class Connector:
    """An Airbyte connector.

    Args:
        runner: Runs it.
        name: In tables.
        executable: Its command.
        more: Settings beside credentials and dates.
        clock: What it wants behind a date.
    """

    runner: Runner
    name: str
    executable: Path
    more: Mapping[str, Any] = field(default_factory=dict)
    clock: str = ""
    _streams: dict[str, dict[str, Any]] = field(default_factory=dict)

    def config(self, project: int, dataset: Dataset, **more: Any) -> Path:
        """A settings file for a project and the days of a dataset."""
        account = {
            "option_title": "Service Account",
            "username": "bench.sa.mp-service-account",
            "secret": "none",
            "project_id": project,
        }
        dates = {
            "start_date": f"{dataset.first}{self.clock}",
            "end_date": f"{dataset.last}{self.clock}",
        }
        settings = {"credentials": account, "region": "US", **dates, **self.more, **more}
        return self.runner.write(f"{self.name}-config", settings)

    def discover(self, project: int, dataset: Dataset) -> dict[str, dict[str, Any]]:
        """Its streams by name, asked for once."""
        if not self._streams:
            config = self.config(project, dataset)
            told = self.runner.messages(self.executable, "discover", "--config", config)
            catalog = next(m["catalog"] for m in told if m["type"] == "CATALOG")
            self._streams = {stream["name"]: stream for stream in catalog["streams"]}
        return self._streams

    def read(self, stream: str, project: int, dataset: Dataset, **more: Any) -> Cost:
        """A full refresh of one stream."""
        chosen = {
            "stream": self._streams[stream],
            "sync_mode": "full_refresh",
            "destination_sync_mode": "append",
        }
        catalog = self.runner.write(f"{self.name}-catalog", {"streams": [chosen]})
        config = self.config(project, dataset, **more)
        return self.runner.measure(
            self.executable, "read", "--config", config, "--catalog", catalog
        )


@dataclass
class Limit:
    """Plain Python."""

    runner: Runner
    name: str = "limit"

    def read(self, project: int, dataset: Dataset) -> Cost:
        """The same days."""
        first, last = str(dataset.first), str(dataset.last)
        return self.runner.measure(PYTHON, LIMIT, str(project), first, last)
