"""What is measured with, and where its bodies are kept. Light: the measuring process uses it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import ClassVar

_FORMAT = 3
"""Counts up when bodies change, so that none of before are used."""

PROFILES_PROJECT = 7
"""The project that has profiles."""

EMPTY_PROJECT = 1
"""A project without events."""

EXPORT = "/api/2.0/export"

LATE_EVENTS = 3
_LATE_EVERY = 7
LATE = "-late"
"""What is behind the unit where events are kept that came days late."""


@dataclass(frozen=True)
class Dataset:
    """A project with the same number of events each day; that number is also its id.

    Attributes:
        events: Events a day.
        days: Days with events.
        unit: Unit of `time`: "ms" as we ask for it, "s" as everybody else does.
    """

    FIRST: ClassVar[date] = date(2025, 3, 3)

    events: int
    days: int
    unit: str = "ms"

    @property
    def first(self) -> date:
        """The first day."""
        return self.FIRST

    @property
    def last(self) -> date:
        """The last day."""
        return self.FIRST + timedelta(days=self.days - 1)

    @property
    def total(self) -> int:
        """Events in all."""
        return 0 if self.events == EMPTY_PROJECT else self.events * self.days

    @property
    def unit_ms(self) -> int:
        """Milliseconds in a unit of `time`."""
        return 1000 if self.unit == "s" else 1

    @property
    def words(self) -> str:
        """The same for tables."""
        return f"{self.days} {'day' if self.days == 1 else 'days'} of {self.events:,}"

    def __str__(self) -> str:
        return f"{self.events}:{self.days}:{self.unit}"

    @classmethod
    def parse(cls, text: str) -> Dataset:
        """The dataset that `str` gave."""
        events, days, unit = text.split(":")
        return cls(int(events), int(days), unit)


def cache_name() -> str:
    """The folder, within that of temporary files, where bodies stay from run to run."""
    return f"source-mixpanel-bench-{_FORMAT}"


def late_days(dataset: Dataset) -> list[date]:
    """Every seventh day before the last: `LATE_EVENTS` of it come on the last day."""
    return [dataset.first + timedelta(days=n) for n in range(0, dataset.days - 1, _LATE_EVERY)]


def day_file(cache: Path, events: int, unit: str, day: date) -> Path:
    """A day's compressed body."""
    return cache / f"{events}-{unit}" / f"{day}.deflate"


def sample_file(cache: Path, unit: str) -> Path:
    """The body of requests with a limit."""
    return cache / f"sample-{unit}.deflate"


def names_file(cache: Path) -> Path:
    """The answer of `events/properties/top`."""
    return cache / "names.json"


def profiles_file(cache: Path, count: int) -> Path:
    """Profiles, one a line."""
    return cache / f"profiles-{count}.jsonl"
