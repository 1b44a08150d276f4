"""What goes wrong is said in one sentence, before any request where it can be."""

from __future__ import annotations

from typing import Any

import pytest

from mixpanel_emulator.control_client import ControlClient
from unit_tests.builders import discover, event, read
from unit_tests.harness import Command, Output, configured

SECRET = "local-service-account-secret-7"
EXPORT = "/api/2.0/export"

BAD_SETTINGS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a day that is none": ({"start_date": "2026-02-30"}, ["start_date", "2026-02-30"]),
    "start after end": (
        {"start_date": "2026-03-02", "end_date": "2026-03-01"},
        ["start_date", "end_date"],
    ),
    "a zone that is none": ({"project_timezone": "Mars/Olympus"}, ["project_timezone", "Mars"]),
    "an expression cut short": ({"export_where": 'properties["x" == 1'}, ["export_where"]),
    "an event with half a character": ({"export_events": ["\ud800"]}, ["export_events", "half"]),
    "events that are no names": ({"export_events": ["a", 5]}, ["export_events"]),
    "a region that is none": ({"region": "MOON"}, ["region", "US", "EU", "IN"]),
    "a window that is no number": ({"attribution_window": "five"}, ["attribution_window"]),
    "no request an hour": (
        {"rate_limits": {"query_per_hour": 0}},
        ["rate_limits.query_per_hour", "1"],
    ),
    "plain http to elsewhere": ({"api_url": "http://example.com"}, ["api_url", "https"]),
    "credentials with a hole": (
        {"credentials": {"option_title": "Service Account", "username": "u", "secret": SECRET}},
        ["credentials.project_id"],
    ),
    "no credentials": ({"credentials": None}, ["credentials"]),
}


def last_error(out: Output) -> dict[str, Any]:
    return out.errors[-1]


@pytest.mark.parametrize("verb", ["check", "discover", "read"])
@pytest.mark.parametrize(("change", "named"), BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_bad_settings_are_named_before_any_request(
    command: Command,
    mixpanel: ControlClient,
    config: dict[str, Any],
    verb: str,
    change: dict[str, Any],
    named: list[str],
) -> None:
    files: dict[str, Any] = {"config": {**config, **change}}
    if verb == "read":
        stream = {"name": "export", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
        files["catalog"] = configured([stream])
    out = command.run(verb, **files)
    if verb == "check":
        [status] = out.of("CONNECTION_STATUS")
        assert status["status"] == "FAILED"
        message = status["message"]
    else:
        assert out.code == 1
        assert last_error(out)["failure_type"] == "config_error"
        message = last_error(out)["message"]
    assert all(word in message for word in named), message
    assert "Traceback" not in message
    assert SECRET not in out.raw.decode()
    assert mixpanel.journal() == []


def test_an_unknown_stream_is_named_before_any_request(
    command: Command, mixpanel: ControlClient, config: dict[str, Any]
) -> None:
    stream = {"name": "exports", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    out = command.run("read", config=config, catalog=configured([stream]))
    assert out.code == 1
    assert last_error(out)["failure_type"] == "config_error"
    assert "exports" in last_error(out)["message"]
    assert mixpanel.journal() == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config", "{ no json"),
        ("config", "[]"),
        ("catalog", "{}"),
        ("catalog", "[]"),
        ("catalog", '{"streams": [{"stream": {}}]}'),
        ("state", "{ no json"),
        ("state", '[{"type": "STREAM"}]'),
        ("state", '"text"'),
        ("state", '{"export": "yesterday"}'),
    ],
)
def test_files_that_are_not_what_they_should_be_are_named(
    command: Command, mixpanel: ControlClient, config: dict[str, Any], name: str, content: str
) -> None:
    stream = {"name": "export", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    files = {"config": config, "catalog": configured([stream]), "state": [], name: content}
    out = command.run("read", **files)
    assert out.code == 1
    error = last_error(out)
    assert error["failure_type"] == "config_error"
    what = {"config": "configuration", "catalog": "catalog", "state": "state"}[name]
    assert f"The {what} file" in error["message"]
    assert mixpanel.journal() == []


@pytest.mark.parametrize(
    "blob",
    [
        {"time": "yesterday"},
        {"time": True},
        {"covered": [["2026-13-01", 5]]},
        {"covered": [["2026-03-02", 5], ["2026-03-01", 5]]},
        {"completed_through": 7},
        {"event_timestamps": "moon"},
    ],
)
def test_a_corrupt_state_is_a_config_error(
    command: Command, mixpanel: ControlClient, config: dict[str, Any], blob: dict[str, Any]
) -> None:
    stream = discover(command, config)
    mixpanel.clear_journal()
    state = {"stream_descriptor": {"name": "export"}, "stream_state": blob}
    out = read(command, config, stream, state=[{"type": "STREAM", "stream": state}])
    assert out.code == 1
    assert out.errors[0]["failure_type"] == "config_error"
    assert "state of stream 'export'" in out.errors[0]["message"]
    assert [e for e in mixpanel.journal() if e["path"] == EXPORT] == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"service_account_expired": True}, ["service account", "expired", "US, EU"]),
        ({"service_account_in_project": False}, ["service account"]),
        (
            {"export_auth_error": "400", "service_account_expired": True},
            ["service account", "Service Accounts"],
        ),
    ],
)
def test_credentials_that_are_not_accepted_say_where_to_renew_them(
    command: Command,
    mixpanel: ControlClient,
    config: dict[str, Any],
    settings: dict[str, Any],
    words: list[str],
) -> None:
    stream = discover(command, config)
    mixpanel.configure(**settings)
    out = read(command, config, stream)
    assert out.code == 1
    assert out.errors[0]["failure_type"] == "config_error"
    assert all(word in out.errors[0]["message"] for word in words), out.errors[0]["message"]
    [status] = command.run("check", config=config).of("CONNECTION_STATUS")
    assert status["status"] == "FAILED"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((402, '{"error": "Your plan does not allow API calls."}'), "config_error", ["plan"]),
        (
            (403, '{"error": "Date range exceeds 90 days into the past"}'),
            "config_error",
            ["Date range exceeds 90 days into the past", "export"],
        ),
        ((404, "nothing here"), "system_error", ["404", "export"]),
        ((502, "<html>Bad Gateway</html>"), "transient_error", ["502", "export"]),
    ],
)
def test_refusals_carry_mixpanels_own_words(
    command: Command,
    mixpanel: ControlClient,
    config: dict[str, Any],
    answer: tuple[int, str],
    kind: str,
    words: list[str],
) -> None:
    stream = discover(command, config)
    status, body = answer
    mixpanel.add_fault("status", EXPORT, status=status, body=body)
    out = read(command, config, stream, tries=2)
    assert out.code == 1
    assert out.statuses("export")[-1] == "INCOMPLETE"
    error = out.errors[0]
    assert error["failure_type"] == kind
    assert all(word in error["message"] for word in words), error["message"]
    assert "<html>" not in error["message"]


def test_a_filter_that_mixpanel_refuses_is_a_config_error(
    command: Command, mixpanel: ControlClient, config: dict[str, Any]
) -> None:
    mixpanel.add_events([event()])
    stream = discover(command, config)
    config["export_where"] = 'nonsense(properties["x"]) == 1'
    out = read(command, config, stream)
    assert out.code == 1
    assert out.errors[0]["failure_type"] == "config_error"
    assert "export_where" in out.errors[0]["message"]


def test_a_host_that_cannot_be_reached_is_a_transient_error(
    command: Command, mixpanel: ControlClient, config: dict[str, Any]
) -> None:
    stream = discover(command, config)
    assert mixpanel.journal()
    config["api_url"] = "https://127.0.0.1:1"
    out = read(command, config, stream, tries=2)
    assert out.code == 1
    assert out.errors[0]["failure_type"] == "transient_error"
    assert "could not be reached" in out.errors[0]["message"]


def test_secrets_are_nowhere_in_the_output(
    command: Command, mixpanel: ControlClient, config: dict[str, Any]
) -> None:
    mixpanel.add_events([event()])
    stream = discover(command, config)
    header = "ZGVtby5zYS5tcC1zZXJ2aWNlLWFjY291bnQ6bG9jYWwtc2VydmljZS1hY2NvdW50LXNlY3JldC03"
    echo = f'{{"error": "bad header Basic {header} of {SECRET}"}}'
    mixpanel.add_fault("status", EXPORT, status=400, body=echo)
    refused = read(command, config, stream)
    assert "bad header **** of ****" in refused.raw.decode()
    for out in (
        refused,
        command.run("check", config=config),
        command.run("read", config={**config, "start_date": SECRET}, catalog=configured([stream])),
    ):
        text = out.raw.decode() + out.stderr
        assert SECRET not in text
        assert header not in text


@pytest.mark.parametrize(
    ("status", "body", "names", "told"),
    [
        (400, "", 300, True),
        (400, "<html><body>Bad Request</body></html>", 300, True),
        (400, "", 3, False),
        (400, {"error": "no such event"}, 300, False),
        (413, "", 3, True),
        (414, "URI Too Long", 300, True),
    ],
)
def test_a_url_that_is_too_long_is_explained_by_its_settings(
    command: Command,
    mixpanel: ControlClient,
    config: dict[str, Any],
    status: int,
    body: Any,
    names: int,
    told: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    stream = discover(command, config)
    config["export_events"] = [f"Event number {n}" for n in range(names)]
    mixpanel.add_fault("status", "/api/2.0/export", status=status, body=body)
    out = read(command, config, stream)
    assert out.code == 1
    message = out.errors[0]["message"]
    assert f"Mixpanel answered {status}" in message
    assert ("shorten export_events or export_where" in message) == told
