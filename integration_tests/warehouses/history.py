"""The project's life as the connector's command told it, sync by sync."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from integration_tests.warehouses import truth
from integration_tests.warehouses.world import (
    STEPS,
    Project,
    Step,
    what_pandas_keeps,
    what_postgres_takes,
)
from mixpanel_emulator.control_client import ControlClient
from source_mixpanel.times.event_time import EPOCH
from unit_tests.harness import Command, configured

SEED, EVENTS, DAYS, PEOPLE = 7, 150, 6, 12
INCREMENTAL = "incremental"


@dataclass(frozen=True)
class Sync:
    """One sync.

    Attributes:
        name: What had happened.
        catalog: The configured streams, by name.
        modes: The sync mode of each.
        records: What came of each, in order.
        truth: What Mixpanel holds of those streams whose rows are told as they are.
        read_at: When it ended, by Mixpanel's clock.
    """

    name: str
    catalog: Mapping[str, Mapping[str, Any]]
    modes: Mapping[str, str]
    records: Mapping[str, list[dict[str, Any]]]
    truth: Mapping[str, list[truth.Row]]
    read_at: datetime

    def newest(self, stream: str, held: dict[tuple[Any, ...], Any], rows: Iterable[Any]) -> None:
        """Put rows, one for each record, in the places that their keys have among those held."""
        if self.modes[stream] != INCREMENTAL:
            held.clear()
        columns = self.key(stream)
        keys = [tuple(record[column] for column in columns) for record in self.records[stream]]
        held.update(zip(keys, rows, strict=True))

    def key(self, stream: str) -> list[str]:
        """The columns of a stream's primary key."""
        return [column for [column] in self.catalog[stream]["source_defined_primary_key"]]

    def cursor(self, stream: str) -> str | None:
        """The column of a stream's cursor, where the sync goes by it."""
        if self.modes[stream] != INCREMENTAL:
            return None
        [column] = self.catalog[stream]["default_cursor_field"]
        return str(column)


def begin(project: Project) -> None:
    """A shop with something of every kind, before what is hard begins.

    Its events have values of all kinds of their own, so that there are none if that may not be.
    """
    events = 0 if project.takes is what_pandas_keeps else EVENTS
    project.mixpanel.seed(SEED, events=events, days=DAYS, profiles=PEOPLE)


class Recorder:
    """Reads a project with the connector's command, once a step.

    Attributes:
        streams: The catalog: what was discovered last, by name.
    """

    def __init__(
        self, command: Command, mixpanel: ControlClient, config: Mapping[str, Any]
    ) -> None:
        self._command = command
        self._mixpanel = mixpanel
        self._config = config
        self.streams: dict[str, dict[str, Any]] = {}
        self._state: list[dict[str, Any]] | None = None

    def life(self) -> Iterator[Sync]:
        """Every step's sync."""
        project = Project(self._mixpanel, what_postgres_takes)
        begin(project)
        for step in STEPS:
            step.happens(project)
            if step.discovers:
                self.discover()
            yield self.sync(step)

    def discover(self) -> dict[str, dict[str, Any]]:
        """Refresh the schema, as a person does; what is found is the catalog from then on."""
        found = self._command.run("discover", config=self._config)
        assert found.code == 0, found.log
        self.streams = found.streams()
        return self.streams

    def sync(self, step: Step) -> Sync:
        """Read everything that the catalog has, from where the last sync ended."""
        catalog = configured(self.streams)
        for entry in catalog["streams"]:
            modes = entry["stream"]["supported_sync_modes"]
            if INCREMENTAL in modes:
                entry["sync_mode"] = INCREMENTAL
        state = None if step.begins_anew else self._state
        out = self._command.run(
            "read", config=self._config, catalog=catalog, state=state, skip_waits=True
        )
        assert out.code == 0, out.log
        self._state = out.state_file()
        records: dict[str, list[dict[str, Any]]] = {name: [] for name in self.streams}
        for message in out.of("RECORD"):
            records[message["stream"]].append(message["data"])
        modes = {entry["stream"]["name"]: entry["sync_mode"] for entry in catalog["streams"]}
        read_at = EPOCH + timedelta(milliseconds=self._mixpanel.now_ms())
        held = truth.held(self._mixpanel)
        return Sync(step.name, dict(self.streams), modes, records, held, read_at)


Recorders = Callable[..., Recorder]
"""Makes a recorder; its arguments are settings beside those that every test has."""
