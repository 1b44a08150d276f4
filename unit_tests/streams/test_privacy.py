"""Properties that are left out, hashed, or pinned to a column, through the real entry point."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from source_mixpanel.events.key import event_key
from unit_tests.builders import DAY_MS, NOON_10_MARCH_MS, event
from unit_tests.events.test_export_types import many, types, wheres
from unit_tests.harness import Output, column_names, multiset
from unit_tests.profiles.test_engage import profile
from unit_tests.project import Project

SALT = "p3pp3r-0f-th3-t3st"


def hashed(text: str) -> str:
    """Of a JSON text, as anybody computes it who has the salt."""
    return hmac.new(SALT.encode(), text.encode(), hashlib.sha256).hexdigest()


def hashing(project: Project, *names: str, **more: Any) -> Project:
    hashed = {"hash_properties": list(names), "hash_salt": SALT}
    return project.using(event_timestamps="utc", **hashed, **more)


def export(project: Project) -> Output:
    project.discover()
    out = project.sync("export")
    assert out.code == 0, out.log
    return out


def test_an_excluded_property_has_no_column_and_a_hashed_one_is_text(project: Project) -> None:
    told: dict[str, Any] = {"$city": "Graz", "age": 41, "$screen_width": 1080, "card_no": 4}
    project.mixpanel.add_events([event(**told)])
    project.mixpanel.add_profiles([profile("u-1", **told)])
    names = ("age", "$screen_width")
    excluded = ["card_*", "$city", "$insert_id"]
    streams = hashing(project, *names, exclude_properties=excluded).discover()
    for name in ("export", "engage", "cohort_members"):
        columns = streams[name]["json_schema"]["properties"]
        raws = {spec.get("mixpanel_property") for spec in columns.values()}
        assert set(names) <= raws
        assert not {"$city", "card_no"} & raws
        assert not {"city", "card_no", "insert_id"} & columns.keys()
        assert columns["age"]["type"] == columns["screen_width"]["type"] == ["null", "string"]


@pytest.mark.parametrize("types", ["native", "string"])
def test_values_are_hashed_by_their_json_text_and_nulls_stay(project: Project, types: str) -> None:
    values: list[Any] = ["text", 41, 2**70, 0.5, True, None, [1, "a"], {"b": {"c": 2**70}}]
    project.mixpanel.add_events(
        [event(insert_id=f"i-{n}", x=value) for n, value in enumerate(values)]
    )
    out = export(hashing(project, "x", property_types=types))
    rows = {row["insert_id"]: row["x"] for row in out.records()}
    texts = [json.dumps(value, separators=(",", ":")) for value in values]
    assert rows == {
        f"i-{n}": None if value is None else hashed(text)
        for n, (value, text) in enumerate(zip(values, texts, strict=True))
    }


def test_a_catalog_from_before_hashing_keeps_hashes_that_fit_no_column(project: Project) -> None:
    project.mixpanel.add_events([event(age=41, plan="pro")])
    project.discover()
    out = hashing(project, "age", exclude_properties=["plan"]).sync("export")
    [row] = out.records()
    assert (row["age"], row["rescued_properties"]) == (None, {"age": hashed("41")})
    assert row.get("plan") is None


def test_the_key_of_an_event_is_made_of_what_comes_out(project: Project) -> None:
    project.mixpanel.add_events([event(plan="pro", secret=1)])
    [row] = export(hashing(project, "distinct_id", "$insert_id")).records()
    ms = NOON_10_MARCH_MS - DAY_MS
    assert (row["distinct_id"], row["insert_id"]) == (hashed('"u-1"'), hashed('"i-1"'))
    ids = {"distinct_id": row["distinct_id"], "$insert_id": row["insert_id"]}
    assert row["event_key"] == event_key("Sign Up", ms, ids)
    left_out = ["$insert_id", "sec*"]
    [row] = export(
        hashing(project, property_layout="object", exclude_properties=left_out)
    ).records()
    assert not {"$insert_id", "secret"} & row["properties"].keys()
    assert row["event_key"] == event_key("Sign Up", ms, row["properties"])


@pytest.mark.parametrize("layout", ["columns", "object"])
def test_integers_beyond_64_bits_are_exact_and_none_brings_back_what_is_left_out(
    project: Project, layout: str
) -> None:
    held: dict[str, Any] = {"big": 2**70, "deep": [2**70], "wide": 10**30, "secret": 1, "n": 0.5}
    project.mixpanel.add_events([event(insert_id=f"i-{n}", **held) for n in range(4)])
    project.config.update(property_layout=layout, event_timestamps="utc")
    stream = project.discover()["export"]
    if layout == "columns":
        number = {"type": ["null", "number"], "mixpanel_property": "wide"}
        stream["json_schema"]["properties"] |= {"wide": number}
    rows = project.using(exclude_properties=["secret"]).sync("export").records()
    expected = project.sync("export").records()
    for row in expected:
        del row.get("properties", row)["secret"]
    assert multiset(rows) == multiset(expected)
    assert str(2**70) in json.dumps(rows)
    left_out = ["$insert_id", "secret"]
    for row in project.using(exclude_properties=left_out).sync("export").records():
        told = row.get("properties") or _raw(row, stream)
        assert row["event_key"] == event_key("Sign Up", NOON_10_MARCH_MS - DAY_MS, told)


def _raw(row: dict[str, Any], stream: dict[str, Any]) -> dict[str, Any]:
    """The properties of a row by their own names, without those that are null."""
    names = {column: raw for raw, column in column_names(stream).items()}
    told = {names[column]: value for column, value in row.items() if column in names}
    every = {**told, **(row["rescued_properties"] or {})}
    return {name: value for name, value in every.items() if value is not None}


def test_the_type_of_what_is_kept_back_is_not_asked_for(project: Project) -> None:
    project.mixpanel.add_events(many(3_000, {"rare": 7, "secret": 7}))
    stream = hashing(project, "rare", exclude_properties=["secret"]).discover()["export"]
    assert types(stream)["rare"] == "string"
    assert wheres(project) == [None]


def test_ids_that_stay_readable_are_told_in_check_and_in_the_sync(project: Project) -> None:
    project.mixpanel.add_events([event()])
    private = hashing(project, "distinct_id", exclude_properties=["$user_id"])
    for out in (private.run("check"), export(private)):
        [told] = [line for line in out.log.splitlines() if "come out readable" in line]
        assert "$device_id" in told
        assert "$user_id" not in told


def test_lexicon_is_told_without_what_is_excluded(project: Project) -> None:
    schema = {"properties": {"plan": {"type": "string"}, "card_no": {"type": "number"}},
              "required": ["card_no"]}  # fmt: skip
    project.mixpanel.set_truth(
        "schemas", [{"entityType": "event", "name": "a", "schemaJson": schema}]
    )
    project.config["exclude_properties"] = ["card_*"]
    out = project.sync("event_definitions")
    [row] = out.records()
    assert row["schemaJson"] == {"properties": {"plan": {"type": "string"}}, "required": []}


def test_a_group_key_that_is_called_like_an_excluded_property_is_told_by_its_number(
    project: Project,
) -> None:
    keys = [{"data_group_id": n, "property_name": f"{n}st_firm"} for n in ("11", "21")]
    project.mixpanel.set_truth("data_groups", keys)
    for key in ("11", "21"):
        project.mixpanel.add_profiles([profile("acme")], key)
    project.config["exclude_properties"] = ["11st*"]
    out = project.sync("groups")
    assert "group key 11" in out.log
    assert "11st_firm" not in out.raw.decode()
    assert "group key 21 '21st_firm'" in out.log


# -- column_names ----------------------------------------------------------------------------


@pytest.mark.parametrize("rivals", [["Plan"], ["$plan"], ["Plan", "$plan", "_plan"], []])
def test_a_pinned_column_is_its_propertys_whatever_rivals_there_are(
    project: Project, rivals: list[str]
) -> None:
    told: dict[str, Any] = {name: f"of {name}" for name in ["plan_v2", *rivals]}
    project.mixpanel.add_events([event(**told)])
    project.mixpanel.add_profiles([profile("u-1", **told)])
    project.config["column_names"] = {"plan_v2": "plan", "Not There": "city"}
    out = project.sync("export", "engage", mode="full_refresh")
    assert out.code == 0, out.log
    for name in ("export", "engage"):
        [row] = out.records(name)
        assert row["plan"] == "of plan_v2"
        assert {value for value in row.values() if str(value).startswith("of ")} == {*told.values()}


def test_a_pinned_column_is_kept_free_for_a_property_that_is_not_there_yet(
    project: Project,
) -> None:
    project.config["column_names"] = {"plan_v2": "plan"}
    project.mixpanel.add_events([event(plan="old")])
    before = project.discover()["export"]["json_schema"]["properties"]
    assert "plan" not in before
    project.mixpanel.add_events([event(plan_v2="new", insert_id="i-2")])
    after = project.discover()["export"]["json_schema"]["properties"]
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
    project: Project, pins: dict[str, str], told: str, verb: str
) -> None:
    out = project.using(column_names=pins).run(verb)
    assert told in out.raw.decode()
    failed = out.of("CONNECTION_STATUS")
    assert failed[0]["status"] == "FAILED" if failed else out.code == 1
