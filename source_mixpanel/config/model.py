"""The connector's settings: one frozen model. `spec.GROUPS` says where each is in the form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timezone
from functools import cache
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, model_validator

from source_mixpanel.api.regions import Region
from source_mixpanel.config.credentials import KINDS, Credentials, FrozenModel
from source_mixpanel.config.problems import in_words
from source_mixpanel.config.properties import (
    ColumnPin,
    ColumnPins,
    ExcludedProperties,
    HashedProperties,
    contradictions,
    is_kept_back,
)
from source_mixpanel.config.reports import Reports
from source_mixpanel.config.values import (
    ApiUrl,
    EventNames,
    EventTimestamps,
    Expression,
    LastMoment,
    LateEvents,
    Moment,
    PropertyLayout,
    PropertyTypes,
    ZoneName,
    any_case,
)
from source_mixpanel.errors import ConfigError
from source_mixpanel.texts.expressions import texts_in
from source_mixpanel.texts.spelling import did_you_mean

_MOMENT_EXTRA: dict[str, Any] = {
    "format": "date-time",
    # As in Airbyte's 4.0.2, so that the platform goes on accepting what it has saved.
    "pattern": r"^$|^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?$",
    "pattern_descriptor": "YYYY-MM-DD, YYYY-MM-DDTHH:mm:ssZ",
}


class RateLimits(FrozenModel):
    """For projects whose limits Mixpanel has raised."""

    query_per_hour: int = Field(
        60,
        ge=1,
        title="Queries Per Hour",
        description="Requests to the Query API in any 60 minutes.",
    )
    export_per_hour: int = Field(
        60,
        ge=1,
        title="Raw Exports Per Hour",
        description="Requests to the raw export API in any 60 minutes.",
    )


class Config(FrozenModel):
    """What the user configures."""

    credentials: Credentials = Field(
        title="Authentication",
        description="How the connector signs in to Mixpanel.",
    )
    region: Annotated[Region, any_case(Region)] = Field(
        Region.US,
        description="Where the project's data resides: United States, European Union or India.",
    )
    project_timezone: ZoneName | None = Field(
        None,
        description="The project's time zone, from Project Settings > Overview. Read from the "
        "project when left out; needed with a project secret for projects made before 2023.",
        examples=["America/Los_Angeles", "Europe/Paris", "UTC"],
    )
    start_date: Moment | None = Field(
        None,
        description="Export, funnels and other dated streams are read from this day on, "
        "inclusive. One year ago when left out.",
        examples=["2025-01-01T00:00:00Z", "2025-01-01"],
        json_schema_extra=_MOMENT_EXTRA,
    )
    end_date: LastMoment | None = Field(
        None,
        description="Dated streams are read up to this day or instant, inclusive; midnight UTC "
        "stands for its whole day. Up to now, with today's events, when left out.",
        examples=["2025-12-31T23:59:59Z", "2025-12-31"],
        json_schema_extra=_MOMENT_EXTRA,
    )
    attribution_window: int = Field(
        5,
        ge=0,
        le=3650,
        description="How many days back each sync of export and of dated streams looks again for "
        "what arrived late. Never before the start date.",
    )
    export_lookback_window: int = Field(
        0,
        ge=0,
        le=315_360_000,
        description="How many seconds back each sync of export looks again. The longer of this and "
        "the attribution window counts.",
    )
    export_events: EventNames | None = Field(
        None,
        description="Export only events of these names. All events when left out.",
        examples=[["Sign Up", "Purchase"]],
    )
    export_where: Expression | None = Field(
        None,
        title="Export Filter",
        description="Export only events that match this Mixpanel expression.",
        examples=['properties["plan"] == "pro"'],
    )
    late_events: Annotated[LateEvents, any_case(LateEvents)] = Field(
        LateEvents.BY_PROCESSING_TIME,
        title="Late Events",
        description="How an incremental export finds events that arrived late. by_processing_time "
        "asks for what Mixpanel processed since the last sync; reread_window reads the "
        "attribution window again in full.",
    )
    event_timestamps: Annotated[EventTimestamps, any_case(EventTimestamps)] = Field(
        EventTimestamps.AUTO,
        title="Event Timestamps",
        description="Whether Mixpanel keeps the project's event times in UTC (projects since "
        "2023) or in the project's own time (older ones). auto finds out from the data.",
    )
    property_layout: Annotated[PropertyLayout, any_case(PropertyLayout)] = Field(
        PropertyLayout.COLUMNS,
        title="Property Layout",
        description="columns: one column a property. object: a single column, properties, that "
        "holds all of them under their own names.",
    )
    property_types: Annotated[PropertyTypes, any_case(PropertyTypes)] = Field(
        PropertyTypes.NATIVE,
        title="Property Types",
        description="native: values as Mixpanel holds them. string: custom properties as text.",
    )
    select_properties_by_default: bool = Field(
        True,
        description="Emit properties that are not in the connection's schema too, such as those "
        "that appeared after it was refreshed.",
    )
    column_names: ColumnPins = Field(
        (),
        description="The column of single properties, whatever rivals of theirs come later. "
        "Other properties get theirs by the connector's rule.",
    )
    exclude_properties: ExcludedProperties = Field(
        (),
        description="These properties of events and profiles never come out, in no column and no "
        "log line. * stands for any characters; letter case counts.",
        examples=[["$email", "card_*"]],
    )
    hash_properties: HashedProperties = Field(
        (),
        description="These properties come out as a keyed hash (HMAC-SHA-256) of their JSON text, "
        "so that they can still be joined by. Whole names; distinct_id means the ids of events, "
        "profiles and members.",
        examples=[["distinct_id", "$user_id"]],
    )
    hash_salt: SecretStr | None = Field(
        None,
        min_length=1,
        description="The key of the hashes, needed with hash_properties. With another one, all "
        "hashes are others.",
        json_schema_extra={"airbyte_secret": True},
    )
    date_window_size: int | None = Field(
        None,
        ge=1,
        le=3650,
        description="The most days in one dated request. Left out, the connector adapts.",
    )
    page_size: int | None = Field(
        None,
        ge=1,
        le=50_000,
        description="The most profiles in one page. Left out, the connector chooses.",
    )
    num_workers: int | None = Field(
        None,
        ge=1,
        le=25,
        title="Number of Workers",
        description="The most requests that one stream makes at a time, within Mixpanel's own "
        "limits.",
    )
    rate_limits: RateLimits = Field(
        default_factory=RateLimits,
        title="Rate Limits",
        description="For projects whose hourly limits Mixpanel has raised.",
    )
    workspace_id: int | None = Field(
        None,
        ge=1,
        title="Workspace ID",
        description="A data view to read through, for projects that use data views.",
    )
    reports: Reports = Field(
        (),
        description="Reports that Mixpanel computes, each read as a stream report_<name>. "
        "Segmentation: how often an event happened, or how many people did it. Retention: how many "
        "people came back. Funnel: a saved funnel, day by day, with other choices than the saved "
        "ones. Frequency: in how many hours or days people were active. What Insights reports show "
        "is in the stream report_results, without a report here.",
    )
    api_url: ApiUrl | None = Field(
        None,
        title="API URL",
        description="One base URL for all of Mixpanel's hosts: a proxy or a local Mixpanel.",
        json_schema_extra={"airbyte_hidden": True},
    )

    download_ahead_mb: int = Field(
        1000,
        ge=0,
        title="Download Ahead (MB)",
        description=(
            "Disk, in MB, for raw events and pages of profiles that are downloaded and not yet "
            "emitted. 0 downloads nothing ahead."
        ),
        json_schema_extra={"airbyte_hidden": True},
    )
    longest_wait_hours: float = Field(
        3.0,
        gt=0,
        le=24,
        title="Longest Wait (Hours)",
        description=(
            "How long one request waits for Mixpanel's quota in all. After that the sync ends, and "
            "the next one goes on from its state."
        ),
        json_schema_extra={"airbyte_hidden": True},
    )

    @model_validator(mode="after")
    def _start_before_end(self) -> Config:
        start, end = self.start_date, self.end_date
        if start is None or end is None:
            return self
        if _instant(start, time.min) > _instant(end, time.max):
            raise ValueError(f"start_date ({start}) lies after end_date ({end})")
        return self

    @model_validator(mode="after")
    def _hashed_or_left_out(self) -> Config:
        both = ", ".join(contradictions(self.exclude_properties, self.hash_properties))
        if both:
            raise ValueError(
                f"exclude_properties and hash_properties both mean {both}: what is left out cannot "
                f"be hashed"
            )
        if self.hash_properties and self.hash_salt is None:
            raise ValueError(
                "hash_salt is missing: hash_properties needs a secret text as the key of its hashes"
            )
        return self

    @model_validator(mode="after")
    def _nothing_told_by_a_report(self) -> Config:
        for report in self.reports:
            named = texts_in(report.parameters.on) if report.parameters.on else set()
            excluded, hashed = self.exclude_properties, self.hash_properties
            told = [name for name in sorted(named) if is_kept_back(name, excluded, hashed)]
            if told:
                raise ValueError(
                    f"reports.{report.name}.parameters.on: rows would tell the values of "
                    f"{', '.join(told)}, which exclude_properties or hash_properties keeps back"
                )
        return self

    @property
    def project_id(self) -> int | None:
        """The project's number, unknown with a project secret."""
        return getattr(self.credentials, "project_id", None)


@cache
def bounds(key: str) -> tuple[int, int]:
    """The least and the most that a number among the settings may be."""
    told = Config.model_json_schema()["properties"][key]
    number = next((branch for branch in told.get("anyOf", ()) if "maximum" in branch), told)
    return number["minimum"], number["maximum"]


def _instant(moment: date | datetime, clock: time) -> datetime:
    """An instant as it is, or a day at a time of it."""
    if isinstance(moment, datetime):
        return moment
    return datetime.combine(moment, clock, tzinfo=timezone.utc)


def parse_config(raw: Any) -> Config:
    """The settings, checked.

    Raises:
        ConfigError: One sentence for each setting that is wrong; no secret is repeated.
    """
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        problems = [_sentence(problem, raw) for problem in error.errors(include_input=False)]
        if isinstance(raw, Mapping) and (ignored := ignored_settings(raw)):
            problems.append(ignored)
        raise ConfigError(f"The configuration is not valid. {' '.join(problems)}") from None


def _sentence(problem: Any, raw: Any) -> str:
    path = ".".join(_place(problem["loc"], raw))
    text = in_words(problem)
    end = "" if text.endswith("?") else "."
    return f"{path}: {text}{end}" if path else f"{text}{end}"


def _place(loc: tuple[str | int, ...], raw: Any) -> list[str]:
    """Where a problem is, in the user's terms: reports by their names, no tags of one-of groups."""
    if loc[:1] == ("reports",) and len(loc) > 1:
        number, rest = loc[1], loc[3:]
        report = raw["reports"][number]
        name = report.get("name") if isinstance(report, dict) else None
        told = name if isinstance(name, str) and name else str(number)
        return ["reports", told, *map(str, rest)]
    return [str(part) for part in loc if part not in KINDS]


def ignored_settings(raw: Mapping[str, Any]) -> str | None:
    """Sentences on keys that the connector does not know, with those that were meant; or None."""
    told = [
        f"The setting {key!r} is not known, and ignored."
        f"{did_you_mean(key.rpartition('.')[2], known)}"
        for key, known in _unknown(raw)
    ]
    return " ".join(told) or None


def unknown_keys(raw: Mapping[str, Any]) -> list[str]:
    """Keys that the connector does not know, without Airbyte's own (`__...`, `_limit`)."""
    return sorted(key for key, _ in _unknown(raw))


def _unknown(raw: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Keys that are not known, with those that there are in their place."""
    for path, model, given in _objects(raw):
        for key in given:
            if key not in model.model_fields and not key.startswith("_"):
                yield f"{path}{key}", list(model.model_fields)


def _objects(raw: Mapping[str, Any]) -> Iterator[tuple[str, type[FrozenModel], Mapping[str, Any]]]:
    """The settings, and the objects among them; reports refuse what they do not know."""
    yield "", Config, raw
    credentials, limits, pins = (
        raw.get(key) for key in ("credentials", "rate_limits", "column_names")
    )
    if isinstance(credentials, Mapping) and credentials.get("option_title") in KINDS:
        yield "credentials.", KINDS[credentials["option_title"]], credentials
    if isinstance(limits, Mapping):
        yield "rate_limits.", RateLimits, limits
    for pin in pins if isinstance(pins, list) else ():
        if isinstance(pin, Mapping):
            yield "column_names.", ColumnPin, pin
