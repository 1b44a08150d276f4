"""The reports of the settings: what is refused, by whom, and that it stays one report's trouble."""

from __future__ import annotations

from typing import Any

import pytest

from unit_tests.builders import event
from unit_tests.harness import Output
from unit_tests.project import Project

SEGMENTATION = "/api/query/segmentation"
GOOD = {"name": "good", "kind": "segmentation", "parameters": {"event": "Look"}}
BACK = {"name": "back", "kind": "retention", "parameters": {"born_event": "Look"}}
SPLIT = {"name": "split", "kind": "segmentation", "parameters": {"event": "Look", "on": "a"}}

HOURS = {"unit": "day", "addiction_unit": "hour"}


def reports(*names: str) -> list[str]:
    return [f"report_{name}" for name in names]


def read(project: Project, *wanted: dict[str, Any]) -> Output:
    """One sync of these reports."""
    project.config["reports"] = list(wanted)
    project.discover()
    chosen = [f"report_{report['name']}" for report in wanted]
    return project.sync(*chosen, mode="full_refresh", tries=2)


@pytest.fixture(autouse=True)
def _world(project: Project) -> None:
    project.mixpanel.add_events(
        [event("Look", days_ago=n, insert_id=f"i-{n}", a=n % 2) for n in range(5)]
    )


# -- before any request ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({**GOOD, "parameters": {"event": "Look", "from_date": "2026-01-01"}}, "from_date itself"),
        ({**GOOD, "kind": "flows"}, "kind has to be one of"),
        ({**GOOD, "name": "results"}, "a stream 'report_results' exists already"),
        ({**GOOD, "name": "RESULTS"}, "a stream 'report_RESULTS' exists already"),
    ],
)
@pytest.mark.parametrize("verb", ["check", "discover", "read"])
def test_what_the_settings_get_wrong_costs_no_request(
    project: Project, verb: str, wrong: dict[str, Any], words: str
) -> None:
    project.discover()
    project.config["reports"] = [GOOD, wrong] if wrong["name"] != "good" else [wrong]
    project.mixpanel.clear_journal()
    out = project.sync("cohorts") if verb == "read" else project.run(verb)
    assert project.mixpanel.journal() == []
    if verb == "check":
        [status] = out.of("CONNECTION_STATUS")
        assert status["status"] == "FAILED"
        said = status["message"]
    else:
        assert out.code == 1
        said = out.errors[0]["message"]
        assert out.errors[0]["failure_type"] == "config_error"
    assert words in said
    assert f"reports.{wrong['name']}" in said


def test_a_report_that_is_no_more_is_named(project: Project) -> None:
    project.config["reports"] = [GOOD]
    project.discover()
    project.config["reports"] = []
    out = project.sync("report_good", mode="full_refresh")
    assert out.code == 1
    assert "report_good" in out.errors[0]["message"]
    assert out.errors[0]["failure_type"] == "config_error"


def test_discover_tells_key_cursor_and_columns(project: Project) -> None:
    project.config["reports"] = [GOOD, BACK]
    streams = project.discover()
    assert list(streams)[-2:] == reports("good", "back")
    good, back = (streams[name] for name in reports("good", "back"))
    for stream in (good, back):
        assert stream["supported_sync_modes"] == ["full_refresh", "incremental"]
        assert stream["default_cursor_field"] == ["date"]
        assert stream["source_defined_cursor"] is True
        assert stream["json_schema"]["properties"]["date"]["format"] == "date"
    assert good["source_defined_primary_key"] == [["date"], ["segment"]]
    assert back["source_defined_primary_key"] == [["date"], ["segment"], ["interval_index"]]
    assert set(back["json_schema"]["properties"]) == {
        "date", "datetime", "segment", "interval_index", "count", "first", "rescued_properties",
    }  # fmt: skip


# -- what Mixpanel refuses -------------------------------------------------------------------


def test_mixpanels_own_sentence_is_told_with_the_stream_and_others_go_on(project: Project) -> None:
    bad = {"name": "bad", "kind": "funnel", "parameters": {"funnel_id": 99}}
    out = read(project, bad, GOOD)
    assert out.code == 1
    assert [out.statuses(name)[-1] for name in reports("bad", "good")] == ["INCOMPLETE", "COMPLETE"]
    assert len(out.records("report_good")) == 10
    told = out.errors[0]["message"]
    assert "stream 'report_bad'" in told
    assert "404: " in told
    assert "Funnel 99 not found" in told
    assert "Correct its parameters" in told
    assert out.errors[0]["failure_type"] == "config_error"
    project.mixpanel.add_fault(
        "status", SEGMENTATION, status=400, body={"error": "Invalid parameter: on: no such thing"}
    )
    out = read(project, GOOD)
    assert "Invalid parameter: on: no such thing" in out.errors[0]["message"]
    assert "stream 'report_good'" in out.errors[0]["message"]


@pytest.mark.parametrize("status", [402, 403, 404, 500])
def test_the_trouble_of_one_report_is_its_own(project: Project, status: int) -> None:
    project.mixpanel.add_fault(
        "status", SEGMENTATION, query={"on": "a"}, status=status, body={"error": "not for you"}
    )
    out = read(project, SPLIT, GOOD, BACK)
    assert out.code == 1
    names = reports("split", "good", "back")
    assert [out.statuses(name)[-1] for name in names] == ["INCOMPLETE", "COMPLETE", "COMPLETE"]
    assert [bool(out.records(name)) for name in names] == [False, True, True]
    [trace] = [error for error in out.errors if error.get("stream_descriptor")]
    assert trace["stream_descriptor"]["name"] == "report_split"
    assert "not for you" in trace["message"]


def test_a_range_that_is_too_long_is_cut_only_where_no_number_changes(project: Project) -> None:
    refusal = {"error": "Date range is too large"}
    whole = {"from_date": "2026-03-01", "to_date": "2026-03-10"}
    for path in (SEGMENTATION, "/api/query/retention"):
        project.mixpanel.add_fault("status", path, query=whole, status=400, body=refusal)
    out = read(project, GOOD, SPLIT, BACK)
    assert [row["date"][-2:] for row in out.records("report_good")] == [
        f"{n:02d}" for n in range(1, 11)
    ]
    names = reports("good", "split", "back")
    assert [out.statuses(name)[-1] for name in names] == ["COMPLETE", "INCOMPLETE", "INCOMPLETE"]
    told = [error["message"] for error in out.errors if error.get("stream_descriptor")]
    assert len(told) == 2
    assert all("Date range is too large" in text for text in told)
    assert all("Set a later start_date" in text for text in told)


def test_a_bucket_that_is_too_long_is_not_cut(project: Project) -> None:
    project.mixpanel.add_fault(
        "status", SEGMENTATION, status=400, body={"error": "Date range too long"}
    )
    project.mixpanel.clear_journal()
    parameters = {"event": "Look", "unit": "month"}
    project.config["start_date"] = "2026-01-15"
    out = read(project, {**GOOD, "parameters": parameters})
    assert out.statuses("report_good")[-1] == "INCOMPLETE"
    ranges = [
        (entry["query"]["from_date"], entry["query"]["to_date"])
        for entry in project.asked(SEGMENTATION)
    ]
    assert ranges == [("2026-01-01", "2026-03-10"), ("2026-01-01", "2026-01-31")]


# -- answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "parameters", "body"),
    [
        ("segmentation", {"event": "Look"}, {"data": {"values": {"Look": 5}}}),
        ("segmentation", {"event": "Look"}, {"data": {"values": []}}),
        ("segmentation", {"event": "Look"}, {"data": {"series": []}}),
        ("segmentation", {"event": "Look"}, []),
        ("retention", {"born_event": "Look"}, {"2026-03-02": [1, 2]}),
        ("retention", {"born_event": "Look"}, {"2026-03-02": {"first": 2}}),
        ("retention", {"born_event": "Look"}, {"2026-03-02": {"counts": {"0": 1}, "first": 2}}),
        ("retention", {"born_event": "Look", "on": "a"}, {"2026-03-02": {"counts": []}}),
        ("funnel", {"funnel_id": 1}, {"data": {"2026-03-02": {"analysis": {}}}}),
        ("funnel", {"funnel_id": 1}, {"data": {"2026-03-02": {"steps": [5]}}}),
        ("funnel", {"funnel_id": 1, "on": "a"}, {"data": {"2026-03-02": {"x": 5}}}),
        ("frequency", HOURS, {"data": {"2026-03-02": {"a": 1}}}),
        ("frequency", HOURS, {"data": 5}),
        ("frequency", {**HOURS, "on": "a"}, {"data": {"2026-03-02": ["abc"]}}),
    ],
)  # fmt: skip
def test_an_answer_of_another_form_is_an_error(
    project: Project, kind: str, parameters: dict[str, Any], body: Any
) -> None:
    paths = {"retention": "retention", "funnel": "funnels", "frequency": "retention/addiction"}
    path = f"/api/query/{paths.get(kind, 'segmentation')}"
    project.mixpanel.add_fault("status", path, status=200, body=body)
    out = read(project, {"name": "odd", "kind": kind, "parameters": parameters})
    assert (out.code, out.records()) == (1, [])
    assert out.errors[0]["failure_type"] == "system_error"
    assert "report 'odd'" in out.errors[0]["message"]


@pytest.mark.parametrize("wrapped", [True, False])
def test_the_days_of_a_frequency_report_come_with_or_without_an_envelope(
    project: Project, *, wrapped: bool
) -> None:
    days = {"2026-03-02": [3, 1], "$overall": [9]}
    body = {"data": days} if wrapped else days
    project.mixpanel.add_fault("status", "/api/query/retention/addiction", status=200, body=body)
    out = read(project, {"name": "often", "kind": "frequency", "parameters": HOURS})
    assert [(row["date"], row["at_least"], row["count"]) for row in out.records()] == [
        ("2026-03-02", 1, 3),
        ("2026-03-02", 2, 1),
    ]


def test_further_keys_are_rescued_and_a_cohort_without_counts_keeps_its_size(
    project: Project,
) -> None:
    body = {
        "2026-03-02": {"counts": [2, 1], "first": 2, "rates": [1.0, 0.5]},
        "2026-03-03": {"counts": [], "first": 4},
    }
    project.mixpanel.add_fault("status", "/api/query/retention", status=200, body=body)
    out = read(project, BACK)
    rows = [(row["date"], row["interval_index"], row["count"]) for row in out.records()]
    assert rows == [("2026-03-02", 0, 2), ("2026-03-02", 1, 1), ("2026-03-03", 0, None)]
    assert [row["first"] for row in out.records()] == [2, 2, 4]
    assert out.records()[0]["rescued_properties"] == {"rates": [1.0, 0.5]}


def test_the_log_says_when_there_may_be_more_segments(project: Project) -> None:
    out = read(project, SPLIT)
    assert len(out.records()) == 20
    assert "largest segments" not in out.log
    parameters = {**SPLIT["parameters"], "limit": 1}  # type: ignore[dict-item]
    out = read(project, {**SPLIT, "parameters": parameters})
    assert len(out.records()) == 10
    assert "gives the 1 largest segments of report 'split'" in out.log
