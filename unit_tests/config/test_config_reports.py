"""The reports of the settings: what is accepted, what is refused and in which words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from source_mixpanel.config.migrations import migrate
from source_mixpanel.config.model import parse_config
from source_mixpanel.config.spec import connection_specification
from source_mixpanel.errors import ConfigError
from unit_tests.documents import blocks

CREDENTIALS = {"option_title": "Service Account", "username": "u", "secret": "s", "project_id": 1}
LEAST: dict[str, dict[str, Any]] = {
    "segmentation": {"event": "Look"},
    "retention": {"born_event": "Look"},
    "funnel": {"funnel_id": 7},
    "frequency": {"unit": "day", "addiction_unit": "hour"},
}
MOST: dict[str, dict[str, Any]] = {
    "segmentation": {
        "event": "Look",
        "type": "unique",
        "unit": "month",
        "on": 'properties["plan"]',
        "where": 'properties["a"] == 1',
        "limit": 5,
    },
    "retention": {
        "retention_type": "birth",
        "born_event": "Look",
        "event": "Buy",
        "born_where": "true",
        "where": "true",
        "interval": 7,
        "interval_count": 4,
        "unbounded_retention": True,
        "on": "properties['plan']",
        "limit": 10_000,
    },
    "funnel": {
        "funnel_id": 7,
        "length": 90,
        "length_unit": "day",
        "unit": "week",
        "on": 'properties["plan"]',
        "where": "true",
        "limit": 1,
    },
    "frequency": {
        "unit": "month",
        "addiction_unit": "day",
        "event": "Look",
        "where": "true",
        "on": 'properties["plan"]',
        "limit": 1,
    },
}


def report(kind: str, name: Any = "mine", /, **parameters: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "parameters": {**LEAST[kind], **parameters}}


def settings(*reports: Any) -> dict[str, Any]:
    return {"credentials": CREDENTIALS, "reports": list(reports)}


def refusal(raw: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(migrate(raw))
    message = str(caught.value.message)
    assert message.startswith("The configuration is not valid. reports")
    assert message.endswith(".")
    return message.removeprefix("The configuration is not valid. ")


@pytest.mark.parametrize("parameters", [LEAST, MOST], ids=["least", "most"])
@pytest.mark.parametrize("kind", LEAST)
def test_every_kind_takes_mixpanels_parameters_and_sends_them(
    kind: str, parameters: dict[str, Any]
) -> None:
    raw = settings({"name": "a_1", "kind": kind, "parameters": parameters[kind]})
    [found] = parse_config(raw).reports
    assert (found.name, found.kind) == ("a_1", kind)
    sent = {key: "true" if value is True else str(value) for key, value in parameters[kind].items()}
    assert found.parameters.asked() == sent
    assert list(Draft7Validator(connection_specification()).iter_errors(raw)) == []


def test_what_was_left_empty_in_the_form_means_nothing() -> None:
    blank = report("segmentation", where="", on=None, limit=None, unit="")
    [found] = parse_config(settings(blank)).reports
    assert found.parameters.asked() == {"event": "Look"}
    blanks: list[Any] = [[], "", None]
    for empty in blanks:
        assert parse_config(migrate({"credentials": CREDENTIALS, "reports": empty})).reports == ()


@pytest.mark.parametrize(
    ("kind", "parameters", "place", "words"),
    [
        ("segmentation", {"event": ""}, "parameters.event", "required"),
        ("segmentation", {"event": ["a"]}, "parameters.event", "string"),
        ("segmentation", {"type": "many"}, "parameters.type", "'general', 'unique' or 'average'"),
        ("segmentation", {"unit": "hour"}, "parameters.unit", "'day', 'week' or 'month'"),
        ("segmentation", {"on": "(("}, "parameters.on", "cannot be read as a Mixpanel expression"),
        ("segmentation", {"where": 5}, "parameters.where", "string"),
        ("segmentation", {"limit": 5}, "parameters", "limit bounds what on breaks down"),
        ("segmentation", {"on": "a", "limit": 10_001}, "parameters.limit", "10000"),
        ("segmentation", {"on": "a", "limit": 0}, "parameters.limit", "1"),
        ("segmentation", {"interval": 5}, "parameters", "has no parameter interval, it has event"),
        ("segmentation", {"from_date": "2026-01-01"}, "parameters", "sets from_date itself"),
        ("segmentation", {"to_date": "2026-01-01"}, "parameters", "sets to_date itself"),
        ("segmentation", {"project_id": 7}, "parameters", "sets project_id itself"),
        ("segmentation", {"workspace_id": 7}, "parameters", "sets workspace_id itself"),
        ("segmentation", {"format": "csv"}, "parameters", "sets format itself"),
        ("retention", {"born_event": None}, "parameters", "born_event is missing"),
        ("retention", {"retention_type": "compounded"}, "parameters", "for retention_type birth"),
        ("retention", {"retention_type": "ever"}, "parameters.retention_type", "'birth'"),
        ("retention", {"interval": 2, "unit": "day"}, "parameters", "set one of them"),
        ("retention", {"interval": 91}, "parameters.interval", "90"),
        ("retention", {"interval_count": 0}, "parameters.interval_count", "1"),
        ("retention", {"unbounded_retention": "often"}, "parameters.unbounded", "boolean"),
        ("retention", {"bookmark_id": 3}, "parameters", "has no parameter bookmark_id"),
        ("funnel", {"funnel_id": None}, "parameters.funnel_id", "required"),
        ("funnel", {"funnel_id": "first"}, "parameters.funnel_id", "integer"),
        ("funnel", {"length": 3}, "parameters", "length and length_unit belong together"),
        ("funnel", {"length_unit": "day"}, "parameters", "length and length_unit belong together"),
        ("funnel", {"length": 91, "length_unit": "day"}, "parameters", "longer than 90 days"),
        ("funnel", {"length": 2161, "length_unit": "hour"}, "parameters", "longer than 90 days"),
        ("funnel", {"interval": 2, "unit": "day"}, "parameters", "set one of them"),
        ("funnel", {"event": "Look"}, "parameters", "has no parameter event"),
        ("frequency", {"unit": None}, "parameters.unit", "required"),
        ("frequency", {"addiction_unit": "week"}, "parameters.addiction_unit", "'hour' or 'day'"),
        ("frequency", {"interval": 2}, "parameters", "has no parameter interval"),
    ],
)
def test_a_bad_parameter_gives_one_sentence_that_names_its_report(
    kind: str, parameters: dict[str, Any], place: str, words: str
) -> None:
    message = refusal(settings(report(kind, "other" if kind == "funnel" else "mine", **parameters)))
    assert message.startswith(f"reports.{'other' if kind == 'funnel' else 'mine'}.{place}")
    assert words in message
    assert message.count("reports.") == 1


@pytest.mark.parametrize(
    ("reports", "words"),
    [
        ([5], "reports.0: it has to be an object"),
        ([{"name": "a", "parameters": {}}], "reports.a: kind has to be one of segmentation, ret"),
        ([{"name": "a", "kind": "insights", "parameters": {}}], "reports.a: kind has to be one"),
        ([{"name": "a", "kind": ["funnel"], "parameters": {}}], "reports.a: kind has to be one"),
        ([{"name": "a", "kind": "funnel"}], "reports.a.parameters: it is required, and missing"),
        ([{"name": "a", "kind": "funnel", "parameters": 5}], "reports.a.parameters: "),
        ([{**report("funnel"), "params": {}}], "reports.mine.params: it is not known"),
        (
            [{"kind": "funnel", "parameters": {"funnel_id": 1}}],
            "reports.0.name: it is required",
        ),
        ([report("funnel", "a b")], "reports.a b.name: it has to consist of letters"),
        ([report("funnel", "né")], "reports.né.name: it has to consist of letters"),
        ([report("funnel", "a\n")], "name: it has to consist of letters"),
        ([report("funnel", "")], "reports.0.name: it has to consist of letters"),
        ([report("funnel", "a" * 51)], "50 at most"),
        ([report("funnel", 5)], "reports.0.name: "),
        ([report("funnel", "a"), report("segmentation", "A")], "two reports are named A"),
    ],
)
def test_a_bad_report_gives_one_sentence(reports: Any, words: str) -> None:
    message = refusal(settings(*reports))
    assert words in message
    assert message.count("reports") == 1 + (words == "two reports are named A")


@pytest.mark.parametrize("reports", [5, "x", {"a": 1}, True])
def test_what_is_no_list_is_refused(reports: Any) -> None:
    assert refusal({"credentials": CREDENTIALS, "reports": reports}).startswith("reports: ")


def test_every_wrong_report_is_named_at_once() -> None:
    message = refusal(settings(report("funnel", "a", length=1), report("segmentation", "b", x=1)))
    assert "reports.a.parameters: " in message
    assert "reports.b.parameters: " in message


# -- the form --------------------------------------------------------------------------------


def branches() -> list[dict[str, Any]]:
    return list(connection_specification()["properties"]["reports"]["items"]["oneOf"])


def bounds() -> Iterator[tuple[str, str, int, int]]:
    """(kind, parameter, an accepted value, a refused one) for every bound that the form shows."""
    for branch in branches():
        kind = branch["properties"]["kind"]["const"]
        for key, spec in branch["properties"]["parameters"]["properties"].items():
            if "minimum" in spec:
                yield kind, key, spec["minimum"], spec["minimum"] - 1
            if "maximum" in spec:
                yield kind, key, spec["maximum"], spec["maximum"] + 1
            assert ("minimum" in spec) == (spec["type"] == "integer")


@pytest.mark.parametrize(("kind", "key", "good", "bad"), list(bounds()))
def test_every_bound_of_the_form_is_enforced(kind: str, key: str, good: int, bad: int) -> None:
    more: dict[str, dict[str, Any]] = {"limit": {"on": "a"}, "length": {"length_unit": "day"}}
    parse_config(settings(report(kind, **{key: good}, **more.get(key, {}))))
    message = refusal(settings(report(kind, **{key: bad}, **more.get(key, {}))))
    assert f"parameters.{key}: " in message
    assert str(good) in message


def test_the_form_has_a_branch_for_each_kind_with_typed_fields_only() -> None:
    for branch, kind in zip(branches(), LEAST, strict=True):
        assert branch["properties"]["kind"]["const"] == kind
        assert branch["required"] == ["kind", "name", "parameters"]
        parameters = branch["properties"]["parameters"]
        assert set(parameters.get("required", [])) <= LEAST[kind].keys()
        assert set(parameters["properties"]) >= MOST[kind].keys()
        types = {spec["type"] for spec in parameters["properties"].values()}
        assert types <= {"string", "integer", "boolean"}


# -- the page --------------------------------------------------------------------------------

PAGE = (Path(__file__).parents[2] / "docs" / "integration.md").read_text(encoding="utf-8")


def test_the_example_of_the_page_is_valid() -> None:
    [example] = blocks("docs/integration.md", "Reports", "json")
    found = parse_config({"credentials": CREDENTIALS, **json.loads(f"{{{example}}}")}).reports
    assert {report.kind for report in found} == LEAST.keys()


def test_the_page_names_every_parameter() -> None:
    for branch in branches():
        kind = branch["properties"]["kind"]["const"]
        [row] = re.findall(rf"^\| `{kind}` \| ([^|]+) \|", PAGE, re.MULTILINE)
        parameters = branch["properties"]["parameters"]
        words = {"birth", "compounded", "general", "unique", "average", "hour", "day"}
        assert set(re.findall(r"`(\w+)`", row)) - words == parameters["properties"].keys()
        needed = set(re.findall(r"\*\*`(\w+)`\*\*", row))
        assert needed == set(parameters.get("required", ["born_event"]))
