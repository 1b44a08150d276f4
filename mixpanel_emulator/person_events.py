"""What people did in which order: funnels, retention and frequency, as pure functions."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Moments = dict[str, list[int]]
Cohorts = dict[str, dict[str, int]]
"""Who entered at which instant, by the bucket they entered in."""


def by_person(rows: Iterable[tuple[int, object]]) -> Moments:
    """Group (instant, distinct_id) by person, in order of time; events of nobody are left out."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for moment, who in rows:
        if isinstance(who, str):
            found[who].append(moment)
    return {who: sorted(moments) for who, moments in found.items()}


@dataclass(frozen=True)
class Path:
    """The steps of a funnel.

    Attributes:
        names: The event of each step.
        moments: Who did each event when.
        length_ms: How long a person has from the first step.
    """

    names: Sequence[str]
    moments: Mapping[str, Moments]
    length_ms: int

    def walk(self, who: str, first: int) -> list[int]:
        """The instants at which a person took the steps in order, from the first one on."""
        taken = [first]
        for before, name in zip(self.names, self.names[1:], strict=False):
            times = self.moments[name].get(who, [])
            # The same event twice in a funnel needs two events.
            index = bisect_left(times, taken[-1]) + (name == before)
            if index >= len(times) or times[index] > first + self.length_ms:
                break
            taken.append(times[index])
        return taken


def funnel(
    starts: Moments, path: Path, label: Callable[[int], str], end: int
) -> dict[str, list[list[int]]]:
    """For each bucket the walks of the people who started in it, each once per bucket."""
    found: defaultdict[str, list[list[int]]] = defaultdict(list)
    for who, moments in starts.items():
        seen: set[str] = set()
        for first in moments:
            bucket = label(first)
            if first < end and bucket not in seen:
                seen.add(bucket)
                found[bucket].append(path.walk(who, first))
    return dict(found)


def cohorts(born: Moments, label: Callable[[int], str], *, once: bool) -> Cohorts:
    """Who enters which cohort when: once, at the first event, or in every bucket."""
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for who, moments in born.items():
        for moment in moments[:1] if once else moments:
            found[label(moment)].setdefault(who, moment)
    return dict(found)


@dataclass(frozen=True)
class Return:
    """How returning is counted.

    Attributes:
        step_ms: Length of an interval; the first begins with a person's own entry.
        unbounded: Whether a return in an interval counts in all intervals before it too.
    """

    step_ms: int
    unbounded: bool = False

    def counts(self, entered: Mapping[str, int], again: Moments, intervals: int) -> list[int]:
        """For each interval how many of those who entered came back in it."""
        totals = [0] * intervals
        for who, moment in entered.items():
            ages = {(m - moment) // self.step_ms for m in again.get(who, []) if m >= moment}
            if self.unbounded and ages:
                ages = set(range(max(ages) + 1))
            for age in ages:
                if age < intervals:
                    totals[age] += 1
        return totals


def frequency(
    people: Moments, outer: Callable[[int], str], inner: Callable[[int], str], parts: int
) -> dict[str, list[int]]:
    """For each outer bucket how many people were active in at least 1, 2, ... inner ones."""
    active: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for who, moments in people.items():
        for moment in moments:
            active[outer(moment), who].add(inner(moment))
    rows: defaultdict[str, list[int]] = defaultdict(lambda: [0] * parts)
    for (bucket, _), inside in active.items():
        for number in range(min(len(inside), parts)):
            rows[bucket][number] += 1
    return dict(rows)
