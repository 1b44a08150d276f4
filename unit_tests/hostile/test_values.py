"""JSON in, JSON out: whatever Mixpanel may hold comes out as it went in.

Answers are given as raw text, since no client could send some of it.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mixpanel_emulator.control_client import ControlClient
from source_mixpanel.columns.types import RESCUED, object_schema
from source_mixpanel.columns.unstorable import mended
from source_mixpanel.events.schema import CORE
from unit_tests.builders import DAY_MS, NOON_10_MARCH_MS, bare
from unit_tests.harness import Output, multiset, rfc3339
from unit_tests.hostile.values import DEEP_ENOUGH, EXAMPLES, json_texts, meant, properties, spell
from unit_tests.project import Project

TIME_MS = NOON_10_MARCH_MS - DAY_MS
EXPORT = "/api/2.0/export"
ENGAGE = "/api/query/engage"
COMPANIES = "7001"
RESERVED = {"time", "distinct_id", "$insert_id", "$distinct_id", "$last_seen"}

some = settings(max_examples=EXAMPLES)


def one_day(project: Project, layout: str = "object") -> Project:
    day = {"start_date": "2026-03-09", "end_date": "2026-03-09", "event_timestamps": "utc"}
    return project.using(**day, property_layout=layout)


def answered(mixpanel: ControlClient, path: str, body: str) -> None:
    """From now on every request for a path is answered with this text."""
    mixpanel.clear_faults()
    mixpanel.add_fault("status", path, status=200, body=body)


def line(members: dict[str, str], number: int = 0) -> str:
    """An event as a line of the export; names and values are JSON texts."""
    core = {'"time"': str(TIME_MS), '"distinct_id"': '"u-1"', '"$insert_id"': f'"i-{number}"'}
    told = {k: v for k, v in members.items() if json.loads(k) not in RESERVED}
    inner = ",".join(f"{key}:{value}" for key, value in {**core, **told}.items())
    return f'{{"event":"Odd","properties":{{{inner}}}}}\n'


def page(profiles: list[dict[str, str]], **more: Any) -> str:
    """An answer of engage that is all there is."""
    elements = []
    for number, members in enumerate(profiles):
        told = {k: v for k, v in members.items() if json.loads(k) not in RESERVED}
        inner = ",".join(f"{key}:{value}" for key, value in told.items())
        elements.append(f'{{"$distinct_id":"u-{number}","$properties":{{{inner}}}}}')
    head = {"page": 0, "session_id": "1-a", "status": "ok", "total": len(profiles), **more}
    text = json.dumps({**head, "page_size": 1000})
    return f'{text[:-1]},"results":[{",".join(elements)}]}}'


def rows_of(body: str) -> list[dict[str, Any]]:
    """What the export has to come out as, in the layout with one object."""
    rows = []
    for text in body.split("\n")[:-1]:
        event = meant(text)
        told = event["properties"]
        core = {"distinct_id": told["distinct_id"], "insert_id": told["$insert_id"]}
        time = rfc3339(told["time"])
        rows.append({"event": event["event"], "time": time, **core, "properties": told})
    return rows


def whole(out: Output) -> Output:
    assert out.code == 0, out.log
    assert out.stderr == ""
    return out


@given(st.lists(properties, min_size=1, max_size=30))
@some
def test_any_event_comes_out_as_it_went_in(project: Project, events: list[dict[str, str]]) -> None:
    body = "".join(line(members, n) for n, members in enumerate(events))
    answered(project.mixpanel, EXPORT, body)
    out = whole(one_day(project).sync(bare("export")))
    assert multiset(out.records()) == multiset(rows_of(body))


@given(st.lists(properties, min_size=1, max_size=30))
@some
def test_any_property_without_a_column_comes_out_rescued(
    project: Project, events: list[dict[str, str]]
) -> None:
    body = "".join(line(members, n) for n, members in enumerate(events))
    answered(project.mixpanel, EXPORT, body)
    stream = {**bare("export"), "json_schema": object_schema(CORE)}
    out = whole(one_day(project, "columns").sync(stream))
    fixed = ("time", "distinct_id", "$insert_id")
    want = []
    for row in rows_of(body):
        held = row.pop("properties")
        kept = {raw: value for raw, value in held.items() if raw not in fixed and value is not None}
        want.append(mended({**row, RESCUED: kept or None}, lambda _: None, rescues=True))
    keys = [row.pop("event_key") for row in out.records()]
    assert all(len(key) == 32 for key in keys)
    assert multiset(out.records()) == multiset(want)


@given(st.lists(properties, max_size=20))
@some
def test_any_profile_comes_out_as_it_went_in(
    project: Project, profiles: list[dict[str, str]]
) -> None:
    project.mixpanel.set_truth(
        "data_groups", [{"data_group_id": COMPANIES, "property_name": "company"}]
    )
    body = page(profiles)
    answered(project.mixpanel, ENGAGE, body)
    project.config["property_layout"] = "object"
    out = whole(project.sync(bare("engage"), bare("groups"), mode="full_refresh"))
    for name, fixed in (("engage", {}), ("groups", {"data_group_id": COMPANIES})):
        want = [
            {
                "distinct_id": told["$distinct_id"],
                "last_seen": None,
                "properties": told["$properties"],
                **fixed,
            }
            for told in meant(body)["results"]
        ]
        assert multiset(out.records(name)) == multiset(want)


@given(json_texts)
@settings(max_examples=max(4, EXAMPLES // 2))
def test_any_member_of_a_list_comes_out_as_it_went_in(project: Project, text: str) -> None:
    answered(project.mixpanel, "/api/query/cohorts/list", f'[{{"id": 1, "odd": {text}}}]')
    out = whole(project.sync(bare("cohorts"), mode="full_refresh"))
    assert multiset([row["odd"] for row in out.records()]) == multiset([meant(text)])


@pytest.mark.parametrize(
    "members",
    [
        {spell(f"property {n}", ascii_only=True): str(n) for n in range(2000)},
        {'"long"': '"' + "\u2028x" * 400_000 + '"'},
        {'"long"': "[" + ",".join(['"0123456789"'] * 800_000) + "]"},
        {'"' + " " * 5000 + '"': "1"},
    ],
    ids=["2,000 properties", "1.6 MB", "10 MB", "a name of blanks"],
)
def test_large_ones_come_out_whole(project: Project, members: dict[str, str]) -> None:
    body = line({}) + line(members, 1) + line({}, 2)
    project.mixpanel.add_fault("status", EXPORT, status=200, body=body)
    project.mixpanel.add_fault("status", ENGAGE, status=200, body=page([{}, members]))
    streams = bare("export"), bare("engage")
    out = whole(one_day(project).sync(*streams, mode="full_refresh"))
    assert multiset(out.records("export")) == multiset(rows_of(body))
    [_, row] = sorted(out.records("engage"), key=lambda told: told["distinct_id"])
    assert row["properties"] == {json.loads(k): json.loads(v) for k, v in members.items()}


@pytest.mark.parametrize("depth", [254, 255, 400, 900, 1000, 1100, 5000, 100_000])
@pytest.mark.parametrize("last", [False, True])
def test_deep_nesting_is_exact_or_a_named_error(
    project: Project, depth: int, *, last: bool
) -> None:
    deep = {'"deep"': "[" * depth + "]" * depth}
    body = line(deep) if last else line(deep) + line({}, 1)
    project.mixpanel.add_fault("status", EXPORT, status=200, body=body)
    project.mixpanel.add_fault(
        "status", ENGAGE, status=200, body=page([deep] if last else [deep, {}])
    )
    streams = bare("export"), bare("engage")
    out = one_day(project).sync(*streams, mode="full_refresh", tries=2)
    if depth <= DEEP_ENOUGH:
        assert whole(out).raw.count(deep['"deep"'].encode()) == 2
        return
    assert out.code == 1
    for name in ("export", "engage"):
        assert out.statuses(name)[-1] == "INCOMPLETE"
    told = [error for error in out.errors if error.get("stream_descriptor")]
    assert [error["failure_type"] for error in told] == ["system_error"] * 2
    assert all("nested too deep" in error["message"] for error in told)


def test_of_a_name_that_comes_twice_the_last_value_counts(project: Project) -> None:
    text = line({'"a"': "1"}).replace('"a":1', '"a":1,"a":2,"b":{"c":1,"c":3}')
    answered(project.mixpanel, EXPORT, text)
    [row] = whole(one_day(project).sync(bare("export"))).records()
    assert (row["properties"]["a"], row["properties"]["b"]) == (2, {"c": 3})
