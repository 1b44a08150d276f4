"""Raw events within a limit of disk: nothing lost, however little there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from source_mixpanel.api.disk import DiskBudget, Share
from source_mixpanel.api.ledger import Ledger
from source_mixpanel.api.patience import Patience
from source_mixpanel.api.quota import export_quota
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.errors import TooLargeError
from source_mixpanel.events.plan import ReadPlan
from source_mixpanel.events.request import ExportFilter
from source_mixpanel.events.slices import Limits, SliceSource
from source_mixpanel.events.state import ExportState
from source_mixpanel.streams.base import StreamContext
from source_mixpanel.streams.coverage import Span
from source_mixpanel.times.clock import Clock, ServerTime
from source_mixpanel.times.days import Days
from unit_tests.harness import multiset
from unit_tests.project import Project

EVENTS, DAYS = 12_000, 2


@pytest.fixture
def project(project: Project) -> Project:
    """Two days, each with more compressed bytes than half of a megabyte."""
    project.mixpanel.seed(11, events=EVENTS, days=DAYS, profiles=50)
    project.config.update(start_date="2026-03-05", event_timestamps="utc")
    project.discover()
    return project


def test_a_day_larger_than_the_disk_is_read_in_parts(project: Project) -> None:
    out = project.using(download_ahead_mb=1).sync("export")
    assert out.code == 0, out.log
    assert multiset(out.records("export")) == project.expected_export()
    assert "larger than the 0.5 MB of disk that it may take. Asking for 2026-03-10" in out.log
    assert "Trying again" not in out.log


def test_without_download_ahead_the_same_comes_out(project: Project) -> None:
    out = project.using(download_ahead_mb=0).sync("export")
    assert out.code == 0, out.log
    assert multiset(out.records("export")) == project.expected_export()
    assert "larger than" not in out.log


# -- sizes that no test can send: the same decisions, with a Mixpanel that only tells sizes ----

FIRST = date(2025, 1, 1)
MB = 1_000_000
HOUR_S, DAY_S = 3600, 86_400


@dataclass
class _Sized:
    """What a downloaded body would be."""

    stored: int
    share: Share
    lines: int = 1

    def close(self) -> None:
        """Give the disk back."""
        self.share.give_back()


@dataclass
class Sizes:
    """Tells what windows would take on disk, events being spread evenly over each day."""

    day_bytes: Callable[[date], int]
    had: list[tuple[int, bool]] = field(default_factory=list)
    patience: Patience = field(default_factory=lambda: Patience(quick_s=2.0))
    refused: int = 0

    def spool(
        self, request: ApiRequest, *, share: Share, sent: Callable[[], None], **_: object
    ) -> _Sized:
        """As the client's; how often it tries matters not."""
        sent()
        first, last = (date.fromisoformat(request.params[k]) for k in ("from_date", "to_date"))
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        part = _share_of_day(request.params.get("where", ""), first)
        stored = sum(int(self.day_bytes(day) * part) for day in days)
        try:
            share.take(stored, "It")
        except TooLargeError:
            self.refused += 1
            raise
        self.had.append((stored, len(days) == 1 and part * DAY_S <= HOUR_S))
        return _Sized(stored, share)


def _share_of_day(where: str, day: date) -> float:
    """How much of a day lies between two `datetime(...)` of a filter."""
    midnight = (day - date(1970, 1, 1)).days * DAY_S
    since, until = 0, DAY_S
    for term in filter(None, where.split(" and ")):
        seconds = int(term.partition("datetime(")[2].partition(")")[0]) - midnight
        since, until = (seconds, until) if ">=" in term else (since, seconds)
    return (until - since) / DAY_S


@dataclass
class _Still:
    """A clock that shows how long a download would take."""

    seconds: float = 1.0

    def now(self) -> float:
        """The epoch's beginning, and what has gone by."""
        return self.seconds

    def wait(self, seconds: float, on: object = None) -> None:
        """Nobody waits."""

    def monotonic(self) -> float:
        """Seconds, one more each time."""
        self.seconds += 1
        return self.seconds


def read_all(sizes: Sizes, days: int, limit: int) -> list[int]:
    """The bytes of each window of so many days, with so much disk."""
    clock = _Still()
    ledgers = {Api.EXPORT: Ledger(export_quota(100_000), cast("Clock", clock), lambda _: None)}
    disk = DiskBudget(limit)
    held = {"client": sizes, "clock": clock, "time": ServerTime(clock), "ledgers": ledgers}
    held["disk"] = disk
    last = FIRST + timedelta(days=days - 1)
    plan = ReadPlan(ExportState(), [Span(FIRST, last)])
    source = SliceSource(
        cast("StreamContext", type("Shop", (), held)()),
        plan,
        wanted=ExportFilter(),
        days=Days("utc", None),
        limits=Limits(None, 25),
        ahead=None,
        log=lambda _: None,
    )
    taken = []
    for whole in source.slices(plan, lambda _: last):
        taken.append(whole.held.spool.stored)
        whole.held.spool.close()
    assert disk.waiting == 0
    return taken


@given(
    st.lists(st.sampled_from([0, 1, 10, 200, 900]), min_size=1, max_size=10),
    st.sampled_from([20, 50, 1000]),
)
@example([210] * 60, 1000)
@settings(max_examples=15, deadline=None)
def test_no_window_is_larger_than_the_disk_can_hold(volumes: list[int], limit_mb: int) -> None:
    sizes = Sizes(lambda day: volumes[(day - FIRST).days] * MB)
    taken = read_all(sizes, len(volumes), limit_mb * MB)
    for stored, smallest in sizes.had:
        assert smallest or stored <= limit_mb * MB // 2
    # Parts of a day are whole bytes here, so each may lose one of them to rounding.
    assert sum(volumes) * MB - sum(taken) <= len(taken)


def test_a_year_of_two_million_events_a_day_takes_a_request_a_day() -> None:
    sizes = Sizes(lambda _: 210 * MB)
    assert read_all(sizes, 365, 1000 * MB) == [210 * MB] * 365
    assert sizes.refused == 0


def test_days_that_are_too_large_are_found_out_once_and_one_such_day_is_forgotten() -> None:
    busy = Sizes(lambda _: 900 * MB)
    assert len(read_all(busy, 100, 1000 * MB)) == 200
    assert busy.refused == 1
    newest = FIRST + timedelta(days=99)
    calm = Sizes(lambda day: (900 if day == newest else 20) * MB)
    taken = read_all(calm, 100, 1000 * MB)
    # Once more, among those that were asked for before one like them had come.
    assert calm.refused <= 2
    assert len(taken) < 48
