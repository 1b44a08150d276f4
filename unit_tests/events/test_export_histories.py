"""Made-up histories of arrival: whatever comes late, and whenever a sync runs, nothing is lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unit_tests.builders import DAY_MS
from unit_tests.harness import rfc3339
from unit_tests.project import Project

EXAMPLES = int(os.environ.get("SOAK_EXAMPLES", "6"))
START = datetime(2026, 3, 1, tzinfo=timezone.utc)
START_MS = int(START.timestamp() * 1000)
HOUR_MS = 3_600_000
LOOK_BACK_DAYS = 3
DAYS = 8
PROJECTS = [
    ("utc", "America/Los_Angeles"),
    ("local", "America/Los_Angeles"),
    ("local", "Pacific/Kiritimati"),
]
START_DATE = "2026-02-28"
"""No later than the first event by any of these clocks."""


@dataclass(frozen=True)
class Arrival:
    """One event, in milliseconds from the start: happened, then processed, then shown."""

    number: int
    happened: int
    processed: int
    shown: int
    tells: bool
    """Whether it says when it was processed."""

    def event(self) -> dict[str, Any]:
        """As the local Mixpanel takes it; what it does not show yet it holds back."""
        properties = {
            "time": START_MS + self.happened,
            "distinct_id": "u",
            "$insert_id": f"a-{self.number}",
            "mp_processing_time_ms": START_MS + self.processed if self.tells else None,
        }
        shown = START_MS + self.shown
        return {"event": "Tick", "properties": properties, "visible_at_ms": shown}


@st.composite
def arrivals(draw: st.DrawFn) -> list[Arrival]:
    """Events that come promptly, within the hour, or as late as a week."""
    made = []
    for number in range(draw(st.integers(3, 12))):
        happened = draw(st.integers(0, DAYS * DAY_MS - 1))
        tells = draw(st.integers(0, 3)) > 0
        # What does not say when it was processed can be found by its day alone.
        latest = DAYS - 1 if tells else LOOK_BACK_DAYS - 1
        late = draw(st.just(1000) | st.integers(0, HOUR_MS) | st.integers(0, latest * DAY_MS))
        hidden = draw(st.integers(0, 45 * 60_000))
        processed = happened + late
        made.append(Arrival(number, happened, processed, processed + hidden, tells))
    return made


moments = st.lists(st.integers(DAY_MS // 2, 2 * DAYS * DAY_MS), max_size=3, unique=True).map(sorted)
END = (2 * DAYS + 2) * DAY_MS


@dataclass
class History:
    """What each sync of a history brought."""

    had: dict[str, list[int]]
    """When each event came, in milliseconds from the start."""
    first_days: list[str]
    """The first day of each request."""

    def times(self, arrival: Arrival) -> list[int]:
        """When an event came."""
        return self.had.get(f"a-{arrival.number}", [])


_STREAM: dict[str, Any] = {}
"""What is discovered; no column of these events is a surprise."""


@pytest.fixture
def live(project: Project) -> Callable[..., History]:
    """Runs a history."""

    def run(
        world: tuple[str, str], made: list[Arrival], syncs: list[int], **choices: Any
    ) -> History:
        kind, zone = world
        project.mixpanel.reset()
        project.mixpanel.configure(project_kind=kind, timezone=zone)
        project.mixpanel.set_clock("2026-02-27T00:00:00Z")
        project.mixpanel.add_events([arrival.event() for arrival in made])
        spelt = {"utc": "utc", "local": "project_time"}[kind]
        chosen = project.using(start_date=START_DATE, event_timestamps=spelt, **choices)
        if not _STREAM:
            _STREAM.update(chosen.discover()["export"])
        project.mixpanel.clear_journal()
        truth = {f"a-{a.number}": rfc3339(START_MS + a.happened) for a in made}
        had: dict[str, list[int]] = {}
        state = None
        for moment in [*syncs, END]:
            project.mixpanel.set_clock(
                (START + timedelta(milliseconds=moment)).isoformat(), frozen=True
            )
            out = chosen.sync(_STREAM, state=state, quick_s=0.0)
            assert out.code == 0, out.log
            for row in out.records():
                assert row["time"] == truth[row["insert_id"]]
                had.setdefault(row["insert_id"], []).append(moment)
            state = out.state_file()
        requests = project.asked("/api/2.0/export")
        return History(had, [entry["query"]["from_date"] for entry in requests])

    return run


@given(st.sampled_from(PROJECTS), arrivals(), moments)
@settings(max_examples=EXAMPLES)
def test_by_processing_time_every_event_comes_and_outside_the_overlap_once(
    live: Callable[..., History],
    world: tuple[str, str],
    made: list[Arrival],
    syncs: list[int],
) -> None:
    history = live(world, made, syncs, attribution_window=LOOK_BACK_DAYS)
    for arrival in made:
        times = history.times(arrival)
        assert times, f"{arrival} was lost"
        assert len(times) == len(set(times)), f"{arrival} came twice in one sync"
        covered = [moment for moment in times if moment > arrival.processed + HOUR_MS]
        assert len(covered) <= 1 or not arrival.tells, f"{arrival} came again"
    assert min(history.first_days) >= START_DATE


@given(st.sampled_from(PROJECTS), arrivals(), moments)
@settings(max_examples=EXAMPLES)
def test_rereading_brings_every_event_that_is_shown_within_the_window(
    live: Callable[..., History],
    world: tuple[str, str],
    made: list[Arrival],
    syncs: list[int],
) -> None:
    choices = {"late_events": "reread_window", "attribution_window": LOOK_BACK_DAYS}
    history = live(world, made, syncs, **choices)
    for arrival in made:
        times = history.times(arrival)
        in_time = arrival.shown <= arrival.happened + (LOOK_BACK_DAYS - 1) * DAY_MS
        assert times or not in_time, f"{arrival} was lost"
        assert len(times) == len(set(times)), f"{arrival} came twice in one sync"
    assert min(history.first_days) >= START_DATE
