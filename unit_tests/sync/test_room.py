"""The disk that slices take, downloaded and not yet emitted."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.sync.ahead import ahead
from source_mixpanel.sync.room import DEFAULT_BYTES, Room

_quick = settings(max_examples=60, deadline=None)
PATIENCE_S = 10.0


class Disk:
    """Counts what lies on it, and the most that ever did."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used = 0
        self.most = 0

    def change(self, size: int) -> None:
        with self._lock:
            self._used += size
            self.most = max(self.most, self._used)


def made(sizes: list[int], room: Room, disk: Disk) -> Iterator[int]:
    """Slices of these sizes, each on disk from when it is begun until it is done with."""
    for size in sizes:
        if not room.wait():
            return
        disk.change(size)
        room.take(size)
        yield size


@given(st.integers(0, 40), st.lists(st.integers(0, 100)), st.integers(1, 5))
@_quick
def test_slices_never_take_more_than_the_limit(half: int, shares: list[int], depth: int) -> None:
    room, disk = Room(2 * half), Disk()
    sizes = [min(share, room.largest) for share in shares]
    had = []
    for size in ahead(made(sizes, room, disk), depth=depth, discard=room.give_back):
        had.append(size)
        disk.change(-size)
        room.give_back(size)
    assert had == sizes
    most_at_once = 2 * half or max(sizes, default=0)
    assert disk.most <= most_at_once


def test_without_a_limit_for_others_none_is_begun_before_the_last_is_done_with() -> None:
    room = Room(0)
    begun = [threading.Event(), threading.Event()]

    def work() -> Iterator[int]:
        for event in begun:
            assert room.wait()
            event.set()
            room.take(7)
            yield 7

    items = ahead(work(), depth=1, discard=room.give_back)
    assert next(items) == 7
    assert not begun[1].wait(0.05)
    room.give_back(7)
    assert begun[1].wait(PATIENCE_S)
    assert next(items) == 7
    room.close()


def test_whoever_waits_for_room_is_let_go_when_nobody_wants_more() -> None:
    room = Room(10)
    room.take(6)
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(room.wait()))
    waiting.start()
    room.close()
    waiting.join(PATIENCE_S)
    assert answers == [False]


def test_one_slice_may_take_half() -> None:
    assert Room(10).largest == 5
    assert Room(0).largest == DEFAULT_BYTES // 2
