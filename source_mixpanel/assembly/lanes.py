"""Lanes: the streams that share a quota and are read one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Event

from airbyte_cdk.models import AirbyteMessage, ConfiguredAirbyteCatalog, ConfiguredAirbyteStream

from source_mixpanel.api.request import Api
from source_mixpanel.streams.base import MixpanelStream


def lanes_of(
    streams: Iterable[MixpanelStream], catalog: ConfiguredAirbyteCatalog
) -> list[ConfiguredAirbyteCatalog]:
    """The existing streams of the catalog, a catalog for each quota, in the same order."""
    lane_of = {stream.name: stream.lane for stream in streams}
    parts: dict[Api, list[ConfiguredAirbyteStream]] = {}
    for entry in catalog.streams:
        if entry.stream.name in lane_of:
            parts.setdefault(lane_of[entry.stream.name], []).append(entry)
    return [ConfiguredAirbyteCatalog(streams=part) for part in parts.values()]


_MOMENT_S = 1.0
"""Seconds that a message may take from a lane to the output."""


class Turns:
    """The stream that is being read in each lane; with the first one, costs are announced."""

    def __init__(
        self, streams: Iterable[MixpanelStream], lanes: Iterable[ConfiguredAirbyteCatalog]
    ) -> None:
        by_name = {stream.name: stream for stream in streams}
        self._unannounced: dict[str, list[MixpanelStream]] = {}
        self._speaker: dict[str, str] = {}
        self._started: dict[str, Event] = {}
        for lane in lanes:
            names = list(dict.fromkeys(entry.stream.name for entry in lane.streams))
            self._unannounced[names[0]] = [by_name[name] for name in names]
            self._speaker.update(dict.fromkeys(names, names[0]))
            self._started.update((name, Event()) for name in names)

    def begin(self, name: str) -> list[MixpanelStream]:
        """Note that a stream has begun; returns the streams whose costs are to be announced now."""
        self._speaker[name] = name
        return self._unannounced.pop(name, [])

    def speaker(self, name: str) -> str:
        """The stream to name if this one's request waits: another, until this one has begun."""
        return self._speaker.get(name, name)

    def written(self, message: AirbyteMessage) -> None:
        """Note that a message has been written, such as the status that a stream has started."""
        status = message.trace.stream_status if message.trace else None
        if status is not None and status.stream_descriptor.name in self._started:
            self._started[status.stream_descriptor.name].set()

    def await_start(self, name: str) -> None:
        """Wait until the status that a stream has started is written, a second at most."""
        if name in self._started:
            self._started[name].wait(_MOMENT_S)


def forget(_message: AirbyteMessage) -> None:
    """Discard a message after a stop; its records are read again from the last state."""
