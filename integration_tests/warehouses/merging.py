"""A project of many people, some of whom turn out to be one between its syncs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from integration_tests.warehouses import modelled
from integration_tests.warehouses.history import Recorder, Sync
from integration_tests.warehouses.modelled import Deed
from integration_tests.warehouses.world import HOUR_S, Step
from mixpanel_emulator.control_client import ControlClient
from unit_tests.builders import event

ZONE = "America/Los_Angeles"
SYSTEMS = ("original", "simplified")
STREAMS = ("export", "event_counts")
_NOW = Step("now", lambda _: None)
_SEED, _EVENTS, _DAYS, _PEOPLE = 7, 4_000, 20, 60


@dataclass(frozen=True)
class Life:
    """A project whose people were merged between its syncs.

    Attributes:
        syncs: What came of it.
        events: What Mixpanel holds in the end, and what it held.
    """

    syncs: list[Sync]
    events: list[dict[str, Any]]

    @property
    def done(self) -> list[Deed]:
        """The same as deeds."""
        return modelled.deeds(self.events, ZoneInfo(ZONE))


def fresh(name: str, **held: Any) -> dict[str, Any]:
    """An event that Mixpanel processes as it comes in."""
    made = event(name, **held)
    del made["properties"]["mp_processing_time_ms"]
    return made


def joins(system: str, devices: list[str]) -> Iterator[dict[str, Any]]:
    """Events that make several ids one person, in chains; some that must not."""
    one, two, three, four = devices[:4]

    def sent(name: str, number: int, **held: Any) -> dict[str, Any]:
        return fresh(name, insert_id=f"join-{number}", days_ago=-0.08 - number / 1e6, **held)

    if system == "simplified":
        told = [
            (one, "user-000001"),
            (one, "user-000002"),
            (two, "user-000001"),
            (three, "new"),
            ("$device:live", "new"),
        ]
        for number, (device, user) in enumerate(told):
            held = {"$device_id": device.removeprefix("$device:"), "$user_id": user}
            yield sent("Log In", number, **held)
        return
    for number, (anon, user) in enumerate(
        [(one, "user-000001"), (one, "user-000002"), (two, "user-000001")]
    ):
        held = {"distinct_id": user, "$anon_id": anon, "$identified_id": user}
        yield sent("$identify", number, **held)
    yield sent("$create_alias", 3, distinct_id="account", alias="user-000001")
    merged = ["user-000003", three, "user-000004"]
    yield sent("$merge", 4, distinct_id="user-000003", **{"$distinct_ids": merged})
    yield sent("$merge", 5, distinct_id="last", **{"$distinct_ids": ["last", one]})
    yield sent("$create_alias", 6, distinct_id="someone", alias=four)


def late(number: int) -> dict[str, Any]:
    """An event of ten days ago that comes in now."""
    return fresh("Late View", insert_id=f"late-{number}", days_ago=10, distinct_id="user-000005")


def devices_of(control: ControlClient, system: str) -> list[str]:
    """Ids of visitors without a name, those first that did most."""
    ids = Counter(
        told["properties"].get("distinct_id")
        for told in control.events()
        if told["properties"].get("distinct_id")
    )
    prefixes = ("$device:",) if system == "simplified" else ("$device:", "device-")
    return [who for who, _ in ids.most_common() if str(who).startswith(prefixes)]


def lived(control: ControlClient, recorder: Recorder, system: str) -> Life:
    """Three syncs: history, what was merged and late, and a day later, after a deletion."""
    control.seed(_SEED, events=_EVENTS, days=_DAYS, profiles=_PEOPLE)
    control.configure(identity_merge=system)
    forgotten = [
        fresh("Forgotten", insert_id=name, days_ago=1, distinct_id="user-000006")
        for name in ("gone", "kept")
    ]
    slow = [
        fresh(name, insert_id=f"slow-{n}", days_ago=15 - 5 * n, distinct_id="slow")
        for n, name in enumerate(("View Item", "Add to Cart", "Begin Checkout"))
    ]
    # Of now, so that the next sync reads it again.
    live = fresh("Live View", insert_id="live", distinct_id="$device:live", days_ago=0.01)
    live["properties"]["$device_id"] = "live"
    control.add_events([late(0), *forgotten, *slow, live])
    found = recorder.discover()
    recorder.streams = {name: found[name] for name in STREAMS}
    syncs = [recorder.sync(_NOW)]
    control.advance(2 * HOUR_S)
    for made in joins(system, devices_of(control, system)):
        control.advance(1)
        control.add_events([made])
    control.add_events([late(1), late(2)])
    syncs.append(recorder.sync(_NOW))
    held = control.events()
    assert control.remove_events("gone") == 1
    control.advance(26 * HOUR_S)
    syncs.append(recorder.sync(_NOW))
    assert Counter(told["event"] for told in held) - Counter(
        told["event"] for told in control.events()
    ) == {"Forgotten": 1}
    return Life(syncs, held)
