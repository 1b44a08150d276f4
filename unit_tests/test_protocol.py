"""The four verbs as the platform calls them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from unit_tests.builders import event
from unit_tests.project import Project


def test_the_installed_command_and_the_module_are_the_same() -> None:
    folder = Path(sys.executable).parent
    for args in ([str(folder / "source-mixpanel")], [sys.executable, "-m", "source_mixpanel"]):
        done = subprocess.run([*args, "spec"], capture_output=True, check=True)  # noqa: S603
        messages = [json.loads(line) for line in done.stdout.splitlines()]
        [spec] = [m["spec"] for m in messages if m["type"] == "SPEC"]
        assert spec["connectionSpecification"]["required"] == ["credentials"]


def test_every_line_is_a_message(project: Project) -> None:
    project.mixpanel.seed(7, events=300, days=5, profiles=10)
    out = project.sync("export")
    kinds = {json.loads(line)["type"] for line in out.raw.split(b"\n")[:-1]}
    assert kinds == {"LOG", "TRACE", "STATE", "RECORD"}


def test_check_succeeds_and_costs_little(project: Project) -> None:
    out = project.run("check")
    assert out.of("CONNECTION_STATUS") == [{"status": "SUCCEEDED"}]
    assert len(project.mixpanel.journal()) <= 5


def test_discover_describes_export(project: Project) -> None:
    project.mixpanel.add_events(
        [event(plan="pro", price=1.5, tags=["a"], nested={"a": 1}, flag=True)]
    )
    stream = project.discover()["export"]
    assert stream["source_defined_primary_key"] == [["event_key"]]
    assert stream["default_cursor_field"] == ["time"]
    assert stream["supported_sync_modes"] == ["full_refresh", "incremental"]
    columns = stream["json_schema"]["properties"]
    kinds = {name: columns[name]["type"][1] for name in ("plan", "price", "tags", "nested", "flag")}
    assert kinds == {
        "plan": "string", "price": "number", "tags": "array", "nested": "object",
        "flag": "boolean",
    }  # fmt: skip
    assert columns["mp_api_timestamp_ms"]["type"] == ["null", "integer"]


@pytest.mark.parametrize("limit", [1, 3, -1, -1.7976931348623157e308])
def test_airbytes_own_limit_cuts_no_slice_short(project: Project, limit: float) -> None:
    """The CDK counts a batch as one record, and would leave the rest of a page unread."""
    project.mixpanel.seed(5, events=60, days=3, profiles=25)
    project.config.update(page_size=5, _limit=limit, _page_size=2)
    streams = project.discover()
    chosen = [streams["export"], streams["engage"]]
    out = project.sync(*chosen, mode="full_refresh")
    assert out.code == 0, out.log
    assert len(out.records("export")) == len(project.mixpanel.events())
    assert len(out.records("engage")) == len(project.mixpanel.truth("engage"))


def test_a_catalog_is_one_line_by_whatever_rule(project: Project) -> None:
    """Airbyte's image tests and Meltano's wrapper split at U+2028 and its like."""
    odd: dict[str, Any] = dict.fromkeys(["a\u2028b", "a\u2029b", "a\x85b"], 1)
    project.mixpanel.add_events([event(**odd)])
    out = project.run("discover")
    assert len(out.raw.decode().splitlines()) == len(out.messages)
    columns = out.streams()["export"]["json_schema"]["properties"]
    assert set(odd) <= {spec.get("mixpanel_property") for spec in columns.values()}


def test_discover_goes_on_without_what_the_plan_forbids(project: Project) -> None:
    project.mixpanel.add_events([event(plan="pro")])
    project.mixpanel.configure(plan="free")
    stream = project.discover()["export"]
    assert "plan" in stream["json_schema"]["properties"]


def test_lexicon_decides_types_before_samples(project: Project) -> None:
    project.mixpanel.add_events([event(score="12")])
    schema = {"properties": {"score": {"type": "number"}, "planned": {"type": "boolean"}}}
    project.mixpanel.set_truth(
        "schemas", [{"entityType": "event", "name": "Sign Up", "schemaJson": schema}]
    )
    stream = project.discover()["export"]
    columns = stream["json_schema"]["properties"]
    assert columns["score"]["type"] == ["null", "number"]
    assert columns["planned"]["type"] == ["null", "boolean"]
    out = project.sync("export")
    assert [r["rescued_properties"] for r in out.records()] == [{"score": "12"}]
    assert "'score' (1 x string in a column of number)" in out.log


def test_old_settings_are_read_and_the_platform_is_told_the_new_ones(project: Project) -> None:
    old = {
        "api_secret": "local-project-secret-0123456789ab",
        "export_events": "Sign Up, Purchase",
        "attribution_window": "5",
        "start_date": "2026-03-01T00:00:00Z",
        "user_agent": "somebody",
        "api_url": project.config["api_url"],
    }
    project.mixpanel.add_events([event(), event("Other", insert_id="i-2")])
    project.discover()
    project.config = {**old, "event_timestamps": "utc"}
    out = project.sync("export", mode="full_refresh")
    assert out.code == 0, out.log
    assert [r["event"] for r in out.records()] == ["Sign Up"]
    [control] = out.of("CONTROL")
    told = control["connectorConfig"]["config"]
    assert told["credentials"]["option_title"] == "Project Secret"
    assert told["export_events"] == ["Sign Up", "Purchase"]
    assert "user_agent" in out.log


def test_a_state_of_airbytes_connector_goes_on_from_its_day(project: Project) -> None:
    project.mixpanel.add_events([event(insert_id=f"i-{n}", days_ago=n) for n in range(9)])
    project.discover()
    project.config["attribution_window"] = 2
    old = {"stream_descriptor": {"name": "export"},
           "stream_state": {"time": "2026-03-08T11:00:00Z"}}  # fmt: skip
    out = project.sync("export", state=[{"type": "STREAM", "stream": old}])
    assert sorted(r["insert_id"] for r in out.records()) == ["i-0", "i-1", "i-2", "i-3", "i-4"]


@pytest.mark.parametrize("window", [0, 5])
def test_a_state_from_the_future_reads_nothing_says_so_and_goes_on_from_now(
    project: Project, window: int
) -> None:
    project.config["attribution_window"] = window
    project.mixpanel.add_events([event()])
    future = {"stream_descriptor": {"name": "export"},
              "stream_state": {"time": "2121-01-01T00:00:00.000Z"}}  # fmt: skip
    out = project.sync("export", state=[{"type": "STREAM", "stream": future}])
    assert (out.code, out.records()) == (0, [])
    assert out.stream_state("export")["time"] == "2121-01-01T00:00:00.000Z"
    assert "says that 2120-12-31 is read, which is later than today (2026-03-10)" in out.log
    project.mixpanel.advance(3 * 86_400)
    project.mixpanel.add_events(
        [event(days_ago=-1, insert_id="new"), event(days_ago=-2, insert_id="two")]
    )
    later = project.sync("export", state=out.state_file())
    assert sorted(row["insert_id"] for row in later.records()) == ["new", "two"]
    assert "later than today" not in later.log


@pytest.mark.parametrize("moment", ["waiting", "reading"])
def test_sigterm_ends_at_once_and_leaves_nothing_behind(
    project: Project, tmp_path: Path, moment: str
) -> None:
    project.mixpanel.add_events([event()])
    project.discover()
    if moment == "waiting":
        project.mixpanel.add_fault(
            "status", "/api/2.0/export", status=429, headers={"Retry-After": "900"}
        )
    else:
        project.mixpanel.add_fault("hang", "/api/2.0/export", seconds=60)
    project.mixpanel.clear_journal()
    running = project.start(
        "read",
        catalog=project.catalog("export", mode="full_refresh"),
        env={"TMPDIR": str(tmp_path)},
    )
    while not any(e["path"] == "/api/2.0/export" for e in project.mixpanel.journal()):
        assert running.alive()
    if moment == "waiting":
        while b"RATE_LIMITED" not in running.so_far():
            assert running.alive()
    running.kill(signal.SIGTERM)
    out = running.end()
    assert out.code == -signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


def test_output_that_nobody_reads_ends_the_sync_with_a_sentence(
    project: Project, tmp_path: Path
) -> None:
    project.mixpanel.seed(7, events=2000, days=5, profiles=10)
    catalog = tmp_path / "catalog.json"
    catalog.write_text(json.dumps(project.catalog("export", mode="full_refresh")))
    settings = tmp_path / "config.json"
    settings.write_text(json.dumps(project.config))
    args = ["read", "--config", str(settings), "--catalog", str(catalog)]
    with subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "source_mixpanel", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read().decode()
    assert process.returncode == 1
    assert "reader of the connector's output has gone away" in said
    assert "Traceback" not in said
