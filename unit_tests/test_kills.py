"""A sync that is killed anywhere and resumed from the last state it printed loses nothing.

`make soak` kills some hundreds of times; an ordinary run a few.
"""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from source_mixpanel.source import SourceMixpanel
from unit_tests.builders import DAY_MS, NOON_10_MARCH_MS, REPORTS
from unit_tests.harness import Output, multiset, without_marks
from unit_tests.project import Project, Streams

KILLS = int(os.environ.get("SOAK_KILLS", "1"))
SIGNALS = (signal.SIGKILL, signal.SIGTERM)
_NOBODY = {"credentials": {"username": "u", "secret": "s", "project_id": 1}, "reports": REPORTS}
WAYS = [
    (stream.name, mode)
    for stream in SourceMixpanel().streams(_NOBODY)
    for mode in ("full_refresh", "incremental")
    if mode == "full_refresh" or stream.supports_incremental
]
Rows = list[dict[str, Any]]
State = list[dict[str, Any]]


def history(count: int) -> list[dict[str, Any]]:
    """Events of nine days, all processed long before the hour in which two syncs overlap."""
    chance = random.Random(5)  # noqa: S311 - a made-up history, the same each time
    events = []
    for n in range(count):
        ms = NOON_10_MARCH_MS - 3 * 3_600_000 - chance.randrange(9 * DAY_MS)
        sent = {"$mp_api_timestamp_ms": ms + 1000, "mp_processing_time_ms": ms + 2000}
        plain = {"time": ms, "distinct_id": f"u-{n % 50}", "$insert_id": f"i-{n}", "n": n}
        events.append({"event": f"Event {n % 7}", "properties": {**plain, **sent}})
    return events


def committed(raw: bytes) -> tuple[Rows, State | None]:
    """The records before the last whole state line, and that state."""
    rows: Rows = []
    safe, state = 0, None
    for line in raw.split(b"\n")[:-1]:
        entry = json.loads(line)
        if entry["type"] == "RECORD":
            rows.append(entry["record"]["data"])
        if entry["type"] == "STATE":
            safe, state = len(rows), [entry["state"]]
    return rows[:safe], state


def blob(state: State) -> dict[str, Any]:
    """What a stream itself keeps in its state."""
    return dict(state[0]["stream"]["stream_state"])


@dataclass
class Survivor:
    """Syncs of one stream that are killed at random bytes of their output.

    Attributes:
        catalog: With that stream alone.
        folder: Where the connector puts temporary files.
        whole: A sync that nobody killed.
        is_over: Whether the sync that printed a state had nothing more to read.
        kills: How often one was killed.
    """

    project: Project
    catalog: dict[str, Any]
    folder: Path
    whole: Output
    is_over: Callable[[dict[str, Any]], bool]
    kills: int = 0

    def get_through(self, chance: random.Random) -> Rows:
        """The records that states stand for, of a sync begun again until it gets through."""
        rows: Rows = []
        state: State | None = None
        while True:
            out, number = self._run(chance, state)
            self._look_for_remains()
            if out.code == 0:
                return rows + out.records()
            assert out.code == -number
            self.kills += 1
            done, latest = committed(out.raw)
            rows += done
            state = latest or state
            if state and self.is_over(blob(state)):
                # Killed on its way out: a further full refresh would be a new one.
                return rows

    def _look_for_remains(self) -> None:
        """No record stays on disk: what is left are empty directories of Airbyte's CDK.

        And a word of Python's own, if the kill came while it looked for a directory to write to.
        """
        for left in self.folder.iterdir():
            if left.is_file() and left.read_bytes() in (b"", b"blat"):
                left.unlink()
            else:
                left.rmdir()

    def _run(self, chance: random.Random, state: State | None) -> tuple[Output, signal.Signals]:
        """One run, killed unless it is faster."""
        env = {"TMPDIR": str(self.folder)}
        running = self.project.start(
            "read", catalog=self.catalog, state=state, skip_waits=True, quick_s=0.0, env=env
        )
        # By bytes, not by time: however slow the machine, some runs get further than others.
        point, number = chance.randrange(len(self.whole.raw)), chance.choice(SIGNALS)
        running.wait_for(point)
        if running.alive():
            running.kill(number)
        return running.end(), number


@pytest.mark.parametrize("mode", ["full_refresh", "incremental"])
def test_the_union_of_killed_and_resumed_exports_is_the_whole(
    project: Project, tmp_path: Path, mode: str, record_property: Callable[[str, int], None]
) -> None:
    project.mixpanel.add_events(history(3000))
    project.config.update(start_date="2026-02-28", date_window_size=1, event_timestamps="utc")
    catalog = project.catalog("export", mode=mode)
    whole = project.run("read", catalog=catalog)
    want = project.expected_export()
    assert multiset(whole.records()) == want

    def is_over(state: dict[str, Any]) -> bool:
        [begin, *_], [_, end, _] = state["covered"][0], state["covered"][-1]
        # The first day is the last one to be read.
        return "full_refresh" not in state and (begin, end) == ("2026-02-28", "2026-03-10")

    survivor = Survivor(project, catalog, tmp_path, whole, is_over)
    chance = random.Random(mode)  # noqa: S311 - as above
    compared = 0
    while survivor.kills < 4 * KILLS:
        rows = survivor.get_through(chance)
        assert multiset(rows) == want
        compared += len(rows)
    record_property("kills survived", survivor.kills)
    record_property("records compared", compared)


_STREAMS: Streams = {}


@pytest.fixture
def shop(project: Project) -> None:
    """A world that stands still, with several slices for every stream that has more than one."""
    project.mixpanel.seed(11, events=120, days=4, profiles=60)
    project.mixpanel.set_clock("2026-03-10T14:00:00Z", frozen=True)
    project.mixpanel.configure(query_latency=0.01, app_page_size=3)
    project.config.update(
        start_date="2026-03-06", page_size=10, date_window_size=1, attribution_window=0
    )
    project.config["reports"] = REPORTS


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(("name", "mode"), [way for way in WAYS if way[0] != "export"])
def test_a_killed_sync_of_any_stream_goes_on_and_loses_nothing(
    project: Project,
    tmp_path: Path,
    name: str,
    mode: str,
    record_property: Callable[[str, int], None],
) -> None:
    if not _STREAMS:
        _STREAMS.update(project.discover())
    catalog = project.catalog(_STREAMS[name], mode=mode)
    whole = project.run("read", catalog=catalog)
    assert whole.code == 0, whole.log
    want, last = multiset(whole.records()), whole.days_read(name)
    survivor = Survivor(
        project, catalog, tmp_path, whole, lambda state: without_marks(state) == last
    )
    chance = random.Random(name + mode)  # noqa: S311 - as above
    compared = 0
    while survivor.kills < KILLS:
        got = multiset(survivor.get_through(chance))
        assert not want - got, "records were lost"
        assert set(got) == set(want), "records were made up"
        assert mode == "incremental" or got == want, "records came twice"
        compared += sum(got.values())
    record_property("kills survived", survivor.kills)
    record_property("records compared", compared)
