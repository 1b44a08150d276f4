"""All streams, in the order of the catalogue, with their settings."""

from __future__ import annotations

from dataclasses import replace

from source_mixpanel.api.quota import QUERY_CONCURRENT
from source_mixpanel.columns.properties import Shape
from source_mixpanel.config.bounds import since
from source_mixpanel.config.model import Config
from source_mixpanel.config.values import EventTimestamps, LateEvents, PropertyLayout, PropertyTypes
from source_mixpanel.errors import ConfigError
from source_mixpanel.events.plan import look_back_days
from source_mixpanel.events.request import ExportFilter
from source_mixpanel.events.stream import Export, ExportSettings
from source_mixpanel.lists.annotations import Annotations
from source_mixpanel.lists.declarations import COHORT_LIST, LISTS
from source_mixpanel.lists.stream import ListStream
from source_mixpanel.profiles.engage import Engage
from source_mixpanel.profiles.stream import COHORT_MEMBERS, GROUPS, ProfileSettings, ProfileStream
from source_mixpanel.reports.event_counts import EventCounts
from source_mixpanel.reports.kinds import FUNNELS, REPORTS, REVENUE
from source_mixpanel.reports.results import ReportResults
from source_mixpanel.reports.stream import DatedStream
from source_mixpanel.streams.base import MixpanelStream, StreamContext
from source_mixpanel.streams.period import Period


def workers(config: Config) -> int:
    """Requests that a stream of the Query API makes at the same time."""
    return min(config.num_workers or QUERY_CONCURRENT, QUERY_CONCURRENT)


def shape(config: Config) -> Shape:
    """The settings of rows with properties."""
    return Shape(
        as_object=config.property_layout is PropertyLayout.OBJECT,
        to_text=config.property_types is PropertyTypes.STRING,
        only_declared=not config.select_properties_by_default,
    )


def column_names(config: Config) -> dict[str, str]:
    """The columns that the user has pinned, by raw name."""
    return {pin.property: pin.column for pin in config.column_names}


def period(config: Config) -> Period:
    """The wanted time of dated streams."""
    return Period(
        start=since(config),
        end=config.end_date,
        look_back_days=config.attribution_window,
        window_days=config.date_window_size,
    )


def export_settings(config: Config) -> ExportSettings:
    """The settings of `export`."""
    kind = config.event_timestamps
    back = look_back_days(config.attribution_window, config.export_lookback_window)
    return ExportSettings(
        period=replace(period(config), look_back_days=back),
        reread=config.late_events is LateEvents.REREAD_WINDOW,
        wanted=ExportFilter(config.export_events, config.export_where),
        kind=None if kind is EventTimestamps.AUTO else kind.value,
        shape=shape(config),
        column_names=column_names(config),
        max_concurrent=config.num_workers or ExportSettings.max_concurrent,
    )


def profile_settings(config: Config) -> ProfileSettings:
    """The settings of `engage`, `groups` and `cohort_members`."""
    return ProfileSettings(
        page_size=config.page_size or ProfileSettings.page_size,
        workers=workers(config),
        shape=shape(config),
        column_names=column_names(config),
    )


def build_streams(config: Config, context: StreamContext) -> list[MixpanelStream]:
    """All streams, in the order of the catalogue, with those of configured reports last.

    Raises:
        ConfigError: A report has the name of another stream.
    """
    streams = catalogue(config, context)
    names = {stream.name for stream in streams}
    for report in config.reports:
        params = report.parameters.asked()
        stream = REPORTS[report.kind](context, period(config), report.name, params)
        if stream.name.casefold() in names:
            raise ConfigError(
                f"The configuration is not valid. reports.{report.name}.name: a stream "
                f"{stream.name!r} exists already; give the report another name."
            )
        streams.append(stream)
    return streams


def catalogue(config: Config, context: StreamContext) -> list[MixpanelStream]:
    """The streams of every project, without configured reports."""
    profiles, days = profile_settings(config), period(config)
    return [
        Export(context, export_settings(config)),
        Engage(context, profiles),
        ProfileStream(context, GROUPS, profiles),
        ListStream(context, COHORT_LIST),
        ProfileStream(context, COHORT_MEMBERS, profiles),
        DatedStream(context, FUNNELS, days, workers(config)),
        DatedStream(context, REVENUE, days),
        EventCounts(context, days),
        ReportResults(context, workers(config)),
        Annotations(context),
        *(ListStream(context, declared) for declared in LISTS),
    ]
