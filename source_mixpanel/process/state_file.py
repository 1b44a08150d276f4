"""States in files: read in every form that they were saved in, and kept safely while they come."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from types import NoneType
from typing import Any

from airbyte_cdk.models import AirbyteStateMessage, AirbyteStateMessageSerializer

from source_mixpanel.errors import ConfigError
from source_mixpanel.process.files import read_json, read_messages

_FORMS = frozenset({"stream", "global", "data"})
_OTHER_MESSAGES = frozenset(
    ["RECORD", "LOG", "TRACE", "CONTROL", "CATALOG", "SPEC", "CONNECTION_STATUS", "DEBUG"]
)
"""What stands beside states on standard output."""


def read_state(path: str | None) -> list[AirbyteStateMessage]:
    """The state of each stream, whichever form it was saved in; the last one counts.

    Raises:
        ConfigError: It is no state.
    """
    if not path:
        return []
    lines = read_messages(path, "state")
    content = read_json(path, "state") if lines is None else _states(lines)
    if lines is not None and not content:
        raise ConfigError(
            f"The state file holds no state ({path}). Leave --state out to begin anew."
        )
    if content in (None, [], {}):
        return []
    try:
        last = {entry["stream"]["stream_descriptor"]["name"]: entry for entry in _entries(content)}
        return [AirbyteStateMessageSerializer.load(entry) for entry in last.values()]
    except Exception as error:
        raise ConfigError(
            f"The state file is no Airbyte state ({path}). Use the state that an earlier sync "
            f"printed, or none to begin anew.",
            detail=str(error),
        ) from error


def is_first(path: str | None, kept: str | None) -> bool:
    """Whether a state is to be read from where it will be kept, and none is there yet."""
    same = path and kept and Path(path).resolve() == Path(kept).resolve()
    return bool(same) and not Path(str(path)).exists()


class StateFile:
    """The last state of each stream, in a file that is whole at every moment.

    What the file said of other streams stays; what it said of those that are read anew goes.

    Args:
        path: Where; a file that is no state is left alone.
        given: The states that the sync goes on from.
        streams: The names of those that it reads.

    Raises:
        ConfigError: There is something else in the file, or it cannot be written.
    """

    def __init__(
        self, path: str, given: Collection[AirbyteStateMessage], streams: Collection[str]
    ) -> None:
        self._path = Path(path).resolve()
        self._states: dict[str, AirbyteStateMessage] = {}
        before = _kept_before(path) if self._path.exists() else []
        for state in (*(s for s in before if _name(s) not in streams), *given):
            self._states[_name(state)] = state
        try:
            self._write()
        except OSError as error:
            raise ConfigError(
                f"The states cannot be kept: {error.strerror} ({path}). --state-out needs a file "
                f"in a directory that the connector may write to; in a container, mount that "
                f"directory, not the file."
            ) from None

    def keep(self, state: AirbyteStateMessage) -> None:
        """A state that has left, after the records that it stands for."""
        self._states[_name(state)] = state
        self._write()

    def _write(self) -> None:
        """Aside, then in its place; a killed process leaves the old file or the new one."""
        entries = [json.dumps(_dumped(state)) for state in self._states.values()]
        aside = self._path.with_name(f"{self._path.name}.part")
        with aside.open("w", encoding="utf-8") as out:
            out.write("[\n" + ",\n".join(entries) + "\n]\n")
            out.flush()
            # Where records go to a file, they reach the disk first.
            with suppress(OSError):
                os.fsync(1)
            os.fsync(out.fileno())
        aside.replace(self._path)


def _kept_before(path: str) -> list[AirbyteStateMessage]:
    """The states in a file that is to be written over.

    Raises:
        ConfigError: It is no list of them: another form may be anything, such as the settings.
    """
    if read_messages(path, "state") is None and not isinstance(read_json(path, "state"), list):
        raise ConfigError(
            f"The state file is no list of states ({path}), and is left as it is. Name another "
            f"file as --state-out."
        )
    return read_state(path)


def _name(state: AirbyteStateMessage) -> str:
    return state.stream.stream_descriptor.name if state.stream else ""


def _dumped(state: AirbyteStateMessage) -> dict[str, Any]:
    told = AirbyteStateMessageSerializer.dump(state)
    return {"type": "STREAM", "stream": told["stream"]}


def _states(messages: list[Any]) -> list[Any]:
    """The states among the messages of a sync, or the entries of a list a line each."""
    return [
        told
        for told in messages
        if not isinstance(told, dict) or told.get("type") not in _OTHER_MESSAGES
    ]


def _entries(content: Any) -> Iterator[dict[str, Any]]:
    """STREAM entries out of the protocol's forms: a list, one message, or one legacy object.

    A line as the connector printed it, `{"type": "STATE", "state": ...}`, stands for its state.
    """
    content = _unwrapped(content)
    if isinstance(content, list):
        for entry in map(_unwrapped, content):
            yield from _told(entry)
    elif "type" in content and content.keys() & _FORMS:
        yield from _told(content)
    else:
        yield from _legacy(content)


def _told(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What one state message tells, by stream; what streams share is not ours."""
    if entry.get("global") is not None:
        for told in entry["global"]["stream_states"]:
            yield _stream(told["stream_descriptor"]["name"], told.get("stream_state"))
    elif entry.get("stream") is not None:
        told = entry["stream"]
        yield _stream(told["stream_descriptor"]["name"], told.get("stream_state"))
    else:
        yield from _legacy(entry["data"])


def _legacy(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Blobs by stream, as Airbyte's older states and Singer's have them."""
    for name, blob in content.get("bookmarks", content).items():
        if blob is None:
            raise TypeError(f"the state of {name} is no object")
        yield _stream(name, blob)


def _stream(name: Any, blob: Any) -> dict[str, Any]:
    if not isinstance(name, str) or not isinstance(blob, (dict, NoneType)):
        raise TypeError(f"the state of {name} is no object")
    return {
        "type": "STREAM",
        "stream": {"stream_descriptor": {"name": name}, "stream_state": blob or {}},
    }


def _unwrapped(entry: Any) -> Any:
    return entry["state"] if isinstance(entry, dict) and entry.get("type") == "STATE" else entry
