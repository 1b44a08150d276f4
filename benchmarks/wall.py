"""How long whole readings take by the clock where each answer takes its time, beside the bound."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.bound import Bound
from benchmarks.contenders import Connector, Headless, Runner
from benchmarks.datasets import LATE_EVENTS, Dataset, late_days
from benchmarks.measure import Cost, RunError
from benchmarks.report import CLIENT, DAILY, OURS, PEER
from benchmarks.results import Timed, Walls
from benchmarks.serving import serving
from peers.hosts import client_env

BANDWIDTH = 4_000_000
"""Bytes a second that a connection carries."""
_STATE = b'{"type":"STATE"'


@dataclass(frozen=True)
class WallPlan:
    """What is read.

    Attributes:
        latency: Seconds to the first byte.
        year: A quiet project, of which the next day is read, too.
        busy: A busy one, read once.
        large: One of large days, which our connector alone reads once, each by itself.
        peer: What Airbyte's connector reads, once.
        rounds: How often the quiet project is read.
    """

    latency: float
    year: Dataset
    busy: Dataset
    large: Dataset
    peer: Dataset
    rounds: int

    @property
    def longer(self) -> Dataset:
        """The quiet project a day later."""
        return replace(self.year, days=self.year.days + 1)

    def bodies(self) -> list[str]:
        """What `benchmarks.bodies` has to make."""
        seconds = [replace(each, unit="s") for each in (self.year, self.busy)]
        own = [self.longer, self.busy, self.large, self.peer]
        return [f"late:{self.longer}", *map(str, (*own, *seconds))]


@dataclass(frozen=True)
class Timing:
    """Has everybody read from servers that are far away.

    Attributes:
        ours: Our connector, with its streams known.
        peer: Airbyte's.
        profiles: How many there are: Airbyte's connector needs some whatever it reads.
        walls: What came out so far.
    """

    plan: WallPlan
    cache: Path
    folder: Path
    ours: Connector
    peer: Connector
    profiles: int
    say: Callable[[str], None]
    walls: Walls

    def measure(self) -> None:
        """Read everything."""
        plan = self.plan
        for _ in range(plan.rounds):
            self._read_by_client(plan.year)
            self.sync_twice()
        self._read_by_client(plan.busy)
        self._sync(plan.busy.words, plan.busy, [], plan.busy.total)
        self._sync(plan.large.words, plan.large, [], plan.large.total, date_window_size=1)
        size = plan.peer
        with self._far_away(size.last, trusting=True) as runner:
            read = partial(replace(self.peer, runner=runner).read, "export", size.events, size)
            self._time(runner, size.words, PEER, size.total, read)

    def sync_twice(self) -> None:
        """The first sync of a quiet project, and the one of the next day.

        Raises:
            RunError: One of them does not read all that there is for it.
        """
        year, longer = self.plan.year, self.plan.longer
        first = self._sync(year.words, year, [], year.total)
        come = longer.events + LATE_EVENTS * len(late_days(longer))
        self._sync(DAILY, longer, [last_state(first)], come)

    def _sync(self, what: str, size: Dataset, state: list[Any], events: int, **more: Any) -> Cost:
        with self._far_away(size.last) as runner:
            sync = replace(self.ours, runner=runner).sync
            read = partial(sync, "export", size.events, size, state, **more)
            return self._time(runner, what, OURS, events, read)

    def _read_by_client(self, size: Dataset) -> None:
        with self._far_away(size.last) as runner:
            read = partial(Headless(runner).read, size.events, size)
            self._time(runner, size.words, CLIENT, size.total, read)

    def _time(
        self, runner: Runner, what: str, reader: str, events: int, read: Callable[[], Cost]
    ) -> Cost:
        """Keep how long a reading takes.

        Raises:
            RunError: It does not read all events.
        """
        cost, requests, sizes = runner.exports(read)
        if cost.records != events:
            raise RunError(f"{reader} read {cost.records:,} of {events:,} events ({what})")
        bound = Bound.of(requests, sizes, self.plan.latency, BANDWIDTH, cost.cpu)
        self.walls.readings.setdefault((what, reader), []).append(Timed(cost, requests, bound))
        self.say(f"  {reader}, {what}: {cost.wall:.1f} s, bound {bound.seconds:.1f} s ({bound})")
        return cost

    @contextmanager
    def _far_away(self, today: date, *, trusting: bool = False) -> Iterator[Runner]:
        """Runs commands against a server where that day is not over."""
        with TemporaryDirectory(dir=self.folder) as name:
            folder, line = Path(name), ["--latency", str(self.plan.latency)]
            line += ["--bandwidth", str(BANDWIDTH), "--now", f"{today}T20:00:00+00:00"]
            with serving(self.cache, folder, self.profiles, *line) as (proxy, ca):
                yield Runner(client_env(proxy, ca, trusting=trusting), folder, folder / "journal")


def last_state(cost: Cost) -> Any:
    """The last state that a connector has told.

    Raises:
        RunError: There is none.
    """
    told = [line for line in cost.tail.split(b"\n") if line.startswith(_STATE)]
    if not told:
        raise RunError("a connector has ended without a state")
    return json.loads(told[-1])["state"]
