"""What the local Mixpanel holds, stream by stream, as the rows that a warehouse should have."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from mixpanel_emulator.control_client import ControlClient
from unit_tests.lists.test_definitions import ALSO, KINDS

Row = dict[str, Any]
"""A row's values by what Mixpanel calls them; `of_event` and `of_profile` say how."""

NAME, TIME = "(event)", "(time)"
"""What an event has beside its properties; its time is in microseconds since 1970."""

WHO = "$distinct_id"
BEFORE = "$distinct_id_before_identity"

LISTS = {**KINDS, "cohorts": "cohorts", "annotations": "annotations"}
"""The lists that a stream is, by stream."""

STREAMS = ("export", "engage", "groups", "cohort_members", *LISTS)
"""The streams whose rows are told as they are."""

_REWRITTEN = {"distinct_id", BEFORE, "mp_processing_time_ms"}


def of_event(event: Mapping[str, Any]) -> Row:
    """An event as the control plane tells it."""
    return {**event["properties"], NAME: event["event"], TIME: event["time_ms"] * 1000}


def of_profile(profile: Mapping[str, Any], **more: Any) -> Row:
    """A profile as the control plane tells it; what its stream adds has `(...)` around it."""
    added = {f"({name})": value for name, value in more.items()}
    return {**profile["$properties"], f"({WHO})": profile[WHO], **added}


def identity(row: Row) -> str:
    """Mixpanel's identity of an event; two rows of the same one are one."""
    first = row.get(BEFORE)
    told = [row[NAME], row[TIME], row.get("distinct_id") if first is None else first]
    inserted = row.get("$insert_id")
    kept = {name: value for name, value in row.items() if name not in _REWRITTEN}
    return json.dumps([*told, inserted or kept], sort_keys=True)


def _members(mixpanel: ControlClient, groups: Iterable[str]) -> list[Row]:
    """Every pair of cohort and member, with the profile of the cohort's own kind."""
    of_group = {cohort["id"]: cohort.get("data_group_id") for cohort in mixpanel.truth("cohorts")}
    held = {
        group: {profile[WHO]: profile for profile in mixpanel.truth(f"groups:{group}")}
        for group in groups
    }
    users = {profile[WHO]: profile for profile in mixpanel.truth("engage")}
    rows = []
    for pair in mixpanel.truth("cohort_members"):
        known = held.get(str(of_group.get(pair["cohort_id"])), users)
        nobody = {WHO: pair["distinct_id"], "$properties": {}}
        profile = known.get(pair["distinct_id"], nobody)
        rows.append(of_profile(profile, cohort_id=pair["cohort_id"]))
    return rows


def held(mixpanel: ControlClient) -> dict[str, list[Row]]:
    """The rows of every stream whose truth is told as it is."""
    groups = [str(key["data_group_id"]) for key in mixpanel.truth("data_groups")]
    events = {identity(row): row for row in map(of_event, mixpanel.events())}
    found = {
        "export": list(events.values()),
        "engage": [of_profile(profile) for profile in mixpanel.truth("engage")],
        "groups": [
            of_profile(profile, data_group_id=group)
            for group in groups
            for profile in mixpanel.truth(f"groups:{group}")
        ],
        "cohort_members": _members(mixpanel, groups),
    }
    for stream, kind in LISTS.items():
        also, own = ALSO.get(stream, ("", ""))
        items = mixpanel.truth(kind)
        found[stream] = [{**item, **({also: item[own]} if also else {})} for item in items]
    return found
