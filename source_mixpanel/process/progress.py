"""How far each stream is: one form of sentence for the log, and steps for whoever watches. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

EVERY_S = 5.0
"""Seconds between two lines of a stream: small slices share one."""


@dataclass(frozen=True)
class Step:
    """A stretch that has been read whole.

    Attributes:
        place: What has been read, in words.
        total: Units that this sync reads, None where that is not known yet.
        unit: What is counted, in the plural: days, pages, funnels.
        requests_left: What the stream's hourly quota still allows; None without such a quota.
    """

    stream: str
    place: str
    done: int
    total: int | None
    unit: str
    records: int
    requests_left: int | None = None


def sentence(step: Step) -> str:
    """What has been done, and what is left."""
    counted = step.done if step.total is None else step.total
    count = f"{step.done}" if step.total is None else f"{step.done} of {step.total}"
    counts = [f"{count} {_plural(counted, step.unit)}", f"{_count(step.records, 'records')} so far"]
    if step.requests_left is not None:
        counts.append(f"{_count(step.requests_left, 'requests')} left this hour")
    return f"Stream {step.stream!r} has read {step.place}: {', '.join(counts)}."


def _count(number: int, unit: str) -> str:
    return f"{number} {_plural(number, unit)}"


def _plural(number: int, unit: str) -> str:
    return unit.removesuffix("s") if number == 1 else unit


class Watcher:
    """Looks on while streams are read, each in one thread at a time; does nothing by itself."""

    def expect(self, streams: int) -> None:
        """So many streams are to be read."""

    def begin(self, stream: str) -> None:
        """A stream's turn has come."""

    def count(self, stream: str, records: int) -> None:
        """So many more records of it have been emitted."""

    def step(self, step: Step) -> None:
        """A stretch of it has been read."""

    def waits(self, stream: str, until: float) -> None:
        """It waits for its quota until then, in seconds since the epoch."""

    def end(self, stream: str, *, whole: bool) -> None:
        """Its turn is over."""


@dataclass(frozen=True)
class Progress:
    """Tells the log how far streams are, one line a step but not faster than anybody reads.

    The first step of a stream is told at once, a later one when the last line is old enough, and
    the last one in any case.
    """

    log: Callable[[str], None]
    monotonic: Callable[[], float]
    watcher: Watcher
    _logged_at: dict[str, float] = field(default_factory=dict, init=False)
    _pending: dict[str, Step] = field(default_factory=dict, init=False)

    def begin(self, stream: str) -> None:
        """A stream's turn has come."""
        self.watcher.begin(stream)

    def count(self, stream: str, records: int) -> None:
        """So many more of its records have been emitted: once a batch, not once a record."""
        self.watcher.count(stream, records)

    def step(self, step: Step) -> None:
        """Take note of a step, and tell it when it is time."""
        self.watcher.step(step)
        logged_at = self._logged_at.get(step.stream)
        if logged_at is None or self.monotonic() - logged_at >= EVERY_S:
            self._tell(step)
        else:
            self._pending[step.stream] = step

    def end(self, stream: str, *, whole: bool) -> None:
        """A stream's turn is over; its last step is told, if it has not been."""
        self.watcher.end(stream, whole=whole)
        step = self._pending.get(stream)
        if step is not None:
            self._tell(step)

    def _tell(self, step: Step) -> None:
        self._pending.pop(step.stream, None)
        self._logged_at[step.stream] = self.monotonic()
        self.log(sentence(step))
