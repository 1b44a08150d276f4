"""Which streams are read side by side, and what a sync with failures is to the platform."""

from __future__ import annotations

from collections.abc import Iterable

from airbyte_cdk.models import (
    AirbyteMessage,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    FailureType,
)

from source_mixpanel.api.request import Api
from source_mixpanel.errors import ConfigError
from source_mixpanel.streams.base import MixpanelStream


def lanes_of(
    streams: Iterable[MixpanelStream], catalog: ConfiguredAirbyteCatalog
) -> list[ConfiguredAirbyteCatalog]:
    """The catalog in parts that spend different quotas, each in the catalog's order.

    Raises:
        ConfigError: It asks for a stream that there is not.
    """
    spends = {stream.name: stream.lane for stream in streams}
    unknown = sorted({entry.stream.name for entry in catalog.streams} - spends.keys())
    if unknown:
        raise ConfigError(
            f"The configured catalog asks for streams that Mixpanel does not have: "
            f"{', '.join(unknown)}. Refresh the connection's schema. There are: "
            f"{', '.join(sorted(spends))}."
        )
    parts: dict[Api, list[ConfiguredAirbyteStream]] = {}
    for entry in catalog.streams:
        parts.setdefault(spends[entry.stream.name], []).append(entry)
    return [ConfiguredAirbyteCatalog(streams=part) for part in parts.values()]


def chosen(
    streams: Iterable[MixpanelStream], catalog: ConfiguredAirbyteCatalog
) -> list[MixpanelStream]:
    """The streams that the catalog asks for."""
    wanted = {entry.stream.name for entry in catalog.streams}
    return [stream for stream in streams if stream.name in wanted]


def forget(_message: AirbyteMessage) -> None:
    """A message that nobody takes any more; its records come again from the last state."""


def worst(failures: list[FailureType | None]) -> FailureType:
    """What a sync with these failures is to the platform: a retry helps only if it helps all."""
    for kind in (FailureType.system_error, FailureType.config_error):
        if kind in failures:
            return kind
    return FailureType.transient_error
