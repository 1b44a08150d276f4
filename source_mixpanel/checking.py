"""What `check` asks: one light call for each kind of access."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from source_mixpanel.api.endpoints import COHORTS
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.errors import ConfigError, ForbiddenError, SourceError
from source_mixpanel.streams.base import Workshop
from source_mixpanel.streams.export_request import ExportFilter, export_request
from source_mixpanel.sync.coverage import Span
from source_mixpanel.sync.days import Days
from source_mixpanel.sync.window import Window


def closed_doors(workshop: Workshop) -> list[str]:
    """Sentences on what this account may not read, and why; empty if all is open.

    Costs one raw export, one query and one call of the app API, besides the project's settings. A
    401 is final only if nothing else is open: not every API takes every kind of credentials.

    Raises:
        SourceError: Nothing can be read, or the settings contradict the project.
    """
    today = Days(None, workshop.project.zone()).today(workshop.time.now_utc())
    closed: dict[Api, SourceError] = {}
    doors = dict(_doors(workshop, today))
    for api, knock in doors.items():
        error = _refusal(knock)
        if error is not None:
            closed[api] = error
    if len(closed) == len(doors):
        raise _telling(list(closed.values()))
    sentences = [
        f"Streams that are read from Mixpanel's {api.value} cannot be read now: {error}"
        for api, error in closed.items()
    ]
    if Api.APP not in doors:
        sentences.append(
            "Mixpanel's app API takes no project secret, so streams 'groups', 'report_results' and "
            "the project's lists (dashboards, custom events, Lexicon and so on) cannot be read. "
            "Use a service account to read them."
        )
    return sentences


def _doors(workshop: Workshop, today: date) -> Iterator[tuple[Api, Callable[[], object]]]:
    """The lightest call of each API that these credentials can be meant for."""
    request = export_request(Window(Span(today, today)), ExportFilter(), limit=1)
    yield Api.EXPORT, lambda: workshop.client.spool(request).close()
    yield Api.QUERY, lambda: workshop.lists.items(COHORTS, "cohorts")
    number = workshop.client.access.project_id
    if number is not None:
        path = f"/api/app/projects/{number}/annotations"
        day = {"fromDate": today.isoformat(), "toDate": today.isoformat()}
        notes = ApiRequest(Api.APP, path, "annotations", day)
        yield Api.APP, lambda: workshop.client.json(notes)


def _refusal(knock: Callable[[], object]) -> SourceError | None:
    """Why a call fails, None if it does not."""
    try:
        knock()
    except SourceError as error:
        return error
    return None


def _telling(errors: list[SourceError]) -> SourceError:
    """The error that says most: credentials that are not accepted explain all the others."""
    for error in errors:
        if isinstance(error, ConfigError) and not isinstance(error, ForbiddenError):
            return error
    return errors[0]
