"""The configured catalog: out of a file, or out of names of streams."""

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
    """A stream that the command line names, and its sync mode if it gives one."""

    stream: str
    mode: SyncMode | None = None


def choices(text: str) -> list[Choice]:
    """Streams as `--streams` lists them: `export,engage:full_refresh`.

    Raises:
        ConfigError: A sync mode is unknown, a stream is named twice, or there is none.
    """
    chosen = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        name, colon, mode = (part.strip() for part in word.partition(":"))
        if colon and mode not in _MODES:
            raise ConfigError(
                f"--streams: stream {name!r} cannot be read by {mode!r}, only by "
                f"{' or '.join(_MODES)}.{did_you_mean(mode, _MODES)}"
            )
        chosen.append(Choice(name, SyncMode(mode) if mode else None))
    if not chosen:
        raise ConfigError("--streams names no stream. Name some, such as --streams export,engage.")
    _refuse_duplicates([choice.stream for choice in chosen], "--streams")
    return chosen


def of_stream(
    stream: AirbyteStream, mode: SyncMode | None, *, exact: bool
) -> ConfiguredAirbyteStream:
    """The configured stream.

    Args:
        stream: The discovered stream.
        mode: The sync mode; None for incremental if that is `exact`, else full refresh.
        exact: Whether incremental syncs leave an exact copy.

    Raises:
        ConfigError: The stream does not have the mode.
    """
    has_incremental = SyncMode.incremental in stream.supported_sync_modes
    if mode is SyncMode.incremental and not has_incremental:
        raise ConfigError(
            f"Stream {stream.name!r} has no incremental syncs. Ask for {stream.name}:full_refresh."
        )
    if mode is SyncMode.full_refresh or not has_incremental or (mode is None and not exact):
        return ConfiguredAirbyteStream(stream, SyncMode.full_refresh, DestinationSyncMode.overwrite)
    return ConfiguredAirbyteStream(
        stream,
        SyncMode.incremental,
        DestinationSyncMode.append_dedup,
        cursor_field=stream.default_cursor_field,
        primary_key=stream.source_defined_primary_key,
    )


def read_catalog(path: str | None) -> ConfiguredAirbyteCatalog:
    """The configured catalog in a file, with defaults for missing parts; empty without a file.

    Raises:
        ConfigError: The file is not a configured catalog.
    """
    if path is None:
        return ConfiguredAirbyteCatalog(streams=[])
    messages = read_messages(path, "catalog")
    content = read_json_object(path, "catalog") if messages is None else _catalog_message(messages)
    try:
        completed = {**content, "streams": list(_completed(content.get("streams")))}
        catalog = ConfiguredAirbyteCatalogSerializer.load(completed)
    except Exception as error:
        reason = f": {error}" if isinstance(error, IncompleteCatalogError) else "."
        raise ConfigError(
            f"The catalog file is no configured Airbyte catalog ({path}){reason}", detail=str(error)
        ) from error
    _refuse_duplicates(
        [entry.stream.name for entry in catalog.streams], "The catalog file", f" ({path})"
    )
    for entry in catalog.streams:
        columns = entry.stream.json_schema.get("properties")
        if not isinstance(columns, (dict, NoneType)):
            raise ConfigError(
                f"The catalog file has a schema without columns for stream {entry.stream.name!r} "
                f"({path}): its 'properties' has to be an object."
            )
    return catalog


class IncompleteCatalogError(ValueError):
    """A part of the catalog is missing or invalid; the text is the end of a sentence."""


def _catalog_message(messages: list[Any]) -> Mapping[str, Any]:
    """The catalog among the messages of `discover`; empty if there is none."""
    catalogs = [
        m.get("catalog") for m in messages if isinstance(m, dict) and m["type"] == "CATALOG"
    ]
    return catalogs[-1] if catalogs and isinstance(catalogs[-1], dict) else {}


def _completed(entries: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(entries, list):
        raise IncompleteCatalogError("it has no list 'streams'.")
    for number, entry in enumerate(entries, 1):
        yield _entry(entry, number)


def _entry(entry: Any, number: int) -> dict[str, Any]:
    """A configured stream, out of one, a discovered one, or a name."""
    if isinstance(entry, str):
        entry = {"stream": entry}
    if isinstance(entry, dict) and "stream" not in entry and "name" in entry:
        entry = {"stream": entry}
    named = entry.get("stream") if isinstance(entry, dict) else None
    stream = {"name": named} if isinstance(named, str) else named
    name = stream.get("name") if isinstance(stream, dict) else None
    if not isinstance(stream, dict) or not isinstance(name, str) or not name:
        raise IncompleteCatalogError(f"stream number {number} has no 'stream.name'.")
    stream = {"json_schema": {}, **stream}
    if not isinstance(stream["json_schema"], dict):
        raise IncompleteCatalogError(f"stream {name!r} needs an object as 'stream.json_schema'.")
    modes = stream.get("supported_sync_modes")
    [only_mode] = modes if isinstance(modes, list) and len(modes) == 1 else [None]
    mode = _one_of(_MODES, entry.get("sync_mode", only_mode), name, "sync_mode")
    stream.setdefault("supported_sync_modes", [mode])
    for_destination = entry.get("destination_sync_mode", DestinationSyncMode.append.value)
    _one_of(_FOR_DESTINATIONS, for_destination, name, "destination_sync_mode")
    sync_modes = {"sync_mode": mode, "destination_sync_mode": for_destination}
    return {**entry, **sync_modes, "stream": stream}


def _one_of(known: tuple[str, ...], value: Any, stream: str, key: str) -> str:
    if value not in known:
        has = "has no" if value is None else f"has {value!r} as"
        raise IncompleteCatalogError(
            f"stream {stream!r} {has} {key!r}, which has to be {' or '.join(known)}."
            f"{did_you_mean(str(value), known)}"
        )
    return str(value)


def _refuse_duplicates(names: list[str], who: str, where: str = "") -> None:
    """Raise unless each stream comes once.

    Raises:
        ConfigError: A stream comes more often.
    """
    duplicates = sorted(name for name, count in Counter(names).items() if count > 1)
    if duplicates:
        raise ConfigError(
            f"{who} asks for the same stream more than once{where}: {', '.join(duplicates)}."
        )
