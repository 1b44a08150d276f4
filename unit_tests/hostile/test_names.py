"""One property, one column, for good: across records, slices, syncs and discoveries."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from mixpanel_emulator.control_client import ControlClient
from source_mixpanel.records.naming import fold
from unit_tests.builders import discover, event, read
from unit_tests.harness import Command, Output
from unit_tests.hostile.values import EXAMPLES, texts
from unit_tests.streams.test_engage import profile
from unit_tests.worlds import discovered, sync

CORE = {
    "export": {"event", "time", "distinct_id", "insert_id"},
    "engage": {"distinct_id", "last_seen"},
}

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


def _check(out: Output, columns: dict[str, str]) -> None:
    """Each value is where it was before, and no two names share a column in any letter case."""
    assert out.code == 0, out.log
    for record in out.of("RECORD"):
        for column, value in record["data"].items():
            if isinstance(value, str) and value.startswith("of "):
                assert column not in CORE[record["stream"]]
                assert columns.setdefault(value[3:], column) == column
    assert len({fold(column) for column in columns.values()}) == len(columns)


@given(rounds)
@syncs
def test_an_events_property_keeps_its_column(
    command: Command, mixpanel: ControlClient, config: dict[str, Any], history: list[Round]
) -> None:
    mixpanel.reset()
    again = {"late_events": "reread_window", "attribution_window": 6, "date_window_size": 2}
    config = {**config, **again, "event_timestamps": "utc"}
    stream = discover(command, config)
    columns: dict[str, str] = {}
    wanted: set[str] = set()
    state = None
    for number, step in enumerate(history):
        for day, raws in enumerate(step.batches):
            told = _marked(raws)
            wanted |= told.keys()
            mixpanel.add_events([_event_of(told, day, f"i-{number}-{day}")])
        if step.refreshed:
            stream = discover(command, config)
        out = read(command, config, stream, state=state)
        _check(out, columns)
        state = out.state_file()
    assert columns.keys() == wanted


def _event_of(properties: dict[str, str], day: int, insert_id: str) -> dict[str, Any]:
    plain = event(days_ago=day + 0.5, insert_id=insert_id)
    return {**plain, "properties": {**properties, **plain["properties"]}}


@given(st.lists(st.lists(names, max_size=6), min_size=1, max_size=4))
@syncs
def test_records_and_the_discovered_schema_agree_on_every_name(
    command: Command, mixpanel: ControlClient, config: dict[str, Any], batches: list[list[str]]
) -> None:
    mixpanel.reset()
    told = [_marked(raws) for raws in batches]
    mixpanel.add_events([_event_of(marks, 1, f"i-{n}") for n, marks in enumerate(told)])
    mixpanel.add_profiles([profile(f"u-{n}", **marks) for n, marks in enumerate(told)])
    streams = discovered(command, config)
    for name in ("export", "engage"):
        columns: dict[str, str] = {}
        _check(sync(command, config, [streams[name]]), columns)
        schema = streams[name]["json_schema"]["properties"]
        assert columns.keys() == {raw for marks in told for raw in marks}
        for raw, column in columns.items():
            assert schema[column]["mixpanel_property"] == raw


@given(rounds)
@syncs
def test_a_profiles_property_keeps_its_column(
    command: Command, mixpanel: ControlClient, config: dict[str, Any], history: list[Round]
) -> None:
    mixpanel.reset()
    stream = discovered(command, config)["engage"]
    columns: dict[str, str] = {}
    state = None
    for number, step in enumerate(history):
        mixpanel.add_profiles(
            [profile(f"u-{number}-{n}", **_marked(raws)) for n, raws in enumerate(step.batches)]
        )
        if step.refreshed:
            stream = discovered(command, config)["engage"]
        out = sync(command, config, [stream], mode="incremental", state=state)
        _check(out, columns)
        state = out.state_file()
    assert columns.keys() == {raw for s in history for raws in s.batches for raw in _marked(raws)}
