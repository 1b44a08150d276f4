"""A project of the local Mixpanel, and the connector set up to read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from mixpanel_emulator.control_client import ControlClient
from unit_tests.harness import Command, Output, Running, configured, expected_export, multiset

Streams = dict[str, dict[str, Any]]


class Project:
    """A project, the settings that read it, and what was discovered of it.

    Attributes:
        mixpanel: What fills the project, and breaks it.
        config: The settings; a test changes them in place.
        streams: What was discovered last, by name.
    """

    def __init__(
        self,
        command: Command,
        mixpanel: ControlClient,
        config: dict[str, Any],
        streams: Streams | None = None,
    ) -> None:
        self._command, self.mixpanel, self.config = command, mixpanel, config
        self.streams = streams or {}

    def at(self, mixpanel: ControlClient, streams: Streams) -> Project:
        """Another project, read by the same settings."""
        return Project(self._command, mixpanel, self.config, streams)

    def using(self, **settings: Any) -> Project:
        """The same project read by other settings beside those that there are."""
        return Project(self._command, self.mixpanel, {**self.config, **settings}, self.streams)

    def start(self, verb: str = "", **how: Any) -> Running:
        """Start a run with these settings, to be watched while it goes on."""
        return self._command.start(verb, **{"config": self.config, **how})

    def run(self, verb: str, **how: Any) -> Output:
        """Run to the end; waiting takes no time, unless `skip_waits` is false."""
        return self.start(verb, **{"skip_waits": True, **how}).end()

    def discover(self, **how: Any) -> Streams:
        """Every stream that is discovered now, by name."""
        found = self.run("discover", **how)
        assert found.code == 0, found.log
        self.streams = found.streams()
        return self.streams

    def catalog(self, *wanted: str | Mapping[str, Any], mode: str = "incremental") -> Any:
        """A configured catalog of streams: what was discovered by these names, or as given.

        A mode that a stream does not have becomes a full refresh.
        """
        if not self.streams and any(isinstance(stream, str) for stream in wanted):
            self.discover()
        chosen = [self.streams[each] if isinstance(each, str) else each for each in wanted]
        catalog = configured(chosen, mode)
        for entry in catalog["streams"]:
            if mode not in entry["stream"]["supported_sync_modes"]:
                entry["sync_mode"] = "full_refresh"
        return catalog

    def sync(
        self, *wanted: str | Mapping[str, Any], mode: str = "incremental", **how: Any
    ) -> Output:
        """One sync of these streams, discovered unless they were."""
        return self.run("read", catalog=self.catalog(*wanted, mode=mode), **how)

    def expected_export(self) -> Counter[Any]:
        """The records that the project's events have to come out as, by the discovered columns."""
        return multiset(expected_export(self.mixpanel.events(), self.streams["export"]))

    def asked(self, path: str) -> list[dict[str, Any]]:
        """The requests that Mixpanel has seen for a path, in order."""
        return [entry for entry in self.mixpanel.journal() if entry["path"] == path]
