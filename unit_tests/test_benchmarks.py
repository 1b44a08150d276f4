"""The bench: what it compares, and how ratios come of rounds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from benchmarks import plain, report
from benchmarks.bodies import lines, templates
from benchmarks.bound import Bound, quota_s
from benchmarks.contenders import OURS, PYTHON, ROOT, Connector, Runner, same_records
from benchmarks.datasets import Dataset
from benchmarks.measure import Cost, RunError, run
from benchmarks.results import Ratio, Results, Row, Series, Timed, Walls, pooled
from benchmarks.serving import serving
from benchmarks.wall import Timing, WallPlan, last_state
from peers.hosts import client_env
from source_mixpanel.columns.privacy import Privacy
from source_mixpanel.columns.properties import Shape
from source_mixpanel.events.line_maker import LineMaker, Rendering

DAY = Dataset(50_000, 2)
ONE = {"event": "Sign up", "time": "2025-03-03T00:00:00.000Z", "price": 1}


def series(*cpu: float, records: int = 100_000, wall: float = 2.0) -> Series:
    """Rounds, by their CPU; their seconds are so many times that."""
    return Series({n: Cost(s, wall * s, 1 << 20, records, 0) for n, s in enumerate(cpu)})


def records(told: bytes) -> list[dict[str, Any]]:
    return [json.loads(line)["record"]["data"] for line in told.splitlines()]


def test_plain_python_makes_the_connectors_records() -> None:
    block = b"".join(next(lines(templates(), date(2025, 3, 3), 2_000, 1)))
    theirs = b"".join(plain.record(line, 0) for line in block.splitlines())
    schema: dict[str, Any] = {"properties": {name: {} for line in records(theirs) for name in line}}
    bounds = (-(1 << 62), 1 << 62)
    maker = LineMaker(Rendering("export", schema, Shape(), Privacy(), (), bounds))
    ours = records(b"".join(maker.lines([block], None, 0)))
    assert same_records(ours, records(theirs)) == 2_000


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ([ONE], "record 2 differs in 'event': \"Sign up\" and nothing"),
        ([ONE, ONE, ONE], "record 3 differs in 'event': nothing and \"Sign up\""),
        ([ONE, {**ONE, "price": 2}], "record 2 differs in 'price': 1 and 2"),
        ([ONE, {**ONE, "price": 1.0}], "record 2 differs in 'price': 1 and 1.0"),
        ([ONE, {**ONE, "price": True}], "record 2 differs in 'price': 1 and true"),
        ([{**ONE, "more": None}, ONE], "record 1 differs in 'more': nothing and null"),
    ],
)
def test_every_value_is_compared(other: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(RunError, match=told):
        same_records([ONE, ONE], other)


def test_the_order_of_columns_does_not_count() -> None:
    assert same_records([ONE, ONE], [{name: ONE[name] for name in reversed(ONE)}, ONE]) == 2


def test_a_round_leaves_out_the_start_up_of_that_round() -> None:
    slowed = Row("a reader", DAY, whole=series(3.0, 6.0), empty=series(1.0, 2.0))
    assert slowed.net_of_rounds() == pytest.approx({0: 20.0, 1: 40.0})
    assert slowed.rate_of_rounds() == pytest.approx({0: 25_000.0, 1: 12_500.0})


def test_a_round_without_a_start_up_does_not_count() -> None:
    row = Row("a reader", DAY, whole=series(3.0, 6.0, 5.0), empty=series(1.0, 2.0))
    assert list(row.net_of_rounds()) == [0, 1]
    assert Ratio.of(row.net_of_rounds(), {1: 10.0, 2: 1.0}).rounds == pytest.approx([4.0])


def test_a_start_up_that_took_longer_than_the_reading_makes_no_negative_speed() -> None:
    row = Row("a reader", DAY, whole=series(3.0), empty=series(3.5))
    assert row.rate_of_rounds()[0] > 1e9
    assert 0 < row.net_of_rounds()[0] < 1e-3


def test_readings_of_a_round_are_pooled_by_their_records() -> None:
    few, many = series(1.0, 2.0, records=100_000), series(4.0, records=400_000)
    assert pooled([few.rounds, many.rounds]) == pytest.approx({0: 10.0, 1: 20.0})


@pytest.fixture
def results() -> Results:
    """Two rounds, of which the second is twice as slow; plain Python takes twice our CPU."""
    made = Results(busy=(1, 192, 365))
    made.empties = {report.PLAIN: series(0.5, 1.0), report.OURS: series(1.0, 2.0)}
    made.empties[report.ALONE] = series(1.0, 2.0)
    made.empties[report.PEER] = series(2.0, 4.0)
    made.reads = {
        (report.PLAIN, DAY): series(4.5, 9.0),
        (report.ALONE, DAY): series(3.0, 6.0),
        (report.OURS, DAY): series(3.0, 6.0, wall=1.0),
        (report.PEER, DAY): series(22.0, 44.0),
    }
    made.starts = {report.CDK_IMPORT: series(0.8, 1.6), report.SPEC: series(1.0, 2.0)}
    made.no_profiles = series(1.0, 2.0)
    made.profiles = {None: series(2.0, 4.0), 1_000: series(4.0)}
    return made


@pytest.mark.parametrize(
    "row",
    [
        [
            "start-up left out, 100,000 events against all of ours",
            "1",
            "0.1000",
            "10",
            "2: 10 to 10",
        ],
        ["50,000", "2", "2.00", "2: 2.00 to 2.00", "2.00"],
        ["50,000", "2", "2.00", "2: 2.00 to 2.00", "1.00"],
        ["spec", "1.25", "2: 1.25 to 1.25"],
        ["this connector, reading nothing", "1.25", "2: 1.25 to 1.25"],
        ["100,000", "chosen", "0.50", "2: 0.50 to 0.50", "1"],
        ["100,000", "1,000", "1.50", "1: 1.50 to 1.50", "1"],
    ],
)
def test_a_slow_round_changes_no_ratio(results: Results, row: list[str]) -> None:
    told = report.ratios(results).splitlines()
    assert row in [[cell.strip() for cell in line.strip("|").split("|")] for line in told]


@pytest.mark.parametrize(("days", "told"), [(1, "1 day and"), (4, "4 days and")])
def test_days_are_counted_in_words(results: Results, days: int, told: str) -> None:
    results.busy = (days, 192, 365)
    assert f"the largest of {told} 192 MB." in report.ratios(results)


@pytest.mark.parametrize(
    ("requests", "seconds"), [(0, 0), (1, 0), (4, 1), (60, 19), (61, 3600), (181, 10_800)]
)
def test_limits_space_requests(requests: int, seconds: float) -> None:
    assert quota_s(requests) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("sizes", "cpu", "reason", "seconds"),
    [
        ([4_000, 40_000], 3.0, "slowest", 20.0),
        ([1_000] * 60, 3.0, "quota", 19),
        ([4_000], 30.0, "cpu", 30.0),
        ([40_000] * 3_000, 3.0, "quota", 49 * 3600),
        ([], 0.5, "slowest", 10.0),
    ],
)
def test_a_bound_is_what_takes_longest_by_itself(
    sizes: list[int], cpu: float, reason: str, seconds: float
) -> None:
    bound = Bound.of(len(sizes), sizes, latency=10.0, bandwidth=4_000, cpu=cpu)
    assert bound.reason == reason
    assert bound.seconds == pytest.approx(seconds)


def test_bytes_are_bounded_by_all_connections_together() -> None:
    assert Bound.of(10, [40_000] * 10, 10.0, 4_000, 0.0).transfer == pytest.approx(1.0)


def test_time_by_the_clock_stands_beside_its_bound(results: Results) -> None:
    bounds = [Bound(10.0, 1.0, cpu, 2.0) for cpu in (5.0, 20.0, 6.0)]
    costs = [
        Cost(bound.cpu, wall, 90 << 20, 730_000, 0, 40 << 20)
        for bound, wall in zip(bounds, (12, 60, 14), strict=True)
    ]
    timed = [Timed(cost, 7, bound) for cost, bound in zip(costs, bounds, strict=True)]
    results.walls = Walls(10.0, {("a year", report.OURS): timed})
    told = report.ratios(results).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in told]
    row = ["a year", "this connector", "730,000", "7", "14.0", "3: 12.0 to 60.0"]
    assert [*row, "10.0", "slowest", "1.40"] in cells
    assert ["a year, from far away", "90", "90.00", "40"] in cells


# -- the measuring itself ------------------------------------------------------------------

PARENT = """
import subprocess, sys, time
held = b"x" * (60 << 20)
child = "import time; held = b'x' * (30 << 20); time.sleep(0.5)"
subprocess.run([sys.executable, "-c", child], check=True)
print('{"type":"RECORD"}\\n{"type":"STATE","state":{"day":7}}', flush=True)
"""


def test_memory_of_a_worker_is_told_from_that_of_the_first(tmp_path: Path) -> None:
    cost = run([sys.executable, "-c", PARENT], os.environ, tmp_path / "log")
    assert cost.records == 1
    assert cost.rss > 60 << 20
    assert 30 << 20 < cost.worker < 60 << 20
    assert last_state(cost) == {"day": 7}


def test_what_starts_no_other_process_has_no_worker(tmp_path: Path) -> None:
    cost = run([sys.executable, "-c", "import time; time.sleep(0.3)"], os.environ, tmp_path / "log")
    assert cost.worker == 0
    with pytest.raises(RunError, match="without a state"):
        last_state(cost)


# -- from far away -------------------------------------------------------------------------


def test_a_project_that_is_far_away_is_synced_twice(tmp_path: Path) -> None:
    plan = WallPlan(0.2, Dataset(40, 9), Dataset(60, 3), Dataset(60, 3), Dataset(40, 2, "s"), 1)
    names = plan.bodies()
    subprocess.run(  # noqa: S603 - our own module
        [PYTHON, "-m", "benchmarks.bodies", tmp_path, *names], cwd=ROOT, check=True
    )
    with serving(tmp_path, tmp_path, 0, "--now", f"{plan.year.last}T20:00:00+00:00") as way:
        ours = Connector(Runner(client_env(*way), tmp_path, tmp_path / "journal"), "o", (OURS,))
        ours.discover(plan.year.events, plan.year)
    timing = Timing(plan, tmp_path, tmp_path, ours, ours, 0, print, Walls())
    timing.sync_twice()
    assert [what for what, _ in timing.walls.readings] == ["9 days of 40", report.DAILY]
    for (timed,) in timing.walls.readings.values():
        assert timed.requests > 1
        # What came is known to the server's journal.
        assert timed.bound.slowest > 0.2
        assert timed.bound.transfer > 0
