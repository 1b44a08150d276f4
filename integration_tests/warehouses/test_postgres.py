"""PostgreSQL, by an upsert on the primary key as Airbyte's destination does it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from typing_extensions import LiteralString

from integration_tests import postgres
from integration_tests.warehouses import documented
from integration_tests.warehouses.compare import RESCUED, Number, Table, exact, nine_decimals
from integration_tests.warehouses.history import Recorders, Sync
from integration_tests.warehouses.judging import Judge
from integration_tests.warehouses.truth import TIME
from integration_tests.warehouses.upserts import ANY_NUMBER, NINE_DECIMALS, Upserts
from integration_tests.warehouses.world import HOUR_S, Step
from mixpanel_emulator.control_client import ControlClient
from unit_tests.builders import event
from unit_tests.events.test_export_merges import identified

_SCHEMAS = count(1)
_NOW = Step("now", lambda _: None)


def tables(warehouse: Upserts, sync: Sync) -> dict[str, list[dict[str, Any]]]:
    """Every table, by stream."""
    return {name: warehouse.rows(stream) for name, stream in sync.catalog.items()}


@pytest.fixture
def warehouse(server: postgres.Postgres) -> Iterator[Upserts]:
    with closing(Upserts(server, f"w{next(_SCHEMAS)}", NINE_DECIMALS)) as made:
        yield made


@pytest.mark.parametrize(("numbers", "seen"), [(NINE_DECIMALS, nine_decimals), (ANY_NUMBER, exact)])
def test_after_every_sync_the_tables_hold_what_mixpanel_holds(
    life: list[Sync], server: postgres.Postgres, numbers: LiteralString, seen: Number
) -> None:
    judge = Judge(seen, drops_nul=True)
    with closing(Upserts(server, f"w{next(_SCHEMAS)}", numbers)) as warehouse:
        for sync in life:
            warehouse.land(sync)
            judge.look(sync, tables(warehouse, sync))


def test_the_queries_of_the_documents_give_what_they_say(
    life: list[Sync], warehouse: Upserts
) -> None:
    for sync in life:
        warehouse.land(sync)
    last = life[-1]
    table = warehouse.rows(last.catalog["export"])
    documented.check(warehouse.ask, "postgres", last.truth["export"], table)


@pytest.mark.parametrize(
    ("more", "rescued"),
    [
        ({}, {"plan": "pro"}),
        ({"select_properties_by_default": False}, None),
        ({"exclude_properties": ["plan"]}, None),
    ],
)
def test_what_is_deselected_is_rescued_unless_the_settings_leave_it_out(
    mixpanel: ControlClient,
    recorder_of: Recorders,
    warehouse: Upserts,
    more: dict[str, Any],
    rescued: dict[str, Any] | None,
) -> None:
    mixpanel.add_events([event(plan="pro", seats=3)])
    recorder = recorder_of(**more)
    recorder.discover()
    recorder.streams["export"]["json_schema"]["properties"].pop("plan", None)
    sync = recorder.sync(_NOW)
    warehouse.land(sync)
    [row] = warehouse.rows(sync.catalog["export"])
    assert (row["seats"], row[RESCUED], "plan" in row) == (3, rescued, False)


@pytest.mark.parametrize("pinned", [{}, {"Colour": "_Colour"}])
def test_a_third_rival_moves_the_second_one_unless_it_is_pinned(
    mixpanel: ControlClient, recorder_of: Recorders, warehouse: Upserts, pinned: dict[str, str]
) -> None:
    mixpanel.add_events([event(colour="red", Colour="blue")])
    recorder = recorder_of(column_names=pinned)
    recorder.discover()
    warehouse.land(recorder.sync(_NOW))
    mixpanel.advance(HOUR_S)
    mixpanel.add_events([event("Later", days_ago=0, insert_id="later", COLOUR="cyan")])
    stream = recorder.discover()["export"]
    warehouse.land(recorder.sync(_NOW))
    table = Table(stream)
    [first, _] = sorted(map(table.told, warehouse.rows(stream)), key=lambda row: row[TIME])
    assert (first["colour"], first.get("Colour")) == ("red", "blue" if pinned else None)


def test_a_merge_that_leaves_processing_times_alone_is_healed_by_a_refresh_that_upserts(
    mixpanel: ControlClient, recorder_of: Recorders, warehouse: Upserts
) -> None:
    def landed(step: Step) -> dict[str, str]:
        sync = recorder.sync(step)
        warehouse.land(sync)
        rows = warehouse.rows(sync.catalog["export"])
        assert len({row["event_key"] for row in rows}) == len(rows)
        return {row["insert_id"]: row["distinct_id"] for row in rows}

    mixpanel.configure(identity_merge="original", merge_touches_processing_time=False)
    mixpanel.add_events([event(days_ago=8, insert_id="old", distinct_id="anon")])
    recorder = recorder_of()
    recorder.discover()
    assert landed(_NOW) == {"old": "anon"}
    mixpanel.advance(3 * HOUR_S)
    mixpanel.add_events([identified()])
    assert landed(_NOW) == {"old": "anon", "identify": "ana"}
    assert landed(_NOW._replace(begins_anew=True)) == {"old": "ana", "identify": "ana"}


def test_a_profile_that_claimed_the_future_keeps_its_old_row_until_a_refresh_that_empties(
    mixpanel: ControlClient, recorder_of: Recorders, warehouse: Upserts
) -> None:
    def profile(plan: str, seen: str) -> None:
        who = {"$distinct_id": "u", "$properties": {"plan": plan, "$last_seen": seen}}
        mixpanel.add_profiles([who])

    def landed(sync: Sync) -> list[str]:
        warehouse.land(sync)
        return [row["plan"] for row in warehouse.rows(sync.catalog["engage"])]

    recorder = recorder_of()
    profile("old", "2031-01-01T00:00:00")
    recorder.discover()
    assert landed(recorder.sync(_NOW)) == ["old"]
    profile("new", "2026-03-10T11:00:00")
    assert landed(recorder.sync(_NOW)) == ["old"]
    again = recorder.sync(_NOW._replace(begins_anew=True))
    assert landed(again) == ["old"]
    assert landed(replace(again, modes=dict.fromkeys(again.modes, "full_refresh"))) == ["new"]
