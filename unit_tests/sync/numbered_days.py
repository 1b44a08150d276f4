"""Days by their numbers."""

from __future__ import annotations

from datetime import date, timedelta

FIRST = date(2026, 1, 1)
ONE_DAY = timedelta(days=1)


def nth(number: int) -> date:
    """The day of a number; the first has 0."""
    return FIRST + timedelta(days=number)


def number_of(of: date) -> int:
    """The number of a day."""
    return (of - FIRST).days
