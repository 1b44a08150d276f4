"""What was measured, and the figures that follow from it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from statistics import median, quantiles

from benchmarks.bound import Bound
from benchmarks.datasets import Dataset
from benchmarks.measure import Cost

PER = 100_000
MICRO = 1e6
_MANY = 50_000
_LEAST = 1e-9


@dataclass
class Series:
    """The same thing, measured several times.

    Attributes:
        rounds: What it took, by the number of the round.
    """

    rounds: dict[int, Cost] = field(default_factory=dict)

    @property
    def costs(self) -> list[Cost]:
        """What it took each time."""
        return list(self.rounds.values())

    @property
    def cpu(self) -> float:
        """The least CPU seconds: others on the machine only ever add to it."""
        return min(cost.cpu for cost in self.costs)

    @property
    def wall(self) -> float:
        """The least seconds."""
        return min(cost.wall for cost in self.costs)

    @property
    def rss(self) -> int:
        """The most memory."""
        return max(cost.rss for cost in self.costs)

    @property
    def worker(self) -> int:
        """The most memory of a process below the first."""
        return max(cost.worker for cost in self.costs)

    @property
    def records(self) -> int:
        """Records, the same each time."""
        return next(iter(self.rounds.values())).records

    @property
    def spread(self) -> float:
        """How much more CPU the worst run took than the best."""
        return max(cost.cpu for cost in self.costs) / self.cpu - 1

    def cpu_of_rounds(self) -> dict[int, float]:
        """CPU seconds of each round."""
        return {number: cost.cpu for number, cost in self.rounds.items()}

    def wall_of_rounds(self) -> dict[int, float]:
        """Seconds of each round."""
        return {number: cost.wall for number, cost in self.rounds.items()}

    def beyond(self, nothing: Series) -> dict[int, Cost]:
        """What each round took beyond reading nothing in that round, where it was read."""
        return {
            n: replace(cost, cpu=_net(cost.cpu, start.cpu), wall=_net(cost.wall, start.wall))
            for n, cost in self.rounds.items()
            if (start := nothing.rounds.get(n))
        }


def _net(whole: float, start: float) -> float:
    """More than 0, so that a reading that took less than its start-up counts as a fast one."""
    return max(whole - start, _LEAST)


@dataclass(frozen=True)
class Row:
    """One reader on one dataset, compared with its own start-up.

    Attributes:
        reader: Its name.
        dataset: What it read.
        whole: The reading runs.
        empty: Its runs on a project without events.
    """

    reader: str
    dataset: Dataset
    whole: Series
    empty: Series

    @property
    def micros(self) -> float:
        """CPU microseconds a record, the start-up included."""
        return self.whole.cpu / self.whole.records * MICRO

    @property
    def net_micros(self) -> float:
        """CPU microseconds a record beyond what reading nothing takes."""
        return (self.whole.cpu - self.empty.cpu) / self.whole.records * MICRO

    @property
    def rate(self) -> float:
        """Records a second, the start-up left out."""
        return self.whole.records / _net(self.whole.wall, self.empty.wall)

    @property
    def mostly_start(self) -> bool:
        """Whether the start-up is so much of it that nothing can be said of the rest."""
        return self.whole.cpu < 2 * self.empty.cpu and self.whole.records < _MANY

    def of_rounds(self) -> dict[int, float]:
        """CPU seconds a record in each round, the start-up included."""
        return {number: cost.cpu / cost.records for number, cost in self.whole.rounds.items()}

    def net_of_rounds(self) -> dict[int, float]:
        """CPU microseconds a record in each round, the start-up of that round left out."""
        return pooled([self.beyond()])

    def rate_of_rounds(self) -> dict[int, float]:
        """Records a second in each round, the start-up of that round left out."""
        return {number: cost.records / cost.wall for number, cost in self.beyond().items()}

    def beyond(self) -> dict[int, Cost]:
        """What each round took, the start-up of that round left out."""
        return self.whole.beyond(self.empty)


def pooled(readings: list[dict[int, Cost]]) -> dict[int, float]:
    """CPU microseconds a record in each round, of all readings of that round together."""
    found = {}
    for number in sorted({n for costs in readings for n in costs}):
        done = [costs[number] for costs in readings if number in costs]
        found[number] = sum(c.cpu for c in done) / sum(c.records for c in done) * MICRO
    return found


@dataclass(frozen=True)
class Ratio:
    """How two that took turns compare, round by round.

    What slows the machine down for a while slows both, so that their ratio holds where the
    figures themselves do not.

    Attributes:
        rounds: The ratio in each round.
    """

    rounds: list[float]

    @classmethod
    def of(cls, over: dict[int, float], under: dict[int, float]) -> Ratio:
        """One by the other in each round that has both."""
        return cls([over[n] / under[n] for n in over if n in under])

    @property
    def value(self) -> float:
        """The median."""
        return median(self.rounds)

    @property
    def extremes(self) -> tuple[float, float]:
        """The smallest and the largest."""
        return min(self.rounds), max(self.rounds)

    @property
    def spread(self) -> float:
        """How wide the middle half of the rounds is, as a part of the median."""
        if len(self.rounds) == 1:
            return 0.0
        low, _, high = quantiles(self.rounds, n=4, method="inclusive")
        return (high - low) / self.value


@dataclass(frozen=True)
class Timed:
    """A reading by the clock, beside the least time that it could take.

    Attributes:
        requests: Raw exports that were asked for.
    """

    cost: Cost
    requests: int
    bound: Bound


@dataclass
class Walls:
    """Readings from a server that is far away.

    Attributes:
        latency: Seconds to the first byte.
        readings: By what was read, and by whom.
    """

    latency: float = 0.0
    readings: dict[tuple[str, str], list[Timed]] = field(default_factory=dict)


@dataclass
class Results:
    """Everything of one run of the bench.

    Attributes:
        reads: Of events, by reader and dataset.
        empties: Of nothing, by reader.
        starts: Start-ups, by what was started.
        profiles: Of profiles, by page size; None where the connector chooses.
        no_profiles: Of profiles where there are none.
        walls: Of events from a server that is far away.
        busy: Days and megabytes of the largest request for a busy year, and the requests.
    """

    reads: dict[tuple[str, Dataset], Series] = field(default_factory=dict)
    empties: dict[str, Series] = field(default_factory=dict)
    starts: dict[str, Series] = field(default_factory=dict)
    profiles: dict[int | None, Series] = field(default_factory=dict)
    no_profiles: Series = field(default_factory=Series)
    walls: Walls = field(default_factory=Walls)
    busy: tuple[int, int, int] | None = None

    def rows(self) -> list[Row]:
        """A row for each reader and dataset."""
        return [
            Row(reader, dataset, series, self.empties[reader])
            for (reader, dataset), series in self.reads.items()
        ]
