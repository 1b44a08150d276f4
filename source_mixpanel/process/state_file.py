"""States in files: reading them in every known form, and saving them during a sync."""

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
"""The other types of messages on standard output."""


def read_state(path: str | None) -> list[AirbyteStateMessage]:
    """The last state of each stream in a file of any known form; empty without a file.

    Raises:
        ConfigError: The file is not a state.
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
    """Whether state is read from and saved to the same file, which does not exist yet."""
    same = path and kept and Path(path).resolve() == Path(kept).resolve()
    return bool(same) and not Path(str(path)).exists()


class StateFile:
    """The last state of each stream, in a file that is complete at every moment.

    The file keeps the states of other streams; those of streams that are read are replaced.

    Args:
        path: The file; one that is not a list of states is not overwritten.
        given: The states that the sync continues from.
        streams: The names of the streams that it reads.

    Raises:
        ConfigError: The file has other content, or cannot be written.
    """

    def __init__(
        self, path: str, given: Collection[AirbyteStateMessage], streams: Collection[str]
    ) -> None:
        self._path = Path(path).resolve()
        self._states: dict[str, AirbyteStateMessage] = {}
        previous = _read_previous(path) if self._path.exists() else []
        for state in (*(s for s in previous if _name(s) not in streams), *given):
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
        """Save a state, after it and its records have been written to the output."""
        self._states[_name(state)] = state
        self._write()

    def _write(self) -> None:
        """Write another file, then replace: a killed process leaves the old file or the new one."""
        entries = [json.dumps(_dumped(state)) for state in self._states.values()]
        part_file = self._path.with_name(f"{self._path.name}.part")
        with part_file.open("w", encoding="utf-8") as out:
            out.write("[\n" + ",\n".join(entries) + "\n]\n")
            out.flush()
            # If the output is a file, its records reach the disk first.
            with suppress(OSError):
                os.fsync(1)
            os.fsync(out.fileno())
        part_file.replace(self._path)


def _read_previous(path: str) -> list[AirbyteStateMessage]:
    """The states in a file that is to be overwritten.

    Raises:
        ConfigError: It is not a list of states: other content may be anything, such as settings.
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
    message = AirbyteStateMessageSerializer.dump(state)
    return {"type": "STREAM", "stream": message["stream"]}


def _states(messages: list[Any]) -> list[Any]:
    """The states among the messages of a sync, or the entries of a list with one per line."""
    return [
        message
        for message in messages
        if not isinstance(message, dict) or message.get("type") not in _OTHER_MESSAGES
    ]


def _entries(content: Any) -> Iterator[dict[str, Any]]:
    """STREAM entries out of the protocol's forms: a list, one message, or one legacy object.

    A message as the connector prints it, `{"type": "STATE", "state": ...}`, counts as its state.
    """
    content = _unwrapped(content)
    if isinstance(content, list):
        for entry in map(_unwrapped, content):
            yield from _stream_entries(entry)
    elif "type" in content and content.keys() & _FORMS:
        yield from _stream_entries(content)
    else:
        yield from _legacy(content)


def _stream_entries(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The entry of each stream in one state message; a state shared by streams is ignored."""
    if entry.get("global") is not None:
        for state in entry["global"]["stream_states"]:
            yield _stream(state["stream_descriptor"]["name"], state.get("stream_state"))
    elif entry.get("stream") is not None:
        state = entry["stream"]
        yield _stream(state["stream_descriptor"]["name"], state.get("stream_state"))
    else:
        yield from _legacy(entry["data"])


def _legacy(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The entries of an object by stream, as in Airbyte's older states and Singer's."""
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
