"""Every stream, in the order of the catalogue, and which of the user's choices it gets."""

from __future__ import annotations

from source_mixpanel.api.quota import QUERY_CONCURRENT
from source_mixpanel.config import (
    Config,
    EventTimestamps,
    LateEvents,
    PropertyLayout,
    PropertyTypes,
    since,
)
from source_mixpanel.errors import ConfigError
from source_mixpanel.streams.account import ServiceAccounts, WarehouseImports, Workspaces
from source_mixpanel.streams.annotations import Annotations
from source_mixpanel.streams.base import MixpanelStream, Workshop
from source_mixpanel.streams.boards import Dashboards, SavedReports
from source_mixpanel.streams.cohort_members import CohortMembers
from source_mixpanel.streams.cohorts import Cohorts
from source_mixpanel.streams.definitions import (
    AnnotationTags,
    CustomEvents,
    CustomProperties,
    DataGroups,
    EventDefinitions,
    LookupTables,
)
from source_mixpanel.streams.engage import Engage
from source_mixpanel.streams.event_counts import EventCounts
from source_mixpanel.streams.export import Export, ExportSettings
from source_mixpanel.streams.export_request import ExportFilter
from source_mixpanel.streams.funnels import Funnels
from source_mixpanel.streams.groups import Groups
from source_mixpanel.streams.layout import Layout
from source_mixpanel.streams.profiles import ProfileSettings
from source_mixpanel.streams.report_kinds import REPORTS
from source_mixpanel.streams.report_results import ReportResults
from source_mixpanel.streams.reports import Report
from source_mixpanel.streams.revenue import Revenue
from source_mixpanel.streams.rollouts import Experiments, FeatureFlags
from source_mixpanel.sync.dated import DatedSettings
from source_mixpanel.sync.plan import Period, look_back_days

_MB = 1_000_000


def workers(config: Config) -> int:
    """How many requests a stream of the Query API makes at a time."""
    return min(config.num_workers or QUERY_CONCURRENT, QUERY_CONCURRENT)


def layout(config: Config) -> Layout:
    """The user's choices for properties."""
    return Layout(
        as_object=config.property_layout is PropertyLayout.OBJECT,
        to_text=config.property_types is PropertyTypes.STRING,
        only_configured=not config.select_properties_by_default,
    )


def export_settings(config: Config) -> ExportSettings:
    """The user's choices for `export`."""
    kind = config.event_timestamps
    return ExportSettings(
        period=Period(
            start=since(config),
            end=config.end_date,
            look_back_days=look_back_days(config.attribution_window, config.export_lookback_window),
            reread=config.late_events is LateEvents.REREAD_WINDOW,
        ),
        wanted=ExportFilter(config.export_events, config.export_where),
        kind=None if kind is EventTimestamps.AUTO else kind.value,
        window_days=config.date_window_size,
        layout=layout(config),
        disk_bytes=config.download_ahead_mb * _MB,
    )


def profile_settings(config: Config) -> ProfileSettings:
    """The user's choices for `engage`, `groups` and `cohort_members`."""
    return ProfileSettings(
        page_size=config.page_size or ProfileSettings.page_size,
        workers=workers(config),
        layout=layout(config),
    )


def dated_settings(config: Config) -> DatedSettings:
    """The user's choices for `funnels`, `revenue`, `event_counts` and reports."""
    return DatedSettings(
        start=since(config),
        end=config.end_date,
        look_back_days=config.attribution_window,
        window_days=config.date_window_size,
        workers=workers(config),
    )


def build_streams(config: Config, workshop: Workshop) -> list[MixpanelStream]:
    """Every stream, in the order of the catalogue.

    Raises:
        ConfigError: A report would have the name of a stream that there is.
    """
    streams = catalogue(config, workshop)
    names = {stream.name for stream in streams}
    for wanted in config.reports:
        report = Report(wanted.name, wanted.parameters.asked())
        if report.stream.casefold() in names:
            raise ConfigError(
                f"The configuration is not valid. reports.{report.name}.name: a stream "
                f"{report.stream!r} exists already; give the report another name."
            )
        streams.append(REPORTS[wanted.kind](workshop, dated_settings(config), report))
    return streams


def catalogue(config: Config, workshop: Workshop) -> list[MixpanelStream]:
    """The streams that every project has."""
    profiles, dated = profile_settings(config), dated_settings(config)
    return [
        Export(workshop, export_settings(config)),
        Engage(workshop, profiles),
        Groups(workshop, profiles),
        Cohorts(workshop),
        CohortMembers(workshop, profiles),
        Funnels(workshop, dated),
        Revenue(workshop, dated),
        EventCounts(workshop, dated),
        ReportResults(workshop, workers(config)),
        Annotations(workshop),
        AnnotationTags(workshop),
        SavedReports(workshop),
        Dashboards(workshop),
        EventDefinitions(workshop),
        CustomEvents(workshop),
        CustomProperties(workshop),
        LookupTables(workshop),
        DataGroups(workshop),
        FeatureFlags(workshop),
        Experiments(workshop),
        WarehouseImports(workshop),
        ServiceAccounts(workshop),
        Workspaces(workshop),
    ]
