"""Which streams are read, and how: a configured catalog out of a file, or out of names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any

from airbyte_cdk.models import (
    AirbyteStream,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteCatalogSerializer,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
)

from source_mixpanel.errors import ConfigError
from source_mixpanel.process.files import read_json_object, read_messages
from source_mixpanel.texts.spelling import did_you_mean

_MODES = tuple(mode.value for mode in SyncMode)
_FOR_DESTINATIONS = tuple(mode.value for mode in DestinationSyncMode)


@dataclass(frozen=True)
class Choice:
    """A stream that somebody has named, with the sync mode if they did."""

    stream: str
    mode: SyncMode | None = None


def choices(text: str) -> list[Choice]:
    """Streams as `--streams` lists them: `export,engage:full_refresh`.

    Raises:
        ConfigError: A mode is none, or there is no stream, or one is there twice.
    """
    found = []
    for told in filter(None, (part.strip() for part in text.split(","))):
        name, colon, mode = (part.strip() for part in told.partition(":"))
        if colon and mode not in _MODES:
            raise ConfigError(
                f"--streams: stream {name!r} cannot be read by {mode!r}, only by "
                f"{' or '.join(_MODES)}.{did_you_mean(mode, _MODES)}"
            )
        found.append(Choice(name, SyncMode(mode) if mode else None))
    if not found:
        raise ConfigError("--streams names no stream. Name some, such as --streams export,engage.")
    _once([choice.stream for choice in found], "--streams")
    return found


def of_stream(
    stream: AirbyteStream, mode: SyncMode | None, *, exact: bool
) -> ConfiguredAirbyteStream:
    """A stream as it is read.

    Args:
        stream: As discovered.
        mode: The sync mode that is asked for; incremental where that is exact, if none is.
        exact: Whether incremental syncs leave an exact copy.

    Raises:
        ConfigError: The stream does not have the mode.
    """
    can = SyncMode.incremental in stream.supported_sync_modes
    if mode is SyncMode.incremental and not can:
        raise ConfigError(
            f"Stream {stream.name!r} has no incremental syncs. Ask for {stream.name}:full_refresh."
        )
    if mode is SyncMode.full_refresh or not can or (mode is None and not exact):
        return ConfiguredAirbyteStream(stream, SyncMode.full_refresh, DestinationSyncMode.overwrite)
    return ConfiguredAirbyteStream(
        stream,
        SyncMode.incremental,
        DestinationSyncMode.append_dedup,
        cursor_field=stream.default_cursor_field,
        primary_key=stream.source_defined_primary_key,
    )


def read_catalog(path: str | None) -> ConfiguredAirbyteCatalog:
    """The configured catalog of a file, completed where it is clear what is meant; empty without.

    Raises:
        ConfigError: It is none.
    """
    if path is None:
        return ConfiguredAirbyteCatalog(streams=[])
    lines = read_messages(path, "catalog")
    content = read_json_object(path, "catalog") if lines is None else _catalog_among(lines)
    try:
        completed = {**content, "streams": list(_completed(content.get("streams")))}
        catalog = ConfiguredAirbyteCatalogSerializer.load(completed)
    except Exception as error:
        told = f": {error}" if isinstance(error, IncompleteCatalogError) else "."
        raise ConfigError(
            f"The catalog file is no configured Airbyte catalog ({path}){told}", detail=str(error)
        ) from error
    _once([entry.stream.name for entry in catalog.streams], "The catalog file", f" ({path})")
    for entry in catalog.streams:
        columns = entry.stream.json_schema.get("properties")
        if not isinstance(columns, (dict, NoneType)):
            raise ConfigError(
                f"The catalog file has a schema without columns for stream {entry.stream.name!r} "
                f"({path}): its 'properties' has to be an object."
            )
    return catalog


class IncompleteCatalogError(ValueError):
    """A part is not there, or not what it has to be; which is told in a sentence."""


def _catalog_among(messages: list[Any]) -> Mapping[str, Any]:
    """The catalog that `discover` printed among its messages; nothing if there is none."""
    found = [m.get("catalog") for m in messages if isinstance(m, dict) and m["type"] == "CATALOG"]
    return found[-1] if found and isinstance(found[-1], dict) else {}


def _completed(entries: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(entries, list):
        raise IncompleteCatalogError("it has no list 'streams'.")
    for number, entry in enumerate(entries, 1):
        yield _entry(entry, number)


def _entry(entry: Any, number: int) -> dict[str, Any]:
    """One stream as it is configured, be it given as `discover` describes it, or by name."""
    if isinstance(entry, str):
        entry = {"stream": entry}
    if isinstance(entry, dict) and "stream" not in entry and "name" in entry:
        entry = {"stream": entry}
    given = entry.get("stream") if isinstance(entry, dict) else None
    stream = {"name": given} if isinstance(given, str) else given
    name = stream.get("name") if isinstance(stream, dict) else None
    if not isinstance(stream, dict) or not isinstance(name, str) or not name:
        raise IncompleteCatalogError(f"stream number {number} has no 'stream.name'.")
    stream = {"json_schema": {}, **stream}
    if not isinstance(stream["json_schema"], dict):
        raise IncompleteCatalogError(f"stream {name!r} needs an object as 'stream.json_schema'.")
    modes = stream.get("supported_sync_modes")
    [only] = modes if isinstance(modes, list) and len(modes) == 1 else [None]
    mode = _one_of(_MODES, entry.get("sync_mode", only), name, "sync_mode")
    stream.setdefault("supported_sync_modes", [mode])
    for_destination = entry.get("destination_sync_mode", DestinationSyncMode.append.value)
    _one_of(_FOR_DESTINATIONS, for_destination, name, "destination_sync_mode")
    told = {"sync_mode": mode, "destination_sync_mode": for_destination}
    return {**entry, **told, "stream": stream}


def _one_of(known: tuple[str, ...], given: Any, stream: str, key: str) -> str:
    if given not in known:
        has = "has no" if given is None else f"has {given!r} as"
        raise IncompleteCatalogError(
            f"stream {stream!r} {has} {key!r}, which has to be {' or '.join(known)}."
            f"{did_you_mean(str(given), known)}"
        )
    return str(given)


def _once(names: list[str], who: str, where: str = "") -> None:
    """Do nothing if each stream comes once."""
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise ConfigError(
            f"{who} asks for the same stream more than once{where}: {', '.join(twice)}."
        )
