"""Every column of every record is declared, and holds the property that its declaration names."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.columns.unstorable import can_be_stored, escaped
from unit_tests.builders import event
from unit_tests.harness import Output
from unit_tests.hostile.values import EXAMPLES, texts
from unit_tests.profiles.test_engage import profile
from unit_tests.project import Project

# Few, so that they collide in every way there is: letter case, `$`, `_`, core names, folding.
pool = st.sampled_from(
    ["a", "A", "$a", "$A", "_a", "__a", "$_a", "$$a", "event", "Event", "$event", "EVENT",
     "Time", "$time", "insert_id", "Insert_Id", "$insert_ID", "$distinct_id", "Distinct_Id",
     "distinct_ID", "$", "", " ", "\u00df", "SS", "\u017fs", "\u0131", "I", "i", "K", "k",
     "last_seen", "$Last_Seen", "data_group_id", "Data_Group_Id", "properties"]
)  # fmt: skip
names = pool | texts


class Round(NamedTuple):
    """One sync: what is new since the last, and whether the schema was refreshed before it."""

    batches: list[list[str]]
    refreshed: bool


rounds = st.lists(
    st.builds(Round, st.lists(st.lists(names, max_size=5), min_size=1, max_size=4), st.booleans()),
    min_size=1,
    max_size=3,
)
syncs = settings(max_examples=max(5, EXAMPLES // 3))


def _marked(raws: list[str]) -> dict[str, str]:
    """Properties whose values tell their names."""
    fixed = ("time", "distinct_id", "$insert_id", "$last_seen", "mp_processing_time_ms")
    return {raw: f"of {raw}" for raw in raws if raw not in fixed}


def _held(out: Output, stream: dict[str, Any]) -> set[str]:
    """The properties whose values came out, each where the catalog has it, or rescued."""
    assert out.code == 0, out.log
    columns = stream["json_schema"]["properties"]
    found = set()
    for record in out.records():
        assert record.keys() <= columns.keys()
        for column, value in record.items():
            if isinstance(value, str) and value.startswith("of "):
                assert columns[column]["mixpanel_property"] == value[3:]
                found.add(value[3:])
        for name, value in (record["rescued_properties"] or {}).items():
            raw = _plain(value).removeprefix("of ")
            assert name == escaped(raw)
            assert not any(spec.get("mixpanel_property") == raw for spec in columns.values())
            found.add(raw)
    return found


def _plain(value: str) -> str:
    """A text with halves of surrogate pairs comes as its JSON text."""
    return json.loads(value) if value.startswith('"') else value


@given(rounds)
@syncs
def test_an_events_properties_are_where_the_catalog_has_them_or_rescued(
    project: Project, history: list[Round]
) -> None:
    project.mixpanel.reset()
    again = {"late_events": "reread_window", "attribution_window": 6, "date_window_size": 2}
    project.config = {**project.config, **again, "event_timestamps": "utc"}
    stream = project.discover()["export"]
    wanted: set[str] = set()
    state = None
    for number, step in enumerate(history):
        for day, raws in enumerate(step.batches):
            told = _marked(raws)
            wanted |= told.keys()
            project.mixpanel.add_events([_event_of(told, day, f"i-{number}-{day}")])
        if step.refreshed:
            stream = project.discover()["export"]
        out = project.sync(stream, state=state)
        assert _held(out, stream) == wanted
        state = out.state_file()
        assert not any(raw in json.dumps(state) for raw in wanted if len(raw) > 9)


def _event_of(properties: dict[str, str], day: int, insert_id: str) -> dict[str, Any]:
    plain = event(days_ago=day + 0.5, insert_id=insert_id)
    return {**plain, "properties": {**properties, **plain["properties"]}}


@given(st.lists(st.lists(names, max_size=6), min_size=1, max_size=4))
@syncs
def test_records_and_the_discovered_schema_agree_on_every_name(
    project: Project, batches: list[list[str]]
) -> None:
    project.mixpanel.reset()
    told = [_marked(raws) for raws in batches]
    project.mixpanel.add_events([_event_of(marks, 1, f"i-{n}") for n, marks in enumerate(told)])
    project.mixpanel.add_profiles([profile(f"u-{n}", **marks) for n, marks in enumerate(told)])
    streams = project.discover()
    for name in ("export", "engage"):
        out = project.sync(name, mode="full_refresh")
        assert _held(out, streams[name]) == {raw for marks in told for raw in marks}
        rescued = [raw for record in out.records() for raw in record["rescued_properties"] or ()]
        assert not any(can_be_stored(raw) and "\\u" not in raw for raw in rescued)


@given(rounds)
@syncs
def test_a_profiles_properties_are_where_the_catalog_has_them_or_rescued(
    project: Project, history: list[Round]
) -> None:
    project.mixpanel.reset()
    stream = project.discover()["engage"]
    state = None
    found: set[str] = set()
    for number, step in enumerate(history):
        project.mixpanel.add_profiles(
            [profile(f"u-{number}-{n}", **_marked(raws)) for n, raws in enumerate(step.batches)]
        )
        if step.refreshed:
            stream = project.discover()["engage"]
        out = project.sync(stream, state=state)
        found |= _held(out, stream)
        state = out.state_file()
    assert found == {raw for s in history for raws in s.batches for raw in _marked(raws)}
