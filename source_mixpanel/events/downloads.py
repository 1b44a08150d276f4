"""Windows of `export` on their way to disk, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from source_mixpanel.api.disk import DroppedError
from source_mixpanel.api.spool import Spool
from source_mixpanel.events.rendering import RenderAhead, Rendered
from source_mixpanel.events.request import ExportFilter, export_request
from source_mixpanel.events.window import Window
from source_mixpanel.streams.base import StreamContext
from source_mixpanel.threads.tasks import started
from source_mixpanel.times.clock import ServerTime


class SentAt:
    """When the last request was sent, by Mixpanel's clock."""

    def __init__(self, time: ServerTime) -> None:
        self._time = time
        self._mark = time.mark()
        self._expected: datetime | None = None

    def note(self) -> None:
        """It is sent now."""
        self._mark, self._expected = self._time.mark(), self._time.at_mark_as_known()

    def moment(self) -> datetime:
        """As it was known before the answer, or as the answer tells; whichever is earlier.

        They differ where our own clock stood still in between, as it does while a machine sleeps:
        the later one would be too late.
        """
        told = self._time.at_mark(self._mark)
        return told if self._expected is None else min(told, self._expected)


@contextmanager
def closed_if_fails(held: Spool | Downloaded) -> Iterator[None]:
    """Give disk back if something goes wrong before it is handed on."""
    try:
        yield
    except BaseException:
        held.close()
        raise


@dataclass(frozen=True)
class Downloaded:
    """A window's events on disk, and their lines if these are made."""

    spool: Spool
    rendered: list[Rendered]

    @property
    def stored(self) -> int:
        """Bytes that it takes on disk."""
        return sum(each.body.stored for each in self.rendered) or self.spool.stored

    def close(self) -> None:
        """Give the disk back."""
        self.spool.close()
        for each in self.rendered:
            each.body.close()


class Download:
    """One window, asked for in a thread of its own.

    Args:
        tries: How often to ask; None for as often as usual.
        most: Bytes on disk that it may take; None for any.
        ahead: Has lines made of it while it waits; None if nobody does.

    Attributes:
        sent: When its last request was sent.
        requests: How many were.
        seconds: How long the last one took, without waiting for disk.
        until_first_s: How much of that went by before the first byte came.
    """

    def __init__(
        self,
        context: StreamContext,
        window: Window,
        wanted: ExportFilter,
        *,
        tries: int | None,
        most: int | None,
        ahead: RenderAhead | None,
    ) -> None:
        self.window = window
        self.sent = SentAt(context.time)
        self.requests = 0
        self.seconds = self.until_first_s = 0.0
        self._clock = context.clock
        self._began = 0.0
        self._share = context.disk.share(most)
        request = export_request(window, wanted)
        ask = partial(
            context.client.spool, request, share=self._share, tries=tries, sent=self._note_sent
        )
        self._ahead = ahead
        self._result: Future[Downloaded] = started(partial(self._carried_out, ask))

    def result(self) -> Downloaded:
        """Its events, when they are there.

        Raises:
            SourceError: They cannot be had.
        """
        return self._result.result()

    def is_over_within(self, seconds: float) -> bool:
        """Whether it is over within so many seconds from now; it is waited for that long."""
        self._share.is_next()
        wait([self._result], seconds)
        return self.is_over

    @property
    def is_over(self) -> bool:
        """Whether it is on disk, or has failed."""
        return self._result.done()

    def drop(self) -> None:
        """Nobody wants it any more."""
        self._share.drop()
        self._result.add_done_callback(_close)

    def _carried_out(self, ask: partial[Spool]) -> Downloaded:
        """The events; a part of a day without any is asked for again at once.

        States know whole days only.
        """
        spool = ask()
        if not spool.lines and self.window.is_of_a_day:
            spool.close()
            spool = ask()
        self.seconds = self._clock.monotonic() - self._began - self._share.held_s
        if self._share.began is not None:
            self.until_first_s = self._share.began - self._began
        with closed_if_fails(spool):
            rendered = self._ahead.rendered(spool, self._share) if self._ahead else []
        return Downloaded(spool, rendered)

    def _note_sent(self) -> None:
        if self._share.is_dropped:
            raise DroppedError
        self.sent.note()
        self.requests += 1
        self._began, self._share.held_s = self._clock.monotonic(), 0.0


def _close(done: Future[Downloaded]) -> None:
    if done.exception() is None:
        done.result().close()
