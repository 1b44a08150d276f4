"""Measures what a record costs, and how long a reading takes: this connector and others.

    python -m benchmarks [--quick]

All read the same events from the same server over TLS, in turn, several times: this connector,
Airbyte's 4.0.2, plain Python, and the official client. CPU is that of the whole process tree. A
figure is the least of all rounds, for other work on the machine only ever adds to it, and memory
the most; a ratio, or a time by the clock, is the median of the rounds'. `--quick` takes small sizes
and leaves the documentation alone.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.contenders import (
    ALONE,
    OURS,
    PEER,
    PYTHON,
    ROOT,
    Connector,
    Plain,
    Runner,
    same_records,
)
from benchmarks.datasets import EMPTY_PROJECT, PROFILES_PROJECT, Dataset, cache_name
from benchmarks.measure import Cost, RunError
from benchmarks.report import CDK_IMPORT, SPEC
from benchmarks.results import Results, Series, Walls
from benchmarks.serving import serving
from benchmarks.wall import Timing, WallPlan
from peers.hosts import client_env

DOCUMENT = ROOT / "docs" / "performance.md"
_NOISE = 0.25
_HEAVY = 1_000_000
_TERMINATED = 143
_SMALL = 10_000
_YEAR = 2_000
_PEER_SETTINGS = {
    "project_timezone": "UTC",
    "attribution_window": 0,
    # Its stream takes this, though its specification does not tell: no sleep of 60 s after a
    # request.
    "reqs_per_hour_limit": 0,
}


@dataclass(frozen=True)
class Plan:
    """How much to measure.

    Attributes:
        sizes: Events of all readers but the peer.
        rounds: How often.
        profiles: How many.
        pages: Page sizes of profiles.
        wall: What is read from far away.
    """

    sizes: tuple[Dataset, ...]
    rounds: int
    profiles: int
    pages: tuple[int | None, ...]
    wall: WallPlan


FULL = Plan(
    (Dataset(50_000, 8), Dataset(200_000, 7), Dataset(_HEAVY, 1)),
    rounds=5,
    profiles=200_000,
    pages=(None, 1_000, 50_000),
    wall=WallPlan(
        latency=10.0,
        year=Dataset(_YEAR, 365),
        busy=Dataset(100_000, 60),
        large=Dataset(_HEAVY, 3),
        peer=Dataset(_YEAR, 10, "s"),
        rounds=3,
    ),
)
QUICK = Plan(
    (Dataset(50_000, 4), Dataset(200_000, 1)),
    rounds=2,
    profiles=20_000,
    pages=(None,),
    wall=WallPlan(
        latency=2.0,
        year=Dataset(_YEAR, 60),
        busy=Dataset(20_000, 10),
        large=Dataset(200_000, 3),
        peer=Dataset(_YEAR, 2, "s"),
        rounds=1,
    ),
)
SMALL = Dataset(_SMALL, 1)


def say(text: str) -> None:
    """Print now."""
    print(text, flush=True)


# -- the server ----------------------------------------------------------------------------


def make_bodies(cache: Path, plan: Plan) -> None:
    """Make what is not in the cache yet."""
    say(f"Bodies are kept in {cache}.")
    wanted = [*plan.sizes, SMALL, Dataset(_SMALL, 1, "s")]
    names = [*map(str, wanted), f"profiles:{plan.profiles}", *plan.wall.bodies()]
    command = [str(PYTHON), "-m", "benchmarks.bodies", str(cache), *names]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - our own module


# -- what is measured ----------------------------------------------------------------------


@dataclass
class Bench:
    """Who reads, and what came out so far."""

    plan: Plan
    runner: Runner
    ours: Connector
    alone: Connector
    peer: Connector
    plain: Plain
    results: Results

    def reads(self, *, light: bool) -> Iterator[tuple[str, Dataset, Callable[[], Cost]]]:
        """Every reading of events of one round; in a light one, not the large ones."""
        sizes = [s for s in (SMALL, *self.plan.sizes) if not light or s.total < _HEAVY]
        for number, size in enumerate(sizes):
            if number == len(sizes) // 2:
                # In the middle of the others, which it is compared with.
                yield report.PEER, SMALL, lambda: self.peer.read("export", SMALL.events, SMALL)
            yield report.PLAIN, size, partial(self.plain.read, size.events, size)
            yield report.ALONE, size, partial(self.alone.read, "export", size.events, size)
            yield report.OURS, size, partial(self.ours.read, "export", size.events, size)

    def empties(self) -> Iterator[tuple[str, Callable[[], Cost]]]:
        """Each reader on a project without events."""
        yield report.PLAIN, lambda: self.plain.read(EMPTY_PROJECT, SMALL)
        yield report.ALONE, lambda: self.alone.read("export", EMPTY_PROJECT, SMALL)
        yield report.OURS, lambda: self.ours.read("export", EMPTY_PROJECT, SMALL)
        yield report.PEER, lambda: self.peer.read("export", EMPTY_PROJECT, SMALL)

    def starts(self) -> Iterator[tuple[str, Callable[[], Cost]]]:
        """Parts of the start-up."""
        measure = self.runner.measure
        yield "Python itself", lambda: measure(PYTHON, "-c", "pass")
        yield CDK_IMPORT, lambda: measure(PYTHON, "-c", "import airbyte_cdk.entrypoint")
        yield SPEC, lambda: measure(OURS, "spec")

    def run_round(self, number: int) -> None:
        """Everything once; every second time backwards, and mostly without the large ones."""
        results, rounds = self.results, self.plan.rounds
        light = number not in (0, rounds // 2, rounds - 1)
        work: list[tuple[Series, str, Callable[[], Cost]]] = [
            *((_series(results.starts, n), n, job) for n, job in self.starts()),
            *((_series(results.empties, n), f"{n}, nothing", job) for n, job in self.empties()),
            *(
                (_series(results.reads, (n, size)), f"{n}, {size.events:,} x {size.days}", job)
                for n, size, job in self.reads(light=light)
            ),
            *self._profiles(light=light),
        ]
        for series, name, job in reversed(work) if number % 2 else work:
            cost = job()
            series.rounds[number] = cost
            say(f"  {name}: {cost.cpu:.2f} s of CPU, {cost.records:,} records")

    def _profiles(self, *, light: bool) -> Iterator[tuple[Series, str, Callable[[], Cost]]]:
        if "engage" not in self.ours.discover(SMALL.events, SMALL):
            return
        nothing = self.results.no_profiles
        yield nothing, "profiles, nothing", lambda: self.ours.read("engage", EMPTY_PROJECT, SMALL)
        for size in self.plan.pages[:1] if light else self.plan.pages:
            more = {} if size is None else {"page_size": size}
            yield (
                _series(self.results.profiles, size),
                f"profiles, page size {size or 'chosen'}",
                partial(self.ours.read, "engage", PROFILES_PROJECT, SMALL, **more),
            )

    def compare(self) -> None:
        """Do nothing if we and plain Python make the same records of the same events.

        Raises:
            RunError: We do not.
        """
        ours = self.ours.records("export", SMALL.events, SMALL)
        count = same_records(ours, self.plain.records(SMALL.events, SMALL))
        if count != SMALL.total:
            raise RunError(f"both read {count:,} of {SMALL.total:,} records")
        say(f"This connector and plain Python make the same {count:,} records.")

    def check(self) -> None:
        """Do nothing if everybody read everything.

        Raises:
            RunError: Somebody did not.
        """
        for (reader, size), series in self.results.reads.items():
            if any(cost.records != size.total for cost in series.costs):
                raise RunError(f"{reader} read {series.costs} of {size.total:,} records")
        for series in self.results.profiles.values():
            if any(cost.records != self.plan.profiles for cost in series.costs):
                raise RunError(f"profiles: {series.costs}")

    def count_windows(self) -> None:
        """Requests for a year of a busy project."""
        command = [str(PYTHON), "-m", "benchmarks.windows"]
        told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: S603
        days, megabytes, requests = json.loads(told.stdout)
        self.results.busy = (days, megabytes, requests)


def _series(of: dict[Any, Series], key: Any) -> Series:
    return of.setdefault(key, Series())


# -- the command ---------------------------------------------------------------------------


def bench(plan: Plan, cache: Path, folder: Path) -> Results:
    """Measure everything."""
    make_bodies(cache, plan)
    now = f"{max(size.last for size in plan.sizes)}T20:00:00+00:00"
    with serving(cache, folder, plan.profiles, "--now", now) as (proxy, ca):
        runner = Runner(client_env(proxy, ca), folder, folder / "journal")
        theirs = Runner(client_env(proxy, ca, trusting=True), folder, folder / "journal")
        ours = Connector(runner, "ours", (OURS,))
        peer = Connector(theirs, "peer", (PEER,), _PEER_SETTINGS, clock="T00:00:00Z")
        ours.discover(SMALL.events, SMALL)
        alone = replace(ours, name="alone", command=ALONE)
        results = Results(walls=Walls(plan.wall.latency))
        run = Bench(plan, runner, ours, alone, peer, Plain(runner), results)
        peer.discover(SMALL.events, SMALL)
        run.compare()
        for number in range(plan.rounds):
            say(f"Round {number + 1} of {plan.rounds}")
            run.run_round(number)
        run.check()
        run.count_windows()
    say("From far away")
    Timing(plan.wall, cache, folder, ours, peer, plan.profiles, say, results.walls).measure()
    return results


def stop(_number: int, _frame: object) -> None:
    """End on SIGTERM as on any error: everything that was started is ended too."""
    raise SystemExit(_TERMINATED)


def main() -> int:
    """Measure, print, and write the ratios down."""
    signal.signal(signal.SIGTERM, stop)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing written")
    quick = parser.parse_args().quick
    started = time.monotonic()
    cache = Path(tempfile.gettempdir()) / cache_name()
    try:
        with tempfile.TemporaryDirectory(prefix="mixpanel-bench-") as folder:
            results = bench(QUICK if quick else FULL, cache, Path(folder))
    except RunError as error:
        print(error, file=sys.stderr)
        return 1
    say(f"\n{report.full(results)}\nIt took {time.monotonic() - started:.0f} s.")
    if quick:
        return 0
    if report.noise(results) > _NOISE:
        say(f"Too noisy: {DOCUMENT.name} stays as it is. Run it again on a quieter machine.")
        return 1
    report.write(DOCUMENT, report.ratios(results))
    say(f"The ratios are in {DOCUMENT.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
