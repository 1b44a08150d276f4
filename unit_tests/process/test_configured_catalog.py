"""Which streams are read, and how: by a catalog, or by names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from source_mixpanel.errors import ConfigError
from source_mixpanel.process.configured_catalog import read_catalog
from unit_tests.builders import event
from unit_tests.harness import multiset
from unit_tests.project import Project


def _file(folder: Path, content: Any) -> str:
    path = folder / "file.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def test_a_configured_catalog_is_read(tmp_path: Path) -> None:
    stream = {"name": "export", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    entry = {
        "stream": stream,
        "sync_mode": "full_refresh",
        "destination_sync_mode": "append",
    }
    catalog = read_catalog(_file(tmp_path, {"streams": [entry]}))
    assert [configured.stream.name for configured in catalog.streams] == ["export"]


@pytest.mark.parametrize("content", [{}, {"streams": 5}, {"streams": [{"stream": {}}]}])
def test_what_is_no_catalog_is_a_config_error(tmp_path: Path, content: Any) -> None:
    with pytest.raises(ConfigError, match="no configured Airbyte catalog"):
        read_catalog(_file(tmp_path, content))


def _entry(**stream: Any) -> dict[str, Any]:
    told = {"name": "export", "json_schema": {}, "supported_sync_modes": ["full_refresh"], **stream}
    return {"stream": told, "sync_mode": "full_refresh", "destination_sync_mode": "append"}


def test_a_stream_that_is_asked_for_twice_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"more than once .*: export\."):
        read_catalog(_file(tmp_path, {"streams": [_entry(), _entry(namespace="x")]}))


def test_a_schema_whose_columns_are_no_object_is_named(tmp_path: Path) -> None:
    broken = _entry(json_schema={"properties": ["n"]})
    with pytest.raises(ConfigError, match="'properties' has to be an object"):
        read_catalog(_file(tmp_path, {"streams": [broken]}))


STREAM = {"name": "export", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}


@pytest.mark.parametrize(
    "entry",
    [
        {"stream": STREAM, "sync_mode": "full_refresh"},
        {"stream": STREAM},
        STREAM,
        {"stream": "export", "sync_mode": "full_refresh"},
        {"stream": {"name": "export"}, "sync_mode": "full_refresh"},
    ],
)
def test_missing_parts_are_filled_in_where_it_is_clear_what_is_meant(
    tmp_path: Path, entry: Any
) -> None:
    [read] = read_catalog(_file(tmp_path, {"streams": [entry]})).streams
    assert (read.stream.name, read.sync_mode.value) == ("export", "full_refresh")
    assert read.destination_sync_mode.value == "append"
    assert [mode.value for mode in read.stream.supported_sync_modes] == ["full_refresh"]


BOTH = {**STREAM, "supported_sync_modes": ["full_refresh", "incremental"]}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"stream": BOTH}, "'export' has no 'sync_mode', which has to be full_refresh or"),
        ("export", "'export' has no 'sync_mode'"),
        (
            {"stream": BOTH, "sync_mode": "incrementl"},
            "'export' has 'incrementl' as 'sync_mode', .* Did you mean 'incremental'?",
        ),
        (
            {"stream": BOTH, "sync_mode": "incremental", "destination_sync_mode": "upsert"},
            "'export' has 'upsert' as 'destination_sync_mode'",
        ),
        ({"stream": {**BOTH, "json_schema": []}}, "'export' needs an object as 'stream.json_sch"),
        ({"sync_mode": "incremental"}, r"stream number 2 has no 'stream\.name'"),
        ({"stream": {"nam": "export"}}, r"stream number 2 has no 'stream\.name'"),
        (5, r"stream number 2 has no 'stream\.name'"),
    ],
)
def test_what_is_not_clear_is_an_error_that_names_stream_and_key(
    tmp_path: Path, entry: Any, words: str
) -> None:
    first = {"stream": {"name": "cohorts"}, "sync_mode": "full_refresh"}
    with pytest.raises(ConfigError, match=words):
        read_catalog(_file(tmp_path, {"streams": [first, entry]}))


def test_lines_as_discover_prints_them_hold_a_catalog(tmp_path: Path) -> None:
    lines = [{"type": "LOG", "log": {}}, {"type": "CATALOG", "catalog": {"streams": [STREAM]}}]
    catalog = read_catalog(_file(tmp_path, "".join(f"{json.dumps(line)}\n" for line in lines)))
    assert [entry.stream.name for entry in catalog.streams] == ["export"]


# -- by name ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "modes"),
    [
        ("export", {"export": "incremental"}),
        ("export:full_refresh", {"export": "full_refresh"}),
        ("cohorts, engage", {"cohorts": "full_refresh", "engage": "full_refresh"}),
        ("engage:incremental,funnels", {"engage": "incremental", "funnels": "incremental"}),
    ],
)
def test_streams_are_discovered_by_name_with_the_mode_that_leaves_an_exact_copy(
    project: Project, named: str, modes: Any
) -> None:
    project.mixpanel.add_events([event(plan="pro")])
    running = project.start("discover", more=["--configured", "--streams", named])
    assert running.wait() == 0
    told = json.loads(running.so_far())
    assert {e["stream"]["name"]: e["sync_mode"] for e in told["streams"]} == modes
    for entry in told["streams"]:
        if entry["sync_mode"] == "incremental":
            assert entry["cursor_field"] == entry["stream"]["default_cursor_field"]
            assert entry["primary_key"] == entry["stream"]["source_defined_primary_key"]


def test_a_sync_by_names_is_that_by_the_catalog_that_is_written_for_them(project: Project) -> None:
    project.mixpanel.seed(7, events=300, days=5, profiles=20)
    named = ["--streams", "export,engage:full_refresh,cohorts"]
    by_name = project.run("read", more=named)
    assert by_name.code == 0, by_name.log
    running = project.start("discover", more=["--configured", *named])
    assert running.wait() == 0
    by_catalog = project.run("read", catalog=json.loads(running.so_far()))
    for name in ("export", "engage", "cohorts"):
        assert by_name.records(name)
        assert multiset(by_name.records(name)) == multiset(by_catalog.records(name))
    assert "plan" in by_name.records("export")[0]


def test_streams_that_are_not_named_cost_nothing(project: Project) -> None:
    project.mixpanel.seed(7, events=300, days=5, profiles=20)
    project.mixpanel.clear_journal()
    out = project.run("read", more=["--streams", "cohorts"])
    assert out.records("cohorts")
    assert {entry["path"] for entry in project.mixpanel.journal()} == {"/api/query/cohorts/list"}


@pytest.mark.parametrize("verb", ["read", "discover"])
@pytest.mark.parametrize(
    ("named", "code", "words"),
    [
        ("exprot", 1, "There is no stream 'exprot'. Did you mean 'export'? There are: annot"),
        ("cohorts:incremental", 1, "Stream 'cohorts' has no incremental syncs."),
        ("export:incremantal", 2, "Did you mean 'incremental'?"),
        ("export,export", 2, "--streams asks for the same stream more than once: export."),
        (" , ", 2, "--streams names no stream."),
    ],
)
def test_names_that_will_not_do_are_told(
    project: Project, verb: str, named: str, code: int, words: str
) -> None:
    out = project.run(verb, more=["--streams", named])
    assert out.code == code
    assert words in out.stderr
    assert "Traceback" not in out.stderr
    assert project.mixpanel.journal() == []


def test_a_stream_of_a_catalog_that_there_is_not_gets_a_hint(project: Project) -> None:
    catalog = {"streams": [{"stream": "exprot", "sync_mode": "full_refresh"}]}
    out = project.run("read", catalog=catalog)
    assert "Did you mean 'export'?" in out.errors[0]["message"]


def test_a_catalog_to_read_by_is_all_that_standard_output_holds(project: Project) -> None:
    """What went wrong is on standard error."""
    project.mixpanel.add_events([event()])
    running = project.using(odd=1).start("discover", more=["--configured"])
    assert running.wait() == 0
    told = json.loads(running.so_far())
    assert len(told["streams"]) > 20
    said = (running.folder / "stderr").read_text()
    assert said == "The setting 'odd' is not known, and ignored.\n"
