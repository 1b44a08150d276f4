"""The form: the specification that a user fills in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from source_mixpanel.config.model import Config, parse_config
from source_mixpanel.config.spec import GROUPS, connection_specification
from unit_tests.config.test_config import SECRET, with_account

SNAPSHOT = Path(__file__).parents[1] / "snapshots" / "spec.json"


def test_the_spec_is_the_one_that_was_agreed_on() -> None:
    text = json.dumps(connection_specification(), indent=2, ensure_ascii=False)
    assert SNAPSHOT.read_text(encoding="utf-8") == f"{text}\n"


def test_the_spec_is_a_json_schema_that_accepts_what_the_connector_accepts() -> None:
    specification = connection_specification()
    Draft7Validator.check_schema(specification)
    validator = Draft7Validator(specification)
    for raw in (
        with_account(),
        with_account(start_date="2026-01-31", end_date="2026-01-31T00:00:00Z", unknown=1),
        with_account(
            export_events=["a"], rate_limits={"query_per_hour": 400}, api_url="http://[::1]:1"
        ),
        {"credentials": {"option_title": "Project Secret", "api_secret": SECRET}},
        {
            "credentials": {
                "option_title": "OAuth Token",
                "access_token": SECRET,
                "project_id": 5,
            }
        },
    ):
        parse_config(raw)
        assert list(validator.iter_errors(raw)) == []


def test_the_form_says_everything_about_every_field_and_in_order() -> None:
    def walk(node: dict[str, Any]) -> None:
        fields = node.get("properties", {})
        orders = [spec["order"] for spec in fields.values()]
        assert orders == sorted(set(orders))
        for key, spec in fields.items():
            tag = key in ("option_title", "kind")
            assert tag or {"title", "description", "order"} <= spec.keys()
            assert "$ref" not in spec
            assert "anyOf" not in spec
            walk(spec)
            for branch in [*spec.get("oneOf", []), *spec.get("items", {}).get("oneOf", [])]:
                assert branch["title"]
                walk(branch)

    walk(connection_specification())


def test_every_field_is_in_one_group_and_the_essentials_come_first() -> None:
    specification = connection_specification()
    fields = specification["properties"]
    assert fields.keys() == Config.model_fields.keys()
    grouped = [key for group in GROUPS for key in group.fields.split()]
    assert grouped == list(fields)
    assert [spec["group"] for spec in fields.values()] == [
        group["id"]
        for group in specification["groups"]
        for spec in fields.values()
        if spec["group"] == group["id"]
    ]
    unfolded = [
        key
        for key, spec in fields.items()
        if key in specification["required"] or spec.get("always_show")
    ]
    assert unfolded == ["credentials", "region", "start_date"]


def test_every_secret_and_only_a_secret_is_marked_as_one() -> None:
    branches = connection_specification()["properties"]["credentials"]["oneOf"]
    marked = {
        key
        for branch in branches
        for key, spec in branch["properties"].items()
        if spec.get("airbyte_secret")
    }
    assert marked == {"secret", "api_secret", "access_token"}
    assert [branch["title"] for branch in branches] == [
        "Service Account",
        "Project Secret",
        "OAuth Token",
    ]
