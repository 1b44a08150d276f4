"""What long tests count: one line at the end of a run, and a table in docs/reliability.md."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_MARKERS = re.compile(r"(<!-- figures: begin -->\n).*(<!-- figures: end -->)", re.DOTALL)


def total(properties: Iterable[tuple[str, Any]]) -> Counter[str]:
    """The sum of each number that tests recorded, by its name."""
    counts: Counter[str] = Counter()
    for name, value in properties:
        if isinstance(value, int):
            counts[name] += value
    return counts


def sentence(counts: Counter[str]) -> str:
    """The figures in one line."""
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items())) + "."


def command(environment: Mapping[str, str]) -> str:
    """The `make soak` that is running; its sizes come as variables that begin with SOAK_."""
    names = ("FAULTS", "KILLS", "EXAMPLES")
    sizes = [f"{n}={environment[f'SOAK_{n}']}" for n in names if f"SOAK_{n}" in environment]
    return " ".join(["make soak", *sizes])


def table(counts: Counter[str]) -> str:
    """The figures as Markdown."""
    rows = [f"| {name} | {count:,} |" for name, count in sorted(counts.items())]
    return "\n".join(["| what | how many |", "|---|---|", *rows])


def write(path: Path, counts: Counter[str], environment: Mapping[str, str]) -> None:
    """Put the figures, and what made them, in their place in a document.

    Raises:
        ValueError: The document has no place for them.
    """
    before = path.read_text(encoding="utf-8")
    text = f"`{command(environment)}`, all passed:\n\n{table(counts)}\n"
    after, found = _MARKERS.subn(lambda match: match[1] + text + match[2], before)
    if not found:
        raise ValueError(f"{path.name} has no markers for figures")
    path.write_text(after, encoding="utf-8")
