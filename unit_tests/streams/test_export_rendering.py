"""Lines made of a window that waits: when, by whom, and what they take of the disk."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from zoneinfo import ZoneInfo

import pytest

from source_mixpanel.api.disk import Disk, DroppedError, Share
from source_mixpanel.api.spool import Body, Spool, spool_body
from source_mixpanel.clock import SystemClock
from source_mixpanel.process.pool import Pool
from source_mixpanel.records.columns import Shape
from source_mixpanel.records.privacy import Privacy
from source_mixpanel.records.rendering import Rendering
from source_mixpanel.streams.export_rendering import RenderAhead
from source_mixpanel.sync.days import Days

COUNT, EVER = 3_000, 1 << 62
TIME_MS = 1_773_144_000_000
NEW_YORK = ZoneInfo("America/New_York")
PATIENCE_S = 20.0
TEXT = {"type": ["null", "string"]}
COLUMNS = ("event_key", "event", "time", "distinct_id", "insert_id", "text")
SCHEMA = {"properties": {**dict.fromkeys(COLUMNS, TEXT), "rescued_properties": {"type": "object"}}}
RENDERING = Rendering("export", SCHEMA, Shape(), Privacy(), (), (-EVER, EVER))


_made: list[Body] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while _made:
        _made.pop().close()


def _body(share: Share) -> Spool:
    """Some 4.5 MB of events."""
    lines = [
        {"event": "E", "properties": {"time": TIME_MS, "$insert_id": str(n), "text": "x" * 1500}}
        for n in range(COUNT)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines).encode()
    spool = spool_body([gzip.compress(text, 1)], gzipped=True, what="A window", share=share)
    _made.append(spool)
    return spool


@pytest.fixture
def pool() -> Iterator[Pool]:
    """A worker at the most."""
    with closing(Pool(RENDERING, 1, print)) as made:
        yield made


def test_where_times_are_known_the_events_give_way_to_their_lines(pool: Pool) -> None:
    disk = Disk(100_000_000)
    share = disk.share()
    ahead = RenderAhead(pool, disk, SystemClock())
    ahead.read_times_by(Days("project_time", NEW_YORK))
    spool = _body(share)
    rendered = ahead.rendered(spool, share)
    assert rendered is not None
    assert (rendered.zone, rendered.found.seen) == (NEW_YORK, COUNT)
    lines = b"".join(rendered.body.blocks()).splitlines()
    rows = [json.loads(line)["record"]["data"] for line in lines]
    assert [row["insert_id"] for row in rows] == [str(n) for n in range(COUNT)]
    assert rows[0]["time"] == "2026-03-10T16:00:00.000Z"
    with pytest.raises(ValueError, match="closed"):
        list(spool.blocks())
    assert disk.waiting == rendered.body.stored
    rendered.body.close()
    assert disk.waiting == 0


def test_where_they_are_not_the_events_stay_beside_them(pool: Pool) -> None:
    disk = Disk(100_000_000)
    share = disk.share()
    ahead = RenderAhead(pool, disk, SystemClock())
    ahead.read_times_by(Days(None, NEW_YORK))
    spool = _body(share)
    rendered = ahead.rendered(spool, share)
    assert rendered is not None
    assert rendered.zone is None
    assert sum(block.count(b"\n") for block in spool.blocks()) == COUNT
    assert disk.waiting == rendered.body.stored + spool.stored
    rendered.body.close()


def test_nothing_is_made_before_it_is_known_how_times_are_read(pool: Pool) -> None:
    disk = Disk(100_000_000)
    share = disk.share()
    ahead = RenderAhead(pool, disk, SystemClock())
    spool, made = _body(share), threading.Event()

    def make() -> None:
        rendered = ahead.rendered(spool, share)
        assert rendered is not None
        rendered.body.close()
        made.set()

    thread = threading.Thread(target=make)
    thread.start()
    assert not made.wait(0.1)
    ahead.read_times_by(Days("utc", None))
    assert made.wait(PATIENCE_S)
    thread.join()


def test_what_is_emitted_next_is_made_by_whoever_emits_it(pool: Pool) -> None:
    disk = Disk(100_000_000)
    share = disk.share()
    ahead = RenderAhead(pool, disk, SystemClock())
    spool = _body(share)
    # As when the consumer gets to it while it waits.
    threading.Timer(0.05, share.is_next).start()
    assert ahead.rendered(spool, share) is None
    assert sum(block.count(b"\n") for block in spool.blocks()) == COUNT


def test_a_window_that_nobody_wants_any_more_gives_its_worker_back(pool: Pool) -> None:
    disk = Disk(100_000_000)
    ahead = RenderAhead(pool, disk, SystemClock())
    ahead.read_times_by(Days("utc", None))
    full = disk.share()
    share = disk.share()
    spool = _body(share)
    full.resize(disk.half)
    threading.Timer(0.05, share.drop).start()
    with pytest.raises(DroppedError):
        ahead.rendered(spool, share)
    assert pool.has_one


def test_a_window_that_has_no_room_for_its_lines_keeps_its_events(pool: Pool) -> None:
    disk = Disk(100_000_000)
    share = disk.share(most=10)
    spool = _body(disk.share())
    share.resize(spool.stored)
    ahead = RenderAhead(pool, disk, SystemClock())
    ahead.read_times_by(Days("utc", None))
    assert ahead.rendered(spool, share) is None
    assert sum(block.count(b"\n") for block in spool.blocks()) == COUNT
    assert pool.has_one
