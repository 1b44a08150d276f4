"""Counting events the way the Query API's reports do."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mixpanel_emulator import json_text
from mixpanel_emulator.buckets import label, span
from mixpanel_emulator.events import EventQuery
from mixpanel_emulator.http import ApiError
from mixpanel_emulator.where import UNDEFINED, Evaluator, ExpressionError, compile_expression

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from mixpanel_emulator.where import Lookup
    from mixpanel_emulator.world import World

TYPES = ("general", "unique", "average")


@dataclass(frozen=True)
class Question:
    """What to count.

    Attributes:
        names: Event names.
        start: First day, project zone.
        end: Last day, inclusive.
        unit: Bucket unit.
        where: Condition, or None.
        on: Expression whose value splits the counts, or None for the event's name.
    """

    names: tuple[str, ...]
    start: date
    end: date
    unit: str
    where: Evaluator | None = None
    on: Evaluator | None = None


@dataclass(frozen=True)
class Hit:
    """One event that counts."""

    segment: Any
    bucket: str
    person: Any
    moment: int


def expression(name: str, text: str | None) -> Evaluator | None:
    """Compile an optional expression parameter.

    Raises:
        ApiError: 400 if it is not in the language.
    """
    if not text:
        return None
    bare = text.replace("_", "").replace("$", "").isalnum() and not text.isdigit()
    try:
        return compile_expression(f"properties[{json_text.ascii_text(text)}]" if bare else text)
    except ExpressionError as error:
        raise ApiError(400, f"Invalid parameter: {name}: {error}") from error


def hits(world: World, question: Question) -> Iterator[Hit]:
    """The events that count, with segment, bucket and person."""
    zone = world.settings.zone()
    first, last = span(question.start, question.end, zone)
    window = EventQuery(first, last, names=question.names)
    for moment, who, segment in matches(world, window, question.where, question.on):
        yield Hit(segment, label(moment, question.unit, zone), who, moment)


def matches(
    world: World, window: EventQuery, where: Evaluator | None, on: Evaluator | None
) -> Iterator[tuple[int, Any, Any]]:
    """(instant, person, segment) of a window's events; without `on`, segments are names."""
    for page in world.events.pages(window):
        for event in page:
            properties = event.properties()
            lookup = _lookup(properties, event.time_ms / 1000)
            if where is not None and not where(lookup):
                continue
            segment = on(lookup) if on else json_text.loads(event.name)
            yield event.time_ms, properties.get("distinct_id"), segment


def _lookup(properties: dict[str, Any], seconds: float) -> Lookup:
    return lambda _scope, name: (
        seconds if name in ("$time", "time") else properties.get(name, UNDEFINED)
    )


def segment_name(value: Any) -> str:
    """The key a segment's value gets in a response."""
    if isinstance(value, str):
        return value
    return "undefined" if value is UNDEFINED else json_text.export_bytes(value).decode()


def counted(world: World, question: Question, kind: str) -> dict[str, dict[str, float]]:
    """Counts by segment and bucket; buckets without events are left out.

    Args:
        world: The project.
        question: What to count.
        kind: "general" counts events, "unique" people, "average" events per person.
    """
    events: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    people: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for hit in hits(world, question):
        name = segment_name(hit.segment)
        events[name][hit.bucket] += 1
        people[name][hit.bucket].add(json_text.ascii_text(hit.person))
    return {
        name: {
            bucket: _value(kind, count, len(people[name][bucket])) for bucket, count in row.items()
        }
        for name, row in events.items()
    }


def _value(kind: str, events: int, people: int) -> float:
    if kind == "general":
        return events
    return people if kind == "unique" else events / people
