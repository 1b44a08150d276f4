"""What people did in which order: funnels, retention and frequency, as pure functions."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Moments = dict[str, list[int]]


def by_person(rows: Iterable[tuple[int, object]]) -> Moments:
    """Group (instant, distinct_id) by person, in order of time; nobody's events are dropped."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for moment, who in rows:
        if isinstance(who, str):
            found[who].append(moment)
    return {who: sorted(moments) for who, moments in found.items()}


def walk(steps: Sequence[Moments], who: str, first: int, last: int) -> list[int]:
    """Return the instants at which a person took the steps, in order, none after `last`."""
    taken = [first]
    for moments in steps[1:]:
        own = moments.get(who, [])
        place = bisect_left(own, taken[-1])
        # The same event twice in a funnel needs two events.
        if moments is steps[len(taken) - 1]:
            place += 1
        if place >= len(own) or own[place] > last:
            break
        taken.append(own[place])
    return taken


def funnel(
    steps: Sequence[Moments], label: Callable[[int], str], start: int, end: int, length_ms: int
) -> dict[str, list[list[int]]]:
    """Return for each bucket the walks of the people who started in it, once a bucket."""
    found: defaultdict[str, list[list[int]]] = defaultdict(list)
    for who, moments in steps[0].items():
        seen: set[str] = set()
        for first in moments:
            bucket = label(first)
            if start <= first < end and bucket not in seen:
                seen.add(bucket)
                found[bucket].append(walk(steps, who, first, first + length_ms))
    return dict(found)


def retention(
    born: Moments, again: Moments, buckets: Sequence[str], ages: int, label: Callable[[int], str]
) -> dict[str, dict[str, object]]:
    """Return for each bucket how many were born in it, and how many came back n buckets later.

    `counts[0]` is those who came back in the bucket they were born in (mixpanel-api 7.3).
    """
    place = {bucket: number for number, bucket in enumerate(buckets)}
    active = {who: {place.get(label(m), -1) for m in moments} for who, moments in again.items()}
    born_in: defaultdict[int, list[str]] = defaultdict(list)
    for who, moments in born.items():
        born_in[place[label(moments[0])]].append(who)
    return {
        bucket: {
            "counts": [
                sum(1 for who in born_in[number] if number + age in active.get(who, ()))
                for age in range(min(ages, len(buckets) - number - 1) + 1)
            ],
            "first": len(born_in[number]),
        }
        for bucket, number in place.items()
    }


def frequency(
    people: Moments, outer: Callable[[int], str], inner: Callable[[int], str], parts: int
) -> dict[str, list[int]]:
    """Return for each outer bucket how many people were active in at least 1, 2, ... inner ones."""
    active: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for who, moments in people.items():
        for moment in moments:
            active[outer(moment), who].add(inner(moment))
    rows: defaultdict[str, list[int]] = defaultdict(lambda: [0] * parts)
    for (bucket, _), inside in active.items():
        for number in range(min(len(inside), parts)):
            rows[bucket][number] += 1
    return dict(rows)
