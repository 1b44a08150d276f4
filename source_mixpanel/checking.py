"""What `check` asks: one light call for each kind of access."""

from __future__ import annotations

from source_mixpanel.errors import ForbiddenError, SourceError
from source_mixpanel.streams.base import Workshop
from source_mixpanel.streams.export_request import ExportFilter, export_request
from source_mixpanel.sync.coverage import Span
from source_mixpanel.sync.days import Days
from source_mixpanel.sync.window import Window


def closed_doors(workshop: Workshop) -> list[str]:
    """Sentences on what this account may not read, and why; empty if all is open.

    Raises:
        SourceError: Nothing can be read, or the settings contradict the project.
    """
    zone = workshop.project.zone()
    today = Days(None, zone).today(workshop.time.now_utc())
    request = export_request(Window(Span(today, today)), ExportFilter(), limit=1)
    try:
        workshop.client.spool(request).close()
    except ForbiddenError as error:
        closed: list[SourceError] = [error]
    else:
        closed = []
    if len(closed) == 1:
        raise closed[0]
    return [str(error) for error in closed]
