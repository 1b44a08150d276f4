"""Reads with the official client `mixpanel-headless`; prints how much of each as a line of JSON.

python use_headless.py FROM TO
"""

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from mixpanel_headless import Workspace

EVENT = "Purchase"


def _sum(*series: Any) -> float:
    """Every number of a nested answer, added."""
    total = 0.0
    for value in series:
        if isinstance(value, dict):
            total += _sum(*value.values())
        elif isinstance(value, int | float):
            total += value
    return total


def _lists(client: Workspace) -> dict[str, Callable[[], Iterable[Any]]]:
    """The lists of definitions."""
    return {
        "funnels": client.funnels,
        "cohorts": client.cohorts,
        "cohorts, app API": client.list_cohorts_full,
        "bookmarks": client.list_bookmarks,
        "bookmarks v2": client.list_bookmarks_v2,
        "dashboards": client.list_dashboards,
        "annotations": client.list_annotations,
        "annotation tags": client.list_annotation_tags,
        "feature flags": lambda: client.list_feature_flags(include_archived=True),
        "experiments": lambda: client.list_experiments(include_archived=True),
        "custom properties": client.list_custom_properties,
        "custom events": client.list_custom_events,
        "lookup tables": client.list_lookup_tables,
        "lexicon schemas": client.lexicon_schemas,
        "schema registry": client.list_schema_registry,
        "workspaces": client.list_workspaces,
        "projects": client.projects,
    }


def _discovery(client: Workspace) -> dict[str, Callable[[], Iterable[Any]]]:
    """Names of events and properties, and what the Lexicon knows of them."""
    return {
        "event names": client.events,
        "event properties": lambda: client.properties(EVENT),
        "property values": lambda: client.property_values("currency", event=EVENT),
        "event definitions": lambda: client.get_event_definitions(names=[EVENT]),
        "property definitions": lambda: client.get_property_definitions(names=["amount"]),
    }


def _reports(client: Workspace, days: dict[str, str]) -> dict[str, Callable[[], float]]:
    """The reports that a connector reads, each as one number."""
    return {
        "event counts": lambda: _sum(client.event_counts([EVENT], **days).series),
        "property counts": lambda: _sum(client.property_counts(EVENT, "currency", **days).series),
        "segmentation": lambda: client.segmentation(EVENT, **days).total,
        "segmentation by currency": lambda: (
            client.segmentation(EVENT, on='properties["currency"]', **days).total
        ),
        "numeric segmentation": lambda: _sum(
            client.segmentation_numeric(EVENT, on='properties["amount"]', **days).series
        ),
        "segmentation sum": lambda: _sum(
            client.segmentation_sum(EVENT, on='properties["amount"]', **days).results
        ),
        "segmentation average, days": lambda: len(
            client.segmentation_average(EVENT, on='properties["amount"]', **days).results
        ),
        "funnel, steps": lambda: len(client.funnel(4411, **days).steps),
        "retention, cohorts": lambda: len(
            client.retention(born_event="Sign Up", return_event=EVENT, **days).cohorts
        ),
        "frequency, days": lambda: len(client.frequency(**days).data),
        "insights": lambda: _sum(client.query_saved_report(55001).series),
    }


def _data(client: Workspace, days: dict[str, str]) -> dict[str, Callable[[], Iterable[Any]]]:
    """Events and profiles."""
    return {
        "events": lambda: client.stream_events(**days),
        "profiles": client.stream_profiles,
        "cohort members": lambda: client.stream_profiles(cohort_id="3207"),
    }


def _tried(call: Callable[[], Any]) -> float | str:
    """How much a call gives; one that breaks gives its error."""
    try:
        value = call()
        return value if isinstance(value, int | float) else sum(1 for _ in value)
    except Exception as error:  # noqa: BLE001 - one call's trouble is not another's
        return f"{type(error).__name__}: {error}"[:300]


def use(first: str, last: str) -> dict[str, float | str]:
    """Read all of it."""
    days = {"from_date": first, "to_date": last}
    with Workspace() as client:
        calls: dict[str, Callable[[], Any]] = {
            **_data(client, days),
            **_lists(client),
            **_discovery(client),
            **_reports(client, days),
        }
        return {name: _tried(call) for name, call in calls.items()}


print(json.dumps(use(sys.argv[1], sys.argv[2])))
