"""The files that Airbyte hands over, read with an error that names what is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from airbyte_cdk.models import (
    AirbyteStateMessage,
    AirbyteStateMessageSerializer,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
)

from source_mixpanel import jsontext
from source_mixpanel.errors import ConfigError


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
        return ConfiguredAirbyteCatalogSerializer.load(content)
    except Exception as error:
        raise ConfigError(
            f"The catalog file is no configured Airbyte catalog ({path}).", detail=str(error)
        ) from error


def read_state(path: str | None) -> list[AirbyteStateMessage]:
    """The state messages; a legacy state, one object by stream, is taken apart.

    Raises:
        ConfigError: It is no state.
    """
    content = read_json(path, "state") if path else None
    if not content:
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
            if not isinstance(entry, dict) or not entry.keys() & {"stream", "global", "data"}:
                raise ValueError("an entry is no state message")
            yield entry
        return
    if not isinstance(content, dict):
        raise TypeError("neither a list nor an object")
    if "type" in content and content.keys() & {"stream", "global"}:
        yield content
        return
    legacy = content.get("bookmarks", content)
    for name, blob in legacy.items():
        if not isinstance(blob, dict):
            raise TypeError(f"the state of {name} is no object")
        yield {
            "type": "STREAM",
            "stream": {"stream_descriptor": {"name": name}, "stream_state": blob},
        }


def _unwrapped(entry: Any) -> Any:
    return entry["state"] if isinstance(entry, dict) and entry.get("type") == "STATE" else entry
