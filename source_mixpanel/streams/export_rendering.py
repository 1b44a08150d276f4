"""Lines of windows that wait to be emitted, made by other processes meanwhile."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from source_mixpanel.api.disk import Disk, Share
from source_mixpanel.api.spool import Body, Spool, new_file
from source_mixpanel.clock import Clock
from source_mixpanel.errors import TooLargeError
from source_mixpanel.process.pool import Pool, Worker, WorkerError
from source_mixpanel.process.worker import Task
from source_mixpanel.records.events import Found
from source_mixpanel.sync.days import Days

_WORTH = 4_000_000
"""Bytes of events that are worth the way to another process."""


@dataclass(frozen=True)
class Rendered:
    """The lines of a window, ready to be written.

    Attributes:
        zone: The zone that its times were read in, None for UTC.
        found: What its events have told.
    """

    body: Body
    zone: ZoneInfo | None
    found: Found


class RenderAhead:
    """Has lines made of what waits. Thread safe.

    Nothing is made until it is known how times are read, nor of what is emitted next: whoever
    waits for that makes the lines as they leave.
    """

    def __init__(self, pool: Pool, disk: Disk, clock: Clock) -> None:
        self._pool = pool
        self._disk = disk
        self._clock = clock
        self._days: Days | None = None

    def read_times_by(self, days: Days) -> None:
        """How times are read from now on, by what is known."""
        with self._disk.changed:
            self._days = days
            self._disk.changed.notify_all()

    def rendered(self, spool: Spool, share: Share) -> Rendered | None:
        """The lines of a window; None if they are to be made where they leave.

        The spool gives way to them where nothing can make them wrong any more.
        """
        if spool.size < _WORTH:
            return None
        with self._disk.changed:
            if not share.waits_for(lambda: self._days is not None and self._pool.has_one):
                return None
            days = self._days or Days(None, None)
            hire = self._pool.take()
        worker, made = None, None
        try:
            worker = hire()
            # What is compressed as quickly as that takes about as much again.
            share.take(2 * spool.stored, "A window")
            made = self._made_by(worker, spool, share, days)
        except TooLargeError:
            pass
        except WorkerError as error:
            worker = None
            with self._disk.changed:
                self._pool.lost(error)
                self._disk.changed.notify_all()
        finally:
            if worker is not None:
                with self._disk.changed:
                    self._pool.give_back(worker)
                    self._disk.changed.notify_all()
        share.resize(spool.stored if made is None else made.body.stored + spool.stored)
        if made is not None and days.kind is not None:
            spool.give_way()
            share.resize(made.body.stored)
        return made

    def _made_by(self, worker: Worker, spool: Spool, share: Share, days: Days) -> Rendered | None:
        zone = days.zone_of_times
        task = Task(spool.gzipped, zone, int(self._clock.now() * 1000))
        with ExitStack() as stack:
            file = stack.enter_context(new_file(share))
            made = worker.make(task, spool.fileno(), file.fileno())
            if made is None or made.found.seen != spool.lines:
                file.close()
                return None
            file.seek(0, os.SEEK_END)
            return Rendered(Body(file, gzipped=True, size=made.size, share=share), zone, made.found)
