"""The bench: what it compares, and how ratios come of rounds."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from benchmarks import plain, report
from benchmarks.bodies import lines, templates
from benchmarks.contenders import same_records
from benchmarks.datasets import Dataset
from benchmarks.measure import Cost, RunError
from benchmarks.pool import lines_of
from benchmarks.results import Ratio, Results, Row, Series, pooled

DAY = Dataset(50_000, 2)
ONE = {"event": "Sign up", "time": "2025-03-03T00:00:00.000Z", "price": 1}


def series(*cpu: float, records: int = 100_000) -> Series:
    return Series({n: Cost(s, 2 * s, 1 << 20, records, 0) for n, s in enumerate(cpu)})


def records(told: bytes) -> list[dict[str, Any]]:
    return [json.loads(line)["record"]["data"] for line in told.splitlines()]


def test_plain_python_makes_the_connectors_records() -> None:
    block = b"".join(next(lines(templates(), date(2025, 3, 3), 2_000, 1)))
    theirs = b"".join(plain.record(line, 0) for line in block.splitlines())
    ours = records(lines_of(block))
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
    made = Results(year_requests=6, year_events=730_000, busy=(1, 192, 365))
    made.empties = {report.PLAIN: series(0.5, 1.0), report.OURS: series(1.0, 2.0)}
    made.empties[report.PEER] = series(2.0, 4.0)
    made.reads = {
        (report.PLAIN, DAY): series(4.5, 9.0),
        (report.OURS, DAY): series(3.0, 6.0),
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
