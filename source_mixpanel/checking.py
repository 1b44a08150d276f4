"""What `check` asks: one light call for each kind of access, and for what the settings name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date

from source_mixpanel.api.endpoints import COHORTS, FUNNELS
from source_mixpanel.api.hints import Named, missing_events, missing_funnels
from source_mixpanel.api.lists import MOST_EVENT_NAMES
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.api.waits import utc
from source_mixpanel.errors import (
    ConfigError,
    ForbiddenError,
    QuotaError,
    SourceError,
    TransientError,
)
from source_mixpanel.streams.base import MixpanelStream, Workshop
from source_mixpanel.streams.export_request import ExportFilter, export_request
from source_mixpanel.sync.coverage import Span
from source_mixpanel.sync.days import Days
from source_mixpanel.sync.period import Period
from source_mixpanel.sync.window import Window

_BEHIND = {Api.LEXICON: Api.APP, Api.INGESTION: Api.APP}
"""Whose access tells of that to others."""


def findings(
    workshop: Workshop,
    streams: Callable[[], Iterable[MixpanelStream]],
    named: Named,
    period: Period,
) -> list[str]:
    """Sentences on streams that cannot be read, or not now, and on settings that bring nothing.

    Costs one raw export, one query and one call of the app API, besides the project's settings,
    and a query each for names of events and of funnels that the settings hold. A refusal for too
    many requests proves the credentials. A 401 is final only if nothing else is open: not every
    API takes every kind of credentials.

    Args:
        workshop: Asks, in a hurry.
        streams: Gives those of the project, to be told by name if need be.
        named: What the settings name.
        period: Of dated streams.

    Raises:
        SourceError: Nothing can be read, or the settings contradict the project.
    """
    today = _today(workshop)
    doors = dict(_doors(workshop, today))
    faults = {api: error for api, knock in doors.items() if (error := _refusal(knock))}
    closed = [error for error in faults.values() if not isinstance(error, QuotaError)]
    if len(closed) == len(doors):
        raise _telling(closed)
    names = _by_door(streams()) if faults else {}
    sentences = [_sentence(names.get(api, []), api, error) for api, error in faults.items()]
    if Api.APP not in doors:
        sentences.append(
            "Mixpanel's app API takes no project secret, so streams 'groups', 'report_results' and "
            "the project's lists (dashboards, custom events, Lexicon and so on) cannot be read. "
            "Use a service account to read them."
        )
    if Api.QUERY not in faults:
        sentences += amiss(workshop, named, period)
    return sentences


def _today(workshop: Workshop) -> date:
    """The project's date, or the earliest that it can be while Mixpanel does not tell its zone."""
    try:
        zone = workshop.project.zone()
    except TransientError:
        zone = None
    return Days(None, zone).today(workshop.time.now_utc())


def _by_door(streams: Iterable[MixpanelStream]) -> Mapping[Api, list[str]]:
    """The names of streams by the API whose access tells of theirs."""
    names: dict[Api, list[str]] = {}
    for stream in streams:
        names.setdefault(_BEHIND.get(stream.lane, stream.lane), []).append(stream.name)
    return names


def _sentence(names: list[str], api: Api, error: SourceError) -> str:
    listed = ", ".join(map(repr, names))
    which = f"Stream{'s' if len(names) > 1 else ''} {listed} ({api.value})"
    if isinstance(error, QuotaError):
        return (
            f"{which} cannot be read before {utc(error.until)}: Mixpanel's quota for them is used "
            f"up. The credentials are accepted, and a sync waits for the quota."
        )
    return f"{which} cannot be read now: {error}"


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


def amiss(workshop: Workshop, named: Named, period: Period) -> list[str]:
    """Sentences on what the settings name and the project lacks, as far as Mixpanel tells now.

    Costs a query each for names of events and of funnels, or nothing where a stream of the same
    sync asks for that list as well.
    """
    sentences: list[str] = []
    try:
        if named.events:
            days, now = workshop.project_days(), workshop.time.now_utc()
            first, last = period.first_day(days, now), period.last_day(days, now)
            names = workshop.lists.event_names(first, last, "export") if first <= last else []
            all_told = first <= last and len(names) < MOST_EVENT_NAMES
            sentences += missing_events(named.events, names) if all_told else []
        if named.funnels:
            funnels = workshop.lists.keyed(FUNNELS, "funnels", "funnel_id")
            there = {funnel["funnel_id"]: str(funnel.get("name")) for funnel in funnels}
            sentences += missing_funnels(named.funnels, there)
    except SourceError as error:
        sentences.append(f"Whether the project has what the settings name is not known: {error}")
    return sentences
