"""What `check` asks: one light call for each kind of access, and for what the settings name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date

from source_mixpanel.api.endpoints import COHORTS, FUNNELS
from source_mixpanel.api.lists import MOST_EVENT_NAMES
from source_mixpanel.api.missing_names import Named, missing_events, missing_funnels
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.api.waits import utc
from source_mixpanel.errors import (
    ConfigError,
    ForbiddenError,
    QuotaError,
    SourceError,
    TransientError,
)
from source_mixpanel.events.request import ExportFilter, export_request
from source_mixpanel.events.window import Window
from source_mixpanel.streams.base import MixpanelStream, StreamContext
from source_mixpanel.streams.coverage import Span
from source_mixpanel.streams.period import Period
from source_mixpanel.times.days import Days

_BEHIND = {Api.LEXICON: Api.APP, Api.INGESTION: Api.APP}
"""Whose access tells of that to others."""


def findings(
    context: StreamContext,
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
        context: Asks, in a hurry.
        streams: Gives those of the project, to be told by name if need be.
        named: What the settings name.
        period: Of dated streams.

    Raises:
        SourceError: Nothing can be read, or the settings contradict the project.
    """
    today = _today(context)
    doors = dict(_doors(context, today))
    faults = {api: error for api, probe in doors.items() if (error := _refusal(probe))}
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
        sentences += amiss(context, named, period)
    return sentences


def _today(context: StreamContext) -> date:
    """The project's date, or the earliest that it can be while Mixpanel does not tell its zone."""
    try:
        zone = context.project.zone()
    except TransientError:
        zone = None
    return Days(None, zone).today(context.time.now_utc())


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


def _doors(context: StreamContext, today: date) -> Iterator[tuple[Api, Callable[[], object]]]:
    """The lightest call of each API that these credentials can be meant for."""
    request = export_request(Window(Span(today, today)), ExportFilter(), limit=1)
    yield Api.EXPORT, lambda: context.client.spool(request).close()
    yield Api.QUERY, lambda: context.lists.items(COHORTS, "cohorts")
    number = context.client.access.project_id
    if number is not None:
        path = f"/api/app/projects/{number}/annotations"
        day = {"fromDate": today.isoformat(), "toDate": today.isoformat()}
        notes = ApiRequest(Api.APP, path, "annotations", day)
        yield Api.APP, lambda: context.client.json(notes)


def _refusal(probe: Callable[[], object]) -> SourceError | None:
    """Why a call fails, None if it does not."""
    try:
        probe()
    except SourceError as error:
        return error
    return None


def _telling(errors: list[SourceError]) -> SourceError:
    """The error that says most: credentials that are not accepted explain all the others."""
    for error in errors:
        if isinstance(error, ConfigError) and not isinstance(error, ForbiddenError):
            return error
    return errors[0]


def amiss(context: StreamContext, named: Named, period: Period) -> list[str]:
    """Sentences on what the settings name and the project lacks, as far as Mixpanel tells now.

    Costs a query each for names of events and of funnels, or nothing where a stream of the same
    sync asks for that list as well.
    """
    sentences: list[str] = []
    try:
        if named.events:
            days, now = context.project_days(), context.time.now_utc()
            first, last = period.first_day(days, now), period.last_day(days, now)
            names = context.lists.event_names(first, last, "export") if first <= last else []
            all_told = first <= last and len(names) < MOST_EVENT_NAMES
            sentences += missing_events(named.events, names) if all_told else []
        if named.funnels:
            funnels = context.lists.keyed(FUNNELS, "funnels", "funnel_id")
            there = {funnel["funnel_id"]: str(funnel.get("name")) for funnel in funnels}
            sentences += missing_funnels(named.funnels, there)
    except SourceError as error:
        sentences.append(f"Whether the project has what the settings name is not known: {error}")
    return sentences
