"""Which streams are read side by side, and whose turn it is."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Event

from airbyte_cdk.models import AirbyteMessage, ConfiguredAirbyteCatalog, ConfiguredAirbyteStream

from source_mixpanel.api.request import Api
from source_mixpanel.streams.base import MixpanelStream


def lanes_of(
    streams: Iterable[MixpanelStream], catalog: ConfiguredAirbyteCatalog
) -> list[ConfiguredAirbyteCatalog]:
    """The streams of the catalog that there are, by the quota that they spend, in its order."""
    spends = {stream.name: stream.lane for stream in streams}
    parts: dict[Api, list[ConfiguredAirbyteStream]] = {}
    for entry in catalog.streams:
        if entry.stream.name in spends:
            parts.setdefault(spends[entry.stream.name], []).append(entry)
    return [ConfiguredAirbyteCatalog(streams=part) for part in parts.values()]


_MOMENT_S = 1.0
"""Seconds that a line may take from a lane to the output, if nobody holds the output up."""


class Turns:
    """Which stream has the turn in each lane; the first one's is also when costs are told."""

    def __init__(
        self, streams: Iterable[MixpanelStream], lanes: Iterable[ConfiguredAirbyteCatalog]
    ) -> None:
        own = {stream.name: stream for stream in streams}
        self._untold: dict[str, list[MixpanelStream]] = {}
        self._speaker: dict[str, str] = {}
        self._started: dict[str, Event] = {}
        for lane in lanes:
            names = list(dict.fromkeys(entry.stream.name for entry in lane.streams))
            self._untold[names[0]] = [own[name] for name in names]
            self._speaker.update(dict.fromkeys(names, names[0]))
            self._started.update((name, Event()) for name in names)

    def begin(self, name: str) -> list[MixpanelStream]:
        """Note that a stream has begun; the streams whose cost is to be told now, if any."""
        self._speaker[name] = name
        return self._untold.pop(name, [])

    def speaker(self, name: str) -> str:
        """The stream that waits when this one's request does: a later one has no status yet."""
        return self._speaker.get(name, name)

    def written(self, message: AirbyteMessage) -> None:
        """Note that a message has left, be it the status that a stream has started."""
        status = message.trace.stream_status if message.trace else None
        if status is not None and status.stream_descriptor.name in self._started:
            self._started[status.stream_descriptor.name].set()

    def await_start(self, name: str) -> None:
        """Let the status that a stream has started leave before another of it is told."""
        if name in self._started:
            self._started[name].wait(_MOMENT_S)


def forget(_message: AirbyteMessage) -> None:
    """A message that nobody takes any more; its records come again from the last state."""
