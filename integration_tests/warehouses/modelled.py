"""What the models have to give, worked out in Python from what the local Mixpanel holds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from integration_tests.warehouses.compare import json_text
from integration_tests.warehouses.truth import NAME, TIME, identity, of_event
from source_mixpanel.times.event_time import EPOCH

_PAUSE_MS = 30 * 60 * 1000
_DAY_MS = 86_400_000


class Deed(NamedTuple):
    """An event that counts.

    Attributes:
        name: What it is called.
        at_ms: When it happened.
        who: The person that Mixpanel gives it to, or None.
        day: The project's day.
    """

    name: str
    at_ms: int
    who: str | None
    day: date


def deeds(events: Iterable[dict[str, Any]], zone: ZoneInfo) -> list[Deed]:
    """Events as the control plane tells them, each once, in order of time."""
    once = {identity(row): row for row in map(of_event, events)}
    return sorted(
        (_deed(row, zone) for row in once.values()), key=lambda deed: (deed.at_ms, str(deed.who))
    )


def day_of(at_ms: int, zone: ZoneInfo) -> date:
    """The project's day of an instant."""
    return (EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone).date()


def _deed(row: dict[str, Any], zone: ZoneInfo) -> Deed:
    at_ms, who = row[TIME] // 1000, row.get("distinct_id")
    text = who if isinstance(who, str) or who is None else json_text(who)
    return Deed(row[NAME], at_ms, text, day_of(at_ms, zone))


def by_person(done: Iterable[Deed]) -> dict[str, list[Deed]]:
    """What each person did, in order of time."""
    found: dict[str, list[Deed]] = defaultdict(list)
    for deed in done:
        if deed.who is not None:
            found[deed.who].append(deed)
    return found


def sessions(done: Iterable[Deed]) -> set[tuple[str, date, int, int, int, int]]:
    """Person, day, number in the day, beginning, end, and how many events."""
    found = set()
    for who, theirs in by_person(done).items():
        runs: list[list[Deed]] = []
        for deed in theirs:
            last = runs[-1][-1] if runs else None
            if last and last.day == deed.day and deed.at_ms - last.at_ms <= _PAUSE_MS:
                runs[-1].append(deed)
            else:
                runs.append([deed])
        numbers: Counter[date] = Counter()
        for run in runs:
            numbers[run[0].day] += 1
            told = (numbers[run[0].day], run[0].at_ms, run[-1].at_ms, len(run))
            found.add((who, run[0].day, *told))
    return found


def week_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def active_users(done: Iterable[Deed]) -> dict[tuple[str, date], int]:
    """How many people did anything, by period and its first day."""
    seen: dict[tuple[str, date], set[str]] = defaultdict(set)
    for deed in done:
        if deed.who is not None:
            seen["day", deed.day].add(deed.who)
            seen["week", week_of(deed.day)].add(deed.who)
            seen["month", deed.day.replace(day=1)].add(deed.who)
    return {period: len(people) for period, people in seen.items()}


def funnel(done: Iterable[Deed], steps: Sequence[str], days: int) -> list[int]:
    """How many people got to each step, by walking from every beginning."""
    reached: list[set[str]] = [set() for _ in steps]
    for who, theirs in by_person(done).items():
        for number, first in enumerate(theirs):
            step, at_ms = 0, first.at_ms - 1
            for deed in theirs[number:]:
                in_time = deed.at_ms <= first.at_ms + days * _DAY_MS
                if (
                    step < len(steps)
                    and deed.name == steps[step]
                    and in_time
                    and deed.at_ms > at_ms
                ):
                    reached[step].add(who)
                    step, at_ms = step + 1, deed.at_ms
                elif step == 0:
                    break
    return [len(people) for people in reached]


def retention(done: Iterable[Deed]) -> dict[tuple[date, int], int]:
    """How many people were active in each week since that of their first event."""
    found: Counter[tuple[date, int]] = Counter()
    for theirs in by_person(done).values():
        weeks = {week_of(deed.day) for deed in theirs}
        for week in weeks:
            found[min(weeks), (week - min(weeks)).days // 7] += 1
    return dict(found)
