"""What docs/migrating.md promises: states of other generations go on, and its SQL does its work."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from unit_tests.project import Project

PAGE = (Path(__file__).parent.parent / "docs" / "migrating.md").read_text(encoding="utf-8")


def _stream(name: str, state: Any) -> list[dict[str, Any]]:
    descriptor = {"name": name}
    return [{"type": "STREAM", "stream": {"stream_descriptor": descriptor, "stream_state": state}}]


_PARTITIONED = {
    "use_global_cursor": False,
    "states": [
        {"partition": {"funnel_id": 4411, "parent_slice": {}}, "cursor": {"date": "2026-03-09"}},
        {"partition": {"funnel_id": 4412, "parent_slice": {}}, "cursor": {"date": "2026-03-09"}},
    ],
    "parent_state": {},
    "lookback_window": 0,
}


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("export", {"time": "2026-03-09T12:00:00Z"}),
        ("export", {"time": "2026-03-09T12:00:00"}),
        ("engage", {"last_seen": "2026-03-05T00:00:00"}),
        ("funnels", _PARTITIONED),
        ("funnels", {"4411": {"date": "2026-03-09"}, "4412": {"date": "2026-03-09"}}),
        ("revenue", {"date": "2026-03-09"}),
    ],
)
def test_a_state_of_airbytes_connector_goes_on(project: Project, name: str, state: Any) -> None:
    whole = project.sync(name)
    rest = project.sync(name, state=_stream(name, state))
    assert rest.code == 0, rest.log
    assert 0 < len(rest.records()) < len(whole.records())


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("cohorts", {"created": "2026-03-05T00:00:00"}),
        (
            "cohort_members",
            {
                "states": [
                    {
                        "partition": {"id": 3207, "parent_slice": {}},
                        "cursor": {"last_seen": "2026-03-05T00:00:00"},
                    }
                ]
            },
        ),
    ],
)
def test_a_catalog_that_asks_for_a_mode_of_before_is_read_in_full(
    project: Project, name: str, state: Any
) -> None:
    whole = project.sync(name, mode="full_refresh")
    stream = {**project.streams[name], "supported_sync_modes": ["full_refresh", "incremental"]}
    again = project.sync(stream, state=_stream(name, state))
    assert again.code == 0, again.log
    assert len(again.records()) == len(whole.records())


def _statements() -> list[str]:
    return re.findall(r"```sql\n(.+?)```", PAGE, re.DOTALL)


@pytest.fixture
def warehouse() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        yield connection


def test_the_sql_shows_each_row_once(warehouse: sqlite3.Connection) -> None:
    warehouse.execute(
        "CREATE TABLE export (event_key, event, time, distinct_id, insert_id, browser,"
        " _airbyte_extracted_at)"
    )
    warehouse.execute("CREATE TABLE funnels (funnel_id, date, steps, _airbyte_extracted_at)")
    rows = [
        ("k-1", "Sign Up", "2026-03-01", "u-1", "i-1", "old", 1),
        ("k-1", "Sign Up", "2026-03-01", "u-1", "i-1", "new", 2),
        ("k-2", "Sign Up", "2026-03-01", "u-1", "i-2", "other", 1),
        ("k-3", "Sign Up", "2026-03-01", None, None, "old null", 1),
        ("k-3", "Sign Up", "2026-03-01", None, None, "new null", 2),
    ]
    warehouse.executemany("INSERT INTO export VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    warehouse.executemany(
        "INSERT INTO funnels VALUES (?, ?, ?, ?)",
        [(1, "2026-03-01", "old", 1), (1, "2026-03-01", "new", 2), (2, "2026-03-01", "x", 1)],
    )
    for statement in _statements():
        warehouse.execute(statement)
    once = {row[0] for row in warehouse.execute("SELECT browser FROM export_once")}
    assert once == {"new", "other", "new null"}
    assert {row[0] for row in warehouse.execute("SELECT steps FROM funnels_once")} == {"new", "x"}
    before = warehouse.execute("SELECT mp_reserved_browser FROM export_as_before").fetchall()
    assert len(before) == len(rows)
