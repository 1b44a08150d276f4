from __future__ import annotations

from typing import Any

import pytest

from mixpanel_emulator.http import Call, Reply, json_reply
from unit_tests import descriptions, judge
from unit_tests.descriptions import Deviation

if not descriptions.FOLDER.is_dir():
    pytest.skip("Mixpanel's descriptions are not there", allow_module_level=True)

LIST = "GET /api/query/funnels/list"
BASIC = {"authorization": "Basic eDp5"}


def call(path: str = "/api/query/funnels/list", method: str = "GET", **query: str) -> Call:
    given = {"project_id": "1", **query}
    target = path + "?" + "&".join(f"{name}={value}" for name, value in given.items())
    return Call(method, path, target, BASIC, given, params=given)


def seen(asked: Call, told: Reply | None = None) -> judge.Judge:
    made = judge.Judge()
    made.watch(asked, told)
    return made


def test_what_the_description_says_is_counted_and_leaves_nothing() -> None:
    made = seen(call(), json_reply([{"funnel_id": 1, "name": "A"}]))
    assert not made.found
    assert dict(made.counts) == {(LIST, "requests"): 1, (LIST, "answers"): 1}


@pytest.mark.parametrize(
    ("answer", "place"),
    [
        (json_reply([{"funnel_id": "1", "name": "A"}]), "200 $[].funnel_id: type"),
        (json_reply({}), "200 $: type"),
        (json_reply({}, 500), "500 not described"),
        (Reply(200, b"[]", "text/html"), "200 content type text/html"),
    ],
)
def test_an_answer_of_another_shape_is_found_and_new(answer: Reply, place: str) -> None:
    assert seen(call(), answer).fresh == {Deviation(LIST, "answer", place)}


def test_an_item_far_down_a_long_list_is_not_looked_at_but_the_first_are() -> None:
    good: list[Any] = [{"funnel_id": 1, "name": "A"}] * 5_000
    bad = {"funnel_id": 1, "name": None}
    assert not seen(call(), json_reply([*good, bad])).found
    assert seen(call(), json_reply([bad, *good])).fresh


def test_a_parameter_that_is_not_described_is_found_unless_it_was_refused() -> None:
    odd = call(colour="red")
    assert seen(odd, json_reply([])).fresh == {Deviation(LIST, "request", "colour: not described")}
    assert not seen(odd, json_reply({"error": "no", "request": "x"}, 400)).fresh


def test_an_answer_that_a_test_wrote_is_not_counted() -> None:
    assert dict(seen(call()).counts) == {(LIST, "requests"): 1, (LIST, "answers"): 0}


def test_either_prefix_leads_to_the_same_description() -> None:
    made = seen(call("/api/2.0/funnels/list"), json_reply([]))
    assert made.counts[LIST, "answers"] == 1


def test_a_known_deviation_is_found_and_not_new_and_the_others_are_stale() -> None:
    made = seen(call("/api/app/me"), json_reply({}))
    assert list(made.found) == [Deviation("GET /api/app/me", "operation", "not described")]
    assert not made.fresh
    assert len(made.stale()) == len(judge.known()) - 1


def test_updates_of_profiles_are_told_apart_by_what_they_do() -> None:
    body = b'[{"$token":"t","$distinct_id":"a","$unset":["x"]}]'
    headers = {"content-type": "application/json"}
    made = seen(
        Call("POST", "/engage", "/engage", headers, body=body), Reply(200, b"1", "text/plain")
    )
    assert [name for name, _ in made.counts] == ["POST /engage#profile-unset"] * 2
    assert not made.found
