"""The project's own settings in Mixpanel (app API: me)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from source_mixpanel.api.client import MixpanelClient
from source_mixpanel.api.request import PROJECT, Api, ApiRequest
from source_mixpanel.errors import ConfigError, SourceError, TransientError, UnreachableError
from source_mixpanel.times.dates import parse_zone, same_zone

_PREFILLED = "US/Pacific"
"""The zone that the form of Airbyte's 4.0.2 filled in."""


class ProjectFacts:
    """The project's time zone and data views, requested once, when first needed. Thread safe.

    Args:
        client: The client.
        configured_zone: The project's zone by the connector's settings.
        log: Gets a sentence when Mixpanel does not give the settings.
    """

    def __init__(
        self, client: MixpanelClient, configured_zone: ZoneInfo | None, log: Callable[[str], None]
    ) -> None:
        self._client = client
        self._configured = configured_zone
        self._log = log
        self._lock = threading.Lock()
        self._me: Mapping[str, Any] | None = None
        self._fallback_zone: ZoneInfo | None = None

    def zone(self, known: ZoneInfo | None = None) -> ZoneInfo | None:
        """The project's zone, from Mixpanel or else the settings; None if neither gives one.

        Args:
            known: The zone of an earlier sync, used while Mixpanel cannot be reached.

        Raises:
            TransientError: Mixpanel fails for the moment, and no other zone is known.
            ConfigError: Mixpanel and the settings differ.
        """
        if self._fallback_zone is not None:
            return self._fallback_zone
        try:
            zone = self._own_zone()
        except TransientError as error:
            fallback = known or self._configured
            if fallback is None or isinstance(error, UnreachableError):
                raise
            self._fallback_zone = fallback
            self._log(f"{error} The time zone {fallback.key}, which is known already, is used.")
            return fallback
        if zone is None or self._configured is None:
            return zone or self._configured
        if not same_zone(zone, self._configured):
            prefilled = self._configured.key == _PREFILLED
            raise ConfigError(
                f"project_timezone is {self._configured.key}, but the project's time zone in "
                f"Mixpanel is {zone.key}. Empty the field: the project's own zone is then used."
                + (" Earlier connectors' forms filled in this value." if prefilled else "")
            )
        return zone

    def _own_zone(self) -> ZoneInfo | None:
        project = self._entries("projects").get(str(self._client.access.project_id), {})
        name = project.get("timezone")
        try:
            return parse_zone(name) if isinstance(name, str) else None
        except ValueError:
            self._log(f"Mixpanel names a time zone that is not known here: {name!r}.")
            return None

    def workspaces(self) -> list[int]:
        """The numbers of the project's data views.

        Raises:
            TransientError: Mixpanel fails for the moment.
            ConfigError: Mixpanel does not give them.
        """
        number = self._client.access.project_id
        views = [v for v in self._entries("workspaces").values() if v.get("project_id") == number]
        numbers = [view["id"] for view in views if type(view.get("id")) is int]
        if not numbers:
            raise ConfigError(
                "Mixpanel does not tell which data views the project has. Set workspace_id to the "
                "number in the address of any Mixpanel page: .../view/<number>/."
            )
        return numbers

    def _entries(self, kind: str) -> Mapping[str, Mapping[str, Any]]:
        """The objects of one kind in the answer of `me`, by number."""
        if self._client.access.project_id is None:
            # A project secret is not accepted by the app API.
            return {}
        with self._lock:
            if self._me is None:
                self._me = self._ask()
        entries = self._me.get(kind)
        if not isinstance(entries, Mapping):
            return {}
        return {key: entry for key, entry in entries.items() if isinstance(entry, Mapping)}

    def _ask(self) -> Mapping[str, Any]:
        try:
            answer = self._client.json(ApiRequest(Api.APP, "/api/app/me", PROJECT))
        except TransientError:
            # A failure that passes says nothing about the settings.
            raise
        except SourceError as error:
            # Whether a stream can be read, its own endpoint decides.
            self._log(f"The project's settings could not be read from Mixpanel: {error}")
            return {}
        results = answer.get("results") if isinstance(answer, Mapping) else None
        return results if isinstance(results, Mapping) else {}
