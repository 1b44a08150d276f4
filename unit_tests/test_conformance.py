"""What holds for every stream, each read by itself: a new one is tested as soon as it is listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from source_mixpanel.lists.stream import ListStream
from source_mixpanel.reports.kinds import ReportStream
from source_mixpanel.source import SourceMixpanel
from unit_tests.builders import REPORTS, event
from unit_tests.harness import Output, freeze, multiset
from unit_tests.project import Project, Streams

_NOBODY = {"credentials": {"username": "u", "secret": "s", "project_id": 1}}
_LISTED = SourceMixpanel().streams({**_NOBODY, "reports": REPORTS})
NAMES = [stream.name for stream in _LISTED]
INCREMENTAL = [stream.name for stream in _LISTED if stream.supports_incremental]
AT_ONCE = [
    stream.name
    for stream in _LISTED
    if isinstance(stream, ListStream) or (isinstance(stream, ReportStream) and stream.whole)
]
"""Read by one question; a full refresh of such a report ends with one state more."""
LISTS = [stream.name for stream in _LISTED if isinstance(stream, ListStream)]
OFTEN = {"export"}
"""Mixpanel keeps events of the same key, and gives all of them."""

MOVING = {"covered", "empty"}
"""What `export` keeps of Mixpanel's clock, which is later in every sync."""

_STATES = 3
_STREAMS: Streams = {}
_READ: dict[tuple[str, str], Output] = {}


@pytest.fixture
def project(project: Project) -> Project:
    """The seed makes the same world each time, so that it is enough to discover it once."""
    project.mixpanel.seed(11, events=200, days=6, profiles=90)
    project.config.update(page_size=20, date_window_size=2, attribution_window=0, reports=REPORTS)
    if not _STREAMS:
        _STREAMS.update(project.discover())
    project.streams = _STREAMS
    return project


def values(row: dict[str, Any], stream: dict[str, Any]) -> tuple[Any, ...]:
    """A row's key."""
    return tuple(freeze(row[column]) for [column] in stream["source_defined_primary_key"])


def whole(project: Project, stream: dict[str, Any], mode: str) -> Output:
    """A sync of one stream; in a full refresh where it knows no other way."""
    if mode not in stream["supported_sync_modes"]:
        mode = "full_refresh"
    key = (stream["name"], mode)
    if key not in _READ:
        out = project.sync(stream, mode=mode)
        assert out.code == 0, out.log
        assert out.statuses(stream["name"])[-1] == "COMPLETE"
        assert out.states, "every stream leaves a state"
        _READ[key] = out
    return _READ[key]


def test_every_listed_stream_is_discovered(project: Project) -> None:
    assert list(project.streams) == NAMES


def subschemas(schema: dict[str, Any], place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """A schema and all within it, with where each stands."""
    yield place, schema
    for word in ("properties", "patternProperties", "definitions"):
        for name, inner in schema.get(word, {}).items():
            yield from subschemas(inner, f"{place}/{name}")
    for word in ("items", "additionalProperties", "anyOf", "oneOf", "allOf"):
        held = schema.get(word)
        for inner in held if isinstance(held, list) else [held]:
            if isinstance(inner, dict):
                yield from subschemas(inner, f"{place}/{word}")


@pytest.mark.parametrize(
    "settings", [{}, {"property_layout": "object"}, {"property_types": "string"}], ids=str
)
def test_no_schema_lacks_a_type_and_every_column_may_be_null(
    project: Project, settings: dict[str, Any]
) -> None:
    odd: dict[str, Any] = {
        "empty": [],
        "deep": [[{"a": [1]}]],
        "nothing": None,
        "$distinct_ids": [],
    }
    project.mixpanel.add_events([event(**odd)])
    project.mixpanel.add_profiles([{"$distinct_id": "odd", "$properties": odd}])
    found = project.using(**settings).discover()
    assert found.keys() == project.streams.keys()
    lists = 0
    for name, stream in found.items():
        for place, schema in subschemas(stream["json_schema"], name):
            kinds = schema.get("type")
            assert kinds, f"{place} has no type"
            lists += "array" in kinds
            assert schema.get("items") != {}, f"{place} says nothing of its items"
        for column, schema in stream["json_schema"]["properties"].items():
            nullable = column != "event_key"
            assert ("null" in schema["type"]) is nullable, f"{name}/{column}: {schema['type']}"
    assert lists >= 5
    if "property_layout" not in settings:
        ids = found["export"]["json_schema"]["properties"]["distinct_ids"]
        assert ids["items"] == {"type": "string"}


@pytest.mark.parametrize("name", NAMES)
def test_records_have_the_columns_of_their_schema_and_fit_them(project: Project, name: str) -> None:
    stream = project.streams[name]
    jsonschema.Draft7Validator.check_schema(stream["json_schema"])
    out = whole(project, stream, "full_refresh")
    validator = jsonschema.Draft7Validator(stream["json_schema"])
    assert out.records(), "the seed has something for every stream"
    for row in out.records():
        assert row.keys() <= stream["json_schema"]["properties"].keys()
        assert [error.message for error in validator.iter_errors(row)] == []


@pytest.mark.parametrize("name", NAMES)
def test_keys_are_there_and_unique(project: Project, name: str) -> None:
    stream = project.streams[name]
    out = whole(project, stream, "full_refresh")
    counts = Counter(values(row, stream) for row in out.records())
    assert not any(part == ("NoneType", None) for key in counts for part in key)
    if name not in OFTEN:
        assert max(counts.values()) == 1


@pytest.mark.parametrize("name", NAMES)
def test_columns_differ_in_more_than_case_and_stay_in_a_second_sync(
    project: Project, name: str
) -> None:
    first = whole(project, project.streams[name], "full_refresh")
    again = project.sync(name, mode="full_refresh", state=first.state_file())
    assert again.code == 0, again.log
    assert multiset(again.records()) == multiset(first.records())
    columns = {column for row in first.records() for column in row}
    assert len({column.upper().casefold() for column in columns}) == len(columns)


@pytest.mark.parametrize("name", NAMES)
def test_a_state_is_taken_back_and_stays_what_it_is(project: Project, name: str) -> None:
    stream = project.streams[name]
    first = whole(project, stream, "incremental")
    told = first.state_file()
    second = project.sync(stream, state=told)
    assert second.code == 0, second.log
    then, now = first.stream_state(name), second.stream_state(name)
    assert now.keys() == then.keys()
    assert {key for key in then if now[key] != then[key]} <= MOVING
    assert not multiset(second.records()) - multiset(first.records())


@pytest.mark.parametrize("name", AT_ONCE)
def test_what_is_asked_for_at_once_has_no_state_before_its_last_record(
    project: Project, name: str
) -> None:
    out = whole(project, project.streams[name], "incremental")
    [(rows, _)] = out.prefixes(name)
    assert rows == out.records()


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        *((name, "full_refresh") for name in NAMES if name not in LISTS),
        *((name, "incremental") for name in INCREMENTAL if name not in AT_ONCE),
    ],
)
def test_a_kill_after_a_state_loses_nothing(project: Project, name: str, mode: str) -> None:
    stream = project.streams[name]
    # Read here and now: pages of profiles are gone on with while their session lasts.
    out = project.sync(stream, mode=mode)
    states = out.prefixes(name)[:-1]
    assert states, "there is a state to go on from"
    want = multiset(out.records())
    step = max(1, len(states) // _STATES)
    for rows, state in states[::step]:
        rest = project.sync(stream, mode=mode, state=[state])
        assert rest.code == 0, rest.log
        got = multiset(rows + rest.records())
        assert not want - got, "records were lost"
        assert set(got) == set(want), "records were made up"
        assert mode == "incremental" or got == want, "records came twice"
