"""Properties that are left out, hashed, or pinned to a column, through the real entry point."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from mixpanel_emulator.control_client import ControlClient
from source_mixpanel.events.key import event_key
from unit_tests.builders import DAY_MS, NOON_10_MARCH_MS, discover, event, read
from unit_tests.events.test_export_types import many, types, wheres
from unit_tests.harness import Command, Output, column_names, multiset
from unit_tests.profiles.test_engage import profile
from unit_tests.worlds import discovered, sync

SALT = "p3pp3r-0f-th3-t3st"


def hashed(text: str) -> str:
    """Of a JSON text, as anybody computes it who has the salt."""
    return hmac.new(SALT.encode(), text.encode(), hashlib.sha256).hexdigest()


def hashing(config: dict[str, Any], *names: str, **more: Any) -> dict[str, Any]:
    utc = {"event_timestamps": "utc"}
    return {**config, **utc, "hash_properties": list(names), "hash_salt": SALT, **more}


def export(command: Command, config: dict[str, Any]) -> Output:
    out = read(command, config, discover(command, config))
    assert out.code == 0, out.log
    return out


def test_an_excluded_property_has_no_column_and_a_hashed_one_is_text(
    command: Command, mixpanel: ControlClient, config: dict[str, Any]
) -> None:
    told: dict[str, Any] = {"$city": "Graz", "age": 41, "$screen_width": 1080, "card_no": 4}
    mixpanel.add_events([event(**told)])
    mixpanel.add_profiles([profile("u-1", **told)])
    names = ("age", "$screen_width")
    streams = discovered(
        command, hashing(config, *names, exclude_properties=["card_*", "$city", "$insert_id"])
    )
    for name in ("export", "engage", "cohort_members"):
        columns = streams[name]["json_schema"]["properties"]
        raws = {spec.get("mixpanel_property") for spec in columns.values()}
        assert set(names) <= raws
        assert not {"$city", "card_no"} & raws
        assert not {"city", "card_no", "insert_id"} & columns.keys()
        assert columns["age"]["type"] == columns["screen_width"]["type"] == ["null", "string"]


@pytest.mark.parametrize("types", ["native", "string"])
def test_values_are_hashed_by_their_json_text_and_nulls_stay(
    command: Command, mixpanel: ControlClient, config: dict[str, Any], types: str
) -> None:
    values: list[Any] = ["text", 41, 2**70, 0.5, True, None, [1, "a"], {"b": {"c": 2**70}}]
    mixpanel.add_events([event(insert_id=f"i-{n}", x=value) for n, value in enumerate(values)])
    out = export(command, hashing(config, "x", property_types=types))
    rows = {row["insert_id"]: row["x"] for row in out.records()}
    texts = [json.dumps(value, separators=(",", ":")) for value in values]
    assert rows == {
        f"i-{n}": None if value is None else hashed(text)
        for n, (value, text) in enumerate(zip(values, texts, strict=True))
    }


def test_a_catalog_from_before_hashing_keeps_hashes_that_fit_no_column(
    command: Command, mixpanel: ControlClient, config: dict[str, Any]
) -> None:
    mixpanel.add_events([event(age=41, plan="pro")])
    stream = discover(command, config)
    out = read(command, hashing(config, "age", exclude_properties=["plan"]), stream)
    [row] = out.records()
    assert (row["age"], row["rescued_properties"]) == (None, {"age": hashed("41")})
    assert row.get("plan") is None


def test_the_key_of_an_event_is_made_of_what_comes_out(
    command: Command, mixpanel: ControlClient, config: dict[str, Any]
) -> None:
    mixpanel.add_events([event(plan="pro", secret=1)])
    [row] = export(command, hashing(config, "distinct_id", "$insert_id")).records()
    ms = NOON_10_MARCH_MS - DAY_MS
    assert (row["distinct_id"], row["insert_id"]) == (hashed('"u-1"'), hashed('"i-1"'))
    ids = {"distinct_id": row["distinct_id"], "$insert_id": row["insert_id"]}
    assert row["event_key"] == event_key("Sign Up", ms, ids)
    left_out = hashing(config, property_layout="object", exclude_properties=["$insert_id", "sec*"])
    [row] = export(command, left_out).records()
    assert not {"$insert_id", "secret"} & row["properties"].keys()
    assert row["event_key"] == event_key("Sign Up", ms, row["properties"])


@pytest.mark.parametrize("layout", ["columns", "object"])
def test_integers_beyond_64_bits_are_exact_and_none_brings_back_what_is_left_out(
    command: Command, mixpanel: ControlClient, config: dict[str, Any], layout: str
) -> None:
    held: dict[str, Any] = {"big": 2**70, "deep": [2**70], "wide": 10**30, "secret": 1, "n": 0.5}
    mixpanel.add_events([event(insert_id=f"i-{n}", **held) for n in range(4)])
    config.update(property_layout=layout, event_timestamps="utc")
    stream = discover(command, config)
    if layout == "columns":
        number = {"type": ["null", "number"], "mixpanel_property": "wide"}
        stream["json_schema"]["properties"] |= {"wide": number}
    rows = read(command, {**config, "exclude_properties": ["secret"]}, stream).records()
    expected = read(command, config, stream).records()
    for row in expected:
        del row.get("properties", row)["secret"]
    assert multiset(rows) == multiset(expected)
    assert str(2**70) in json.dumps(rows)
    left_out = ["$insert_id", "secret"]
    for row in read(command, {**config, "exclude_properties": left_out}, stream).records():
        told = row.get("properties") or _raw(row, stream)
        assert row["event_key"] == event_key("Sign Up", NOON_10_MARCH_MS - DAY_MS, told)


def _raw(row: dict[str, Any], stream: dict[str, Any]) -> dict[str, Any]:
    """The properties of a row by their own names, without those that are null."""
    names = {column: raw for raw, column in column_names(stream).items()}
    told = {names[column]: value for column, value in row.items() if column in names}
    every = {**told, **(row["rescued_properties"] or {})}
    return {name: value for name, value in every.items() if value is not None}


def test_the_type_of_what_is_kept_back_is_not_asked_for(
    command: Command, mixpanel: ControlClient, config: dict[str, Any]
) -> None:
    mixpanel.add_events(many(3_000, {"rare": 7, "secret": 7}))
    stream = discover(command, hashing(config, "rare", exclude_properties=["secret"]))
    assert types(stream)["rare"] == "string"
    assert wheres(mixpanel) == [None]


def test_ids_that_stay_readable_are_told_in_check_and_in_the_sync(
    command: Command, mixpanel: ControlClient, config: dict[str, Any]
) -> None:
    mixpanel.add_events([event()])
    settings = hashing(config, "distinct_id", exclude_properties=["$user_id"])
    for out in (command.run("check", config=settings), export(command, settings)):
        [told] = [line for line in out.log.splitlines() if "come out readable" in line]
        assert "$device_id" in told
        assert "$user_id" not in told


def test_lexicon_is_told_without_what_is_excluded(
    command: Command, mixpanel: ControlClient, config: dict[str, Any]
) -> None:
    schema = {"properties": {"plan": {"type": "string"}, "card_no": {"type": "number"}},
              "required": ["card_no"]}  # fmt: skip
    mixpanel.set_truth("schemas", [{"entityType": "event", "name": "a", "schemaJson": schema}])
    settings = {**config, "exclude_properties": ["card_*"]}
    out = sync(command, settings, [discovered(command, settings)["event_definitions"]])
    [row] = out.records()
    assert row["schemaJson"] == {"properties": {"plan": {"type": "string"}}, "required": []}


def test_a_group_key_that_is_called_like_an_excluded_property_is_told_by_its_number(
    command: Command, mixpanel: ControlClient, config: dict[str, Any]
) -> None:
    keys = [{"data_group_id": n, "property_name": f"{n}st_firm"} for n in ("11", "21")]
    mixpanel.set_truth("data_groups", keys)
    for key in ("11", "21"):
        mixpanel.add_profiles([profile("acme")], key)
    settings = {**config, "exclude_properties": ["11st*"]}
    out = sync(command, settings, [discovered(command, settings)["groups"]])
    assert "group key 11" in out.log
    assert "11st_firm" not in out.raw.decode()
    assert "group key 21 '21st_firm'" in out.log


# -- column_names ----------------------------------------------------------------------------


@pytest.mark.parametrize("rivals", [["Plan"], ["$plan"], ["Plan", "$plan", "_plan"], []])
def test_a_pinned_column_is_its_propertys_whatever_rivals_there_are(
    command: Command, mixpanel: ControlClient, config: dict[str, Any], rivals: list[str]
) -> None:
    told: dict[str, Any] = {name: f"of {name}" for name in ["plan_v2", *rivals]}
    mixpanel.add_events([event(**told)])
    mixpanel.add_profiles([profile("u-1", **told)])
    settings = {**config, "column_names": {"plan_v2": "plan", "Not There": "city"}}
    streams = discovered(command, settings)
    out = sync(command, settings, [streams["export"], streams["engage"]])
    assert out.code == 0, out.log
    for name in ("export", "engage"):
        [row] = out.records(name)
        assert row["plan"] == "of plan_v2"
        assert {value for value in row.values() if str(value).startswith("of ")} == {*told.values()}


def test_a_pinned_column_is_kept_free_for_a_property_that_is_not_there_yet(
    command: Command, mixpanel: ControlClient, config: dict[str, Any]
) -> None:
    settings = {**config, "column_names": {"plan_v2": "plan"}}
    mixpanel.add_events([event(plan="old")])
    before = discover(command, settings)["json_schema"]["properties"]
    assert "plan" not in before
    mixpanel.add_events([event(plan_v2="new", insert_id="i-2")])
    after = discover(command, settings)["json_schema"]["properties"]
    assert after["plan"]["mixpanel_property"] == "plan_v2"
    [old] = [name for name, spec in before.items() if spec.get("mixpanel_property") == "plan"]
    assert after[old]["mixpanel_property"] == "plan"


@pytest.mark.parametrize(
    ("pins", "told"),
    [
        ({"a": "ctid"}, "some destinations keep that name for themselves"),
        ({"a": "x" * 63 + "1", "b": "x" * 63 + "2"}, "the column of 'a'"),
    ],
)
@pytest.mark.parametrize("verb", ["check", "discover"])
def test_pins_that_some_destination_cannot_have_are_a_config_error(
    command: Command,
    mixpanel: ControlClient,  # noqa: ARG001 - it answers
    config: dict[str, Any],
    pins: dict[str, str],
    told: str,
    verb: str,
) -> None:
    out = command.run(verb, config={**config, "column_names": pins})
    assert told in out.raw.decode()
    failed = out.of("CONNECTION_STATUS")
    assert failed[0]["status"] == "FAILED" if failed else out.code == 1
