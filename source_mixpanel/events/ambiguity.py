"""What events' times may mean, and what a user should know of how they were read. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from source_mixpanel.events.state import ExportState
from source_mixpanel.streams.coverage import Span
from source_mixpanel.times.days import ONE_DAY, Days
from source_mixpanel.times.event_time import PROJECT_KIND


def guessed(earlier: Span | None, span: Span, days: Days) -> Span | None:
    """The days whose events were read as UTC although nothing told that they are."""
    if days.kind is not None or not may_differ(days.zone, span):
        return earlier
    if earlier is None:
        return span
    return Span(min(earlier.first, span.first), max(earlier.last, span.last))


def guessed_before(state: ExportState, days: Days) -> Span | None:
    """As `guessed`, of the syncs before this one."""
    first, last = state.coverage.first, state.coverage.last
    marks = [part.watermark_ms for part in state.coverage.parts]
    ours = any(mark is not None for mark in marks) and state.latest_ms is not None
    if state.kind is not None or not ours or first is None or last is None:
        return None
    span = Span(first, last)
    return span if may_differ(state.origin.zone or days.zone, span) else None


def undecided(days: Days, guessed: Span | None) -> str | None:
    """A sentence if nothing told what times of events mean, and it makes a difference."""
    if days.kind is not None or guessed is None:
        return None
    where = days.zone.key if days.zone is not None else "not known"
    return (
        f"Stream 'export': too few events tell when Mixpanel received them, so whether their times "
        f"are UTC or in the project's own time zone ({where}) is not known. They were read as "
        f"UTC. Set event_timestamps: utc for a project made since 2023, project_time for an "
        f"older one."
    )


def misread(days: Days, guessed: Span | None) -> str | None:
    """A sentence if times turned out to be the project's own after some were read as UTC."""
    if days.kind != PROJECT_KIND or guessed is None:
        return None
    return (
        f"Stream 'export': events of {guessed.first} to {guessed.last} were read as UTC, but the "
        f"project keeps times by its own clock, so theirs are off wherever that is not UTC's. "
        f"Refresh the stream to have them right."
    )


def moved(before: str | None, days: Days) -> str | None:
    """A sentence if a project whose times are its own has changed its zone between two syncs."""
    zone = days.zone
    if days.kind != PROJECT_KIND or before is None or zone is None or before == zone.key:
        return None
    return (
        f"The project's time zone was {before} at the last sync and is {zone.key} now. Mixpanel "
        f"keeps an event's time by the zone of the day it came in, so events from before the "
        f"change that are read again get instants that are off by the difference."
    )


def reinterpreted(state: ExportState, days: Days) -> str | None:
    """A sentence if the settings say that times mean something else than at the last sync."""
    last = state.coverage.last
    if last is None or state.kind is None or days.kind in (None, state.kind):
        return None
    return (
        f"Stream 'export': times of events until {last} were read as {state.kind}, and are read as "
        f"{days.kind} from now on, as event_timestamps says. Refresh the stream to have all of "
        f"them alike."
    )


def ahead_of_time(state: ExportState, today: date) -> str | None:
    """A sentence if a saved cursor lies in the future."""
    if not state.coverage.claims(today + ONE_DAY):
        return None
    return (
        f"Stream 'export': the saved state says that {state.coverage.last} is read, which is later "
        f"than today ({today}). Nothing is read now; what Mixpanel gets from now on is read next "
        f"time. If the state is wrong, reset the stream."
    )


_NOON = time(12)
_YEAR = 366
_MONTH = 30


def may_differ(zone: ZoneInfo | None, span: Span) -> bool:
    """Whether times of these days may mean two instants, by the two kinds of project.

    London's do in summer, Tokyo's always, and UTC's never. Those of a zone that is not known may.
    """
    if zone is None:
        return True
    return any(_differs(zone, span.first + ONE_DAY * n) for n in range(span.days))


def telling_days(zone: ZoneInfo | None, today: date) -> Span | None:
    """The latest days, a month at most, whose events can tell the kind of a project.

    None if the project's clock has shown UTC for a year.
    """
    if zone is None:
        return Span(today - timedelta(days=_MONTH), today)
    back = (today - ONE_DAY * n for n in range(_YEAR))
    last = next((day for day in back if _differs(zone, day)), None)
    if last is None:
        return None
    first = last
    while (last - first).days < _MONTH and _differs(zone, first - ONE_DAY):
        first -= ONE_DAY
    return Span(first, last)


def _differs(zone: ZoneInfo, day: date) -> bool:
    return bool(datetime.combine(day, _NOON, tzinfo=zone).utcoffset())
