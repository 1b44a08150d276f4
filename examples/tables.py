"""What the demo prints: tables, and the steps and names in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Step:
    """One command to the connector.

    Attributes:
        name: What was done.
        records: Records that came of it, None where there are none.
        began_ms: When it began.
        ended_ms: When it was over.
    """

    name: str
    records: int | None
    began_ms: float
    ended_ms: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return round((self.ended_ms - self.began_ms) / 1000, 1)

    def requests(self, journal: Iterable[Mapping[str, Any]]) -> list[str]:
        """The paths that were asked for meanwhile."""
        return [e["path"] for e in journal if self.began_ms <= e["at_ms"] <= self.ended_ms]


def say(text: str = "") -> None:
    """Print at once, so that a log shows how far it is."""
    print(text, flush=True)


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows below heads: text to the left, numbers to the right."""
    columns = [_column(head, cells) for head, cells in zip(heads, _turned(rows), strict=True)]
    for line in zip(*columns, strict=True):
        say("  ".join(["", *line]).rstrip())
    say()


def _turned(rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True))


def _column(head: str, cells: Sequence[Any]) -> list[str]:
    texts = [f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells]
    width = max(map(len, (head, *texts)))
    texts = [head, "-" * width, *texts]
    if any(isinstance(cell, (int, float)) for cell in cells):
        return [text.rjust(width) for text in texts]
    return [text.ljust(width) for text in texts]


def shown(name: str) -> str:
    """An event's name on one line; quoted and escaped where it would not be plain to see."""
    return name if name.isprintable() and name == name.strip() else json.dumps(name)


def print_steps(steps: Iterable[Step], journal: Sequence[Mapping[str, Any]] | None) -> None:
    """The table of what was done; with the requests used where there is a journal of them."""
    rows: list[tuple[Any, ...]] = []
    for step in steps:
        used: tuple[int, ...] = ()
        if journal is not None:
            paths = step.requests(journal)
            used = (len(paths), sum(path.endswith("/export") for path in paths))
        rows.append((step.name, "" if step.records is None else step.records, *used, step.seconds))
    middle = () if journal is None else ("requests", "raw exports")
    table(("step", "records", *middle, "seconds"), rows)
