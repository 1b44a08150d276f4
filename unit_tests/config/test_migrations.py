"""Settings of earlier connectors, and what becomes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.config.credentials import OAuthToken, ProjectSecret, ServiceAccount
from source_mixpanel.config.migrations import migrate
from source_mixpanel.config.model import Config, parse_config, unknown_keys
from source_mixpanel.errors import ConfigError
from unit_tests.config.test_config import ACCOUNT, SECRET, with_account

_quick = settings(max_examples=50)


def _migrated(raw: dict[str, Any]) -> Config:
    return parse_config(migrate(raw))


def test_a_top_level_api_secret_becomes_credentials() -> None:
    raw = {"api_secret": SECRET, "project_id": 7, "start_date": "2026-01-31"}
    config = _migrated(raw)
    assert isinstance(config.credentials, ProjectSecret)
    assert config.credentials.api_secret.get_secret_value() == SECRET
    assert config.project_id is None
    assert unknown_keys(migrate(raw)) == []


@pytest.mark.parametrize("blank", [None, {}, ""])
def test_blank_credentials_do_not_hide_those_at_the_top(blank: Any) -> None:
    config = _migrated({"credentials": blank, "api_secret": SECRET})
    assert isinstance(config.credentials, ProjectSecret)


def test_a_top_level_service_account_becomes_credentials() -> None:
    config = _migrated({"username": "u", "secret": SECRET, "project_id": "7"})
    assert isinstance(config.credentials, ServiceAccount)
    assert config.project_id == 7


def test_a_top_level_project_id_joins_the_service_account() -> None:
    config = _migrated({"credentials": {"username": "u", "secret": SECRET}, "project_id": "7"})
    assert config.project_id == 7


@pytest.mark.parametrize("title", [{}, {"option_title": None}, {"option_title": ""}])
@pytest.mark.parametrize(
    ("credentials", "kind"),
    [
        ({"username": "u", "secret": SECRET, "project_id": 7}, ServiceAccount),
        ({"api_secret": SECRET}, ProjectSecret),
        ({"access_token": SECRET, "project_id": 7}, OAuthToken),
    ],
)
def test_a_missing_option_title_is_inferred(
    credentials: dict[str, Any], kind: type, title: dict[str, Any]
) -> None:
    assert type(_migrated({"credentials": {**credentials, **title}}).credentials) is kind


@pytest.mark.parametrize(
    ("raw", "region"),
    [
        ({"eu_residency": True}, "EU"),
        ({"eu_residency": "true"}, "EU"),
        ({"eu_residency_server": "True "}, "EU"),
        ({"eu_residency": False}, "US"),
        ({"eu_residency": "false"}, "US"),
        ({"eu_residency": True, "region": "IN"}, "IN"),
        ({"eu_residency": True, "region": ""}, "EU"),
        ({"eu_residency": True, "region": None}, "EU"),
        ({}, "US"),
    ],
)
def test_eu_residency_is_a_region(raw: dict[str, Any], region: str) -> None:
    assert _migrated(with_account(**raw)).region == region
    assert unknown_keys(migrate(with_account(**raw))) == []


@pytest.mark.parametrize(
    ("names", "expected"),
    [("Sign Up, Purchase", ("Sign Up", "Purchase")), ("a", ("a",)), (" , ", None), ("", None)],
)
def test_a_comma_string_of_events_is_a_list(names: str, expected: tuple[str, ...] | None) -> None:
    assert _migrated(with_account(export_events=names)).export_events == expected


def test_numbers_as_text_are_numbers() -> None:
    raw = with_account(
        attribution_window="10", page_size=" 500 ", num_workers="3", workspace_id="9"
    )
    config = _migrated({**raw, "credentials": {**ACCOUNT, "project_id": "42"}})
    assert (config.attribution_window, config.page_size, config.num_workers) == (10, 500, 3)
    assert (config.workspace_id, config.project_id) == (9, 42)


def test_fields_that_were_left_empty_mean_the_default() -> None:
    raw = with_account(
        start_date="", export_where="", project_timezone=None, export_events=[], region=""
    )
    assert _migrated(raw) == parse_config(with_account())


@pytest.mark.parametrize(
    "blank",
    [
        {"export_where": "   "},
        {"project_timezone": " "},
        {"start_date": "\t", "region": " "},
        {"rate_limits": {"query_per_hour": None, "export_per_hour": ""}},
        {"rate_limits": {"query_per_hour": " "}},
    ],
)
def test_what_holds_nothing_but_blanks_is_empty_too(blank: dict[str, Any]) -> None:
    assert _migrated(with_account(**blank)) == parse_config(with_account())


def test_blanks_around_a_zone_are_not_part_of_it() -> None:
    assert _migrated(with_account(project_timezone=" UTC ")).project_timezone == "UTC"
    limits = {"query_per_hour": None, "export_per_hour": "90"}
    assert _migrated(with_account(rate_limits=limits)).rate_limits.export_per_hour == 90


def test_migrating_does_not_touch_what_it_was_given() -> None:
    raw = {"api_secret": SECRET, "eu_residency": True, "export_events": "a,b"}
    before = json.dumps(raw)
    migrate(raw)
    assert json.dumps(raw) == before


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
keys = st.sampled_from(
    [*Config.model_fields, "api_secret", "username", "secret", "project_id", "eu_residency"]
)


@given(st.dictionaries(keys, json_values, max_size=5))
@_quick
def test_any_object_is_migrated_once_and_read_or_refused(raw: dict[str, Any]) -> None:
    once = migrate(raw)
    assert repr(migrate(once)) == repr(once)
    try:
        parse_config(once)
    except ConfigError as error:
        assert str(error.message).startswith("The configuration is not valid. ")  # noqa: PT017


def test_unknown_keys_are_named_without_airbytes_own() -> None:
    raw = with_account(b=1, a=2, _limit=3, __injected_declarative_manifest={})
    assert unknown_keys(raw) == ["a", "b"]
    parse_config(raw)
