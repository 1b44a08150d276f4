"""What goes wrong is said in one sentence, before any request where it can be."""

from __future__ import annotations

from typing import Any

import pytest

from unit_tests.builders import bare, event
from unit_tests.harness import Output
from unit_tests.project import Project

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
    project: Project, verb: str, change: dict[str, Any], named: list[str]
) -> None:
    wrong = project.using(**change)
    out = wrong.sync(bare("export")) if verb == "read" else wrong.run(verb)
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
    assert project.mixpanel.journal() == []


def test_an_unknown_stream_is_named_before_any_request(project: Project) -> None:
    out = project.sync(bare("exports"))
    assert out.code == 1
    assert last_error(out)["failure_type"] == "config_error"
    assert "exports" in last_error(out)["message"]
    assert project.mixpanel.journal() == []


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
    project: Project, name: str, content: str
) -> None:
    files = {"catalog": project.catalog(bare("export")), "state": [], name: content}
    out = project.run("read", **files)
    assert out.code == 1
    error = last_error(out)
    assert error["failure_type"] == "config_error"
    what = {"config": "configuration", "catalog": "catalog", "state": "state"}[name]
    assert f"The {what} file" in error["message"]
    assert project.mixpanel.journal() == []


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
def test_a_corrupt_state_is_a_config_error(project: Project, blob: dict[str, Any]) -> None:
    project.discover()
    project.mixpanel.clear_journal()
    state = {"stream_descriptor": {"name": "export"}, "stream_state": blob}
    out = project.sync("export", state=[{"type": "STREAM", "stream": state}])
    assert out.code == 1
    assert out.errors[0]["failure_type"] == "config_error"
    assert "state of stream 'export'" in out.errors[0]["message"]
    assert [e for e in project.mixpanel.journal() if e["path"] == EXPORT] == []


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
    project: Project, settings: dict[str, Any], words: list[str]
) -> None:
    project.discover()
    project.mixpanel.configure(**settings)
    out = project.sync("export")
    assert out.code == 1
    assert out.errors[0]["failure_type"] == "config_error"
    assert all(word in out.errors[0]["message"] for word in words), out.errors[0]["message"]
    [status] = project.run("check").of("CONNECTION_STATUS")
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
    project: Project, answer: tuple[int, str], kind: str, words: list[str]
) -> None:
    project.discover()
    status, body = answer
    project.mixpanel.add_fault("status", EXPORT, status=status, body=body)
    out = project.sync("export", tries=2)
    assert out.code == 1
    assert out.statuses("export")[-1] == "INCOMPLETE"
    error = out.errors[0]
    assert error["failure_type"] == kind
    assert all(word in error["message"] for word in words), error["message"]
    assert "<html>" not in error["message"]


def test_a_filter_that_mixpanel_refuses_is_a_config_error(project: Project) -> None:
    project.mixpanel.add_events([event()])
    project.discover()
    project.config["export_where"] = 'nonsense(properties["x"]) == 1'
    out = project.sync("export")
    assert out.code == 1
    assert out.errors[0]["failure_type"] == "config_error"
    assert "export_where" in out.errors[0]["message"]


def test_a_host_that_cannot_be_reached_is_a_transient_error(project: Project) -> None:
    project.discover()
    assert project.mixpanel.journal()
    project.config["api_url"] = "https://127.0.0.1:1"
    out = project.sync("export", tries=2)
    assert out.code == 1
    assert out.errors[0]["failure_type"] == "transient_error"
    assert "could not be reached" in out.errors[0]["message"]


def test_secrets_are_nowhere_in_the_output(project: Project) -> None:
    project.mixpanel.add_events([event()])
    project.discover()
    header = "ZGVtby5zYS5tcC1zZXJ2aWNlLWFjY291bnQ6bG9jYWwtc2VydmljZS1hY2NvdW50LXNlY3JldC03"
    echo = f'{{"error": "bad header Basic {header} of {SECRET}"}}'
    project.mixpanel.add_fault("status", EXPORT, status=400, body=echo)
    refused = project.sync("export")
    assert "bad header **** of ****" in refused.raw.decode()
    for out in (
        refused,
        project.run("check"),
        project.using(start_date=SECRET).sync("export", mode="full_refresh"),
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
    project: Project, status: int, body: Any, names: int, *, told: bool
) -> None:
    project.discover()
    project.config["export_events"] = [f"Event number {n}" for n in range(names)]
    project.mixpanel.add_fault("status", "/api/2.0/export", status=status, body=body)
    out = project.sync("export")
    assert out.code == 1
    message = out.errors[0]["message"]
    assert f"Mixpanel answered {status}" in message
    assert ("shorten export_events or export_where" in message) == told
