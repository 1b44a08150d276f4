"""Lines made of a window that waits: when, by whom, and what they take of the disk."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_mixpanel.api.disk import DiskBudget, DroppedError, Share
from source_mixpanel.api.spool import Body, Spool, lines_between, spool_body
from source_mixpanel.columns.privacy import Privacy
from source_mixpanel.columns.properties import Shape
from source_mixpanel.events.line_maker import Rendering
from source_mixpanel.events.pool import Pool, Worker
from source_mixpanel.events.rendering import RenderAhead
from source_mixpanel.times.clock import SystemClock
from source_mixpanel.times.days import Days

COUNT, EVER = 9_000, 1 << 62
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


def _waits(ahead: RenderAhead, number: int) -> bool:
    return ahead.waiting == number


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, for some seconds at the most."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


def _body(share: Share) -> Spool:
    """Some 14 MB of events."""
    lines = [
        {"event": "E", "properties": {"time": TIME_MS, "$insert_id": str(n), "text": "x" * 1500}}
        for n in range(COUNT)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines).encode()
    spool = spool_body([gzip.compress(text, 1)], gzipped=True, what="A window", share=share)
    _made.append(spool)
    return spool


@pytest.fixture(params=[1, 3])
def pool(request: pytest.FixtureRequest) -> Pool:
    """Some workers at the most."""
    return Pool(RENDERING, request.param)


@pytest.fixture
def disk() -> DiskBudget:
    """More than enough."""
    return DiskBudget(100_000_000)


@pytest.fixture
def ahead(pool: Pool, disk: DiskBudget) -> Iterator[RenderAhead]:
    """Not told yet how times are read."""
    with closing(RenderAhead(pool, disk, SystemClock(), print)) as made:
        yield made


def test_where_times_are_known_the_events_give_way_to_their_lines(
    disk: DiskBudget, ahead: RenderAhead
) -> None:
    share = disk.share()
    ahead.read_times_by(Days("project_time", NEW_YORK))
    spool = _body(share)
    made = ahead.rendered(spool, share)
    assert {each.zone for each in made} == {NEW_YORK}
    assert sum(each.found.seen for each in made) == COUNT
    lines = b"".join(b"".join(each.body.blocks()) for each in made).splitlines()
    rows = [json.loads(line)["record"]["data"] for line in lines]
    assert [row["insert_id"] for row in rows] == [str(n) for n in range(COUNT)]
    assert rows[0]["time"] == "2026-03-10T16:00:00.000Z"
    with pytest.raises(ValueError, match="closed"):
        list(spool.blocks())
    assert disk.waiting == sum(each.body.stored for each in made)
    for each in made:
        each.body.close()
    assert disk.waiting == 0


def test_where_they_are_not_the_events_stay_beside_them(
    disk: DiskBudget, ahead: RenderAhead
) -> None:
    share = disk.share()
    ahead.read_times_by(Days(None, NEW_YORK))
    spool = _body(share)
    made = ahead.rendered(spool, share)
    assert {each.zone for each in made} == {None}
    assert sum(block.count(b"\n") for block in spool.blocks()) == COUNT
    assert disk.waiting == sum(each.body.stored for each in made) + spool.stored
    for each in made:
        each.body.close()


def test_nothing_is_made_before_it_is_known_how_times_are_read(
    disk: DiskBudget, ahead: RenderAhead
) -> None:
    share = disk.share()
    spool, made = _body(share), threading.Event()

    def make() -> None:
        for each in ahead.rendered(spool, share):
            each.body.close()
            made.set()

    thread = threading.Thread(target=make)
    thread.start()
    assert not made.wait(0.1)
    ahead.read_times_by(Days("utc", None))
    assert made.wait(PATIENCE_S)
    thread.join()


def test_what_is_emitted_next_is_made_by_whoever_emits_it(
    disk: DiskBudget, ahead: RenderAhead
) -> None:
    share = disk.share()
    spool = _body(share)
    # As when the consumer gets to it while it waits.
    threading.Timer(0.05, share.is_next).start()
    assert ahead.rendered(spool, share) == []
    assert sum(block.count(b"\n") for block in spool.blocks()) == COUNT


def test_a_window_that_nobody_wants_any_more_takes_no_worker(
    disk: DiskBudget, ahead: RenderAhead, pool: Pool
) -> None:
    ahead.read_times_by(Days("utc", None))
    full = disk.share()
    share = disk.share()
    spool = _body(share)
    full.resize(disk.half)
    threading.Timer(0.05, share.drop).start()
    with pytest.raises(DroppedError):
        ahead.rendered(spool, share)
    assert pool.has_one


def test_a_window_that_has_no_room_for_its_lines_keeps_its_events(
    disk: DiskBudget, ahead: RenderAhead, pool: Pool
) -> None:
    share = disk.share(max_bytes=10)
    spool = _body(disk.share())
    share.resize(spool.stored)
    ahead.read_times_by(Days("utc", None))
    assert ahead.rendered(spool, share) == []
    assert sum(block.count(b"\n") for block in spool.blocks()) == COUNT
    assert pool.has_one


def test_of_what_is_emitted_next_other_processes_make_all_but_the_first_portion(
    disk: DiskBudget, ahead: RenderAhead, pool: Pool
) -> None:
    spool = _body(disk.share())
    portions = ahead.helped(spool, Days("utc", None))
    assert len(portions) == pool.size - 1
    first = portions[0].lines[0] if portions else COUNT
    texts = [*lines_between(spool.blocks(), 0, first)]
    seen = b"".join(texts).count(b"\n")
    for portion in portions:
        made = portion.made.result(PATIENCE_S)
        assert made is not None
        assert made.found.seen == sum(
            block.count(b"\n") for block in lines_between(spool.blocks(), *portion.lines)
        )
        seen += made.found.seen
        portion.drop()
    assert seen == COUNT


def test_a_worker_goes_to_the_window_that_is_emitted_first(disk: DiskBudget) -> None:
    pool = Pool(RENDERING, 1)
    sooner, later = disk.share(), disk.share()
    spools = {sooner: _body(sooner), later: _body(later)}
    made: list[Share] = []
    with closing(RenderAhead(pool, disk, SystemClock(), print)) as ahead:
        ahead.read_times_by(Days("utc", None))
        with disk.changed:
            pool.take()

        def make(share: Share) -> None:
            for each in ahead.rendered(spools[share], share):
                made.append(share)
                each.body.close()

        threads = [threading.Thread(target=make, args=(share,)) for share in (later, sooner)]
        for number, thread in enumerate(threads, start=1):
            thread.start()
            wait_until(partial(_waits, ahead, number))
        with disk.changed:
            # The one that was lent out comes back.
            pool.give_back(Worker(RENDERING))
            disk.changed.notify_all()
        for thread in threads:
            thread.join(PATIENCE_S)
    assert made == [sooner, later]


def test_workers_are_started_for_what_is_on_its_way(disk: DiskBudget) -> None:
    pool = Pool(RENDERING, 2)
    with closing(RenderAhead(pool, disk, SystemClock(), print)) as ahead:
        ahead.expect(1000)
        assert pool.wanted(2) == 2
        ahead.expect(100_000_000)
        ahead.expect(100_000_000)
        assert pool.wanted(2) == 0
        wait_until(lambda: pool.has_one)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=12), st.integers(0, 40), st.integers(0, 40))
def test_lines_between_two_numbers_are_those_and_no_others(
    sizes: list[int], first: int, last: int
) -> None:
    numbers = iter(range(sum(sizes)))
    blocks = [b"".join(b"%d\n" % next(numbers) for _ in range(size)) for size in sizes]
    lines = b"".join(blocks).splitlines()
    had = b"".join(lines_between(blocks, first, last)).split()
    assert had == lines[first:last]
