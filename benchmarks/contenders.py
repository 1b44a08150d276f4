"""What is measured: our connector, Airbyte's, and plain Python, each told to read a dataset."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, TypeVar

from benchmarks.datasets import EXPORT, Dataset
from benchmarks.measure import RECORD, Cost, RunError, run

ROOT = Path(__file__).resolve().parent.parent
PYTHON = Path(sys.executable)
OURS = PYTHON.with_name("source-mixpanel")
PEER = ROOT / ".venv-airbyte" / "bin" / "source-mixpanel"
PLAIN = Path(__file__).with_name("plain.py")
HEADLESS = ROOT / ".venv-headless" / "bin" / "python"
HURRIED = Path(__file__).with_name("headless.py")

_RESCUED = "rescued_properties"

Command = tuple[str | Path, ...]
Record = dict[str, Any]
Done = TypeVar("Done")

ALONE: Command = (
    PYTHON,
    "-c",
    """
from source_mixpanel.run import run
from source_mixpanel.events import stream as export
export.cores = lambda: 1
run()
""",
)
"""This connector as it is where there is one core: one process."""


@dataclass
class Runner:
    """Runs commands against the replay server.

    Attributes:
        env: With the way to the server.
        folder: For files of runs.
        journal: Where the server notes requests.
        mark: What is counted of what a command writes.
    """

    env: Mapping[str, str]
    folder: Path
    journal: Path
    mark: bytes = RECORD

    def measure(self, *command: str | Path) -> Cost:
        """What a command took."""
        return run(command, self.env, self.folder / "stderr", self.mark)

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

    def records(self, *command: str | Path) -> Iterator[Record]:
        """The records that a reader writes, in their order.

        Kept in a file, for memory that this process takes is in the peak of all that it starts.

        Raises:
            RunError: It fails.
        """
        log = self.folder / "stderr"
        with TemporaryFile(dir=self.folder) as out, log.open("wb") as errors:
            done = subprocess.run(  # noqa: S603 - our own commands
                [str(part) for part in command],
                env=dict(self.env),
                stdout=out,
                stderr=errors,
                check=False,
            )
            if done.returncode:
                raise RunError(f"{command[0]} failed: {log.read_bytes()[-2000:]!r}")
            out.seek(0)
            for line in out:
                if line.startswith(RECORD):
                    yield json.loads(line)["record"]["data"]

    def write(self, name: str, content: Any) -> Path:
        """A JSON file for a command."""
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(content))
        return path

    def exports(self, action: Callable[[], Done]) -> tuple[Done, int, list[int]]:
        """What is done, how many raw exports are asked for meanwhile, and bytes of those had."""
        before = len(self.journal.read_bytes()) if self.journal.exists() else 0
        done = action()
        lines = self.journal.read_bytes()[before:].splitlines()
        noted = [size for path, size in map(json.loads, lines) if path == EXPORT]
        return done, noted.count(None), [size for size in noted if size is not None]


@dataclass
class Connector:
    """An Airbyte connector.

    Args:
        runner: Runs it.
        name: In tables.
        command: Starts it.
        more: Settings beside credentials and dates.
        clock: What it wants behind a date.
    """

    runner: Runner
    name: str
    command: Command
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
            told = self.runner.messages(*self.command, "discover", "--config", config)
            catalog = next(m["catalog"] for m in told if m["type"] == "CATALOG")
            self._streams = {stream["name"]: stream for stream in catalog["streams"]}
        return self._streams

    def read(self, stream: str, project: int, dataset: Dataset, **more: Any) -> Cost:
        """A full refresh of one stream."""
        return self.runner.measure(*self._read(stream, project, dataset, **more))

    def sync(
        self, stream: str, project: int, dataset: Dataset, state: list[Any], **more: Any
    ) -> Cost:
        """An incremental sync of one stream, going on from the state of an earlier one."""
        saved = self.runner.write(f"{self.name}-state", state)
        command = self._read(stream, project, dataset, mode="incremental", **more)
        return self.runner.measure(*command, "--state", saved)

    def records(self, stream: str, project: int, dataset: Dataset) -> Iterator[Record]:
        """The records of that, in their order."""
        return self.runner.records(*self._read(stream, project, dataset))

    def _read(
        self,
        stream: str,
        project: int,
        dataset: Dataset,
        *,
        mode: str = "full_refresh",
        **more: Any,
    ) -> Command:
        chosen = {
            "stream": self._streams[stream],
            "sync_mode": mode,
            "destination_sync_mode": "append",
        }
        catalog = self.runner.write(f"{self.name}-catalog", {"streams": [chosen]})
        config = self.config(project, dataset, **more)
        return *self.command, "read", "--config", config, "--catalog", catalog


@dataclass
class Plain:
    """Plain Python."""

    runner: Runner

    def read(self, project: int, dataset: Dataset) -> Cost:
        """The same days."""
        return self.runner.measure(*_plain(project, dataset))

    def records(self, project: int, dataset: Dataset) -> Iterator[Record]:
        """The records of that, in their order."""
        return self.runner.records(*_plain(project, dataset))


@dataclass
class Headless:
    """The official client, in threads."""

    runner: Runner

    def read(self, project: int, dataset: Dataset) -> Cost:
        """The same days, as lines of JSON."""
        account = {
            "MP_USERNAME": "bench.sa.mp-service-account",
            "MP_SECRET": "none",
            "MP_PROJECT_ID": str(project),
            "MP_REGION": "us",
            "MP_STORAGE_DIR": str(self.runner.folder),
            "HOME": str(self.runner.folder),
        }
        runner = replace(self.runner, env={**self.runner.env, **account}, mark=b'{"event":')
        return runner.measure(HEADLESS, HURRIED, str(dataset.first), str(dataset.last))


def _plain(project: int, dataset: Dataset) -> Command:
    return PYTHON, PLAIN, str(project), str(dataset.first), str(dataset.last)


def same_records(ours: Iterable[Record], theirs: Iterable[Record]) -> int:
    """How many records two readings have, if they are the same.

    The order of the records counts, that of their columns does not, and 1 is neither 1.0 nor true.
    A value that the connector has moved away from its column, for its type, counts as if in it.

    Raises:
        RunError: They differ.
    """
    count, missing = 0, Record()
    for count, (one, other) in enumerate(zip_longest(ours, theirs, fillvalue=missing), 1):
        left, right = _texts(one), _texts(other)
        for name in sorted(left.keys() | right.keys()):
            if left.get(name) != right.get(name):
                told = f"{left.get(name, 'nothing')} and {right.get(name, 'nothing')}"
                raise RunError(f"record {count} differs in {name!r}: {told}")
    return count


def _texts(record: Record) -> dict[str, str]:
    rescued = {name.lstrip("$"): value for name, value in (record.get(_RESCUED) or {}).items()}
    every = {**record, **rescued, _RESCUED: None}
    return {name: json.dumps(value, sort_keys=True) for name, value in every.items()}
