"""A progress bar on standard error; only imported if that is a terminal."""

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
    """A bar; None if the terminal cannot show one.

    The library rich decides that, and the colours, by TERM, NO_COLOR and TTY_INTERACTIVE.
    """
    console = Console(file=terminal, highlight=False)
    return Bar(console) if console.is_interactive else None


class Bar(Watcher):
    """A line for each stream that is being read, and one for all streams.

    A thread redraws it four times a second. Standard output may be the same terminal: its lines are
    written above the bar.
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
        self._total_task = self._progress.add_task(
            "all streams", total=None, reach="", records="0", note=""
        )

    # -- what is told of the sync ----------------------------------------------------------

    def expect(self, streams: int) -> None:
        """Set the number of streams that will be read."""
        self._streams = streams

    def begin(self, stream: str) -> None:
        """Add a line for a stream."""
        with self._lock:
            self._records.setdefault(stream, 0)
            self._tasks[stream] = self._progress.add_task(
                stream, total=None, reach="", records="0", note=""
            )

    def count(self, stream: str, records: int) -> None:
        """Count records; drawn at the next redraw."""
        self._records[stream] += records

    def step(self, step: Step) -> None:
        """Show the progress of a stream, and what is left of its quota."""
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
        """Show that a stream waits for its quota until an instant (seconds since the epoch)."""
        moment = datetime.fromtimestamp(until, tz=timezone.utc)
        with self._lock:
            if stream in self._tasks:
                note = f"waits until {moment:%H:%M:%S} UTC"
                self._progress.update(self._tasks[stream], note=note)
                # Draw now: the next step of the stream may replace the note at any moment.
                self._draw()

    def end(self, stream: str, *, whole: bool) -> None:
        """Remove the line of a stream, and count it as ended."""
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
                self._console.print(self._summary(error), markup=False, soft_wrap=True)

    @contextmanager
    def aside(self, *, at_line_start: bool) -> Iterator[None]:
        """Erase the bar inside the `with` block, so that something else can be written."""
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
        """Redraw the bar over itself.

        Its height is that of the drawn text: rich's own live display would erase lines that were
        written in between as parts of the bar.
        """
        if not self._at_line_start or self._over.is_set():
            return
        with self._console.capture() as drawn:
            self._console.print(self._progress.get_renderable())
        self._write(self._erase_sequence() + drawn.get())
        self._height = drawn.get().count("\n")

    def _erase(self) -> None:
        self._write(self._erase_sequence())
        self._height = 0

    def _erase_sequence(self) -> str:
        """The escape sequence that erases the bar."""
        return f"\x1b[{self._height}F\x1b[J" if self._height else ""

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()

    def _update(self) -> None:
        for stream, task in self._tasks.items():
            self._progress.update(task, records=f"{self._records[stream]:,}")
        self._progress.update(
            self._total_task,
            completed=self._ended,
            total=self._streams or None,
            reach=f"{self._ended}/{self._streams} streams",
            records=f"{sum(self._records.values()):,}",
        )

    def _summary(self, error: BaseException | None) -> str:
        """The sentence that replaces the bar at the end."""
        text = f"Read {sum(self._records.values()):,} records"
        text += f"; {self._ended} of {self._streams} streams are whole"
        unfinished = sorted({*self._left_out, *self._tasks})
        text += f", not {', '.join(unfinished)}." if unfinished else "."
        stopped = error is not None and not isinstance(error, Exception)
        return f"{text} The sync was stopped." if stopped else text
