"""What syncs of `export` see of identities that Mixpanel merges, and what heals a warehouse."""

from __future__ import annotations

from typing import Any

import pytest

from unit_tests.builders import event
from unit_tests.harness import Output
from unit_tests.project import Project


def identified(**held: Any) -> dict[str, Any]:
    """The event by which `anon` becomes `ana`."""
    names = {"$anon_id": "anon", "$identified_id": "ana", **held}
    made = event(name="$identify", days_ago=-0.1, insert_id="identify")
    return {**made, "properties": {**made["properties"], "distinct_id": "ana", **names}}


def upserted(*syncs: Output) -> dict[str, str]:
    """Who did what, after the rows of these syncs have replaced each other by their key."""
    table = {row["event_key"]: row for sync in syncs for row in sync.records("export")}
    found: dict[str, str] = {}
    for row in table.values():
        assert row["insert_id"] not in found
        found[row["insert_id"]] = row["distinct_id"]
    return found


@pytest.mark.parametrize("touches", [False, True])
def test_a_warehouse_that_upserts_by_key_is_healed_by_reading_the_events_again(
    project: Project, *, touches: bool
) -> None:
    project.mixpanel.configure(identity_merge="original", merge_touches_processing_time=touches)
    days = {"old": 8, "young": 0.5}
    project.mixpanel.add_events(
        [event(days_ago=n, insert_id=i, distinct_id="anon") for i, n in days.items()]
    )
    project.mixpanel.add_events([event(days_ago=8, insert_id="other", distinct_id="bo")])
    stream = project.discover()["export"]
    first = project.sync(stream)
    assert upserted(first) == {"old": "anon", "young": "anon", "other": "bo"}
    project.mixpanel.advance(3 * 3600)
    project.mixpanel.add_events([identified()])
    stream = project.discover()["export"]
    second = project.sync(stream, state=first.state_file())
    after = upserted(first, second)
    assert (after["old"], after["identify"]) == ("ana" if touches else "anon", "ana")
    refreshed = project.sync(stream, mode="full_refresh")
    everything = {"old": "ana", "young": "ana", "other": "bo", "identify": "ana"}
    assert upserted(first, second, refreshed) == everything
