"""The progress of streams: sentences for the log, and calls for a watcher. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

EVERY_S = 5.0
"""The least seconds between two log lines of a stream."""


@dataclass(frozen=True)
class Step:
    """A step of a stream's progress.

    Attributes:
        place: What was read last, for the log.
        done: Units that have been read.
        total: Units that this sync reads; None if that is not known yet.
        unit: The name of the units, in the plural: days, pages, funnels.
        records: Records that have been emitted.
        requests_left: Requests that the hourly quota still allows; None without such a quota.
    """

    stream: str
    place: str
    done: int
    total: int | None
    unit: str
    records: int
    requests_left: int | None = None


def sentence(step: Step) -> str:
    """The log line of a step."""
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
    """Gets the progress of streams, each in one thread at a time; this one ignores it."""

    def expect(self, streams: int) -> None:
        """`streams` streams will be read."""

    def begin(self, stream: str) -> None:
        """A stream starts."""

    def count(self, stream: str, records: int) -> None:
        """`records` more records of a stream have been emitted."""

    def step(self, step: Step) -> None:
        """A stream has progressed."""

    def waits(self, stream: str, until: float) -> None:
        """A stream waits for its quota until an instant, in seconds since the epoch."""

    def end(self, stream: str, *, whole: bool) -> None:
        """A stream ends; `whole` if it was read completely."""


@dataclass(frozen=True)
class Progress:
    """Logs the progress of streams, at most one line per stream in `EVERY_S` seconds.

    The first and the last step of a stream are logged in any case.

    Attributes:
        log: Gets the lines.
        monotonic: The time in seconds.
        watcher: Gets every step.
    """

    log: Callable[[str], None]
    monotonic: Callable[[], float]
    watcher: Watcher
    _logged_at: dict[str, float] = field(default_factory=dict, init=False)
    _pending: dict[str, Step] = field(default_factory=dict, init=False)

    def begin(self, stream: str) -> None:
        """A stream starts."""
        self.watcher.begin(stream)

    def count(self, stream: str, records: int) -> None:
        """`records` more records have been emitted; called once a batch."""
        self.watcher.count(stream, records)

    def step(self, step: Step) -> None:
        """A stream has progressed; logged now or later."""
        self.watcher.step(step)
        logged_at = self._logged_at.get(step.stream)
        if logged_at is None or self.monotonic() - logged_at >= EVERY_S:
            self._log_step(step)
        else:
            self._pending[step.stream] = step

    def end(self, stream: str, *, whole: bool) -> None:
        """A stream ends; its last step is logged, unless it has been."""
        self.watcher.end(stream, whole=whole)
        step = self._pending.get(stream)
        if step is not None:
            self._log_step(step)

    def _log_step(self, step: Step) -> None:
        self._pending.pop(step.stream, None)
        self._logged_at[step.stream] = self.monotonic()
        self.log(sentence(step))
