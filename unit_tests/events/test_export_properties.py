"""The columns of `export` that properties of events become."""

from __future__ import annotations

import json
from typing import Any

import pytest

from unit_tests.builders import DAY_MS, NOON_10_MARCH_MS, event
from unit_tests.harness import multiset
from unit_tests.project import Project


def test_object_layout_keeps_raw_names_and_values(project: Project) -> None:
    project.mixpanel.seed(7, events=800, days=9, profiles=30)
    project.config["property_layout"] = "object"
    stream = project.discover()["export"]
    assert set(stream["json_schema"]["properties"]) == {
        "event_key", "event", "time", "distinct_id", "insert_id", "properties",
    }  # fmt: skip
    out = project.sync("export")
    rows = [
        (r["event"], {k: v for k, v in r["properties"].items() if k != "time"})
        for r in out.records()
    ]
    want = [(e["event"], e["properties"]) for e in project.mixpanel.events()]
    assert multiset(map(list, rows)) == multiset(map(list, want))


def test_text_properties_are_json_text_and_own_ones_stay_native(project: Project) -> None:
    odd: dict[str, Any] = {
        "list": [1, True],
        "big": 2**70,
        "flag": False,
        "none": None,
        "word": "x",
        "$wifi": True,
    }
    project.mixpanel.add_events([event(**odd)])
    project.config["property_types"] = "string"
    stream = project.discover()["export"]
    assert stream["json_schema"]["properties"]["list"]["type"] == ["null", "string"]
    [row] = project.sync("export").records()
    got = {key: row[key] for key in ("list", "big", "flag", "none", "word", "wifi")}
    assert got == {
        "list": "[1,true]", "big": str(2**70), "flag": "false", "none": None, "word": "x",
        "wifi": True,
    }  # fmt: skip
    assert row["mp_processing_time_ms"] == NOON_10_MARCH_MS - DAY_MS + 2300


def test_unselected_properties_stay_out_when_asked(project: Project) -> None:
    project.mixpanel.add_events([event(wanted=1, unwanted=2)])
    project.config["select_properties_by_default"] = False
    stream = project.discover()["export"]
    del stream["json_schema"]["properties"]["unwanted"]
    [row] = project.sync("export").records()
    assert row["wanted"] == 1
    assert "unwanted" not in row
    stream["json_schema"] = {}
    [row] = project.sync("export").records()
    assert row.keys() == {"event", "time", "distinct_id", "insert_id"}


def test_a_column_holds_the_property_that_the_catalog_names_across_syncs_and_discoveries(
    project: Project,
) -> None:
    project.mixpanel.add_events([event(insert_id="a", plan="lower")])
    stream = project.discover()["export"]
    first = project.sync(stream)
    assert first.records()[0]["plan"] == "lower"
    project.mixpanel.advance(7200)
    project.mixpanel.add_events(
        [event(insert_id="b", days_ago=-0.05, Plan="Upper", **{"$plan": "dollar", "event": "x"})]
    )
    second = project.sync(stream, state=first.state_file())
    [row] = [r for r in second.records() if r["insert_id"] == "b"]
    assert row["rescued_properties"] == {"Plan": "Upper", "$plan": "dollar", "event": "x"}
    assert row.get("plan") is None
    assert "3 values of 3 properties are in the column rescued_properties" in second.log
    assert "Plan" not in json.dumps(second.state_file())
    project.mixpanel.advance(7200)
    project.mixpanel.add_events(
        [event(insert_id="c", days_ago=-0.1, plan="l", Plan="U", **{"$plan": "d"})]
    )
    fresh = project.discover()["export"]
    third = project.sync(fresh, state=second.state_file())
    [row] = [r for r in third.records() if r["insert_id"] == "c"]
    assert (row["plan"], row["__plan"], row["_Plan"]) == ("l", "d", "U")
    assert row["rescued_properties"] is None


# What earlier versions discovered: 4.0.2 names no properties, 0.1.0 does.
OF_4_0_2: dict[str, Any] = {
    "event": {},
    "time": {},
    "distinct_id": {},
    "insert_id": {},
    "plan": {},
    "browser": {},
}
OF_0_1_0 = {
    **OF_4_0_2,
    "plan": {"type": ["null", "number"], "mixpanel_property": "plan"},
    "browser": {"type": ["null", "string"], "mixpanel_property": "$browser"},
}


@pytest.mark.parametrize("columns", [OF_4_0_2, OF_0_1_0], ids=["4.0.2", "0.1.0"])
def test_catalogs_of_earlier_versions_get_values_as_before(
    project: Project, columns: dict[str, Any]
) -> None:
    new: dict[str, Any] = {"$browser": "Chrome", "young": [1]}
    project.mixpanel.add_events(
        [event(insert_id="a", plan="pro", **new), event(insert_id="b", plan=5)]
    )
    stream = project.discover()["export"]
    stream["json_schema"] = {"type": "object", "properties": columns}
    blob = {"time": "2026-01-01T00:00:00.000Z", "columns": {"plan": "_plan"}}
    state = [
        {
            "type": "STREAM",
            "stream": {"stream_descriptor": {"name": "export"}, "stream_state": blob},
        }
    ]
    out = project.using(start_date="2026-01-01").sync("export", state=state)
    rows = {row["plan"]: row for row in out.records()}
    assert rows.keys() == {"pro", 5}
    assert (rows["pro"]["browser"], rows["pro"]["young"]) == ("Chrome", [1])
    assert not {"event_key", "rescued_properties", "_plan"} & rows["pro"].keys()
    assert ("'plan' (1 x string in a column of number)" in out.log) is (columns is OF_0_1_0)
