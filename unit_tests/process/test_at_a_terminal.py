"""What goes wrong is told to a person in a sentence; the messages are as ever."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from source_mixpanel.process.terminal import in_words, without_stack_traces
from unit_tests.harness import Output, configured
from unit_tests.project import Project
from unit_tests.terminal import Terminal, screen

BARE = {"name": "export", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
QUIET = {"TERM": "dumb"}
"""No bar, so that what is told is all that is shown."""


def at_terminal(project: Project, verb: str, **files: Any) -> tuple[Output, list[str]]:
    """What a run put out, and the lines that a person saw on standard error."""
    with Terminal() as terminal:
        places = {"stderr": terminal.path}
        out = project.run(verb, **files, env=QUIET, places=places)
    return out, screen(terminal.shown)


@pytest.mark.parametrize(
    ("verb", "broken", "words"),
    [
        ("check", {"config": "{ no json"}, "The configuration file is no valid JSON"),
        ("discover", {"config": "[]"}, "has to hold a JSON object"),
        ("read", {"catalog": "{}"}, "it has no list 'streams'"),
        ("read", {"state": "5"}, "The state file is no Airbyte state"),
        ("read", {"config": '{"credentials": {}}'}, "credentials.username: it is required"),
    ],
)
def test_a_file_that_will_not_do_is_told_in_one_sentence_without_a_traceback(
    project: Project, verb: str, broken: dict[str, str], words: str
) -> None:
    whole = {"catalog": configured([BARE])} if verb == "read" else {}
    out, shown = at_terminal(project, verb, **{**whole, **broken})
    assert out.code == 1
    [sentence] = shown
    assert words in sentence
    # For whom reads the messages nothing but the stack is gone.
    [error] = out.errors
    assert error["failure_type"] == "config_error"
    assert error["message"] == sentence
    assert "Traceback" not in out.raw.decode()


def test_a_file_that_is_not_there_is_told_in_one_sentence(project: Project, tmp_path: Path) -> None:
    missing = str(tmp_path / "nope.json")
    out, shown = at_terminal(project, "check", config=None, more=["--config", missing])
    [sentence] = shown
    assert sentence.startswith(
        f"The configuration file cannot be read: No such file or directory ({missing})."
    )
    assert (out.code, len(out.errors)) == (1, 1)
    assert "Traceback" not in out.raw.decode()


def test_a_secret_that_is_not_accepted_gives_the_sentence_of_check(project: Project) -> None:
    catalog = project.catalog("export", mode="full_refresh")
    project.config["credentials"]["secret"] = "not-the-secret-1"
    checked, told = at_terminal(project, "check")
    [status] = checked.of("CONNECTION_STATUS")
    assert told == [status["message"]]
    out, shown = at_terminal(project, "read", catalog=catalog)
    assert out.code == 1
    assert shown == [
        "The following streams were not read whole.",
        f"export: {status['message']}",
    ]
    assert "Traceback" not in out.raw.decode()
    assert project.mixpanel.journal()


def test_what_nobody_could_foresee_keeps_its_traceback_in_the_messages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    handler = logging.FileHandler(tmp_path / "log")
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    without_stack_traces()
    logging.getLogger().error("it broke", exc_info=KeyError("x"))
    handler.close()
    assert "KeyError" in (tmp_path / "log").read_text()
    assert "KeyError" in in_words(KeyError("x"))
    assert "'x'" not in in_words(KeyError("x"))


def test_without_a_terminal_standard_error_is_as_quiet_as_ever(project: Project) -> None:
    out = project.run("read", catalog="{}")
    assert (out.code, out.stderr) == (1, "")


def test_whoever_names_streams_is_a_person_wherever_errors_go(project: Project) -> None:
    """A container has a terminal on request only."""
    project.config["region"] = "MARS"
    out = project.run("read", more=["--streams", "export"])
    assert out.code == 1
    [sentence] = out.stderr.splitlines()
    assert sentence == out.errors[-1]["message"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"start_dat": "2026-01-01"}, ["'start_dat'", "Did you mean 'start_date'?"]),
        ({"timezone": "UTC"}, ["'timezone'", "Did you mean 'project_timezone'?"]),
        ({"rate_limits": {"query_per_hours": 5}}, ["'rate_limits.query_per_hours'", "per_hour'?"]),
        ({"export_events": ["Purchas"]}, ["'Purchas'", "Did you mean 'Purchase'?"]),
        (
            {"reports": [{"name": "a", "kind": "funnel", "parameters": {"funnel_id": 44110}}]},
            ["'report_a'", "funnel 44110", "4411 ("],
        ),
    ],
)
def test_what_is_mistyped_is_told_by_check_and_by_a_sync(
    project: Project, settings: dict[str, Any], words: list[str]
) -> None:
    project.mixpanel.seed(7, events=2000, days=9, profiles=30)
    [status] = project.using(**settings).run("check").of("CONNECTION_STATUS")
    assert status["status"] == "SUCCEEDED"
    assert all(word in status["message"] for word in words), status["message"]
    names = ",".join(["export", *(f"report_{r['name']}" for r in settings.get("reports", ()))])
    out = project.using(**settings).run("read", more=["--streams", names])
    warned = " ".join(e["message"] for e in out.of("LOG") if e["level"] == "WARN")
    assert all(word in warned for word in words), warned


def test_check_tells_events_of_reports_whose_rows_would_count_nothing(project: Project) -> None:
    """A sync asks no more than the reports themselves need, unless one brings no rows."""
    project.mixpanel.seed(7, events=2000, days=9, profiles=30)
    parameters = {"event": "Sign Upp"}
    project.config["reports"] = [{"name": "a", "kind": "segmentation", "parameters": parameters}]
    [status] = project.run("check").of("CONNECTION_STATUS")
    assert "'report_a'" in status["message"]
    assert "'Sign Upp'" in status["message"]
    assert status["message"].endswith("Did you mean 'Sign Up'?")


def test_a_key_that_is_mistyped_is_named_beside_the_one_that_is_missing(project: Project) -> None:
    project.config["credentials"]["usernam"] = project.config["credentials"].pop("username")
    [status] = project.run("check").of("CONNECTION_STATUS")
    assert status["status"] == "FAILED"
    assert "credentials.username: it is required" in status["message"]
    assert "'credentials.usernam' is not known" in status["message"]
    assert "Did you mean 'username'?" in status["message"]
    assert project.mixpanel.journal() == []


def test_hints_of_a_sync_cost_one_query_that_its_streams_share(project: Project) -> None:
    project.mixpanel.seed(7, events=2000, days=9, profiles=30)
    project.config["export_events"] = ["Purchas"]
    project.discover()
    names = "/api/query/events/names"
    for chosen, known in ((["export"], 1), (["export", "event_counts"], 1), (["cohorts"], 0)):
        project.mixpanel.clear_journal()
        assert project.sync(*chosen, mode="full_refresh").code == 0
        assert len([e for e in project.mixpanel.journal() if e["path"] == names]) == known, chosen


def test_hints_never_hold_a_sync_up_or_make_it_fail(project: Project) -> None:
    project.mixpanel.seed(7, events=2000, days=9, profiles=30)
    project.config["export_events"] = ["Purchase"]
    project.discover()
    headers = {"Retry-After": "3000"}
    project.mixpanel.add_fault("status", "/api/query/events/names", status=429, headers=headers)
    out = project.sync("export", mode="full_refresh")
    assert out.code == 0, out.log
    assert out.records("export")
    assert "Whether the project has what the settings name is not known" in out.log
    assert json.dumps(out.of("TRACE")).count("RATE_LIMITED") == 0


@pytest.mark.parametrize(("given", "meant"), [("eu", "EU"), (" Us ", "US"), ("iN", "IN")])
def test_choices_are_taken_in_any_letter_case(project: Project, given: str, meant: str) -> None:
    project.config["credentials"]["option_title"] = "service account"
    out = project.using(region=given, property_layout="Object").run("check")
    assert out.of("CONNECTION_STATUS") == [{"status": "SUCCEEDED"}], (meant, out.log)


def test_a_region_that_is_none_names_those_that_there_are_and_the_one_that_was_meant(
    project: Project,
) -> None:
    [status] = project.using(region="Europe").run("check").of("CONNECTION_STATUS")
    assert "region: it has to be US, EU or IN. Did you mean 'EU'?" in status["message"]
