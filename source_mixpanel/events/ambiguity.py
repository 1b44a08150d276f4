"""Ambiguous event times (UTC or the project's zone), and warnings about them. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from source_mixpanel.events.state import ExportState
from source_mixpanel.streams.coverage import Span
from source_mixpanel.times.days import ONE_DAY, Days
from source_mixpanel.times.event_time import PROJECT_KIND


def read_as_utc(earlier: Span | None, span: Span, days: Days) -> Span | None:
    """The days whose events were read as UTC without proof, with those of `span`; None for none."""
    if days.kind is not None or not may_differ(days.zone, span):
        return earlier
    if earlier is None:
        return span
    return Span(min(earlier.first, span.first), max(earlier.last, span.last))


def read_as_utc_before(state: ExportState, days: Days) -> Span | None:
    """The days that earlier syncs read as UTC without proof; None for none."""
    first, last = state.coverage.first, state.coverage.last
    marks = [part.watermark_ms for part in state.coverage.parts]
    is_own_state = any(mark is not None for mark in marks) and state.latest_ms is not None
    if state.kind is not None or not is_own_state or first is None or last is None:
        return None
    span = Span(first, last)
    return span if may_differ(state.origin.zone or days.zone, span) else None


def undecided_warning(days: Days, read_as_utc: Span | None) -> str | None:
    """A warning if the kind of times is not known, and it makes a difference."""
    if days.kind is not None or read_as_utc is None:
        return None
    where = days.zone.key if days.zone is not None else "not known"
    return (
        f"Stream 'export': too few events tell when Mixpanel received them, so whether their times "
        f"are UTC or in the project's own time zone ({where}) is not known. They were read as "
        f"UTC. Set event_timestamps: utc for a project made since 2023, project_time for an "
        f"older one."
    )


def misread_warning(days: Days, read_as_utc: Span | None) -> str | None:
    """A warning if times are in the project's zone, and some were read as UTC before."""
    if days.kind != PROJECT_KIND or read_as_utc is None:
        return None
    return (
        f"Stream 'export': events of {read_as_utc.first} to {read_as_utc.last} were read as UTC, "
        f"but the project keeps times by its own clock, so theirs are off wherever that is not "
        f"UTC's. Refresh the stream to have them right."
    )


def zone_change_warning(before: str | None, days: Days) -> str | None:
    """A warning if times are in the project's zone, and that has changed since the last sync."""
    zone = days.zone
    if days.kind != PROJECT_KIND or before is None or zone is None or before == zone.key:
        return None
    return (
        f"The project's time zone was {before} at the last sync and is {zone.key} now. Mixpanel "
        f"keeps an event's time by the zone of the day it came in, so events from before the "
        f"change that are read again get instants that are off by the difference."
    )


def kind_change_warning(state: ExportState, days: Days) -> str | None:
    """A warning if the settings give another kind of times than at the last sync."""
    last = state.coverage.last
    if last is None or state.kind is None or days.kind in (None, state.kind):
        return None
    return (
        f"Stream 'export': times of events until {last} were read as {state.kind}, and are read as "
        f"{days.kind} from now on, as event_timestamps says. Refresh the stream to have all of "
        f"them alike."
    )


def future_cursor_warning(state: ExportState, today: date) -> str | None:
    """A warning if the saved cursor lies in the future."""
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
    """Whether times of these days mean different instants in UTC and in the project's zone.

    In London they do in summer, in Tokyo always; without a known zone they may.
    """
    if zone is None:
        return True
    return any(_differs(zone, span.first + ONE_DAY * n) for n in range(span.days))


def deciding_days(zone: ZoneInfo | None, today: date) -> Span | None:
    """The latest days, a month at most, whose events can decide the kind of times.

    None if the project's zone has been equal to UTC for a year.
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
