"""Lines of events that other processes make: of windows that wait, and of a part of the next."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

from source_mixpanel.api.disk import DiskBudget, Share
from source_mixpanel.api.spool import Body, Spool, new_file
from source_mixpanel.errors import SourceError, TooLargeError
from source_mixpanel.events.clock_kind import Log
from source_mixpanel.events.pool import Pool, Worker, WorkerError
from source_mixpanel.events.rows import Found
from source_mixpanel.events.worker import Task
from source_mixpanel.threads.tasks import started
from source_mixpanel.times.clock import Clock
from source_mixpanel.times.days import Days

_WORTH = 4_000_000
"""Bytes of events that are worth the way to another process."""
_LAST = 1 << 62


@dataclass(frozen=True)
class Rendered:
    """Lines ready to be written.

    Attributes:
        zone: The zone that times were read in, None for UTC.
        found: What the events have told.
    """

    body: Body
    zone: ZoneInfo | None
    found: Found


@dataclass(frozen=True)
class Portion:
    """Some of a window's events, which another process makes lines of.

    Attributes:
        lines: The number of the first, from 0, and the one after the last.
        made: Their lines; None if they could not be made.
    """

    lines: tuple[int, int]
    made: Future[Rendered | None]

    def drop(self) -> None:
        """Give the disk back, now or as soon as they are made."""
        self.made.add_done_callback(_close)


class RenderAhead:
    """Has lines made beside this process. Thread safe.

    Of windows that wait all lines are made, once it is known how times are read. Of a window that
    is emitted next, the first lines are made where they leave, and the others meanwhile.
    """

    def __init__(self, pool: Pool, disk: DiskBudget, clock: Clock, log: Log) -> None:
        self._pool = pool
        self._disk = disk
        self._clock = clock
        self._log = log
        self._days: Days | None = None
        self._waiting: list[Share] = []

    def close(self) -> None:
        """End the other processes; those at work end with what they do."""
        with self._disk.changed:
            idle = self._pool.closed()
            self._disk.changed.notify_all()
        for worker in idle:
            worker.close()

    @property
    def waiting(self) -> int:
        """How many portions wait for a process."""
        return len(self._waiting)

    def read_times_by(self, days: Days) -> None:
        """How times are read from now on, by what is known."""
        with self._disk.changed:
            self._days = days
            self._disk.changed.notify_all()

    def expect(self, size: int) -> None:
        """Start processes for so many bytes of events, which are on their way."""
        with self._disk.changed:
            new = [self._pool.take() for _ in range(self._pool.wanted(size // _WORTH))]
        for hire in new:
            started(partial(self._lent, hire, _look_at))

    def rendered(self, spool: Spool, share: Share) -> list[Rendered]:
        """The lines of a window that waits; none if they are to be made when it is emitted.

        The events give way to them where nothing can make them wrong any more.
        """
        if spool.size < _WORTH:
            return []
        with self._disk.changed:
            if not share.waits_for(lambda: self._days is not None and self._pool.size > 0):
                return []
            days = self._days or Days(None, None)
        try:
            # What is compressed as quickly as that takes about as much again.
            share.take(2 * spool.stored, "A window")
        except TooLargeError:
            return []
        portions = [self._begun(spool, share, days, lines) for lines in self._parts(spool)]
        made = [each for portion in portions if (each := portion.made.result()) is not None]
        if len(made) < len(portions) or sum(each.found.seen for each in made) != spool.lines:
            for each in made:
                each.body.close()
            share.resize(spool.stored)
            return []
        stays = 0 if days.kind is not None else spool.stored
        if not stays:
            spool.give_way()
        share.resize(stays + sum(each.body.stored for each in made))
        return made

    def helped(self, spool: Spool, days: Days) -> list[Portion]:
        """Other processes' portions of a window that is emitted next; none if it is not worth it.

        The first one is left to whoever emits it.
        """
        share = self._disk.share()
        share.is_next()
        return [self._begun(spool, share, days, lines) for lines in self._parts(spool)[1:]]

    def _parts(self, spool: Spool) -> list[tuple[int, int]]:
        """Which lines each portion has; the last one all that is left."""
        count = max(1, min(self._pool.size, spool.size // _WORTH))
        bounds = [spool.lines * number // count for number in range(count)]
        return list(pairwise([*bounds, _LAST]))

    def _begun(self, spool: Spool, share: Share, days: Days, lines: tuple[int, int]) -> Portion:
        return Portion(lines, started(partial(self._made, spool, share, days, lines)))

    def _made(
        self, spool: Spool, share: Share, days: Days, lines: tuple[int, int]
    ) -> Rendered | None:
        """The lines of some events; None if no worker can make them."""
        changed, pool = self._disk.changed, self._pool
        with changed:
            self._waiting.append(share)
            changed.wait_for(
                lambda: (
                    not pool.size or share.is_dropped or (pool.has_one and self._is_first(share))
                )
            )
            self._waiting.remove(share)
            changed.notify_all()
            if not pool.size or share.is_dropped:
                return None
            hire = pool.take()
        return self._lent(hire, partial(self._made_by, spool, share, days, lines))

    def _lent(
        self, hire: Callable[[], Worker], use: Callable[[Worker], Rendered | None]
    ) -> Rendered | None:
        """What comes of a worker's use, after which it is given back; None if it fails."""
        changed, pool = self._disk.changed, self._pool
        worker, why = None, None
        try:
            worker = hire()
            return use(worker)
        except WorkerError as error:
            worker, why = None, error
        except (OSError, SourceError):
            # Whoever makes them instead meets it as well, if it lasts.
            pass
        finally:
            with changed:
                idle = pool.give_back(worker)
                changed.notify_all()
            if idle is not None:
                idle.close()
            if why is not None:
                self._log(
                    f"A process that makes records of events beside this one has ended early: "
                    f"{why}. They are made here instead."
                )
        return None

    def _is_first(self, share: Share) -> bool:
        """Whether nothing that is emitted sooner waits for a worker, too."""
        return share.rank == min(each.rank for each in self._waiting)

    def _made_by(
        self, spool: Spool, share: Share, days: Days, lines: tuple[int, int], worker: Worker
    ) -> Rendered | None:
        zone = days.zone_of_times
        task = Task(spool.gzipped, lines, zone, int(self._clock.now() * 1000))
        with new_file(share) as file:
            made = worker.make(task, spool.fileno(), file.fileno(), spool.size)
            if made is None:
                file.close()
                return None
            file.seek(0, os.SEEK_END)
            return Rendered(Body(file, gzipped=True, size=made.size, share=share), zone, made.found)


def _look_at(_worker: Worker) -> None:
    """No work yet: it has been started."""


def _close(done: Future[Rendered | None]) -> None:
    made = done.result()
    if made is not None:
        made.body.close()
