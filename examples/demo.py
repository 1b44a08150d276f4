"""Moves a Mixpanel project into DuckDB, twice, and compares the two.

Without `--config` the project is that of a local Mixpanel: 30 days of a made-up shop, with live
and late events sent to it by the official SDK. What DuckDB holds in the end has to equal what
that Mixpanel holds, event by event and value by value; the exit code is 1 if it does not.
With `--config FILE` the project is a real one, and what landed is counted.
The DuckDB file stays, with tables of answers in it, and beside it a page to look at.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shlex
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from compare import (
    Event,
    Holding,
    differences,
    explain,
    hold,
    once,
    told_by_mixpanel,
)
from landing import ROOT, Landing, LandingError
from page import QUERIES, write_page
from shop import Shop
from tables import Step, print_steps, say, shown, table

from mixpanel_emulator.options import EmulatorOptions, connector_config
from mixpanel_emulator.server import EmulatorServer

CONNECTOR = ROOT / ".venv" / "bin" / "source-mixpanel"
DUCKDB = ROOT / ".venv" / "bin" / "duckdb"
KEPT = ROOT / "build" / "demo"
DATABASE, PAGE = "warehouse.duckdb", "report.html"
_LIVE_FIRST, _LIVE_THEN = 25, 20
_MOST_ROWS = 60
_UNEQUAL, _FAILED, _TERMINATED = 1, 2, 143


class DemoError(RuntimeError):
    """The demo cannot be run as it was asked to."""


# -- the steps -----------------------------------------------------------------------------


def begin(landing: Landing, config: dict[str, Any], keep: Path) -> tuple[list[Step], list[str]]:
    """Hand over the settings, check and discover.

    Returns:
        The steps, and the properties whose columns have several types.
    """
    landing.ask(executable=str(CONNECTOR), config=config, database=str(keep / DATABASE))
    steps = []
    told: dict[str, Any] = {}
    for name in ("check", "discover"):
        told = landing.ask(do=name)
        steps.append(Step(name, None, told["began_ms"], told["ended_ms"]))
        found = f": {', '.join(told['streams'])}" if "streams" in told else ""
        say(f"{name} is done{found}.")
    return steps, told["mixed"]


def read(landing: Landing, *, full: bool) -> Step:
    """One sync of `export` and `event_counts` into DuckDB."""
    name = "read, full refresh" if full else "read, incremental"
    say(f"{name} ...")
    told = landing.ask(do="read", full=full)
    return Step(name, told["records"], told["began_ms"], told["ended_ms"])


# -- against the local Mixpanel ------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What the two hold after a sync.

    Attributes:
        after: Which sync.
        mixpanel: What Mixpanel holds.
        rows: Rows in DuckDB.
        again: Rows that the second sync repeated, its overlap with the first.
        events: What DuckDB holds without those.
        complaints: Lines that tell how they differ.
    """

    after: str
    mixpanel: Holding
    rows: int
    again: int
    events: Counter[str]
    complaints: list[str]


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """The rows that `land.py` has dumped."""
    with path.open(encoding="ascii") as lines:
        yield from map(json.loads, lines)


def compare(landing: Landing, truth: Holding, work: Path, after: str) -> Verdict:
    """Hold what DuckDB has against what Mixpanel has."""
    path = work / "rows.jsonl"
    landing.ask(do="dump", path=str(path))
    first = hold(Event(*row["event"]) for row in rows_of(path) if not row["again"])
    second = hold(Event(*row["event"]) for row in rows_of(path) if row["again"])
    path.unlink()
    events = once(first.events, second.events)
    again = first.events & second.events
    complaints = list(explain(differences(truth.events, events)))
    rows = first.total + second.total
    return Verdict(after, truth, rows, again.total(), events, complaints)


def print_verdicts(verdicts: Sequence[Verdict]) -> bool:
    """The table of what the two hold; whether they are equal."""
    table(
        ("after", "Mixpanel holds", "DuckDB rows", "of them again", "DuckDB holds", "equal"),
        (
            (v.after, v.mixpanel.total, v.rows, v.again, v.events.total(), _equal(v))
            for v in verdicts
        ),
    )
    for verdict in verdicts:
        for line in verdict.complaints:
            say(f"  {verdict.after}: {line}")
    last = verdicts[-1].mixpanel
    equal = not any(verdict.complaints for verdict in verdicts)
    say(
        f"Compared value by value: {last.total:,} events with {last.values:,} properties. "
        f"{last.copies:,} are exact copies that Mixpanel itself holds; they are kept.\n"
        f"A value counts wherever it landed: in its column, or in rescued_properties.\n"
        f"Rows again: the overlap of one hour between two syncs. The demo appends, so they are "
        f"there;\ndeduplicating on the primary key removes them, with the copies of Mixpanel's "
        f"own."
    )
    say("EQUAL" if equal else "NOT EQUAL")
    return equal


def _equal(verdict: Verdict) -> str:
    return "no" if verdict.complaints else "yes"


def print_names(verdict: Verdict, counts: dict[str, Any]) -> None:
    """Events of each name: Mixpanel's, and those that SQL finds in DuckDB."""
    truth: Counter[str] = Counter()
    for text, count in verdict.mixpanel.events.items():
        truth[json.loads(text)[0]] += count
    landed: Counter[str] = Counter()
    for name, _, count in counts["events"]:
        landed[name] += count
    names = sorted(truth.keys() | landed.keys(), key=lambda name: (-truth[name], name))
    table(
        ("event", "Mixpanel", "DuckDB"),
        ((shown(name), truth[name], landed[name]) for name in names),
    )


def settled(server: EmulatorServer) -> list[dict[str, Any]]:
    """What Mixpanel holds by its control plane, once the export shows the last of it."""
    events = server.control.events()
    latest = max(event["visible_at_ms"] for event in events)
    time.sleep(max(0, latest + 1 - server.control.now_ms()) / 1000)
    return events


def run_local(work: Path, keep: Path) -> int:
    """The whole demo against a local Mixpanel."""
    options = EmulatorOptions(port=0)
    first_day = datetime.now(timezone.utc).date() - timedelta(days=options.days - 1)
    say(
        f"Starting a local Mixpanel ({options.events:,} events of {options.days} days) "
        f"and PyAirbyte ..."
    )
    with Landing(work, keep) as landing, EmulatorServer(options) as server:
        shop = Shop(server.base_url)
        say(f"It listens on {server.base_url}. The SDK tracks {shop.live(_LIVE_FIRST)} events.")
        events = settled(server)
        steps, mixed = begin(landing, connector_config(server.base_url, first_day), keep)
        truth = hold(told_by_mixpanel(event, mixed) for event in events)
        steps.append(read(landing, full=True))
        verdicts = [compare(landing, truth, work, "full refresh")]
        live, late = shop.live(_LIVE_THEN), shop.late()
        say(f"The SDK tracks {live} more events and imports {late} late ones.")
        truth = hold(told_by_mixpanel(event, mixed) for event in settled(server))
        steps.append(read(landing, full=False))
        verdicts.append(compare(landing, truth, work, "incremental"))
        say()
        print_steps(steps, server.control.journal())
        print_names(verdicts[-1], landing.ask(do="counts"))
        equal = print_verdicts(verdicts)
    show(keep, options.timezone)
    return 0 if equal else _UNEQUAL


# -- against a real project ----------------------------------------------------------------


def run_real(config: dict[str, Any], work: Path, keep: Path) -> int:
    """Two syncs of a real project; what landed is counted."""
    with Landing(work, keep) as landing:
        steps, _ = begin(landing, config, keep)
        steps.append(read(landing, full=True))
        steps.append(read(landing, full=False))
        counts = landing.ask(do="counts")
    say()
    print_steps(steps, None)
    rows = [(day, shown(name or ""), count) for name, day, count in counts["events"]]
    rows.sort(key=lambda row: (row[0], -row[2]))
    if rows:
        table(("day (UTC)", "event", "events"), rows[-_MOST_ROWS:])
    if len(rows) > _MOST_ROWS:
        say(f"  These are the last {_MOST_ROWS} of {len(rows):,} pairs of day and event.")
    total = sum(count for _, _, count in rows)
    say(f"DuckDB holds {counts['rows']:,} rows: {total:,} events, the others sent again.")
    show(keep, config.get("project_timezone") or "UTC")
    return 0


# -- what stays ----------------------------------------------------------------------------


def show(keep: Path, zone: str) -> None:
    """Make the tables of answers and the page, and tell where they are and what to ask."""
    say("\nMaking tables of answers (warehouse/models) and a page to look at ...")
    database, page = keep / DATABASE, keep / PAGE
    write_page(database, page, zone)
    say(f"What landed:  {near(database)}\nA page of it: {near(page)}\nAsk it:\n")
    for query in QUERIES:
        say(f'  {near(DUCKDB)} {shlex.quote(near(database))} "{query}"')
    say()


def near(path: Path) -> str:
    """A path as it is typed here."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


# -- the command ---------------------------------------------------------------------------


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, help="settings of a real project (JSON)")
    parser.add_argument(
        "--keep", type=Path, help=f"directory for the DuckDB file and the page (default: {KEPT})"
    )
    return parser.parse_args()


def stop(_number: int, _frame: object) -> None:
    """End on SIGTERM as on any error: everything that was started is ended too."""
    raise SystemExit(_TERMINATED)


def run(given: argparse.Namespace, work: Path) -> int:
    """Run against whichever Mixpanel is wanted."""
    keep: Path = given.keep or KEPT
    keep.mkdir(parents=True, exist_ok=True)
    if given.keep is None:
        (keep / DATABASE).unlink(missing_ok=True)
    elif (keep / DATABASE).exists():
        raise DemoError(f"{keep / DATABASE} is there already; name another directory.")
    if given.config is None:
        return run_local(work, keep.resolve())
    return run_real(json.loads(given.config.read_text("utf-8")), work, keep.resolve())


def main() -> int:
    """Run the demo; what it needs meanwhile is in a temporary directory, which is removed."""
    signal.signal(signal.SIGTERM, stop)
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = "127.0.0.1,localhost"
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    given = arguments()
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="mixpanel-demo-") as work:
            code = run(given, Path(work))
    except (DemoError, LandingError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return _FAILED
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    say(f"It took {time.monotonic() - started:.0f} s.")
    return code


if __name__ == "__main__":
    sys.exit(main())
