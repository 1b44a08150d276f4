"""Settings on single properties: their columns, and which are left out or hashed."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from jsonschema import Draft7Validator

from source_mixpanel.assembly.context import build_privacy, warnings_on
from source_mixpanel.config.migrations import migrate
from source_mixpanel.config.model import Config, parse_config
from source_mixpanel.config.spec import connection_specification
from source_mixpanel.errors import ConfigError
from unit_tests.config.test_config import with_account

SALT = "p3pp3r-0f-th3-t3st"
NOW = datetime(2026, 3, 10, 12, tzinfo=timezone.utc)


def config(**more: Any) -> Config:
    return parse_config(migrate(with_account(**more)))


def refusal(**more: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        config(**more)
    assert SALT not in f"{caught.value.message} {caught.value.internal_message}"
    message = str(caught.value.message)
    assert message.endswith(".")
    assert ".." not in message
    return message


def pins(read: Config) -> dict[str, str]:
    return {pin.property: pin.column for pin in read.column_names}


# -- column_names ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [{"$city": "city", "City": "city_2"},
     [{"property": "$city", "column": "city"}, {"property": "City", "column": "city_2"}]],
)  # fmt: skip
def test_columns_are_pinned_by_an_object_or_by_the_forms_list(given: Any) -> None:
    assert pins(config(column_names=given)) == {"$city": "city", "City": "city_2"}


def test_saved_pins_are_what_the_form_takes() -> None:
    saved = migrate(with_account(column_names={"$city": "city"}, exclude_properties="a, b*"))
    assert list(Draft7Validator(connection_specification()).iter_errors(saved)) == []
    assert migrate(saved) == saved
    assert "column_names" not in migrate(with_account(column_names={}))


@pytest.mark.parametrize(
    "column",
    ["event_key", "Event Key", "$time", "__DISTINCT_ID__", "insert-id", "lastSeen", "Properties",
     "rescued_properties", "cohort_id", "data_group_id", "event"],
)  # fmt: skip
def test_no_pin_takes_the_connectors_own_columns(column: str) -> None:
    message = refusal(column_names={"a": column})
    assert message.startswith("The configuration is not valid. column_names: 'a' cannot have")
    assert repr(column) in message


@pytest.mark.parametrize("column", ["_airbyte_raw_id", "_AB_cdc", "_airbyte_\n", "", "_", "--"])
def test_no_pin_takes_a_name_that_destinations_keep_or_cannot_write(column: str) -> None:
    assert "column_names" in refusal(column_names={"a": column})


@pytest.mark.parametrize("name", ["distinct_id", "time", "$insert_id", "$last_seen"])
def test_a_property_with_a_column_of_its_own_is_not_pinned(name: str) -> None:
    assert f"{name!r} cannot have the column 'x': its column is always" in refusal(
        column_names={name: "x"}
    )


@pytest.mark.parametrize("other", ["city", "City", "c-i-t-y", "$city_", "CITY"])
def test_two_pins_on_what_a_warehouse_takes_for_one_column_are_both_named(other: str) -> None:
    message = refusal(column_names={"first": "city", "second": other})
    assert "'first'" in message
    assert "'second'" in message


def test_a_property_is_pinned_once() -> None:
    twice = [{"property": "a", "column": "b"}, {"property": "a", "column": "c"}]
    assert "'a' is there twice" in refusal(column_names=twice)


@pytest.mark.parametrize("given", [{"a": None}, {"a": 5}, {"": "b"}, ["a"], "a", [{"column": "b"}]])
def test_pins_are_texts(given: Any) -> None:
    assert " column_names" in refusal(column_names=given)


# -- exclude_properties and hash_properties --------------------------------------------------


def test_names_come_as_a_list_or_as_a_comma_string() -> None:
    assert config(exclude_properties=" $email , card_* ").exclude_properties == ("$email", "card_*")
    assert config(exclude_properties=["a,b", " c "]).exclude_properties == ("a,b", " c ")
    read = config(hash_properties="$user_id,distinct_id", hash_salt=SALT)
    assert read.hash_properties == ("$user_id", "distinct_id")


@pytest.mark.parametrize("pattern", ["distinct_id", "$distinct_id", "d*", "*", "*_id", "*inct*"])
def test_what_is_part_of_a_key_is_not_left_out_but_may_be_hashed(pattern: str) -> None:
    message = refusal(exclude_properties=[pattern])
    assert "exclude_properties: " in message
    assert "distinct_id" in message
    assert "is part of a primary key" in message
    assert "hash it instead" in message
    assert (repr(pattern) in message) is ("*" in pattern)


@pytest.mark.parametrize("name", ["time", "event", "$last_seen", "cohort_id", "data_group_id"])
def test_what_streams_go_by_is_neither_left_out_nor_hashed(name: str) -> None:
    message = refusal(exclude_properties=[f"{name[:-1]}*"])
    assert name in message
    assert "neither left out nor hashed" in message
    assert f"hash_properties: {name} cannot be hashed" in refusal(
        hash_properties=[name], hash_salt=SALT
    )


@pytest.mark.parametrize("pattern", ["$email", "$insert_id", "Time", "tim", "event_*", "[d]*", "?"])
def test_other_names_may_be_left_out(pattern: str) -> None:
    assert config(exclude_properties=[pattern]).exclude_properties == (pattern,)


@pytest.mark.parametrize("value", [[""], ["a", 5], 5, {"a": "b"}])
@pytest.mark.parametrize("key", ["exclude_properties", "hash_properties"])
def test_lists_of_names_are_lists_of_texts(key: str, value: Any) -> None:
    assert f" {key}" in refusal(**{key: value, "hash_salt": SALT})


def test_hashing_takes_whole_names() -> None:
    message = refusal(hash_properties=["$e*"], hash_salt=SALT)
    assert "'$e*' is no whole name" in message


@pytest.mark.parametrize("salt", [{}, {"hash_salt": ""}, {"hash_salt": "  "}, {"hash_salt": None}])
def test_hashing_needs_a_salt(salt: dict[str, Any]) -> None:
    assert "hash_salt is missing" in refusal(hash_properties=["a"], **salt)
    assert not config(**salt).hash_properties


@pytest.mark.parametrize(("excluded", "told"), [("a", " a:"), ("a*", " a (as 'a*'):")])
def test_a_name_is_hashed_or_left_out_not_both(excluded: str, told: str) -> None:
    message = refusal(exclude_properties=[excluded], hash_properties=["b", "a"], hash_salt=SALT)
    assert f"both mean{told}" in message


@pytest.mark.parametrize(
    ("on", "told"),
    [
        ('properties["$email"]', "$email"),
        ("number(user['card_no'])", "card_no"),
        ('properties["$distinct_id"]', "$distinct_id"),
        ('properties["plan"]', None),
    ],
)
def test_no_report_tells_the_values_that_are_kept_back(on: str, told: str | None) -> None:
    parameters = {"event": "a", "on": on, "where": 'properties["$email"] != ""'}
    report = {"name": "r", "kind": "segmentation", "parameters": parameters}
    kept_back = {
        "exclude_properties": ["$email", "card_*"],
        "hash_properties": ["distinct_id"],
        "hash_salt": SALT,
    }
    if told is None:
        config(reports=[report], **kept_back)
    else:
        message = refusal(reports=[report], **kept_back)
        assert f"reports.r.parameters.on: rows would tell the values of {told}," in message


def test_the_salt_is_never_printed() -> None:
    read = config(hash_properties=["a"], hash_salt=SALT)
    assert SALT not in f"{read!r} {read.model_dump_json()} {build_privacy(read)!r}"
    spec = connection_specification()["properties"]["hash_salt"]
    assert spec["airbyte_secret"] is True


def test_ids_that_stay_readable_are_named_in_a_warning() -> None:
    hashed = {"hash_properties": ["distinct_id", "$device_id"], "hash_salt": SALT}
    read = config(**hashed, exclude_properties=["alias", "$*_id_of_none", "$user*"])
    [told] = [said for said in warnings_on(read, NOW) if "readable" in said]
    assert "$identified_id, $anon_id, $distinct_ids," in told
    assert not any(name in told for name in ("alias", "$user_id", "$device_id"))
    quiet = config(hash_properties=["$device_id"], hash_salt=SALT)
    assert not [said for said in warnings_on(quiet, NOW) if "readable" in said]
