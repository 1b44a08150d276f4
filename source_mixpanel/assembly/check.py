"""The requests of `check`: a light one for each kind of access, and for names in the settings."""

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

_SAME_ACCESS_AS = {Api.LEXICON: Api.APP, Api.INGESTION: Api.APP}
"""APIs whose access is the same as that of another one, which is probed."""


def findings(
    context: StreamContext,
    streams: Callable[[], Iterable[MixpanelStream]],
    named: Named,
    period: Period,
) -> list[str]:
    """Sentences on streams that cannot be read now, and on names in the settings that do not exist.

    Costs one raw export, one query and one call of the app API, besides the project's settings,
    and a query each for the names of events and of funnels in the settings. A refusal for too many
    requests proves the credentials. A 401 is final only if all APIs refuse: not every API accepts
    every kind of credentials.

    Args:
        context: With a client that does not wait long.
        streams: Gives the streams of the project, for their names; only called if needed.
        named: Events and funnels that the settings name.
        period: The wanted time of dated streams.

    Raises:
        SourceError: Nothing can be read, or the settings contradict the project.
    """
    today = _today(context)
    probes = dict(_probes(context, today))
    errors_by_api = {api: error for api, probe in probes.items() if (error := _error_of(probe))}
    refusals = [error for error in errors_by_api.values() if not isinstance(error, QuotaError)]
    if len(refusals) == len(probes):
        raise _most_telling(refusals)
    names = _streams_by_api(streams()) if errors_by_api else {}
    sentences = [_sentence(names.get(api, []), api, error) for api, error in errors_by_api.items()]
    if Api.APP not in probes:
        sentences.append(
            "Mixpanel's app API takes no project secret, so streams 'groups', 'report_results' and "
            "the project's lists (dashboards, custom events, Lexicon and so on) cannot be read. "
            "Use a service account to read them."
        )
    if Api.QUERY not in errors_by_api:
        sentences += amiss(context, named, period)
    return sentences


def _today(context: StreamContext) -> date:
    """The project's date; the earliest possible one while its zone is not known."""
    try:
        zone = context.project.zone()
    except TransientError:
        zone = None
    return Days(None, zone).today(context.time.now_utc())


def _streams_by_api(streams: Iterable[MixpanelStream]) -> Mapping[Api, list[str]]:
    """The names of streams by the API that is probed for them."""
    names: dict[Api, list[str]] = {}
    for stream in streams:
        names.setdefault(_SAME_ACCESS_AS.get(stream.lane, stream.lane), []).append(stream.name)
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


def _probes(context: StreamContext, today: date) -> Iterator[tuple[Api, Callable[[], object]]]:
    """The lightest request to each API that may accept these credentials."""
    request = export_request(Window(Span(today, today)), ExportFilter(), limit=1)
    yield Api.EXPORT, lambda: context.client.spool(request).close()
    yield Api.QUERY, lambda: context.lists.items(COHORTS, "cohorts")
    number = context.client.access.project_id
    if number is not None:
        path = f"/api/app/projects/{number}/annotations"
        day = {"fromDate": today.isoformat(), "toDate": today.isoformat()}
        notes = ApiRequest(Api.APP, path, "annotations", day)
        yield Api.APP, lambda: context.client.json(notes)


def _error_of(probe: Callable[[], object]) -> SourceError | None:
    """The error of a probe; None if it succeeds."""
    try:
        probe()
    except SourceError as error:
        return error
    return None


def _most_telling(errors: list[SourceError]) -> SourceError:
    """The most informative error: invalid credentials explain all others."""
    for error in errors:
        if isinstance(error, ConfigError) and not isinstance(error, ForbiddenError):
            return error
    return errors[0]


def amiss(context: StreamContext, named: Named, period: Period) -> list[str]:
    """Sentences on events and funnels that the settings name and the project does not have.

    Costs a query each for the names of events and of funnels; none if a stream of the same sync
    reads that list as well. If a query fails, a sentence says so.
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
            names_by_number = {funnel["funnel_id"]: str(funnel.get("name")) for funnel in funnels}
            sentences += missing_funnels(named.funnels, names_by_number)
    except SourceError as error:
        sentences.append(f"Whether the project has what the settings name is not known: {error}")
    return sentences
