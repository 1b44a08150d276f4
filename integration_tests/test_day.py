"""A day of syncs every quarter of an hour, in virtual time, with all that may come between.

`make day` plays the whole day; an ordinary run an hour of it.
"""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
import requests

from integration_tests.warehouses import truth
from integration_tests.warehouses.compare import Table
from mixpanel_emulator.options import CREDENTIALS, EmulatorOptions, connector_config
from mixpanel_emulator.server import EmulatorServer
from unit_tests.fault_matrix import FAULTS
from unit_tests.harness import Command, Output

SYNCS = int(os.environ.get("DAY_SYNCS", "4"))
QUARTER = timedelta(minutes=15)
MIDNIGHT = datetime(2026, 3, 8, 5, tzinfo=timezone.utc)
"""In New York, of a day that has 23 hours."""
ATTEMPTS = 3
INCREMENTAL = "incremental"
SIGNALS = (signal.SIGKILL, signal.SIGTERM)
PATHS = (
    "/api/2.0/export", "/api/query/engage", "/api/query/cohorts/list", "/api/app", "/api",
)  # fmt: skip
PLAYED = [
    {"kind": kind, **fields}
    for kind, places in FAULTS.items()
    for fields in places.values()
    # These last, in real time, as long as the connector's patience.
    if kind not in ("hang", "slow_first_byte")
]
"""Every fault at every place."""
VALUES: tuple[Any, ...] = ("text", 7, 2.5, True, ["a", 1], {"a": {"b": 1}}, "2026-03-08T01:02:03")
Row = dict[str, Any]


@dataclass
class Project:
    """A project that lives: each quarter of an hour something happens."""

    server: EmulatorServer
    chance: random.Random
    people: int = 0

    @property
    def now(self) -> datetime:
        """Its present."""
        return datetime.fromtimestamp(self.server.control.now_ms() / 1000, timezone.utc)

    def begin(self) -> None:
        """A shop with a week behind it."""
        control = self.server.control
        control.configure(identity_merge="original", merge_touches_processing_time=True)
        control.seed(7, events=300, days=7, profiles=30)
        control.set_clock(MIDNIGHT.isoformat(), frozen=True)

    def live(self, quarter: int) -> None:
        """Events, some late or shown later; people, cohorts, notes; new names and types."""
        control, chance, now = self.server.control, self.chance, self.now
        events = [self._event(now - timedelta(seconds=chance.randrange(900))) for _ in range(9)]
        events += [self._event(now - timedelta(days=chance.uniform(0, 6))) for _ in range(3)]
        for hidden in events[::4]:
            hidden["visible_at_ms"] = _ms(now) + chance.randrange(45 * 60_000)
        # A name that no schema knows yet, and one whose type changes in the course of the day.
        events[0]["properties"][f"since quarter {quarter}"] = chance.choice(VALUES)
        events[1]["properties"]["mood"] = VALUES[quarter // 12 % len(VALUES)]
        if self.people and chance.random() < 1 / 3:
            who = chance.randrange(self.people)
            merge = {"$anon_id": f"anon-{who}", "$identified_id": f"ana-{who}"}
            events.append(self._event(now, "$identify", **merge, distinct_id=f"ana-{who}"))
        control.add_events(events)
        ids = [f"ana-{chance.randrange(self.people + 1)}" for _ in range(3)]
        control.add_profiles([self._profile(who, quarter) for who in set(ids)])
        self.people += chance.randrange(2)
        if chance.random() < 1 / 4:
            control.add_cohort({"id": 70_000 + quarter}, ids[:1])
            note = {**control.truth("annotations")[0], "id": 70_000 + quarter}
            control.add_truth("annotations", note)

    def _event(self, when: datetime, name: str = "Step", **more: Any) -> dict[str, Any]:
        who = f"anon-{self.chance.randrange(self.people + 1)}"
        ids = {"distinct_id": who, "$insert_id": f"{self.chance.getrandbits(64):016x}"}
        return {"event": name, "properties": {"time": _ms(when), **ids, "n": 1, **more}}

    def _profile(self, who: str, quarter: int) -> dict[str, Any]:
        seen = self.now.strftime("%Y-%m-%dT%H:%M:%S")
        changed = {"$last_seen": seen, "quarter": quarter, f"since {quarter // 12}": VALUES[1]}
        return {"$distinct_id": who, "$properties": changed}

    def share(self) -> None:
        """Another client spends some of the project's quota, now and then most of it."""
        for path, times in {
            "/api/query/cohorts/list": self.chance.choice((0, 2, 8, 45)),
            "/api/2.0/export": self.chance.choice((0, 1, 4, 50)),
        }.items():
            day = MIDNIGHT.date().isoformat()
            asked = {"project_id": str(CREDENTIALS.project_id), "from_date": day, "to_date": day}
            signed = (CREDENTIALS.username, CREDENTIALS.secret)
            for _ in range(times):
                requests.get(self.server.base_url + path, asked, auth=signed, timeout=20)

    def sleep_until(self, moment: datetime) -> None:
        """Let time go by, if that is not gone by."""
        self.server.control.advance(max(0.0, (moment - self.now).total_seconds()))


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


@dataclass
class Warehouse:
    """What a destination keeps of each stream: the newest row of each key.

    Attributes:
        streams: The configured catalog, by name.
        tables: Rows by key, as Mixpanel would tell them.
        coming: The same of full refreshes that are not whole yet.
        states: The last state of each stream that came after its records.
    """

    streams: dict[str, dict[str, Any]] = field(default_factory=dict)
    tables: dict[str, dict[str, Row]] = field(default_factory=dict)
    coming: dict[str, dict[str, Row]] = field(default_factory=dict)
    states: dict[str, Any] = field(default_factory=dict)

    def mode(self, name: str) -> str:
        """How a stream is read."""
        modes = self.streams[name]["supported_sync_modes"]
        return INCREMENTAL if INCREMENTAL in modes else "full_refresh"

    def catalog(self) -> dict[str, Any]:
        """The configured catalog as a file."""
        return {
            "streams": [
                {"stream": stream, "sync_mode": self.mode(name), "destination_sync_mode": "append"}
                for name, stream in self.streams.items()
            ]
        }

    def land(self, out: Output) -> None:
        """Take what came of one attempt, up to each stream's last state."""
        rows: dict[str, dict[str, Row]] = {name: {} for name in self.streams}
        for message in out.messages:
            if message["type"] == "RECORD":
                record = message["record"]
                key, row = self._told(record["stream"], record["data"])
                rows[record["stream"]][key] = row
            elif message["type"] == "STATE":
                name = message["state"]["stream"]["stream_descriptor"]["name"]
                self.states[name] = message["state"]
                held = self.tables if self.mode(name) == INCREMENTAL else self.coming
                held.setdefault(name, {}).update(rows[name])
                rows[name] = {}
        for name in self.streams:
            if self.mode(name) != INCREMENTAL and "COMPLETE" in out.statuses(name):
                self.tables[name] = self.coming.pop(name, {})

    def _told(self, name: str, data: Row) -> tuple[str, Row]:
        stream = self.streams[name]
        key = [data[column] for [column] in stream["source_defined_primary_key"]]
        return repr(key), Table(stream).told(data)

    def end_of_job(self) -> None:
        """A full refresh that is not whole begins anew with the next job."""
        self.coming.clear()
        for name in [name for name in self.states if self.mode(name) != INCREMENTAL]:
            del self.states[name]

    def differences(self, held: dict[str, list[Row]]) -> list[str]:
        """How the tables differ from what Mixpanel holds, in lines."""
        return [
            f"{name}: {line}"
            for name, stream in self.streams.items()
            for line in Table(stream).differences(held[name], self.tables[name].values())
        ]


@dataclass
class Platform:
    """Runs the connector as Airbyte's platform does: jobs of some attempts, from state to state."""

    command: Command
    project: Project
    config: dict[str, Any]
    warehouse: Warehouse = field(default_factory=Warehouse)
    counts: Counter[str] = field(default_factory=Counter)
    size: int = 20_000
    """Bytes that the last whole attempt printed."""

    def discover(self) -> None:
        """Refresh the schema, which a person who has no time to wait for a quota does later."""
        url = self.project.server.base_url
        found = self.command.run("discover", config=self.config, time_of=url)
        if found.code:
            assert "would have to wait too long" in found.errors[0]["message"], found.log
            self.counts["discoveries put off"] += 1
            return
        self.warehouse.streams = {name: found.streams()[name] for name in truth.STREAMS}
        self.counts["discoveries"] += 1

    def job(self, *, killed: float = 0.0, faulty: bool = False) -> None:
        """Sync; attempts but the last may be killed, and all may fail where there are faults."""
        for attempt in range(1, ATTEMPTS + 1):
            kills = attempt < ATTEMPTS and self.project.chance.random() < killed
            out, number = self._attempt(kills=kills)
            self.warehouse.land(out)
            self.counts["attempts"] += 1
            self.counts["records"] += len(out.records())
            if out.code == 0:
                self.size = len(out.raw)
                break
            assert out.code == -number or faulty, out.log
            self.counts["kills" if out.code == -number else "failures"] += 1
        self.warehouse.end_of_job()
        self.counts["syncs"] += 1

    def _attempt(self, *, kills: bool) -> tuple[Output, int]:
        chance = self.project.chance
        files: dict[str, Any] = {
            "config": self.config,
            "catalog": self.warehouse.catalog(),
            "state": list(self.warehouse.states.values()) or None,
        }
        running = self.command.start("read", **files, time_of=self.project.server.base_url)
        if not kills:
            return running.end(), 0
        point, number = chance.randrange(self.size), chance.choice(SIGNALS)
        running.wait_for(point)
        running.kill(number)
        return running.end(), number


@pytest.fixture
def platform(command: Command) -> Iterator[Platform]:
    options = EmulatorOptions(
        empty=True, now=MIDNIGHT.isoformat(), timezone="America/New_York", quota=True
    )
    with EmulatorServer(options) as server:
        project = Project(server, random.Random(20260308))  # noqa: S311 - the same day each time
        project.begin()
        config = connector_config(server.base_url, date(2026, 2, 1))
        yield Platform(command, project, {**config, "event_timestamps": "utc"})


def test_after_a_day_of_syncs_the_warehouse_is_what_mixpanel_holds(
    platform: Platform, record_property: Callable[[str, int], None]
) -> None:
    project = platform.project
    chance, control = project.chance, project.server.control
    platform.discover()
    platform.job()
    for quarter in range(SYNCS):
        project.sleep_until(MIDNIGHT + (quarter + 1) * QUARTER)
        project.live(quarter)
        project.share()
        if quarter % 5 == 3:
            platform.discover()
        faulty = chance.random() < 2 / 5
        if faulty:
            hits: dict[str, Any] = chance.choice(
                ({"times": 40}, {"nth": 1}, {"nth": 2}, {"nth": 3})
            )
            control.add_fault(**chance.choice(PLAYED), path=chance.choice(PATHS), **hits)
            platform.counts["faults"] += 1
        platform.job(killed=1 / 4, faulty=faulty)
        control.clear_faults()
    # What is hidden is shown by then.
    project.sleep_until(project.now + timedelta(hours=1))
    platform.job()
    held = truth.held(control)
    for name, count in platform.counts.items():
        record_property(f"{name} of a day", count)
    record_property("rows compared of a day", sum(map(len, held.values())))
    told = platform.warehouse.differences(held)
    assert not told, "\n".join(told)
