"""One endpoint is closed or broken: its streams end with a trace, all others are whole."""

from __future__ import annotations

import pytest

from mixpanel_emulator.options import CREDENTIALS
from source_mixpanel.api.request import Api
from source_mixpanel.source import SourceMixpanel
from source_mixpanel.streams.base import MixpanelStream
from unit_tests.builders import REPORTS
from unit_tests.harness import Output, multiset
from unit_tests.project import Project, Streams

_PROJECT, _VIEW = str(CREDENTIALS.project_id), str(CREDENTIALS.workspace_id)
_NOBODY = {"credentials": {"username": "u", "secret": "s", "project_id": 1}, "reports": REPORTS}
_LISTED = [
    stream for stream in SourceMixpanel().streams(_NOBODY) if isinstance(stream, MixpanelStream)
]
QUERY_STREAMS = {stream.name for stream in _LISTED if stream.lane is Api.QUERY}
PATHS = {
    stream.name: [
        path.replace("{project}", _PROJECT).replace("{workspace}", _VIEW) for path in stream.paths
    ]
    for stream in _LISTED
}
ENDPOINTS: dict[str, set[str]] = {
    # A fault is of all paths that begin as it says.
    path: {name for name, paths in PATHS.items() if any(p.startswith(path) for p in paths)}
    for path in sorted({path for paths in PATHS.values() for path in paths})
}
ENDPOINTS["/api/app/me"] = set()
STAND_INS = f"/api/app/projects/{_PROJECT}/data-definitions"
_WHOLE: dict[str, tuple[Streams, Output]] = {}


@pytest.fixture
def whole(project: Project) -> tuple[Streams, Output]:
    """The discovered streams, and a sync of all; the seed makes the same world each time."""
    project.mixpanel.seed(11, events=150, days=5, profiles=60)
    project.config["reports"] = REPORTS
    if not _WHOLE:
        streams = project.discover()
        _WHOLE["it"] = streams, project.sync(*streams.values(), mode="full_refresh")
    return _WHOLE["it"]


def judge(out: Output, whole: tuple[Streams, Output], broken: set[str]) -> None:
    streams, good = whole
    for name in streams:
        if name in broken:
            assert out.statuses(name)[-1] == "INCOMPLETE", name
        else:
            assert out.statuses(name)[-1] == "COMPLETE", (name, out.log)
            assert multiset(out.records(name)) == multiset(good.records(name)), name
    traced = {error.get("stream_descriptor", {}).get("name") for error in out.errors}
    assert traced - {None} == broken
    assert out.code == (1 if broken else 0)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_other_streams_are_whole(
    project: Project, whole: tuple[Streams, Output], path: str
) -> None:
    # Who is told nothing of the project for the moment waits for a later sync.
    passing = () if path == "/api/app/me" else (500,)
    for status in (402, 403, 404, *passing):
        project.mixpanel.clear_faults()
        project.mixpanel.add_fault("status", path, status=status, body={"error": "not for you"})
        project.mixpanel.add_fault("status", STAND_INS, status=404, body={"error": "nor here"})
        out = project.sync(*whole[0].values(), mode="full_refresh", tries=2)
        judge(out, whole, ENDPOINTS[path])
        told = [error["message"] for error in out.errors if error.get("stream_descriptor")]
        assert all("not for you" in text or "withdrawn" in text for text in told), told


def test_the_free_plan_leaves_export_and_the_app_api(
    project: Project, whole: tuple[Streams, Output]
) -> None:
    project.mixpanel.configure(plan="free")
    out = project.sync(*whole[0].values(), mode="full_refresh")
    judge(out, whole, QUERY_STREAMS)
    for name in QUERY_STREAMS:
        [trace] = [e for e in out.errors if e.get("stream_descriptor", {}).get("name") == name]
        assert "plan does not include the Query API" in trace["message"]
        assert trace["failure_type"] == "config_error"
