"""Settings: what is accepted, and what is refused in which words."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from typing import Any

import pytest

from source_mixpanel.config.migrations import migrate
from source_mixpanel.config.model import parse_config
from source_mixpanel.config.spec import connection_specification
from source_mixpanel.errors import ConfigError

SECRET = "s3cr3t-0f-th3-t3st"
ACCOUNT = {
    "option_title": "Service Account",
    "username": "sync.1a2b3c.mp-service-account",
    "secret": SECRET,
    "project_id": 1234567,
}


def with_account(**more: Any) -> dict[str, Any]:
    return {"credentials": ACCOUNT, **more}


def _refusal(raw: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(raw)
    said = f"{caught.value.message} {caught.value.internal_message}"
    assert SECRET not in said
    return str(caught.value.message)


# -- bounds ----------------------------------------------------------------------------------


def _bounds() -> list[tuple[str, int, int]]:
    """(key, an accepted value, a refused one) for every bound that the form shows."""
    rows = []

    def walk(path: str, node: dict[str, Any]) -> None:
        for key, spec in node.get("properties", {}).items():
            if "minimum" in spec:
                rows.append((f"{path}{key}", spec["minimum"], spec["minimum"] - 1))
            if "maximum" in spec:
                rows.append((f"{path}{key}", spec["maximum"], spec["maximum"] + 1))
            walk(f"{path}{key}.", spec)

    walk("", connection_specification())
    return rows


def _nested(path: str, value: Any) -> dict[str, Any]:
    *parents, key = path.split(".")
    for parent in parents:
        key, value = parent, {key: value}
    return {key: value}


def test_every_number_has_a_bound() -> None:
    assert {path for path, _, _ in _bounds()} == {
        "attribution_window",
        "export_lookback_window",
        "date_window_size",
        "page_size",
        "num_workers",
        "rate_limits.query_per_hour",
        "rate_limits.export_per_hour",
        "workspace_id",
        "download_ahead_mb",
        "longest_wait_hours",
    }


@pytest.mark.parametrize(("path", "good", "bad"), _bounds())
def test_every_bound_of_the_form_is_enforced(path: str, good: int, bad: int) -> None:
    parse_config(with_account(**_nested(path, good)))
    message = _refusal(with_account(**_nested(path, bad)))
    assert f" {path}: " in message
    assert str(good) in message


# -- refusals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("region", "MARS"),
        ("region", 5),
        ("project_timezone", "Mars/Olympus"),
        ("project_timezone", 5),
        ("start_date", "yesterday"),
        ("start_date", 20260131),
        ("start_date", 1769817600),
        ("start_date", True),
        ("start_date", ["2026-01-31"]),
        ("start_date", "0001-01-01"),
        ("start_date", "0001-01-01T00:00:00Z"),
        ("end_date", "2026-02-30"),
        ("end_date", {}),
        ("attribution_window", "five"),
        ("attribution_window", 1.5),
        ("export_lookback_window", []),
        ("export_events", [""]),
        ("export_events", ["a", 5]),
        ("export_events", 5),
        ("export_events", {"a": 1}),
        ("export_where", 'properties["a" == 1'),
        ("export_where", "   "),
        ("export_where", 5),
        ("late_events", "never"),
        ("event_timestamps", "local"),
        ("property_layout", "rows"),
        ("property_types", "any"),
        ("select_properties_by_default", "perhaps"),
        ("rate_limits", 5),
        ("api_url", "http://mixpanel.example.com"),
        ("api_url", "http://localhost.example.com"),
        ("api_url", "ftp://localhost"),
        ("api_url", "mixpanel.com"),
        ("api_url", "https://"),
        ("api_url", "https://[::1"),
        ("api_url", f"https://user:{SECRET}@example.com"),
        ("api_url", f"https://:{SECRET}@example.com"),
        ("api_url", f"https://example.com/?token={SECRET}"),
        ("api_url", 5),
    ],
)
def test_a_bad_value_gives_one_sentence_that_names_its_key(key: str, value: Any) -> None:
    message = _refusal(with_account(**{key: value}))
    assert message.startswith(f"The configuration is not valid. {key}")
    assert message.count(f"{key}: ") == 1
    assert message.endswith(".")
    assert "Value error" not in message


@pytest.mark.parametrize(
    ("credentials", "key"),
    [
        ({"username": "", "secret": SECRET, "project_id": 1}, "credentials.username"),
        ({"username": "u", "secret": "", "project_id": 1}, "credentials.secret"),
        ({"username": "u", "secret": SECRET}, "credentials.project_id"),
        ({"username": "u", "secret": SECRET, "project_id": 0}, "credentials.project_id"),
        ({"username": "u", "secret": SECRET, "project_id": SECRET}, "credentials.project_id"),
        ({"username": "u", "secret": [SECRET], "project_id": 1}, "credentials.secret"),
        ({"api_secret": ""}, "credentials.api_secret"),
        ({"api_secret": {"a": SECRET}}, "credentials.api_secret"),
        ({"access_token": SECRET}, "credentials.project_id"),
        ({"access_token": "", "project_id": 1}, "credentials.access_token"),
        ({"option_title": "Magic", "secret": SECRET}, "credentials"),
        (SECRET, "credentials"),
        ([SECRET], "credentials"),
    ],
)
def test_bad_credentials_are_named_and_never_repeated(credentials: Any, key: str) -> None:
    message = _refusal(migrate({"credentials": credentials}))
    assert f" {key}: " in message


def test_missing_credentials_are_named() -> None:
    assert "credentials: it is required, and missing." in _refusal({})


@pytest.mark.parametrize("raw", [None, [], "text", 5])
def test_what_is_no_object_is_a_config_error(raw: Any) -> None:
    assert _refusal(raw).startswith("The configuration is not valid.")


def test_every_wrong_setting_is_named_at_once() -> None:
    message = _refusal(with_account(region="MARS", page_size=0, start_date="x"))
    assert all(f" {key}: " in message for key in ("region", "page_size", "start_date"))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-02-01", "2026-01-31"),
        ("2026-01-31T10:00:00Z", "2026-01-31T09:59:59Z"),
        ("2026-02-01T00:00:00Z", "2026-01-31"),
    ],
)
def test_a_start_after_the_end_is_refused_with_both(start: str, end: str) -> None:
    message = _refusal(with_account(start_date=start, end_date=end))
    assert "start_date" in message
    assert "end_date" in message


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-01-31", "2026-01-31"),
        ("2026-01-31T23:00:00Z", "2026-01-31"),
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        ("1900-01-01", "9999-12-31T23:59:59Z"),
    ],
)
def test_a_start_on_the_day_of_the_end_is_fine(start: str, end: str) -> None:
    parse_config(with_account(start_date=start, end_date=end))


# -- what is accepted ------------------------------------------------------------------------


def test_the_defaults_are_those_of_the_contract() -> None:
    config = parse_config(with_account())
    expected: dict[str, Any] = {
        "region": "US",
        "project_timezone": None,
        "start_date": None,
        "end_date": None,
        "attribution_window": 5,
        "export_lookback_window": 0,
        "export_events": None,
        "export_where": None,
        "late_events": "by_processing_time",
        "event_timestamps": "auto",
        "property_layout": "columns",
        "property_types": "native",
        "select_properties_by_default": True,
        "column_names": [],
        "exclude_properties": [],
        "hash_properties": [],
        "hash_salt": None,
        "date_window_size": None,
        "page_size": None,
        "num_workers": None,
        "rate_limits": {"query_per_hour": 60, "export_per_hour": 60},
        "workspace_id": None,
        "reports": [],
        "api_url": None,
        "download_ahead_mb": 1000,
        "longest_wait_hours": 3.0,
    }
    assert json.loads(config.model_dump_json(exclude={"credentials"})) == expected
    assert config.project_id == 1234567


def test_values_are_read_as_what_they_mean() -> None:
    config = parse_config(
        with_account(
            start_date="2026-01-31",
            end_date="2026-02-01T10:00:00+02:00",
            export_events=["Sign Up", " a "],
            export_where='properties["plan"] == "pro"',
            project_timezone="Europe/Paris",
            api_url="http://127.0.0.1:8080/",
        )
    )
    assert config.start_date == date(2026, 1, 31)
    assert config.end_date == datetime(2026, 2, 1, 8, tzinfo=timezone.utc)
    assert config.export_events == ("Sign Up", " a ")


@pytest.mark.parametrize(
    "url",
    [
        "https://proxy.example.com",
        "https://proxy.example.com/mixpanel",
        "http://localhost:1",
        "http://[::1]:9",
    ],
)
def test_a_base_url_is_https_or_the_machine_itself(url: str) -> None:
    assert parse_config(with_account(api_url=url)).api_url == url


def test_settings_do_not_print_their_secrets() -> None:
    config = parse_config(with_account())
    assert SECRET not in repr(config)
    assert SECRET not in str(config.credentials)
    assert SECRET not in config.model_dump_json()
