"""How many exports syncs make, in which order, and that answers without events lose nothing."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from unit_tests.builders import NOON_10_MARCH_MS, bare, event
from unit_tests.harness import Output
from unit_tests.project import Project

EXPORT = "/api/2.0/export"
YEAR = 365
FIVE_YEARS = 1826
TODAY = date(2026, 3, 10)
HOUR = 1 / 24


def happened(insert_id: str, days_ago: float, late_days: float = 0.0) -> dict[str, Any]:
    """An event that Mixpanel got so many days after it happened."""
    made = event(insert_id=insert_id, days_ago=days_ago)
    ms = NOON_10_MARCH_MS - int((days_ago - late_days) * 86_400_000)
    made["properties"] |= {"$mp_api_timestamp_ms": ms, "mp_processing_time_ms": ms}
    return made


def ago(days: int) -> str:
    """The date of so many days before the first sync."""
    return str(TODAY - timedelta(days=days))


class Connection:
    """Syncs one after the other, and what they brought."""

    def __init__(self, project: Project) -> None:
        self.project = project.using(event_timestamps="utc")
        self.mixpanel, self.config = self.project.mixpanel, self.project.config
        self.state: list[dict[str, Any]] | None = None
        self.had: Counter[str] = Counter()
        self.ranges: list[tuple[str, str]] = []
        self.is_late: list[bool] = []
        self.days_gone = 0.0

    def pass_days(self, days: float, *late: dict[str, Any]) -> None:
        """So long goes by; an event comes amid it and one at its end, and late ones."""
        self.days_gone += days
        gone = self.days_gone
        amid = happened(f"amid-{gone:.2f}", 0.7 * days - gone)
        fresh = happened(f"fresh-{gone:.2f}", 0.1 * HOUR - gone)
        self.mixpanel.advance(days * 86_400)
        self.mixpanel.add_events([amid, fresh, *late])

    def sync(self, *, mode: str = "incremental", **patience: float) -> Output:
        """One sync, which goes on from the last one."""
        self.mixpanel.clear_journal()
        out = self.project.sync(bare("export"), state=self.state, mode=mode, **patience)
        asks = [entry["query"] for entry in self.project.asked(EXPORT)]
        self.ranges = [(ask["from_date"], ask["to_date"]) for ask in asks]
        self.is_late = ["where" in ask for ask in asks]
        self.had.update(row["insert_id"] for row in out.records())
        self.state = out.state_file()
        return out

    @property
    def exports(self) -> int:
        """How many exports the last sync made."""
        return len(self.ranges)


@pytest.fixture
def connection(project: Project) -> Connection:
    """A small project of a year, an event each day, none of them in the last hour."""
    project.mixpanel.add_events([happened(f"day-{n}", n + 0.3) for n in range(YEAR)])
    project.config["start_date"] = ago(YEAR - 1)
    return Connection(project)


def had_once(connection: Connection) -> None:
    """Every event that Mixpanel holds has come, and none twice but of the hour of overlap."""
    events = {e["properties"]["$insert_id"] for e in connection.mixpanel.events()}
    assert set(connection.had) == events
    again = {name: count for name, count in connection.had.items() if count > 1}
    assert {name.split("-")[0] for name in again} <= {"amid", "fresh"}
    assert set(again.values()) <= {2}


# -- how many --------------------------------------------------------------------------------


def test_a_small_project_of_a_year_takes_few_exports(connection: Connection) -> None:
    connection.sync()
    assert connection.exports <= 7
    for _ in range(4):
        connection.pass_days(1)
        connection.sync()
        assert connection.exports == 3
    had_once(connection)


def test_an_hourly_sync_takes_one_or_two(connection: Connection) -> None:
    connection.sync()
    counts = []
    for _ in range(24):
        connection.pass_days(HOUR)
        connection.sync()
        counts.append(connection.exports)
    # In these hours a day begins, with nothing in its first minute, and old days have their turn.
    assert sorted(counts) == [1] * 21 + [2] * 3
    had_once(connection)


def test_a_sync_that_has_nothing_new_makes_one_request(connection: Connection) -> None:
    connection.sync()
    for _ in range(3):
        connection.mixpanel.advance(3 * 3600)
        assert connection.sync().records() == []
        assert connection.exports == 1


def test_late_events_of_young_days_come_with_the_next_sync_of_old_ones_within_a_day(
    connection: Connection,
) -> None:
    connection.sync()
    connection.mixpanel.advance(7_200)
    late = {"young": 20.0, "old": 200.0}
    connection.mixpanel.add_events([happened(n, d, d + HOUR / 2) for n, d in late.items()])
    connection.sync()
    assert (connection.had["young"], connection.had["old"]) == (1, 0)
    connection.mixpanel.advance(19 * 3600)
    connection.sync()
    assert connection.had["old"] == 1
    had_once(connection)


def test_days_of_the_users_look_back_window_are_young_however_many_there_are(
    connection: Connection,
) -> None:
    connection.config["attribution_window"] = 90
    connection.sync()
    connection.mixpanel.advance(7_200)
    connection.mixpanel.add_events([happened("late", 80, 80 + HOUR / 2)])
    connection.sync()
    assert connection.had["late"] == 1


@pytest.mark.parametrize("window", [5, 3])
def test_what_does_not_say_when_it_came_is_found_within_the_look_back_window(
    connection: Connection, window: int
) -> None:
    connection.config["attribution_window"] = window
    connection.sync()
    connection.pass_days(1)
    silent = happened("silent", 2.5)
    silent["properties"]["mp_processing_time_ms"] = None
    connection.mixpanel.add_events([silent])
    connection.sync()
    assert connection.had["silent"] == 1
    assert connection.exports == 3


# -- order -----------------------------------------------------------------------------------


def test_the_newest_days_come_first_and_a_sync_that_was_broken_off_goes_on_backwards(
    connection: Connection,
) -> None:
    first = connection.sync()
    assert connection.ranges[0] == (ago(0), ago(0))
    begins = [begin for begin, _ in connection.ranges]
    assert begins == sorted(begins, reverse=True)
    rows, state = next(told for told in first.prefixes("export") if len(told[0]) > 60)
    connection.had = Counter(row["insert_id"] for row in rows)
    connection.state = [state]
    connection.pass_days(1)
    connection.sync()
    [new, young, *history, old] = connection.ranges
    assert connection.is_late == [False, True, *[False] * len(history), True]
    assert new == (ago(-1), ago(-1))
    assert young == (ago(28), ago(0))
    assert history[-1][0] == ago(YEAR - 1)
    ends = [end for _, end in history]
    assert ends == sorted(ends, reverse=True)
    assert old[1] == ago(29)
    had_once(connection)


def test_without_a_start_date_a_sync_that_was_broken_off_still_reads_a_year(
    connection: Connection,
) -> None:
    del connection.config["start_date"]
    first = connection.sync()
    rows, state = first.prefixes("export")[0]
    connection.had = Counter(row["insert_id"] for row in rows)
    assert 0 < len(connection.had) < YEAR
    connection.state = [state]
    connection.mixpanel.advance(7_200)
    connection.sync()
    had_once(connection)


def test_a_history_that_the_plan_does_not_reach_keeps_nothing_else_back(
    connection: Connection,
) -> None:
    connection.mixpanel.configure(history_days=40)
    out = connection.sync()
    assert out.code == 1
    assert set(connection.had) == {f"day-{n}" for n in range(41)}
    [error] = [e for e in out.errors if e.get("stream_descriptor")]
    assert error["failure_type"] == "config_error"
    assert f"lacks 324 of 365 days. {ago(364)} to {ago(41)}" in error["message"]
    connection.pass_days(1)
    connection.sync()
    assert connection.exports <= 16
    assert connection.had["fresh-1.00"] == 1
    connection.mixpanel.configure(history_days=None)
    connection.pass_days(1)
    assert connection.sync().code == 0
    had_once(connection)


# -- answers without events ------------------------------------------------------------------


@pytest.mark.parametrize("number", range(1, 9))
def test_one_false_answer_without_events_loses_nothing_at_any_place(
    connection: Connection, number: int
) -> None:
    connection.mixpanel.add_fault("empty_200", EXPORT, nth=number)
    late = [happened("late", 20, 20.9), happened("very late", 200, 200.9)]
    assert connection.sync().code == 0
    if number <= connection.exports:
        # History is whole when the first sync ends, if not the day that is not over.
        assert set(connection.had) >= {f"day-{n}" for n in range(1, YEAR)}
    connection.pass_days(1, *late)
    connection.sync()
    for _ in range(2):
        connection.pass_days(1)
        connection.sync()
    assert connection.mixpanel.faults()[0]["seen"] > number
    had_once(connection)


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_in_a_full_refresh_it_loses_nothing_either(connection: Connection, number: int) -> None:
    connection.mixpanel.add_fault("empty_200", EXPORT, nth=number)
    out = connection.sync(mode="full_refresh")
    assert out.code == 0
    assert connection.mixpanel.faults()[0]["seen"] > number
    had_once(connection)
    assert "empty" not in out.stream_state("export")
    assert "full_refresh" not in out.stream_state("export")


def test_days_without_events_are_asked_for_twice_in_all(project: Project) -> None:
    connection = Connection(project.using(start_date=ago(YEAR - 1)))
    connection.mixpanel.add_events([happened(f"day-{n}", n + 0.3) for n in range(5)])
    out = connection.sync()
    # 1, 4, 16 days and so on back to the first, and those of which nothing came once more.
    assert connection.exports == 7
    assert connection.ranges[-1][0] == ago(YEAR - 1)
    assert out.days_read("export")["covered"] == [[ago(YEAR - 1), ago(0)]]
    connection.pass_days(1)
    connection.sync()
    assert connection.exports == 3
    had_once(connection)


def test_today_is_asked_for_in_full_until_something_has_come(connection: Connection) -> None:
    connection.sync()
    connection.mixpanel.advance(86_400)
    connection.sync()
    assert connection.exports == 3
    assert connection.ranges[0] == (ago(-1), ago(-1))
    connection.pass_days(1)
    connection.sync()
    assert connection.ranges[:2] == [(ago(-2), ago(-2)), (ago(-1), ago(-1))]
    had_once(connection)


def test_what_was_empty_through_one_filter_is_not_known_to_be_so_through_another(
    project: Project,
) -> None:
    connection = Connection(project.using(start_date=ago(0)))
    project.mixpanel.add_events([happened("today", 0.2)])
    connection.config["export_events"] = ["Other"]
    connection.sync()
    del connection.config["export_events"]
    project.mixpanel.add_fault("empty_200", EXPORT, times=1)
    project.mixpanel.advance(3600)
    connection.sync()
    assert connection.had["today"] == 0
    project.mixpanel.advance(3600)
    connection.sync()
    assert connection.had["today"] == 1


# -- strain ----------------------------------------------------------------------------------


@pytest.fixture
def strained(project: Project) -> Connection:
    """A project of five years, of which Mixpanel manages 60 days in one request."""
    project.mixpanel.add_events([happened(f"day-{n}", n + 0.3) for n in range(0, FIVE_YEARS, 10)])
    project.mixpanel.add_fault("status", EXPORT, status=504, over_days=60)
    return Connection(project.using(start_date=ago(FIVE_YEARS - 1)))


def test_five_years_of_which_sixty_days_are_managed_take_forty_exports_and_then_six(
    strained: Connection,
) -> None:
    out = strained.sync()
    assert out.code == 0, out.log
    assert strained.exports <= 40
    had_once(strained)
    strained.mixpanel.advance(3600)
    strained.sync()
    assert strained.exports <= 2
    for _ in range(8):
        strained.pass_days(1)
        out = strained.sync()
        assert out.code == 0, out.log
        assert strained.exports <= 6
        assert "older days is left to the next syncs" in out.log
    had_once(strained)


def test_late_events_of_such_a_project_come_when_their_days_have_their_turn(
    strained: Connection,
) -> None:
    strained.sync()
    ages = (50, 500, 1000, 1800)
    strained.pass_days(1, *(happened(f"late-{n}", n, n + 0.9) for n in ages))
    for _ in range(12):
        strained.sync()
        strained.pass_days(1)
    assert all(strained.had[f"late-{n}"] == 1 for n in ages)


def test_a_full_refresh_of_such_a_project_begins_with_what_the_last_one_learned(
    strained: Connection,
) -> None:
    strained.sync(mode="full_refresh")
    assert strained.exports <= 40
    strained.had.clear()
    strained.sync(mode="full_refresh")
    over = [ends for ends in strained.ranges if days_in(ends) > 60]
    assert over == []
    had_once(strained)


def days_in(ends: tuple[str, str]) -> int:
    """How many days a range has."""
    first, last = map(date.fromisoformat, ends)
    return (last - first).days + 1
