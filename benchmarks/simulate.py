"""How long whole syncs take under Mixpanel's limits: the real connector on a virtual clock.

    make simulate

The connector reads the local Mixpanel, which enforces the real limits; both live on one virtual
clock, so that only waiting takes time. Beside it stand the policy of Airbyte's connector (one
request a minute) for the same number of requests, and the quota's own lower bound.
"""

from __future__ import annotations

import argparse
import base64
import logging
import math
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from airbyte_cdk.models import (
    AirbyteStateMessage,
    AirbyteStream,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
    Type,
)

from benchmarks.bound import AN_HOUR, HOUR, hourly_s, quota_s
from benchmarks.virtual import VirtualClock
from mixpanel_emulator.control_client import ControlClient
from mixpanel_emulator.options import CREDENTIALS, EmulatorOptions, service_account
from mixpanel_emulator.server import EmulatorServer
from source_mixpanel import SourceMixpanel

NOW = "2026-03-10T12:00:00Z"
_START_S = 3.0
_LOG = logging.getLogger("airbyte")


@dataclass(frozen=True)
class ProjectSize:
    """What a project holds, as far as it costs requests.

    Attributes:
        rival_s: Seconds between two queries, and two exports, of another client; 0 for none.
    """

    name: str
    days: int
    events: int
    profiles: int
    page_size: int
    funnels: int
    cohorts: int
    rival_s: float = 0.0


SMALL = ProjectSize("small", 30, 2_000, 200, 1_000, 3, 2)
TYPICAL = ProjectSize("typical", 365, 20_000, 4_000, 100, 30, 20)
HUGE = ProjectSize("huge", 365, 5_000, 2_000, 100, 150, 90)
SHARED = replace(TYPICAL, name="shared", rival_s=120.0)
"""Typical, beside a client that uses half of each hour's queries and exports."""

_RIVAL = "rival"


@dataclass(frozen=True)
class Outcome:
    """What one sync cost.

    Attributes:
        queries: Counted requests to the Query API.
        exports: Requests for raw events.
        refusals: Answers 429.
        wall_s: Virtual seconds from start to end.
        records: Records by stream.
        state: The last state of each stream.
        hourly: Queries, and exports, that other clients leave of an hour.
    """

    queries: int
    exports: int
    refusals: int
    wall_s: float
    records: Counter[str]
    state: list[AirbyteStateMessage]
    hourly: int = AN_HOUR

    @property
    def lower_bound_s(self) -> float:
        """Seconds that what is left of the quotas demands, all else taking no time."""
        return max(hourly_s(self.queries, self.hourly), quota_s(self.exports, self.hourly))

    @property
    def peer_s(self) -> float:
        """Seconds at one request a minute, as Airbyte's connector makes them."""
        return 60.0 * (self.queries + self.exports)


def furnish(mixpanel: ControlClient, size: ProjectSize) -> None:
    """Fill an empty project."""
    mixpanel.seed(7, events=size.events, days=size.days, profiles=size.profiles)
    people = [profile["$distinct_id"] for profile in mixpanel.truth("engage")]
    mixpanel.set_truth("cohorts", [])
    mixpanel.set_truth("cohort_members", [])
    for number in range(size.cohorts):
        mixpanel.add_cohort({"id": 100 + number}, people[number :: size.cohorts])
    steps = [{"event": "Page View"}, {"event": "Purchase"}]
    funnels = [
        {"funnel_id": 500 + n, "name": f"Funnel {n}", "steps": steps} for n in range(size.funnels)
    ]
    template = mixpanel.truth("funnels")[0]
    mixpanel.set_truth("funnels", [{**template, **f, "steps": template["steps"]} for f in funnels])


def settings(server: EmulatorServer, size: ProjectSize) -> dict[str, Any]:
    """The connector's settings for that project."""
    return {
        "credentials": service_account(),
        "api_url": server.base_url,
        "page_size": size.page_size,
        "event_timestamps": "utc",
    }


def catalog_of(streams: list[AirbyteStream], mode: SyncMode) -> ConfiguredAirbyteCatalog:
    """Every stream but `revenue`, incremental where it can be."""
    return ConfiguredAirbyteCatalog(
        streams=[
            ConfiguredAirbyteStream(
                stream=stream,
                sync_mode=mode if mode in stream.supported_sync_modes else SyncMode.full_refresh,
                destination_sync_mode=DestinationSyncMode.append,
            )
            for stream in streams
            # Mixpanel no longer documents its report. It would be one query more.
            if stream.name != "revenue"
        ]
    )


@contextmanager
def rivalled(clock: VirtualClock, base_url: str, every_s: float) -> Iterator[None]:
    """Another client of the project asks on and on: a query and an export every so often."""
    over = threading.Event()
    pair = f"{CREDENTIALS.username}:{CREDENTIALS.secret}".encode()
    signed = {"Authorization": "Basic " + base64.b64encode(pair).decode()}
    dates = f"from_date={NOW[:10]}&to_date={NOW[:10]}"
    paths = ("/api/query/cohorts/list?", f"/api/2.0/export?{dates}&")

    def ask() -> None:
        while not over.is_set():
            for path in paths:
                url = f"{base_url}{path}project_id={CREDENTIALS.project_id}&{_RIVAL}=1"
                request = urllib.request.Request(url, headers=signed)  # noqa: S310 - loopback
                with suppress(urllib.error.HTTPError):
                    urllib.request.urlopen(request).close()  # noqa: S310 - loopback
            clock.wait(every_s)

    if not every_s:
        yield
        return
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    # It has been at it for an hour.
    clock.wait(HOUR)
    try:
        yield
    finally:
        over.set()
        thread.join()


def sync(
    mixpanel: ControlClient,
    config: dict[str, Any],
    catalog: ConfiguredAirbyteCatalog | None,
    state: list[AirbyteStateMessage],
    rival_s: float = 0.0,
) -> tuple[Outcome, ConfiguredAirbyteCatalog]:
    """One sync on a virtual clock; without a catalog the connection is set up first."""
    clock = VirtualClock(mixpanel)
    mixpanel.clear_journal()
    records: Counter[str] = Counter()
    last: dict[str, AirbyteStateMessage] = {}
    try:
        source = SourceMixpanel(clock=clock, batched=True, tell=lambda _: None)
        if catalog is None:
            found = source.discover(_LOG, config)
            catalog = catalog_of(found.streams, SyncMode.incremental)
            # A sync by itself: what the set-up has used is free again.
            clock.wait(HOUR + _START_S)
            mixpanel.clear_journal()
        with rivalled(clock, config["api_url"], rival_s):
            began = clock.monotonic()
            for message in source.read(_LOG, config, catalog, state):
                if message.type is Type.RECORD and message.record is not None:
                    records[message.record.stream] += getattr(message, "count", 1)
                if message.type is Type.STATE and message.state and message.state.stream:
                    last[message.state.stream.stream_descriptor.name] = message.state
            wall = clock.monotonic() - began
    finally:
        clock.close()
    hourly = AN_HOUR - round(HOUR / rival_s) if rival_s else AN_HOUR
    return replace(_outcome(mixpanel, wall, records, list(last.values())), hourly=hourly), catalog


def _outcome(
    mixpanel: ControlClient, wall: float, records: Counter[str], state: list[AirbyteStateMessage]
) -> Outcome:
    journal = [entry for entry in mixpanel.journal() if _RIVAL not in entry["query"]]
    counted = [e for e in journal if e["status"] not in (401, 402, 429)]
    queries = [
        e for e in counted if e["path"].startswith("/api/query/") and not e.get("session_id")
    ]
    exports = [e for e in counted if e["path"] == "/api/2.0/export"]
    refusals = sum(e["status"] == 429 for e in journal)  # noqa: PLR2004 - Too Many Requests
    return Outcome(len(queries), len(exports), refusals, wall, records, state)


@contextmanager
def project(size: ProjectSize) -> Iterator[tuple[ControlClient, dict[str, Any]]]:
    """A furnished project under the real limits, and the settings to read it."""
    with EmulatorServer(EmulatorOptions(empty=True, now=NOW, quota=False)) as server:
        furnish(server.control, size)
        server.control.configure(quota=True)
        server.control.set_clock(NOW, frozen=True)
        yield server.control, settings(server, size)


def both_syncs(size: ProjectSize) -> tuple[Outcome, Outcome]:
    """The first sync of a project, and the one of the next day."""
    with project(size) as (mixpanel, config):
        first, catalog = sync(mixpanel, config, None, [], size.rival_s)
        mixpanel.advance(24 * HOUR)
        daily, _ = sync(mixpanel, config, catalog, first.state, size.rival_s)
        return first, daily


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["small", "typical", "huge", "shared"])
    only = parser.parse_args().only
    _LOG.setLevel(logging.ERROR)
    columns = "{:<9}{:<7}{:>8}{:>8}{:>6}{:>11}{:>13}{:>11}{:>15}"
    print(columns.format(
        "project", "sync", "queries", "exports", "429s", "wall",
        "lower bound", "bound = 1", "one a minute",
    ))  # fmt: skip
    for size in (SMALL, TYPICAL, HUGE, SHARED):
        if only in (None, size.name):
            for name, outcome in zip(("first", "daily"), both_syncs(size), strict=True):
                times = (outcome.wall_s, outcome.lower_bound_s, outcome.peer_s)
                wall, bound, peer = (f"{seconds / 60:.1f} min" for seconds in times)
                ratio = outcome.wall_s / (outcome.lower_bound_s or math.inf)
                print(columns.format(
                    size.name, name, outcome.queries, outcome.exports, outcome.refusals,
                    wall, bound, f"{ratio:.2f}" if ratio else "-", peer,
                ))  # fmt: skip


if __name__ == "__main__":
    main()
