"""`check` and `discover`: what they tell, what they cost, what they survive."""

from __future__ import annotations

import re
from typing import Any

import pytest

from source_mixpanel.source import SourceMixpanel
from unit_tests.project import Project

EXPORT = "/api/2.0/export"
SECRET = {"api_secret": "local-project-secret-0123456789ab"}
TOKEN = {"access_token": "local-oauth-token-0123456789", "project_id": 12345678}
_LISTED = SourceMixpanel().streams({"credentials": TOKEN})
STREAMS = {s.name: [[key] for key in s.primary_key] for s in _LISTED}  # type: ignore[union-attr]
CURSORS = {s.name: [s.cursor_field] for s in _LISTED if s.supports_incremental}


def check(project: Project, **patience: float) -> tuple[str, str]:
    """Status, and everything that was said."""
    out = project.run("check", **patience)
    [status] = out.of("CONNECTION_STATUS")
    return status["status"], status.get("message", "") + out.log


@pytest.mark.parametrize("credentials", [None, SECRET, TOKEN], ids=["account", "secret", "token"])
def test_check_asks_once_for_each_kind_of_access(
    project: Project, credentials: dict[str, Any] | None
) -> None:
    project.config["credentials"] = credentials or project.config["credentials"]
    status, said = check(project)
    assert status == "SUCCEEDED", said
    paths = [entry["path"] for entry in project.mixpanel.journal()]
    mine = "/api/app/projects/12345678/annotations"
    extra = [] if credentials == SECRET else ["/api/app/me", mine]
    assert sorted(set(paths)) == sorted([EXPORT, "/api/query/cohorts/list", *extra])
    assert len(paths) <= 5
    assert ("streams 'groups', 'report_results' and the project's lists" in said) == (
        credentials == SECRET
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"plan": "free"}, ["plan", "Query API"]),
        (
            {"forbidden": [{"path_prefix": EXPORT, "status": 403, "body": "no raw data for you"}]},
            ["raw export", "no raw data for you"],
        ),
        ({"forbidden": [{"path_prefix": "/api/app", "status": 403, "body": "no"}]}, ["app API"]),
        ({"export_bearer": False}, ["raw export", "OAuth token"]),
    ],
)
def test_check_names_what_is_closed_and_why_but_succeeds(
    project: Project, settings: dict[str, Any], words: list[str]
) -> None:
    project.mixpanel.configure(**settings)
    if "export_bearer" in settings:
        project.config["credentials"] = TOKEN
    status, said = check(project)
    assert status == "SUCCEEDED"
    assert all(word in said for word in words), said


def test_check_names_the_streams_that_the_plan_closes_and_no_other(project: Project) -> None:
    project.mixpanel.seed(7, events=20, days=2, profiles=3)
    project.mixpanel.configure(plan="free")
    status, said = check(project)
    [named] = set(re.findall(r"Streams ('[^()]*') \(Query API\) cannot be read now: ", said))
    assert status == "SUCCEEDED"
    running = project.start("read", more=["--streams", ",".join(STREAMS)])
    out = running.end()
    unread = {name for name in STREAMS if out.statuses(name)[-1] == "INCOMPLETE"}
    assert set(re.findall(r"\w+", named)) == unread


def test_check_fails_when_nothing_is_open(project: Project) -> None:
    project.mixpanel.configure(forbidden=[{"path_prefix": "/", "status": 403, "body": "go away"}])
    status, said = check(project)
    assert status == "FAILED"
    assert "go away" in said


@pytest.mark.parametrize("kind", ["Service Account", "Project Secret", "OAuth Token"])
def test_check_fails_with_credentials_that_are_not_accepted(project: Project, kind: str) -> None:
    project.config["credentials"] = {
        "Service Account": {**project.config["credentials"], "secret": "wrong"},
        "Project Secret": {"api_secret": "wrong"},
        "OAuth Token": {"access_token": "wrong", "project_id": 12345678},
    }[kind]
    status, said = check(project)
    assert status == "FAILED"
    assert f"did not accept the {kind}".lower() in said.lower()
    assert len(project.mixpanel.journal()) <= 5


def test_check_fails_where_the_settings_contradict_the_project(project: Project) -> None:
    project.mixpanel.configure(timezone="Europe/Paris")
    status, said = check(project.using(project_timezone="Asia/Tokyo"))
    assert status == "FAILED"
    assert "Europe/Paris" in said
    assert "Asia/Tokyo" in said


def test_discover_lists_every_stream_with_its_keys(project: Project) -> None:
    project.mixpanel.seed(7, events=200, days=3, profiles=50)
    streams = project.discover()
    keys = {name: stream["source_defined_primary_key"] for name, stream in streams.items()}
    assert keys.items() >= STREAMS.items()
    cursors = {
        n: s["default_cursor_field"] for n, s in streams.items() if "default_cursor_field" in s
    }
    assert cursors.items() >= CURSORS.items()
    for stream in streams.values():
        columns = stream["json_schema"]["properties"]
        told = [*stream["source_defined_primary_key"], stream.get("default_cursor_field") or []]
        assert {name for path in told for name in path} <= columns.keys()


def test_discover_costs_a_handful_of_queries_and_says_how_many(project: Project) -> None:
    project.mixpanel.seed(7, events=200, days=3, profiles=50)
    project.mixpanel.configure(quota=True)
    project.mixpanel.clear_journal()
    out = project.run("discover")
    assert out.code == 0, out.log
    queries = len(project.mixpanel.quota()["query"]["started"])
    assert queries <= 5
    assert f"Query API {queries}" in out.log


@pytest.mark.parametrize(
    "closed",
    [
        {"plan": "free"},
        {"forbidden": [{"path_prefix": "/api/query", "status": 403, "body": "no"}]},
        {"forbidden": [{"path_prefix": "/api/query", "status": 404, "body": "no"}]},
        {"forbidden": [{"path_prefix": "/api/app", "status": 403, "body": "no"}]},
        {"forbidden": [{"path_prefix": EXPORT, "status": 403, "body": "no"}]},
    ],
)
def test_discover_lists_every_stream_whatever_is_closed(
    project: Project, closed: dict[str, Any]
) -> None:
    project.mixpanel.seed(7, events=200, days=3, profiles=50)
    project.mixpanel.configure(**closed)
    streams = project.discover()
    assert set(streams) >= set(STREAMS)
    if "/api/app" not in str(closed) and EXPORT not in str(closed):
        core = {"distinct_id", "last_seen", "rescued_properties"}
        assert core == streams["engage"]["json_schema"]["properties"].keys()
