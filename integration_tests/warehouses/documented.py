"""The queries of docs/warehouses.md, and what they have to give."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from integration_tests.warehouses.compare import KEY, RESCUED, json_text
from integration_tests.warehouses.truth import NAME, Row

PAGE = Path(__file__).parents[2] / "docs" / "warehouses.md"
MISFITS, COUNTED, KEYS = "misfits", "counted", "keys"
_IN_KEYS = ("event", "insert_id", "distinct_id", "distinct_id_before_identity")

Ask = Callable[[Mapping[str, str]], Mapping[str, Iterable[Mapping[str, Any]]]]


def queries(dialect: str) -> dict[str, str]:
    """The page's queries in a dialect, each by what it asks for."""
    blocks = re.findall(rf"```sql {dialect}\n(.+?)\n```", PAGE.read_text("utf-8"), re.DOTALL)
    return dict(zip((MISFITS, COUNTED, KEYS), blocks, strict=True))


def check(
    ask: Ask, dialect: str, events: Iterable[Row], table: Iterable[Mapping[str, Any]]
) -> None:
    """Ask what the page tells to ask.

    Args:
        events: What Mixpanel holds.
        table: The rows of `export`.

    Raises:
        AssertionError: An answer is not what the page says.
    """
    answers = {name: list(rows) for name, rows in ask(queries(dialect)).items()}
    rows = list(table)
    sizes = Counter((row["event"], row["size"]) for row in answers[MISFITS] if row["size"])
    assert sizes == Counter(_sizes(events))
    assert len({size for _, size in sizes}) > 1
    rescued = Counter(name for row in rows for name in row[RESCUED] or ())
    assert {row["name"]: row["events"] for row in answers[COUNTED]} == rescued
    assert [row["events"] for row in answers[COUNTED]] == sorted(rescued.values(), reverse=True)
    wrong = {row[KEY] for row in answers[KEYS] if row[KEY] != row["computed"]}
    assert wrong <= {row[KEY] for row in rows if _is_escaped(row)}
    assert len(answers[KEYS]) - len(wrong) == sum(
        bool(row["insert_id"]) and not _is_escaped(row) for row in rows
    )


def _sizes(events: Iterable[Row]) -> Iterable[tuple[str, str]]:
    for event in events:
        size = event.get("size")
        if size is not None:
            yield event[NAME], size if isinstance(size, str) else json_text(size)


def _is_escaped(row: Mapping[str, Any]) -> bool:
    return any("\\u" in (row[column] or "") for column in _IN_KEYS)
