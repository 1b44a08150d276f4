"""What tests drive: the connector's command, and what came out of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema

from source_mixpanel.events.key import event_key

ZYGOTE = Path(__file__).with_name("zygote.py")
OUTPUTS = ("stdout", "stderr")


def freeze(value: Any) -> Any:
    """A hashable that tells apart what JSON tells apart: 1 from 1.0, and both from true."""
    if isinstance(value, Mapping):
        return ("object", frozenset((key, freeze(item)) for key, item in value.items()))
    if isinstance(value, list):
        return ("array", tuple(freeze(item) for item in value))
    return (type(value).__name__, repr(value) if isinstance(value, float) else value)


def column_names(stream: Mapping[str, Any]) -> dict[str, str]:
    """Column by raw property name, as a discovered stream tells them."""
    columns = stream["json_schema"]["properties"]
    told = {s["mixpanel_property"]: c for c, s in columns.items() if "mixpanel_property" in s}
    return {"distinct_id": "distinct_id", "$insert_id": "insert_id", **told}


def rfc3339(ms: int) -> str:
    """Epoch milliseconds as the connector writes them."""
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def placed(properties: Mapping[str, Any], stream: Mapping[str, Any], **core: Any) -> dict[str, Any]:
    """The columns that a catalog has for properties, with what fits none of them rescued."""
    columns = stream["json_schema"]["properties"]
    names = column_names(stream)
    row: dict[str, Any] = {}
    rescued = {}
    for raw, value in properties.items():
        column = names.get(raw)
        if column is not None and _fits(value, columns[column]):
            row[column] = value
            continue
        if column is not None:
            row[column] = None
        if value is not None:
            rescued[raw] = _as_json_text(value) if _has_half(value) else value
    return {**row, "rescued_properties": rescued or None, **core}


def _fits(value: Any, spec: Mapping[str, Any]) -> bool:
    """By the JSON types of a column, and by what typed warehouses have room for."""
    if _has_half(value) or (isinstance(value, str) and "\0" in value):
        return False
    if isinstance(value, str) and spec.get("format") == "date-time":
        return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?", value) is not None
    if (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and "string" not in spec["type"]
    ):
        whole = isinstance(value, int) and -(2**63) <= value < 2**63
        return (
            whole if "integer" in spec["type"] else "number" in spec["type"] and abs(value) < 1e29
        )
    return bool(jsonschema.Draft7Validator({"type": spec["type"]}).is_valid(value))


def _has_half(value: Any) -> bool:
    return re.search("[\ud800-\udfff]", json.dumps(value, ensure_ascii=False)) is not None


def _as_json_text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def expected_export(
    events: Iterable[Mapping[str, Any]], stream: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The records that the emulator's truth has to come out as."""
    rows = []
    for event in events:
        held = dict(event["properties"])
        key = event_key(event["event"], event["time_ms"], held)
        core = {"event_key": key, "event": event["event"], "time": rfc3339(event["time_ms"])}
        held.pop("time", None)
        ids = {raw: held.pop(raw, None) for raw in ("distinct_id", "$insert_id")}
        odd = {
            raw: value for raw, value in ids.items() if type(value) not in (str, int, type(None))
        }
        text = {raw: value if value is None else _text(value) for raw, value in ids.items()}
        core |= {"distinct_id": text["distinct_id"], "insert_id": text["$insert_id"]}
        row = placed(held, stream, **core)
        if odd:
            row["rescued_properties"] = {**(row["rescued_properties"] or {}), **odd}
        rows.append(row)
    return rows


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _as_json_text(value)


def multiset(items: Iterable[Any]) -> Counter[Any]:
    """How often each item is there, whatever the order."""
    return Counter(freeze(item) for item in items)


def without_marks(state: Any, *, covered: bool = True) -> Any:
    """A state without its origin; of each stretch of days that is covered the first and last."""
    if not isinstance(state, Mapping):
        return state
    dropped = {"origin"} if covered else {"origin", "covered"}
    return {
        key: [part[:2] for part in held]
        if key == "covered"
        else without_marks(held, covered=covered)
        for key, held in state.items()
        if key not in dropped
    }


@dataclass
class Output:
    """The messages of one run.

    Attributes:
        code: Exit code; negative is minus the signal.
        messages: Every line of standard output, parsed.
        stderr: Standard error as text.
        raw: Standard output as it was.
    """

    code: int
    messages: list[dict[str, Any]] = field(default_factory=list)
    stderr: str = ""
    raw: bytes = b""

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The bodies of the messages of a type."""
        key = "connectionStatus" if kind == "CONNECTION_STATUS" else kind.lower()
        return [m[key] for m in self.messages if m["type"] == kind]

    def records(self, stream: str | None = None) -> list[dict[str, Any]]:
        """The data of a stream's records."""
        return [r["data"] for r in self.of("RECORD") if stream in (None, r["stream"])]

    @property
    def states(self) -> list[dict[str, Any]]:
        """State messages in order."""
        return self.of("STATE")

    def state_file(self) -> list[dict[str, Any]]:
        """The last state of each stream, as the platform would hand it back."""
        last = {s["stream"]["stream_descriptor"]["name"]: s for s in self.states}
        return list(last.values())

    def prefixes(self, stream: str) -> list[tuple[list[dict[str, Any]], dict[str, Any]]]:
        """At each state of a stream: the records before it, and it, as after a kill there."""
        rows: list[dict[str, Any]] = []
        found = []
        for entry in self.messages:
            if entry["type"] == "RECORD" and entry["record"]["stream"] == stream:
                rows.append(entry["record"]["data"])
            if entry["type"] == "STATE":
                descriptor = entry["state"]["stream"]["stream_descriptor"]
                if descriptor["name"] == stream:
                    found.append((list(rows), entry["state"]))
        return found

    def stream_state(self, stream: str) -> dict[str, Any]:
        """A stream's last state."""
        [state] = [
            s["stream"]["stream_state"]
            for s in self.state_file()
            if s["stream"]["stream_descriptor"]["name"] == stream
        ]
        return dict(state)

    def days_read(self, stream: str) -> dict[str, Any]:
        """A stream's last state without its origin and its watermarks, which are of each run."""
        return dict(without_marks(self.stream_state(stream)))

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Error traces in order."""
        return [t["error"] for t in self.of("TRACE") if t["type"] == "ERROR"]

    def statuses(self, stream: str) -> list[str]:
        """A stream's statuses in order."""
        return [
            t["stream_status"]["status"]
            for t in self.of("TRACE")
            if t["type"] == "STREAM_STATUS"
            and t["stream_status"]["stream_descriptor"]["name"] == stream
        ]

    @property
    def log(self) -> str:
        """All log lines."""
        return "\n".join(entry["message"] for entry in self.of("LOG"))

    @property
    def catalog(self) -> dict[str, Any]:
        """The discovered catalog."""
        [catalog] = self.of("CATALOG")
        return catalog

    def streams(self) -> dict[str, dict[str, Any]]:
        """The discovered streams by name."""
        return {stream["name"]: stream for stream in self.catalog["streams"]}


def _written(folder: Path, files: Mapping[str, Any]) -> list[str]:
    """The arguments that name these files, which are written first, unless there is no content."""
    args = []
    for name, content in files.items():
        if content is not None:
            path = folder / f"{name}.json"
            path.write_text(content if isinstance(content, str) else json.dumps(content))
            args += [f"--{name}", str(path)]
    return args


class Command:
    """The command `source-mixpanel`, ready to run."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs = 0
        self._latest: Running | None = None
        self._zygote = subprocess.Popen(  # noqa: S603 - our own file
            [sys.executable, str(ZYGOTE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONWARNINGS": "default"},
            text=True,
        )

    def stop(self) -> None:
        """Kill the latest run if nobody waited for its end, as after a test that failed."""
        if self._latest and not self._latest.has_ended:
            self._latest.kill()
            self._latest.wait()

    def close(self) -> None:
        """Let the process end."""
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        self._zygote.stdin.close()
        self._zygote.stdout.close()
        self._zygote.wait()

    def start(
        self,
        verb: str = "",
        *,
        config: Any = None,
        catalog: Any = None,
        state: Any = None,
        env: Mapping[str, str] | None = None,
        limits: Mapping[str, int] | None = None,
        jumps: Mapping[int, float] | None = None,
        places: Mapping[str, str] | None = None,
        time_of: str | None = None,
        more: Iterable[str] = (),
        **patience: float,
    ) -> Running:
        """Start a run, which `Running.end` waits for; one at a time.

        Args:
            verb: What comes first, if anything.
            config, catalog, state: What files hold, as text or to be written as JSON.
            env, limits: Environment variables; resource limits by name, such as `RLIMIT_NOFILE`.
            jumps: Seconds by which our wall clock jumps, by the reading at which it does.
            places: Where `stdout` and `stderr` go, if not to files of the run.
            time_of: A local Mixpanel whose clock stands still and is the run's: waiting moves it.
            more, patience: Further arguments; time-outs and attempts.
        """
        self.stop()
        folder = self._new_folder()
        named = {"config": config, "catalog": catalog, "state": state}
        job = {
            "job": self._runs,
            "args": [*([verb, *more] if verb else []), *_written(folder, named)],
            "outputs": {name: str(folder / name) for name in OUTPUTS} | dict(places or {}),
            "patience": {"first_s": 0.001, **patience},
            "env": dict(env or {}),
            "limits": dict(limits or {}),
            "jumps": list((jumps or {}).items()),
            "time_of": time_of,
        }
        return self._begun(job, folder)

    def _begun(self, job: Mapping[str, Any], folder: Path) -> Running:
        assert self._zygote.stdin is not None
        self._zygote.stdin.write(json.dumps(job) + "\n")
        self._zygote.stdin.flush()
        self._latest = Running(self, job["job"], self.answer(job["job"])["pid"], folder)
        return self._latest

    def _new_folder(self) -> Path:
        """A run's own folder."""
        self._runs += 1
        folder = self._folder / str(self._runs)
        folder.mkdir()
        for name in OUTPUTS:
            # Killed early enough, a run has no time to make them.
            (folder / name).touch()
        return folder

    def run(self, verb: str, **files: Any) -> Output:
        """Run to the end."""
        return self.start(verb, **files).end()

    def answer(self, job: int) -> dict[str, Any]:
        """The next answer about a run; those about others came too late for anybody."""
        assert self._zygote.stdout is not None
        while (answer := dict(json.loads(self._zygote.stdout.readline())))["job"] != job:
            pass
        return answer


@dataclass
class Running:
    """A run on its way."""

    command: Command
    job: int
    pid: int
    folder: Path
    has_ended: bool = False

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal, if it has not ended in between."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait_for(self, size: int) -> None:
        """Wait until it has printed so many bytes, or has ended."""
        while self.alive() and len(self.so_far()) < size:
            time.sleep(0.001)

    def alive(self) -> bool:
        """Whether the process still runs."""
        try:
            stat = Path(f"/proc/{self.pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False
        return stat.rpartition(") ")[2][0] != "Z"

    def so_far(self) -> bytes:
        """Standard output until now."""
        path = self.folder / "stdout"
        return path.read_bytes() if path.exists() else b""

    def wait(self) -> int:
        """Wait for the end; the exit code."""
        code = int(self.command.answer(self.job)["code"])
        self.has_ended = True
        return code

    def end(self) -> Output:
        """Wait for the end, and read what came out; a line cut by a kill is left out."""
        code = self.wait()
        raw = self.so_far()
        lines = [line for line in raw.split(b"\n")[:-1] if line]
        stderr = (self.folder / "stderr").read_text()
        return Output(code, [json.loads(line) for line in lines], stderr, raw)


def configured(
    streams: Mapping[str, Mapping[str, Any]] | Iterable[Mapping[str, Any]],
    mode: str = "full_refresh",
) -> dict[str, Any]:
    """A configured catalog of discovered streams."""
    chosen = streams.values() if isinstance(streams, Mapping) else streams
    return {
        "streams": [
            {"stream": stream, "sync_mode": mode, "destination_sync_mode": "append"}
            for stream in chosen
        ]
    }
