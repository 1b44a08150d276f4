"""The declarations of all streams that are a list endpoint."""

from __future__ import annotations

from source_mixpanel.api.endpoints import (
    COHORTS,
    CUSTOM_EVENTS_OF_LEXICON,
    DATA_GROUPS,
    LOOKUP_TABLES_OF_LEXICON,
    PROJECT,
    SAVED_REPORTS,
    WORKSPACES,
    Listing,
)
from source_mixpanel.api.request import Api
from source_mixpanel.lists.stream import ListDeclaration, StandIn

_ALL = {"include_archived": "true"}
_PEOPLE = """
    creator_id:integer creator_name creator_email
    last_modified_by_id:integer last_modified_by_name last_modified_by_email
"""
_SAVED = f"created modified {_PEOPLE} total_view_count:integer unique_view_count:integer"
_ROLLOUT = f"""
    id name description status tags:array content_type created:date-time modified:date-time
    deleted {_PEOPLE} is_favorited:boolean pinned_date can_edit:boolean can_view:boolean
"""

ANNOTATIONS = ListDeclaration(
    "annotations",
    Listing(Api.APP, f"{PROJECT}/annotations"),
    "id:integer project_id:integer date description user:object tags:array",
    about="Every annotation; its date is the one annotated, in the form Mixpanel sends it.",
)

LISTS = (
    ListDeclaration(
        "annotation_tags",
        Listing(Api.APP, f"{PROJECT}/annotations/tags"),
        "id:integer name project_id:integer has_annotations:boolean",
        about="What annotations are sorted by.",
    ),
    ListDeclaration(
        "saved_reports",
        SAVED_REPORTS,
        "id:integer name type original_type project_id:integer workspace_id:integer"
        " dashboard_id:integer description icon params:object include_in_dashboard:boolean"
        f" is_default:boolean {_SAVED}",
        about="Every saved report of every kind; `params` is its whole definition.",
        documented=False,
    ),
    ListDeclaration(
        "dashboards",
        Listing(Api.APP, f"{PROJECT}/dashboards"),
        "id:integer title description is_private:boolean is_restricted:boolean"
        f" is_favorited:boolean layout_version:integer time_filter:object {_SAVED}",
        about="Every dashboard, without what is on it: reports name theirs in `dashboard_id`.",
        documented=False,
    ),
    ListDeclaration(
        "event_definitions",
        Listing(Api.LEXICON, f"{PROJECT}/schemas"),
        "entity_type entityType name schemaJson:object",
        about="Lexicon's schemas of events and profiles; only what somebody has described has one.",
        key="entity_type name",
        aliases={"entity_type": "entityType"},
        properties_in="schemaJson",
    ),
    ListDeclaration(
        "custom_events",
        Listing(Api.APP, f"{PROJECT}/custom_events"),
        "id:integer name alternatives:array deleted:boolean user_id:integer",
        about="Events that are made of others.",
        documented=False,
        stand_in=StandIn(CUSTOM_EVENTS_OF_LEXICON, "customEventId"),
    ),
    ListDeclaration(
        "custom_properties",
        Listing(Api.APP, f"{PROJECT}/custom_properties"),
        "id:integer customPropertyId:integer name resourceType propertyType displayFormula"
        " created modified",
        about="Properties that are computed from others; their number comes as `id`, too.",
        documented=False,
        aliases={"id": "customPropertyId"},
    ),
    ListDeclaration(
        "lookup_tables",
        Listing(Api.INGESTION, "/lookup-tables"),
        "id name",
        about="Names and numbers of the lookup tables; Mixpanel gives no way to read their rows.",
        stand_in=StandIn(LOOKUP_TABLES_OF_LEXICON, "token"),
    ),
    ListDeclaration(
        "data_groups",
        DATA_GROUPS,
        "data_group_id:string|integer property_name display_name type:integer is_ready:boolean"
        " ready_at:string|integer created_at:integer metadata:object",
        about="The group keys, whose profiles are in `groups`.",
        key="data_group_id",
        documented=False,
    ),
    ListDeclaration(
        "feature_flags",
        Listing(Api.APP, f"{PROJECT}/workspaces/{{workspace}}/feature-flags", params=_ALL),
        f"{_ROLLOUT} key project_id:integer workspace_id:integer project_name experiment_id"
        " is_experiment_active:boolean context data_group_id:string|integer serving_method"
        " ruleset:object hash_salt enabled_at content_environments_id:string|integer",
        about="Every flag with its rules, archived ones too.",
    ),
    ListDeclaration(
        "experiments",
        Listing(Api.APP, "/api/app/workspaces/{workspace}/experiments", params=_ALL),
        f"{_ROLLOUT} hypothesis variants:array metrics:array settings:object"
        " exposures_cache:object results_cache:object start_date end_date feature_flag:object",
        about="Every experiment, archived ones too.",
    ),
    ListDeclaration(
        "warehouse_imports",
        Listing(Api.APP, f"{PROJECT}/warehouse-sources/imports"),
        "id:integer import_type sync_mode created:date-time creator_id:integer creator_name"
        " creator_email warehouse_source_id:integer table_params:object paused:boolean"
        " run_every:integer last_dispatch:integer is_deleted:boolean",
        about="What warehouse connectors bring into the project; `run_every` is in nanoseconds.",
    ),
    ListDeclaration(
        "service_accounts",
        Listing(Api.APP, f"{PROJECT}/service-accounts"),
        "id:integer username email role role_order:integer hasSensitiveAccess:boolean target_type"
        " user:integer creator:integer creator_name creator_email created:date-time"
        " expires:date-time last_used:date-time",
        about="The service accounts of the project; a secret never leaves, should one be sent.",
        without_secrets=True,
    ),
    ListDeclaration(
        "workspaces",
        WORKSPACES,
        "id:integer name project_id:integer description creator_name is_default:boolean"
        " is_global:boolean is_restricted:boolean is_visible:boolean",
        about="The project's data views.",
        documented=False,
    ),
)
"""In the order of the catalogue; `cohorts` has its place among the streams that build on it."""

COHORT_LIST = ListDeclaration(
    "cohorts",
    COHORTS,
    "id:integer project_id:integer name description count:integer created is_visible:integer"
    " data_group_id:string|integer",
    about="Every cohort, whatever its age: counts and names change without a trace of when.",
)
