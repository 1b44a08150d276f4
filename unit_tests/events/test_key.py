"""The key of an event."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_mixpanel.events.key import event_key

NOON_MS = 1_769_860_800_123
EVENT = {"time": NOON_MS, "distinct_id": "u-1", "$insert_id": "i-1", "mp_processing_time_ms": 5}
BARE = {key: value for key, value in EVENT.items() if key != "$insert_id"} | {"plan": "pro"}


def test_the_key_is_the_md5_that_is_documented() -> None:
    text = "1769860800123\n3\ni-1\n3\nu-1\nBuy"
    assert event_key("Buy", NOON_MS, EVENT) == hashlib.md5(text.encode()).hexdigest()  # noqa: S324


def test_the_key_of_an_event_without_a_time_begins_with_nothing() -> None:
    text = "\n3\ni-1\n3\nu-1\nBuy"
    assert event_key("Buy", None, EVENT) == hashlib.md5(text.encode()).hexdigest()  # noqa: S324


@pytest.mark.parametrize("event", [EVENT, BARE])
@pytest.mark.parametrize(
    "change",
    [
        {"distinct_id": "merged", "$distinct_id_before_identity": "u-1"},
        {"mp_processing_time_ms": 9},
        {"distinct_id": "merged", "$distinct_id_before_identity": "u-1", "$is_reshuffled": True},
        {"time": NOON_MS / 1000},
    ],
)
def test_what_mixpanel_may_change_does_not_change_it(
    event: dict[str, Any], change: dict[str, Any]
) -> None:
    assert event_key("Buy", NOON_MS, {**event, **change}) == event_key("Buy", NOON_MS, event)


@pytest.mark.parametrize(
    "change",
    [{"distinct_id": "u-2"}, {"distinct_id": None}, {"$insert_id": "i-2"}, {"$insert_id": 5}],
)
def test_what_tells_two_events_apart_changes_it(change: dict[str, Any]) -> None:
    keys = {event_key("Buy", NOON_MS, event) for event in (EVENT, BARE, {**EVENT, **change})}
    assert len(keys) == 3
    assert event_key("Sell", NOON_MS, EVENT) not in keys
    assert event_key("Buy", NOON_MS + 1, EVENT) not in keys
    assert event_key("Buy", None, EVENT) not in keys


@pytest.mark.parametrize("missing", [{}, {"$insert_id": None}, {"$insert_id": ""}])
def test_without_an_insert_id_all_else_tells_events_apart(missing: dict[str, Any]) -> None:
    event = {**BARE, **missing}
    key = event_key("Buy", NOON_MS, event)
    assert key == event_key("Buy", NOON_MS, dict(reversed(event.items())))
    assert key != event_key("Buy", NOON_MS, {**event, "plan": "free"})
    assert key != event_key("Buy", NOON_MS, {**event, "n": 2**70})


parts = st.text(alphabet="\n1-a\ud800", max_size=4)
events = st.tuples(parts, parts, parts)


@given(events, events)
def test_no_two_identities_run_into_each_other(one: Any, other: Any) -> None:
    keys = {
        event_key(name, 1, {"$insert_id": f"x{insert}", "distinct_id": who})
        for name, insert, who in (one, other)
    }
    assert len(keys) == len({one, other})


held = st.dictionaries(
    st.sampled_from(["a", "$insert_id", "distinct_id", "\ud800"]),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3),
                 lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=2), inner),
                 max_leaves=4),
)  # fmt: skip


@given(held)
def test_it_is_32_hexadecimal_digits_whatever_an_event_holds(properties: dict[str, Any]) -> None:
    key = event_key("Buy", NOON_MS, properties)
    assert len(key) == 32
    assert int(key, 16) >= 0
    assert key == event_key("Buy", NOON_MS, json.loads(json.dumps(properties)))
