"""The project: everything a request can see or change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mixpanel_emulator import database, settings
from mixpanel_emulator.clock import WorldClock
from mixpanel_emulator.dates import today
from mixpanel_emulator.entities import EntityStore
from mixpanel_emulator.events import EventStore
from mixpanel_emulator.identity import Identities
from mixpanel_emulator.profiles import ProfileStore
from mixpanel_emulator.quota import Quotas

if TYPE_CHECKING:
    from datetime import date

    from mixpanel_emulator.faults import Fault
    from mixpanel_emulator.options import EmulatorOptions


@dataclass
class ProfileSession:
    """A cached profile query (OpenAPI: query; observed).

    Attributes:
        results: The matching profiles as they were then, in page order.
        page_size: Page size of the first request.
        born_ms: World time of the first request.
        query: The parameters that made it, paging aside.
    """

    results: list[dict[str, Any]]
    page_size: int
    born_ms: int
    query: dict[str, str]


@dataclass
class JournalEntry:
    """One request that the server got, without secrets."""

    method: str
    path: str
    query: dict[str, str]
    body: dict[str, Any]
    at_ms: int
    headers: dict[str, str]
    session_id: str | None = None
    status: int | None = None


@dataclass
class Script:
    """The scripted faults of a test, and the requests that the server got."""

    faults: list[Fault] = field(default_factory=list)
    journal: list[JournalEntry] = field(default_factory=list)


class World:
    """One project with its data, clock, limits and script."""

    def __init__(self, options: EmulatorOptions) -> None:
        self.options = options
        self.settings = settings.from_options(options)
        self.clock = WorldClock(options.now)
        self.database = database.connect(options.database)
        self.events = EventStore(self.database)
        self.profiles = ProfileStore(self.database)
        self.entities = EntityStore(self.database)
        self.identities = Identities(self.database)
        self.quotas = Quotas(self.clock.now_ms)
        self.script = Script()
        self.sessions: dict[str, ProfileSession] = {}

    def reset(self) -> None:
        """Empty the world; settings and clock as at the start; no faults, journal or sessions."""
        database.clear(self.database)
        self.events.clear()
        self.settings = settings.from_options(self.options)
        self.clock.restart(self.options.now)
        self.quotas.reset()
        self.script = Script()
        self.sessions.clear()

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def export_today(self) -> date:
        """The day `to_date` may not pass: project zone for old projects, else UTC."""
        local = self.settings.project_kind == "local"
        return today(self.clock.now_ms(), self.settings.zone() if local else None)

    def query_today(self) -> date:
        """The present day of the Query API, always in the project's zone."""
        return today(self.clock.now_ms(), self.settings.zone())

    def is_seeded(self) -> bool:
        """Whether the database has been seeded."""
        row = self.database.execute("SELECT 1 FROM meta WHERE name = 'seeded'").fetchone()
        return row is not None

    def mark_seeded(self) -> None:
        """Mark the database as seeded."""
        self.database.execute("INSERT OR REPLACE INTO meta VALUES ('seeded', '1')")

    def visible_at(self, ingested_ms: int) -> int:
        """The instant from which the export shows an event ingested at `ingested_ms`."""
        return ingested_ms + round(self.settings.visibility_lag * 1000)
