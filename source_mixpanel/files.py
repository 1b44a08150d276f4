"""The files that Airbyte hands over, read with an error that names what is wrong with them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any

from airbyte_cdk.models import (
    AirbyteStateMessage,
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
)

from source_mixpanel import jsontext
from source_mixpanel.errors import ConfigError

_FORMS = frozenset({"stream", "global", "data"})


def read_json(path: str, what: str) -> Any:
    """The parsed file.

    Raises:
        ConfigError: It is not there, or no JSON.
    """
    try:
        return jsontext.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"The {what} file cannot be read: {error.strerror} ({path}).") from None
    except ValueError as error:
        # The text itself stays out: a configuration holds secrets.
        raise ConfigError(
            f"The {what} file is no valid JSON ({path}, {_position(error)})."
        ) from None


def _position(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}"
    return str(error) if isinstance(error, jsontext.TooDeepError) else "UTF-8"


def read_json_object(path: str, what: str) -> dict[str, Any]:
    """The same for a file that has to hold an object."""
    content = read_json(path, what)
    if not isinstance(content, dict):
        raise ConfigError(f"The {what} file has to hold a JSON object ({path}).")
    return content


def read_catalog(path: str) -> ConfiguredAirbyteCatalog:
    """The configured catalog.

    Raises:
        ConfigError: It is none.
    """
    content = read_json_object(path, "catalog")
    try:
        catalog = ConfiguredAirbyteCatalogSerializer.load(content)
    except Exception as error:
        raise ConfigError(
            f"The catalog file is no configured Airbyte catalog ({path}).", detail=str(error)
        ) from error
    _check_streams(catalog, path)
    return catalog


def _check_streams(catalog: ConfiguredAirbyteCatalog, path: str) -> None:
    """Do nothing if each stream comes once, with a schema that can tell columns."""
    counts = Counter(entry.stream.name for entry in catalog.streams)
    twice = sorted(name for name, count in counts.items() if count > 1)
    if twice:
        raise ConfigError(
            f"The catalog file asks for the same stream more than once ({path}): "
            f"{', '.join(twice)}."
        )
    for entry in catalog.streams:
        columns = entry.stream.json_schema.get("properties")
        if not isinstance(columns, (dict, NoneType)):
            raise ConfigError(
                f"The catalog file has a schema without columns for stream {entry.stream.name!r} "
                f"({path}): its 'properties' has to be an object."
            )


def read_state(path: str | None) -> list[AirbyteStateMessage]:
    """The state of each stream, whichever form it was saved in.

    Raises:
        ConfigError: It is no state.
    """
    content = read_json(path, "state") if path else None
    if content in (None, [], {}):
        return []
    try:
        return [AirbyteStateMessageSerializer.load(entry) for entry in _entries(content)]
    except Exception as error:
        raise ConfigError(
            f"The state file is no Airbyte state ({path}). Use the state that an earlier sync "
            f"printed, or none to begin anew.",
            detail=str(error),
        ) from error


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
