"""Settings, catalogs and states that are nearly right: read, or refused with a sentence."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mixpanel_emulator.control_client import ControlClient
from unit_tests.builders import bare, event
from unit_tests.harness import Output, configured, multiset
from unit_tests.hostile.mutants import mutants, written
from unit_tests.hostile.values import EXAMPLES
from unit_tests.profiles.test_engage import many
from unit_tests.project import Project

SECRET = "local-service-account-secret-7"
STREAMS = ["export", "engage", "cohorts", "funnels", "cohort_members"]
UNFIT = re.compile(
    r"Traceback|File \"|Something went wrong|object has no attribute|unexpected|Error\(|pydantic"
)
SENTENCE = re.compile(r"[A-Z{].*[.!?]['\"]?\s*", re.DOTALL)

# Few places are changed in each, so that there is little to shrink, and each try is a run.
some = settings(max_examples=EXAMPLES, phases=[Phase.explicit, Phase.reuse, Phase.generate])

SETTINGS = {
    "start_date": "2026-03-01",
    "end_date": "2026-03-09",
    "project_timezone": "UTC",
    "attribution_window": 5,
    "export_lookback_window": 3600,
    "export_events": ["Sign Up"],
    "export_where": 'properties["n"] >= 0',
    "late_events": "by_processing_time",
    "event_timestamps": "utc",
    "property_layout": "columns",
    "property_types": "native",
    "select_properties_by_default": True,
    "date_window_size": 3,
    "page_size": 5,
    "num_workers": 2,
    "rate_limits": {"query_per_hour": 60, "export_per_hour": 60},
    "_limit": 100,
    "_page_size": 10,
    "unknown": [1],
}

STATES: dict[str, dict[str, Any]] = {
    "export": {
        "time": "2026-03-08T12:00:00.000Z",
        "completed_from": "2026-03-01",
        "completed_through": "2026-03-08",
        "processed_until_ms": 1773052400000,
        "covered": [["2026-03-06", 1772952400000], ["2026-03-08", 1773052400000]],
        "event_timestamps": "utc",
        "columns": {"n": "n", "$a": "a"},
        "full_refresh": "in progress",
        "since_ms": 1,
        "until_ms": 1773052400000,
    },
    "engage": {
        "last_seen": "2026-03-05T10:00:00",
        "finished": ["users"],
        "columns": {"n": "n"},
        "session": {
            "part": "users", "since": None, "latest": "2026-03-04T10:00:00", "id": "1-a",
            "begun": "2026-03-05T10:00:00", "page_size": 5, "total": 12, "next_page": 1,
        },
    },
    "funnels": {
        "1": {"date": "2026-03-05"},
        "states": [{"partition": {"funnel_id": 2}, "cursor": {"date": "2026-03-05"}}],
        "full_refresh": "in progress",
    },
    "cohort_members": {
        "states": [{"partition": {"id": 5}, "cursor": {"last_seen": "2026-03-05T10:00:00"}}],
        "finished": ["5"],
    },
    "cohorts": {"created": "2026-03-05T10:00:00"},
}  # fmt: skip


def entries(states: dict[str, Any]) -> list[dict[str, Any]]:
    """A state file of the platform."""
    return [
        {
            "type": "STREAM",
            "stream": {"stream_descriptor": {"name": name}, "stream_state": blob},
        }
        for name, blob in states.items()
    ]


def plant(mixpanel: ControlClient) -> None:
    mixpanel.reset()
    mixpanel.add_events([event(insert_id=f"i-{n}", days_ago=n % 8, n=n) for n in range(12)])
    mixpanel.add_profiles(many(12))
    mixpanel.add_cohort({"id": 5}, ["u-0001"])


def judged(out: Output, mixpanel: ControlClient) -> None:
    """Whole, or a failure that is told in sentences; nothing in between."""
    assert out.stderr == ""
    assert SECRET not in _without_control(out)
    told = [error for error in out.errors if "following streams" not in error["message"]]
    told += [s for s in out.of("CONNECTION_STATUS") if s["status"] == "FAILED"]
    for error in told:
        assert SENTENCE.fullmatch(error["message"]), error["message"]
        assert not UNFIT.search(error["message"]), error
        assert error.get("failure_type", "config_error") == "config_error", error
    if out.code == 0:
        assert out.errors == []
        truth = multiset(event["properties"]["$insert_id"] for event in mixpanel.events())
        read = multiset(row.get("insert_id", row) for row in out.records("export"))
        assert all(count <= truth[key] for key, count in read.items())
    else:
        assert out.code == 1
        assert told


def _without_control(out: Output) -> str:
    # Airbyte's CDK spaces a message otherwise if orjson does not take it.
    lines = [line for line in out.raw.decode().split("\n") if line]
    return "\n".join(line for line in lines if json.loads(line)["type"] != "CONTROL")


@given(st.data())
@some
def test_settings(project: Project, data: st.DataObject) -> None:
    plant(project.mixpanel)
    full = project.using(**SETTINGS).config
    # Without its address it would ask Mixpanel itself.
    broken = written(data.draw(mutants(full, frozenset({"api_url"}))))
    verb = data.draw(st.sampled_from(["read", "read", "check", "discover"]))
    files: dict[str, Any] = {"config": broken}
    if verb == "read":
        files["catalog"] = configured([bare("export"), bare("engage")])
    judged(project.run(verb, **files, tries=2), project.mixpanel)


@given(st.data())
@some
def test_catalogs(project: Project, data: st.DataObject) -> None:
    plant(project.mixpanel)
    columns = {"n": {"type": ["null", "integer"], "mixpanel_property": "n"}}
    stream = {
        **bare("export"),
        "json_schema": {"type": "object", "properties": columns},
        "default_cursor_field": ["time"],
        "source_defined_cursor": True,
        "source_defined_primary_key": [["event"], ["insert_id"]],
    }
    catalog = project.catalog(stream, bare("engage"), bare("cohorts"))
    catalog["streams"][0] |= {"cursor_field": ["time"], "primary_key": [["insert_id"]]}
    broken = written(data.draw(mutants(catalog)))
    judged(project.run("read", catalog=broken, tries=2), project.mixpanel)


@given(st.data())
@some
def test_states(project: Project, data: st.DataObject) -> None:
    plant(project.mixpanel)
    state = written(data.draw(mutants(entries(STATES))))
    judged(project.sync(*map(bare, STREAMS), state=state, tries=2), project.mixpanel)


@pytest.mark.parametrize(
    "content", ["", "\x00", "null", "5", '"x"', "[" * 100_000, "{" * 50, '{"a":' * 2000, "\ufeff{}"]
)
@pytest.mark.parametrize(
    ("verb", "name"),
    [
        ("read", "config"),
        ("read", "catalog"),
        ("read", "state"),
        ("check", "config"),
        ("discover", "config"),
    ],
)
def test_files_that_are_no_documents(project: Project, verb: str, content: str, name: str) -> None:
    files: dict[str, Any] = {}
    if verb == "read":
        files |= {"catalog": configured([bare("cohorts")]), "state": []}
    out = project.run(verb, **{**files, name: content})
    if name == "state" and content == "null":
        assert out.code == 0
        return
    judged(out, project.mixpanel)
    assert out.code == 1
    assert json.dumps(name)[1:4] in out.errors[-1]["message"].lower()
    assert project.mixpanel.journal() == []
