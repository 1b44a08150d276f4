"""The models of `warehouse/`, on DuckDB and PostgreSQL, against what Python makes of it all."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from integration_tests import postgres
from integration_tests.warehouses import modelled
from integration_tests.warehouses.appends import SCHEMA, Appends
from integration_tests.warehouses.merging import SYSTEMS, ZONE, Life
from integration_tests.warehouses.upserts import NINE_DECIMALS, Upserts
from warehouse.plain import statements

ROOT = Path(__file__).parents[2]
WAREHOUSE = ROOT / "warehouse"
STEPS = ("View Item", "Add to Cart", "Begin Checkout", "Purchase")
_TODAY = date(2026, 3, 10)

FIVETRANS = re.findall(
    r"\w+",
    """_fivetran_id _fivetran_synced
    name time distinct_id insert_id mp_processing_time_ms properties
    ae_session_length app_build_number app_version_string bluetooth_enabled bluetooth_version brand
    browser browser_version carrier city current_url device device_id distinct_id_before_identity
    google_play_services has_nfc has_telephone initial_referrer initial_referring_domain lib_version
    manufacturer model mp_country_code mp_keyword mp_lib os os_version radio referrer
    referring_domain region screen_dpi screen_height screen_width search_engine wifi""",
)
"""What Fivetran's package for dbt reads of its table `event`."""


Warehouse = Appends | Upserts


@pytest.fixture(params=SYSTEMS)
def merged(request: pytest.FixtureRequest, life_of: Callable[[str], Life]) -> Life:
    return life_of(request.param)


# -- the warehouses ------------------------------------------------------------------------------


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Warehouse]:
    if request.param == "duckdb":
        with closing(Appends(tmp_path / "warehouse.duckdb")) as made:
            yield made
        return
    server: postgres.Postgres = request.getfixturevalue("server")
    with closing(Upserts(server, SCHEMA, NINE_DECIMALS)) as upserts:
        yield upserts
        upserts.run([f"DROP SCHEMA {SCHEMA} CASCADE", "DROP SCHEMA analytics CASCADE"])


def model(warehouse: Warehouse) -> None:
    """Make the models."""
    warehouse.run(statements({"time_zone": ZONE}))


@pytest.fixture
def modelled_life(merged: Life, warehouse: Warehouse) -> tuple[Life, Warehouse]:
    for sync in merged.syncs:
        warehouse.land(sync)
    model(warehouse)
    return merged, warehouse


# -- the models ----------------------------------------------------------------------------------


def test_every_event_is_there_once_and_belongs_to_whom_mixpanel_gives_it(
    modelled_life: tuple[Life, Warehouse],
) -> None:
    life, warehouse = modelled_life
    told = warehouse.tell(
        "SELECT event, CAST(round(extract(epoch FROM time) * 1000) AS bigint),"
        " resolved_distinct_id, project_day FROM analytics.resolved_events"
    )
    assert Counter(told) == Counter(map(tuple, life.done))
    [(stale,)] = warehouse.tell(
        "SELECT count(*) FROM analytics.resolved_events WHERE distinct_id <> resolved_distinct_id"
    )
    assert stale > 0
    [(keys, rows)] = warehouse.tell(
        "SELECT count(DISTINCT event_key), count(*) FROM analytics.events"
    )
    assert keys == rows == len(life.done)


def test_of_the_rows_of_an_event_the_one_that_was_read_last_counts(
    modelled_life: tuple[Life, Warehouse],
) -> None:
    life, warehouse = modelled_life
    read: dict[str, list[str | None]] = {}
    for record in (record for sync in life.syncs for record in sync.records["export"]):
        read.setdefault(record["event_key"], []).append(record["distinct_id"])
    told = warehouse.tell("SELECT event_key, distinct_id FROM analytics.events")
    assert dict(told) == {key: ids[-1] for key, ids in read.items()}
    assert any(len(set(ids)) > 1 for ids in read.values())


def test_sessions_active_users_funnel_and_retention(modelled_life: tuple[Life, Warehouse]) -> None:
    life, warehouse = modelled_life
    done = life.done
    told = warehouse.tell(
        "SELECT resolved_distinct_id, project_day, session_number,"
        " CAST(round(extract(epoch FROM started_at) * 1000) AS bigint),"
        " CAST(round(extract(epoch FROM ended_at) * 1000) AS bigint), events"
        " FROM analytics.sessions"
    )
    assert len(told) == len(set(told))
    assert set(told) == modelled.sessions(done)
    told = warehouse.tell("SELECT period, starts_on, users FROM analytics.active_users")
    assert {(period, day): users for period, day, users in told} == modelled.active_users(done)
    assert len(told) == len(modelled.active_users(done))
    told = warehouse.tell(
        "SELECT step_index, event, users FROM analytics.funnel ORDER BY step_index"
    )
    reached = modelled.funnel(done, STEPS, 7)
    assert told == [(n, *step) for n, step in enumerate(zip(STEPS, reached, strict=True))]
    assert reached[0] > reached[-1] > 0
    told = warehouse.tell("SELECT entered_on, week_index, users FROM analytics.retention")
    assert {(day, week): users for day, week, users in told} == modelled.retention(done)


def verdicts(warehouse: Warehouse) -> dict[tuple[date, str], tuple[Any, ...]]:
    """What reconciliation says, by day and event."""
    told = warehouse.tell(
        "SELECT day, event, in_mixpanel, in_warehouse, verdict, reason"
        " FROM analytics.reconciliation"
    )
    found = {(day, name): tuple(more) for day, name, *more in told}
    assert len(found) == len(told)
    assert all(told[-1] for told in found.values())
    return found


def test_reconciliation_counts_both_sides_and_says_why_they_differ(
    modelled_life: tuple[Life, Warehouse],
) -> None:
    life, warehouse = modelled_life
    told = verdicts(warehouse)
    landed = Counter((deed.day, deed.name) for deed in life.done)
    assert {pair: row[1] for pair, row in told.items() if row[1]} == landed
    counted = Counter(
        (modelled.day_of(held["time_ms"], ZoneInfo(ZONE)), held["event"]) for held in life.events
    )
    keeps_copies = isinstance(warehouse, Appends)
    before = {pair for pair in told if pair[0] < _TODAY - timedelta(days=1)}
    late_day = (_TODAY - timedelta(days=10), "Late View")
    for pair in before - {late_day}:
        extra = counted[pair] - landed[pair]
        assert told[pair][:2] == (counted[pair], landed[pair])
        assert told[pair][2] == (("copies" if keeps_copies else "fewer") if extra else "equal")
    assert any(counted[pair] > landed[pair] for pair in before)
    assert told[late_day][:3] == (1, 3, "late")
    [forgotten] = [row for (_, name), row in told.items() if name == "Forgotten" and row[1]]
    assert forgotten[:3] == (1, 2, "more")
    today = max(day for day, _ in told)
    assert {row[2] for (day, _), row in told.items() if day == today} <= {"equal", "open day"}


def test_reconciliation_sees_what_was_lost_or_never_counted(
    life_of: Callable[[str], Life], warehouse: Warehouse
) -> None:
    for sync in life_of(SYSTEMS[0]).syncs:
        warehouse.land(sync)
    warehouse.run(
        [
            (
                "DELETE FROM mixpanel.export"
                " WHERE event = 'Page View' AND CAST(time AS date) = '2026-03-03'"
            ),
            "DELETE FROM mixpanel.export WHERE event = 'Share'",
            "DELETE FROM mixpanel.event_counts WHERE event = 'Search'",
        ]
    )
    model(warehouse)
    told = verdicts(warehouse)
    lost = [
        row
        for (at, name), row in told.items()
        if name == "Page View" and row[2] == "fewer" and at in (date(2026, 3, 2), date(2026, 3, 3))
    ]
    assert len(lost) == 2
    assert {row[2] for (_, name), row in told.items() if name == "Share" and row[0]} == {
        "not landed"
    }
    assert {row[2] for (_, name), row in told.items() if name == "Search"} == {"not counted"}


def test_the_view_for_fivetrans_package_has_its_columns(
    modelled_life: tuple[Life, Warehouse],
) -> None:
    life, warehouse = modelled_life
    told = warehouse.tell(
        "SELECT name, distinct_id, properties FROM analytics.fivetran_event"
        " WHERE _fivetran_id IS NOT NULL"
    )
    assert Counter((name, who) for name, who, _ in told) == Counter(
        (deed.name, deed.who) for deed in life.done
    )
    assert all(json.loads(held)["event"] == name for name, _, held in told)
    columns = {
        column
        for (column,) in warehouse.tell(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'fivetran_event'"
        )
    }
    assert set(FIVETRANS) - columns == {"ae_session_length"}


def test_the_commands_of_the_documents_make_the_tables(
    life_of: Callable[[str], Life], tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "warehouses.md").read_text("utf-8")
    [commands] = re.findall(r"```sh\n(.+?)```", page, re.DOTALL)
    with closing(Appends(tmp_path / "warehouse.duckdb")) as warehouse:
        for sync in life_of(SYSTEMS[0]).syncs:
            warehouse.land(sync)
    (tmp_path / "warehouse").symlink_to(WAREHOUSE)
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = ["sh", "-ec", commands]
    subprocess.run(command, cwd=tmp_path, env={**os.environ, "PATH": path}, check=True)  # noqa: S603 - our page
    warehouse.open()
    with closing(warehouse):
        assert all(tables(warehouse).values())


# -- dbt -----------------------------------------------------------------------------------------


def tables(warehouse: Warehouse) -> dict[str, Counter[tuple[Any, ...]]]:
    """The rows of every model, as text."""
    models = [path.stem for path in (WAREHOUSE / "models").glob("*.sql")]
    rows = {
        name: warehouse.tell(f"SELECT CAST(m AS text) FROM analytics.{name} AS m")  # noqa: S608 - our files' names
        for name in models
    }
    return {name: Counter(told) for name, told in rows.items()}


def where(warehouse: Warehouse) -> tuple[str, dict[str, str]]:
    """The target of profiles.yml, and the environment that it needs."""
    if isinstance(warehouse, Appends):
        return "duckdb", {"MIXPANEL_DUCKDB": str(warehouse.path)}
    info = warehouse.connection.info
    return "postgres", {"PGHOST": info.host, "PGPORT": str(info.port)}


@pytest.mark.clients
def test_dbt_makes_the_same_tables_and_its_tests_pass(
    modelled_life: tuple[Life, Warehouse], tmp_path: Path
) -> None:
    _, warehouse = modelled_life
    plain = tables(warehouse)
    warehouse.run(["DROP SCHEMA analytics CASCADE"])
    target, more = where(warehouse)
    if isinstance(warehouse, Appends):
        warehouse.close()
    folders = ["--project-dir", ".", "--target-path", str(tmp_path), "--log-path", str(tmp_path)]
    done = subprocess.run(  # noqa: S603 - the program of our own environment
        [ROOT / ".venv-dbt" / "bin" / "dbt", "build", *folders, "--target", target,
         "--vars", json.dumps({"time_zone": ZONE})],
        cwd=WAREHOUSE, env={**os.environ, **more}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    if isinstance(warehouse, Appends):
        warehouse.open()
    assert tables(warehouse) == plain
    assert all(plain.values())
