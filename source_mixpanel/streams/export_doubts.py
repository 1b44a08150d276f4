"""What a user should know of how events were read: by which clock, by which filter. Pure."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from source_mixpanel.dates import same_zone
from source_mixpanel.instants import PROJECT_KIND
from source_mixpanel.sync.cursor import ExportState
from source_mixpanel.sync.days import Days

_UTC = ZoneInfo("UTC")


def undecided(days: Days, events: int) -> str | None:
    """A sentence if events were read although nothing told what their times mean.

    Args:
        days: What is known of the project's days when all has been read.
        events: How many were read.
    """
    if days.kind is not None or not events:
        return None
    if days.zone is not None and same_zone(days.zone, _UTC):
        return None
    where = days.zone.key if days.zone is not None else "not known"
    return (
        f"Stream 'export': too few events tell when Mixpanel received them, so whether their times "
        f"are UTC or in the project's own time zone ({where}) is not known. They were read as "
        f"UTC. Set event_timestamps: utc for a project made since 2023, project_time for an "
        f"older one."
    )


def moved(before: str | None, days: Days) -> str | None:
    """A sentence if a project whose times are its own has changed its zone between two syncs.

    Args:
        before: The zone's name at the last sync.
        days: How the project counts days now.
    """
    zone = days.zone
    if days.kind != PROJECT_KIND or before is None or zone is None or before == zone.key:
        return None
    return (
        f"The project's time zone was {before} at the last sync and is {zone.key} now. Mixpanel "
        f"keeps an event's time by the zone of the day it came in, so events from before the "
        f"change that are read again get instants that are off by the difference."
    )


def refiltered(state: ExportState, wanted: str) -> str | None:
    """A sentence if days that count as read were read by another filter.

    Args:
        state: What this sync goes on from.
        wanted: The mark of the filter now.
    """
    last = state.coverage.last
    if last is None or state.wanted in (None, wanted):
        return None
    return (
        f"Stream 'export': export_events or export_where is not what it was at the last sync. The "
        f"new one counts for what is read from now on; events until {last} stay as the old one "
        f"chose them. Refresh the stream to have all of them by the new one."
    )
