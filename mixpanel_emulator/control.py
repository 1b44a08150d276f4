"""The control plane below /_emulator/, with which tests set up the emulator."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mixpanel_emulator import ground_truth, json_text, settings
from mixpanel_emulator.clock import format_instant, parse_instant
from mixpanel_emulator.events import NewEvent
from mixpanel_emulator.faults import read_fault
from mixpanel_emulator.http import Call, Reply, json_reply
from mixpanel_emulator.identity import take
from mixpanel_emulator.profiles import USERS
from mixpanel_emulator.seed.project import plant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mixpanel_emulator.world import World

PREFIX = "/_emulator/"
PROCESSING = "mp_processing_time_ms"
# The year 10000: days beyond it have no date.
LATEST_MS = 253_402_300_800_000
_BLOCK = 500


def handle(call: Call, world: World) -> Reply:
    """The answer to a control request; a 400 with the reason if it is not valid."""
    action = _ACTIONS.get((call.method, call.path.removeprefix(PREFIX)))
    if action is None:
        return json_reply({"error": f"no such control: {call.method} {call.path}"}, 404)
    try:
        value = action(json_text.loads(call.body) if call.body else {}, world)
    except (ValueError, TypeError, KeyError) as error:
        return json_reply({"error": f"{type(error).__name__}: {error}"}, 400)
    return value if isinstance(value, Reply) else Reply(200, json_text.ascii_bytes(value))


def _reset(_body: Any, world: World) -> Any:
    world.reset()
    return {}


def _seed(body: Any, world: World) -> Any:
    return plant(world, **body)


def _set_clock(body: Any, world: World) -> Any:
    if "advance" in body:
        world.clock.advance(float(body["advance"]))
    else:
        world.clock.set(parse_instant(body["now"]), frozen=bool(body.get("frozen", False)))
    return _get_clock(body, world)


def _get_clock(_body: Any, world: World) -> Any:
    now = world.clock.now_ms()
    return {"now": format_instant(now), "now_ms": now}


def new_event(entry: dict[str, Any], world: World) -> NewEvent:
    """Read an event as tests give it: true UTC `time` in ms, everything else kept as it is.

    Raises:
        TypeError: If the name or the time is of the wrong type.
        ValueError: If the time is before 1970 or after the year 9999.
    """
    properties = dict(entry["properties"])
    time_ms = properties.pop("time")
    if not isinstance(entry["event"], str) or not isinstance(time_ms, int):
        raise TypeError("an event needs a string `event` and an integer `time` in ms")
    if not 0 <= time_ms < LATEST_MS:
        raise ValueError("`time` is not in milliseconds of this age of the world")
    now = world.clock.now_ms()
    if properties.setdefault(PROCESSING, now) in (None, "none"):
        del properties[PROCESSING]
    visible = entry.get("visible_at_ms")
    return NewEvent(
        entry["event"],
        time_ms,
        properties,
        world.visible_at(now) if visible is None else int(visible),
        has_float_time=bool(entry.get("has_float_time", False)),
    )


def _add_events(body: Any, world: World) -> Any:
    events = [new_event(given, world) for given in body["events"]]
    return {"added": take(world, events)}


def _events(_body: Any, world: World) -> Reply:
    def lines() -> Iterator[bytes]:
        block: list[bytes] = []
        for event in world.events.truth():
            block.append(json_text.ascii_bytes(event) + b"\n")
            if len(block) == _BLOCK:
                yield b"".join(block)
                block.clear()
        yield b"".join(block)

    return Reply(200, b"".join(lines()), "application/x-ndjson")


def _remove_events(body: Any, world: World) -> Any:
    return {"removed": world.events.remove(body["insert_ids"])}


def _add_fault(body: Any, world: World) -> Any:
    world.script.faults.append(read_fault(body))
    return {}


def _clear_faults(_body: Any, world: World) -> Any:
    world.script.faults.clear()
    return {}


def _faults(_body: Any, world: World) -> Any:
    return [asdict(fault) for fault in world.script.faults]


def _journal(_body: Any, world: World) -> Any:
    return [asdict(entry) for entry in world.script.journal]


def _clear_journal(_body: Any, world: World) -> Any:
    world.script.journal.clear()
    return {}


def _configure(body: Any, world: World) -> Any:
    world.settings = settings.changed(world.settings, body)
    return asdict(world.settings)


def _settings(_body: Any, world: World) -> Any:
    return asdict(world.settings)


def _quota(_body: Any, world: World) -> Any:
    now = world.clock.now_ms()
    return {
        name: {"started": list(bucket.starts), "running": bucket.running, "now_ms": now}
        for name, bucket in (
            ("query", world.quotas.query),
            ("export", world.quotas.export),
            ("lexicon", world.quotas.lexicon),
        )
    }


def _truth(body: Any, world: World) -> Any:
    return ground_truth.read(world, body["kind"])


def _set_truth(body: Any, world: World) -> Any:
    ground_truth.write(world, body["kind"], body["items"])
    return {}


def _add_truth(body: Any, world: World) -> Any:
    ground_truth.append(world, body["kind"], body["items"])
    return {}


def _add_profiles(body: Any, world: World) -> Any:
    pairs = [(item["$distinct_id"], item["$properties"]) for item in body["profiles"]]
    return {"added": world.profiles.put(str(body.get("data_group_id") or USERS), pairs)}


def _expire_sessions(_body: Any, world: World) -> Any:
    world.sessions.clear()
    return {}


_ACTIONS: dict[tuple[str, str], Callable[[Any, World], Any]] = {
    ("POST", "reset"): _reset,
    ("POST", "seed"): _seed,
    ("POST", "clock"): _set_clock,
    ("GET", "clock"): _get_clock,
    ("POST", "events"): _add_events,
    ("GET", "events"): _events,
    ("POST", "events/remove"): _remove_events,
    ("POST", "faults"): _add_fault,
    ("GET", "faults"): _faults,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "journal"): _journal,
    ("DELETE", "journal"): _clear_journal,
    ("POST", "configure"): _configure,
    ("GET", "configure"): _settings,
    ("GET", "quota"): _quota,
    ("POST", "truth/read"): _truth,
    ("POST", "truth/write"): _set_truth,
    ("POST", "truth/append"): _add_truth,
    ("POST", "profiles"): _add_profiles,
    ("POST", "sessions/expire"): _expire_sessions,
}
