"""What a test may change while the server runs."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mixpanel_emulator.options import PROJECT_KINDS, EmulatorOptions


@dataclass(frozen=True)
class Settings:
    """Live settings; `configure` replaces the whole value.

    Attributes:
        quota: Enforce rate limits.
        query_per_hour: Query API queries in a rolling hour.
        query_concurrency: Query API queries at a time.
        export_per_hour: Export requests in a rolling hour.
        export_per_second: Export requests in a rolling second.
        export_concurrency: Export requests at a time.
        lexicon_per_minute: Lexicon schema requests in a rolling minute.
        policy_headers: Send `RateLimit-Policy` and `RateLimit` with good answers to queries, too.
        load_shed: Answer every counted query with the 429 that carries no figures.
        plan: "free" refuses the Query API with 402; any other name is a paid plan.
        history_days: Days back that the plan lets one ask for; None is no limit.
        export_auth_error: "401", or "400" for `Unable to authenticate request`.
        secret_with_project_id_error: Refuse export by project secret together with project_id.
        export_bearer: Whether an OAuth token opens the raw export.
        service_account_expired: The service account's expiry has passed.
        service_account_in_project: The service account has been given the project.
        service_account_role: owner, admin, analyst or consumer.
        project_kind: "utc" or "local" (Mixpanel docs: export methods).
        timezone: Project zone; events keep the zone in force when they came in.
        gzip: Compress exports for clients that ask.
        time_as_iso: Export `time` as ISO text.
        visibility_lag: Seconds until a new event shows in the export.
        forbidden: Entries {path_prefix, status, body} answered before anything else.
        engage_session_lifetime: Seconds a profile session lives.
        engage_page_size: Default page size.
        engage_max_page_size: Larger page sizes are cut to this.
        engage_total_everywhere: Send total and page_size on every page.
        missing_datagroup_cohorts: Cohort ids that answer 404 `Missing Datagroup`.
        annotation_tags_bare: Send the tags as a bare array.
        bookmarks_nested: Wrap bookmarks in results twice.
        schema_by_name_bare: Send one schema as a bare object.
        app_page_size: Page the app lists by cursor when set; None sends them whole.
        endless_cursor: Never send a null next_cursor.
        status_error_200: Path parts whose answers become a 200 with status "error".
        revenue_status: Status of the legacy engage/revenue: 200, 400, 404 or 410.
        query_latency: Real seconds each Query API answer takes, holding its concurrent place.
        export_latency: Real seconds before each export's first byte.
        export_bandwidth: Bytes a second that each connection carries of an export's body; None is
            no limit.
        identity_merge: "none", "original" or "simplified" (Mixpanel docs: identity management).
        merge_touches_processing_time: Whether events that a merge rewrites get a new
            mp_processing_time_ms.
        top_without_event: Whether properties/top may be asked without an event.
    """

    quota: bool = True
    query_per_hour: int = 60
    query_concurrency: int = 5
    export_per_hour: int = 60
    export_per_second: int = 3
    export_concurrency: int = 100
    lexicon_per_minute: int = 5
    policy_headers: bool = False
    load_shed: bool = False
    plan: str = "growth"
    history_days: int | None = None
    export_auth_error: str = "401"
    secret_with_project_id_error: bool = True
    export_bearer: bool = True
    service_account_expired: bool = False
    service_account_in_project: bool = True
    service_account_role: str = "admin"
    project_kind: str = "utc"
    timezone: str = "America/Los_Angeles"
    gzip: bool = True
    time_as_iso: bool = False
    visibility_lag: float = 0.0
    forbidden: list[dict[str, Any]] = field(default_factory=list)
    engage_session_lifetime: float = 3600.0
    engage_page_size: int = 1000
    engage_max_page_size: int = 1_000_000
    engage_total_everywhere: bool = False
    missing_datagroup_cohorts: list[int] = field(default_factory=list)
    annotation_tags_bare: bool = False
    bookmarks_nested: bool = False
    schema_by_name_bare: bool = False
    app_page_size: int | None = None
    endless_cursor: bool = False
    status_error_200: list[str] = field(default_factory=list)
    revenue_status: int = 200
    query_latency: float = 0.0
    export_latency: float = 0.0
    export_bandwidth: float | None = None
    identity_merge: str = "none"
    merge_touches_processing_time: bool = False
    top_without_event: bool = True

    def zone(self) -> ZoneInfo:
        """The project's zone."""
        return ZoneInfo(self.timezone)


_CHOICES: dict[str, tuple[Any, ...]] = {
    "project_kind": PROJECT_KINDS,
    "identity_merge": ("none", "original", "simplified"),
    "export_auth_error": ("400", "401"),
    "revenue_status": (200, 400, 404, 410),
    "service_account_role": ("owner", "admin", "analyst", "consumer"),
}


def from_options(options: EmulatorOptions) -> Settings:
    """The settings a server starts with."""
    return changed(
        Settings(),
        {
            "quota": options.quota,
            "project_kind": options.project_kind,
            "timezone": options.timezone,
            "visibility_lag": options.visibility_lag,
            "export_latency": options.export_latency,
            "export_bandwidth": options.export_bandwidth,
        },
    )


def changed(settings: Settings, changes: dict[str, Any]) -> Settings:
    """Settings with some changed.

    Raises:
        ValueError: If a name is unknown or a value is out of its range.
    """
    known = {entry.name for entry in fields(Settings)}
    unknown = sorted(set(changes) - known)
    if unknown:
        raise ValueError(f"unknown settings {unknown}; known are {sorted(known)}")
    for name, allowed in _CHOICES.items():
        if name in changes and changes[name] not in allowed:
            raise ValueError(f"{name} must be one of {allowed}")
    bandwidth = changes.get("export_bandwidth")
    if bandwidth is not None and bandwidth <= 0:
        raise ValueError("export_bandwidth must be above 0 bytes a second")
    try:
        ZoneInfo(changes.get("timezone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"unknown timezone {changes['timezone']!r}") from error
    return replace(settings, **changes)
