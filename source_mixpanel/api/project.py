"""What Mixpanel says of the project itself (app API: me)."""

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
"""What Airbyte's 4.0.2 saved for whoever did not change it."""


class ProjectFacts:
    """Facts about the project, asked for once and only when somebody needs them. Thread safe.

    Args:
        client: Asks Mixpanel.
        configured_zone: What the user says the project's zone is.
        log: Where it goes when Mixpanel does not tell.
    """

    def __init__(
        self, client: MixpanelClient, configured_zone: ZoneInfo | None, log: Callable[[str], None]
    ) -> None:
        self._client = client
        self._configured = configured_zone
        self._log = log
        self._lock = threading.Lock()
        self._me: Mapping[str, Any] | None = None
        self._instead: ZoneInfo | None = None

    def zone(self, known: ZoneInfo | None = None) -> ZoneInfo | None:
        """The project's zone, from Mixpanel or else the settings; None if neither tells.

        Args:
            known: What an earlier sync learnt; it serves while Mixpanel cannot be asked.

        Raises:
            TransientError: Mixpanel cannot be asked for the moment, and nothing else tells.
            ConfigError: Mixpanel and the settings differ.
        """
        if self._instead is not None:
            return self._instead
        try:
            zone = self._own_zone()
        except TransientError as error:
            instead = known or self._configured
            if instead is None or isinstance(error, UnreachableError):
                raise
            self._instead = instead
            self._log(f"{error} The time zone {instead.key}, which is known already, is used.")
            return instead
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
            TransientError: Mixpanel cannot be asked for the moment.
            ConfigError: Mixpanel does not tell.
        """
        number = self._client.access.project_id
        views = [v for v in self._entries("workspaces").values() if v.get("project_id") == number]
        found = [view["id"] for view in views if type(view.get("id")) is int]
        if not found:
            raise ConfigError(
                "Mixpanel does not tell which data views the project has. Set workspace_id to the "
                "number in the address of any Mixpanel page: .../view/<number>/."
            )
        return found

    def _entries(self, kind: str) -> Mapping[str, Mapping[str, Any]]:
        """A part of what `me` answers: objects by their number."""
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
            # That it cannot be had now says nothing of the settings.
            raise
        except SourceError as error:
            # Whether a stream can be read is for its own endpoint to say.
            self._log(f"The project's settings could not be read from Mixpanel: {error}")
            return {}
        results = answer.get("results") if isinstance(answer, Mapping) else None
        return results if isinstance(results, Mapping) else {}
