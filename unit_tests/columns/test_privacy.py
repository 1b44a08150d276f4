"""What is kept back."""

from __future__ import annotations

import hashlib
import hmac
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from source_mixpanel.columns.catalog import parse_columns
from source_mixpanel.columns.privacy import Privacy
from source_mixpanel.columns.properties import Shape
from source_mixpanel.columns.types import object_schema
from source_mixpanel.events.rows import EVENT_CORE, EventRows
from source_mixpanel.profiles.rows import Emitted, ProfileRows, profile_core
from source_mixpanel.times.event_time import Stamper
from unit_tests.hostile.values import texts

SALT = "p\u00e9pper".encode()


def keeping(*hashed: str, excluded: tuple[str, ...] = ()) -> Privacy:
    return Privacy(excluded, frozenset(hashed), SALT)


@cache
def _stamper() -> Stamper:
    """One for all tests: it takes its time to make."""
    return Stamper(None)


def hashed(text: str) -> str:
    """As anybody computes it who has the salt."""
    return hmac.new(SALT, text.encode(), hashlib.sha256).hexdigest()


def test_without_settings_it_is_nothing() -> None:
    assert not Privacy()
    assert Privacy(("a",))
    assert keeping("a")
    assert Privacy().guard({"a": 1}) == {"a": 1}
    assert Privacy().id("u-1") == "u-1"


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("$email", "$email", True),
        ("$email", "$Email", False),
        ("$email", "$email2", False),
        ("card_*", "card_", True),
        ("card_*", "card_no\n\u2028x", True),
        ("*card*", "my card no", True),
        ("a*b*c", "a-b-bc", True),
        ("a*b*c", "a-b-cb", False),
        ("**", "", True),
        ("a?", "a?", True),
        ("a?", "ab", False),
        ("[ab]", "[ab]", True),
        ("[ab]", "a", False),
        ("[!a]*", "[!a]x", True),
        ("a.*", "ab", False),
        ("\\*", "\\x", True),
        ("*\ud800", "x\ud800", True),
    ],
)
def test_a_star_is_any_run_of_characters_and_nothing_else_is_special(
    pattern: str, name: str, *, fits: bool
) -> None:
    kept = Privacy((pattern,))
    assert kept.excludes(name) is fits
    assert kept.excludes(name) is fits
    assert kept.guard({name: 1}) == ({} if fits else {name: 1})


def test_patterns_with_many_stars_take_no_longer_than_they_have_to() -> None:
    assert not Privacy(("*a" * 40 + "*b",)).excludes("a" * 255)


def test_more_names_than_are_kept_in_mind_are_judged_alike() -> None:
    kept = Privacy(("*7",))
    names = {f"n{number}": number for number in range(30_000)}
    for _ in range(2):
        assert kept.guard(names) == {n: v for n, v in names.items() if v % 10 != 7}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("u-1", '"u-1"'),
        ("\u00e9", '"\u00e9"'),
        ("\ud800", '"\\ud800"'),
        (12345, "12345"),
        (2**53 + 1, "9007199254740993"),
        (2**70, str(2**70)),
        (True, "true"),
        (0.5, "0.5"),
        ([1, "a"], '[1,"a"]'),
        ({"b": 1, "a": None}, '{"b":1,"a":null}'),
    ],
)
def test_a_hash_is_that_of_the_json_text(value: Any, text: str) -> None:
    assert keeping("a").guard({"a": value, "b": value}) == {"a": hashed(text), "b": value}


def test_null_stays_null() -> None:
    nulls = {"a": None, "distinct_id": None, "$distinct_id_before_identity": None}
    assert keeping("a", "distinct_id").guard(nulls) == nulls


@pytest.mark.parametrize("name", ["distinct_id", "$distinct_id"])
def test_hashed_ids_are_the_same_wherever_they_stand(name: str) -> None:
    kept = keeping(name, "$user_id")
    expected = hashed('"12345"')
    ids = {"distinct_id": 12345, "$distinct_id": "12345", "$distinct_id_before_identity": 12345}
    assert set(kept.guard({**ids, "$user_id": "12345"}).values()) == {expected}
    assert kept.id("12345") == expected


def test_an_id_may_be_hashed_in_one_place_alone() -> None:
    kept = keeping("$distinct_id_before_identity")
    ids = {"distinct_id": "u", "$distinct_id_before_identity": "d"}
    told = kept.guard(ids)
    assert told == {"distinct_id": "u", "$distinct_id_before_identity": hashed('"d"')}
    assert kept.id("u") == "u"


def test_the_properties_given_are_left_as_they_are_and_their_order_is_kept() -> None:
    given_ = {"b": 1, "secret": 2, "a": 3, "distinct_id": "u"}
    before = dict(given_)
    kept = keeping("distinct_id", excluded=("secret",)).guard(given_)
    assert list(kept) == ["b", "a", "distinct_id"]
    assert given_ == before


@given(st.dictionaries(texts, texts, max_size=6), st.lists(texts, max_size=3))
def test_what_is_excluded_is_not_there_and_the_rest_is_untouched(
    properties: dict[str, str], names: list[str]
) -> None:
    kept = Privacy(tuple(name.replace("*", "") for name in names)).guard(properties)
    gone = {name.replace("*", "") for name in names}
    assert kept == {name: value for name, value in properties.items() if name not in gone}


def test_a_schema_of_properties_lacks_what_is_excluded() -> None:
    kept = keeping("a", excluded=("b*",))
    schema = {"properties": {"a": {}, "b1": {}, "c": 5}, "required": ["a", "b1", 7], "x": ["b1"]}
    assert kept.guard_schema(schema) == {
        "properties": {"a": {}, "c": 5}, "required": ["a", 7], "x": ["b1"],
    }  # fmt: skip
    assert schema["required"] == ["a", "b1", 7]
    odds: list[Any] = [None, "b1", [], {}, {"properties": ["b1"], "required": "b1"}]
    for odd in odds:
        assert kept.guard_schema(odd) == odd
    assert keeping("a").guard_schema(schema) is schema


@pytest.mark.parametrize("as_object", [True, False])
@pytest.mark.parametrize("time", ["", "never", None, [1], 10**30, 1_769_860_800_123])
def test_rows_of_events_hold_what_may_come_out_whatever_their_time(
    time: Any, *, as_object: bool
) -> None:
    private = {"distinct_id": "u-1", "card_no": 4711, "email": "a@b.c", "deep": [2**70]}
    inner = {"time": time, "$insert_id": "i", **private}
    told = {"event": "Buy", "properties": inner, "card_label": "4711"}
    kept = keeping("distinct_id", "email", excluded=("card_*",))
    catalog = parse_columns(object_schema({"event_key": "string"}), EVENT_CORE)
    rows = EventRows(catalog, _stamper(), Shape(as_object=as_object), kept)
    line = json.dumps(told).encode()
    for row in rows.rows(b"\n".join([line] * 3), -(1 << 62), 1 << 62):
        text = json.dumps(row)
        assert not any(piece in text for piece in ("4711", "card", "a@b.c", "u-1"))
        assert hashed('"a@b.c"') in text
        assert str(2**70) in text


@pytest.mark.parametrize("as_object", [True, False])
def test_rows_of_profiles_hold_what_may_come_out_whatever_their_id(*, as_object: bool) -> None:
    kept = keeping("$distinct_id", excluded=("card_*",))
    core = profile_core(())
    catalog = parse_columns(object_schema({"distinct_id": "string"}), core)
    rows = ProfileRows(catalog, Shape(as_object=as_object), core, kept)
    profiles = [
        {"$distinct_id": who, "$properties": {"card_no": 4711, "distinct_id": who}, "card_x": 1}
        for who in ("8815", 8815, [8815], {"a": 8815}, 8815.5)
    ]
    made = list(rows.rows(profiles, {}, Emitted()))
    text = json.dumps([made, rows.sentences("engage")])
    assert not any(piece in text for piece in ("4711", "8815", "card"))
    assert made[0]["distinct_id"] == made[1]["distinct_id"] == hashed('"8815"')
    assert len({row["distinct_id"] for row in made}) == 4


def test_it_does_not_show_its_salt() -> None:
    assert json.dumps(SALT.decode()) not in repr(keeping("a"))
    assert repr(SALT) not in repr(keeping("a"))
