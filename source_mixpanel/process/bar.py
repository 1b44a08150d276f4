"""A progress bar on standard error for a person at a terminal; nobody else pays for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from source_mixpanel.process.progress import Step, Watcher

_EVERY_S = 0.25


def bar_on(terminal: TextIO) -> Bar | None:
    """A bar, if the terminal can show one.

    Which can, and in what colours, is rich's to say: it heeds TERM, NO_COLOR and TTY_INTERACTIVE.
    """
    console = Console(file=terminal, highlight=False)
    return Bar(console) if console.is_interactive else None


class Bar(Watcher):
    """A line for each stream that is being read, and one for all.

    Records are counted in a plain number; a thread of its own draws them some times a second.
    Standard output may be the same terminal: what is written there is written above the bar.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[reach]}"),
            TextColumn("{task.fields[records]} records"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
        )
        self._lock = threading.RLock()
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, name="bar", daemon=True)
        self._at_line_start = True
        self._height = 0
        self._tasks: dict[str, TaskID] = {}
        self._records: dict[str, int] = {}
        self._left_out: list[str] = []
        self._streams = 0
        self._ended = 0
        self._all = self._progress.add_task(
            "all streams", total=None, reach="", records="0", note=""
        )

    # -- what is told of the sync ----------------------------------------------------------

    def expect(self, streams: int) -> None:
        """So many streams will be read."""
        self._streams = streams

    def begin(self, stream: str) -> None:
        """A line for the stream."""
        with self._lock:
            self._records.setdefault(stream, 0)
            self._tasks[stream] = self._progress.add_task(
                stream, total=None, reach="", records="0", note=""
            )

    def count(self, stream: str, records: int) -> None:
        """More records; drawn when it is time."""
        self._records[stream] += records

    def step(self, step: Step) -> None:
        """How far the stream is, and what is left of its quota."""
        of = "" if step.total is None else f"/{step.total}"
        left = step.requests_left
        self._progress.update(
            self._tasks[step.stream],
            completed=step.done,
            total=step.total,
            reach=f"{step.done}{of} {step.unit}",
            note="" if left is None else f"{left} requests left this hour",
        )

    def waits(self, stream: str, until: float) -> None:
        """The stream waits for its quota, until then (seconds since the epoch)."""
        moment = datetime.fromtimestamp(until, tz=timezone.utc)
        with self._lock:
            if stream in self._tasks:
                note = f"waits until {moment:%H:%M:%S} UTC"
                self._progress.update(self._tasks[stream], note=note)
                # Now: a slice that was downloaded before it may be told at any moment.
                self._draw()

    def end(self, stream: str, *, whole: bool) -> None:
        """The stream's line goes; the account of all streams grows."""
        with self._lock:
            self._ended += whole
            if not whole:
                self._left_out.append(stream)
            self._progress.remove_task(self._tasks.pop(stream))

    # -- the terminal ----------------------------------------------------------------------

    def __enter__(self) -> None:
        self._ticker.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._over.set()
        with self._lock:
            self._erase()
            if self._streams or error is None:
                self._console.print(self._last_words(error), markup=False, soft_wrap=True)

    @contextmanager
    def aside(self, *, at_line_start: bool) -> Iterator[None]:
        """Without the bar, so that something else can be written where it was."""
        with self._lock:
            self._erase()
            yield
            self._at_line_start = at_line_start
            self._draw()

    def _tick(self) -> None:
        while not self._over.wait(_EVERY_S):
            with self._lock:
                self._update()
                self._draw()

    def _draw(self) -> None:
        """Draw it anew, over itself.

        Its height is counted as it came out: rich's own live display takes what was written
        meanwhile for a part of itself, and erases it.
        """
        if not self._at_line_start or self._over.is_set():
            return
        with self._console.capture() as drawn:
            self._console.print(self._progress.get_renderable())
        self._write(self._away() + drawn.get())
        self._height = drawn.get().count("\n")

    def _erase(self) -> None:
        self._write(self._away())
        self._height = 0

    def _away(self) -> str:
        """What takes the bar off the terminal."""
        return f"\x1b[{self._height}F\x1b[J" if self._height else ""

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()

    def _update(self) -> None:
        for stream, task in self._tasks.items():
            self._progress.update(task, records=f"{self._records[stream]:,}")
        self._progress.update(
            self._all,
            completed=self._ended,
            total=self._streams or None,
            reach=f"{self._ended}/{self._streams} streams",
            records=f"{sum(self._records.values()):,}",
        )

    def _last_words(self, error: BaseException | None) -> str:
        """What came of it, in the place of the bar."""
        told = f"Read {sum(self._records.values()):,} records"
        told += f"; {self._ended} of {self._streams} streams are whole"
        unfinished = sorted({*self._left_out, *self._tasks})
        told += f", not {', '.join(unfinished)}." if unfinished else "."
        stopped = error is not None and not isinstance(error, Exception)
        return f"{told} The sync was stopped." if stopped else told
