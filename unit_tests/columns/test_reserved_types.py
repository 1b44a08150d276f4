"""Types of Mixpanel's own properties, where its SDKs do not agree on one."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft7Validator

from source_mixpanel.columns.reserved import FURTHER_EVENT_PROPERTIES
from unit_tests.builders import event
from unit_tests.project import Project

# Some SDKs send a number, others a text; all are the truth.
VERSIONS: list[Any] = [124, 17.5, "17.4.1", None]
OF_EVENTS = [
    "$browser_version",
    "$app_build_number",
    "$os_version",
    "$app_release",
    "$ae_session_length",
]
OF_PROFILES = ["$browser_version", "$android_app_version_code"]


def test_what_differs_between_sdks_is_a_number_or_a_text_and_both_fit(project: Project) -> None:
    for n, version in enumerate(VERSIONS):
        told: dict[str, Any] = dict.fromkeys(OF_EVENTS, version)
        project.mixpanel.add_events([event(insert_id=f"i-{n}", **told)])
        held = dict.fromkeys(OF_PROFILES, version)
        project.mixpanel.add_profiles([{"$distinct_id": f"u-{n}", "$properties": held}])
    streams = project.discover()
    chosen = [streams["export"], streams["engage"]]
    out = project.sync(*chosen, mode="full_refresh")
    assert out.code == 0, out.log
    for stream, raws in zip(chosen, (OF_EVENTS, OF_PROFILES), strict=True):
        rows = out.records(stream["name"])
        for column in (raw.removeprefix("$") for raw in raws):
            schema = stream["json_schema"]["properties"][column]
            assert schema["type"] == ["null", "number", "string"]
            found = {str(row[column]): row[column] for row in rows}
            assert found == {str(version): version for version in VERSIONS}
        assert all(Draft7Validator(stream["json_schema"]).is_valid(row) for row in rows)
    assert "declared as" not in out.log


def test_measures_of_screens_may_have_fractions(project: Project) -> None:
    screen: dict[str, Any] = {"$screen_dpi": 401.75, "$screen_height": 834.5, "$screen_width": 1194}
    project.mixpanel.add_events([event(**screen)])
    stream = project.discover()["export"]
    out = project.sync("export", mode="full_refresh")
    assert [
        {f"${column}": row[column] for column in ("screen_dpi", "screen_height", "screen_width")}
        for row in out.records()
    ] == [screen]
    assert all(Draft7Validator(stream["json_schema"]).is_valid(row) for row in out.records())
    assert "declared as" not in out.log


def test_what_belongs_to_a_feature_has_its_type_where_it_is_found_and_no_column_elsewhere(
    project: Project,
) -> None:
    columns = {raw.removeprefix("$") for raw in FURTHER_EVENT_PROPERTIES}
    before = project.discover()["export"]["json_schema"]["properties"]
    assert not columns & before.keys()
    # By its values alone, each would be something else.
    odd: dict[str, Any] = {raw: [] for raw in FURTHER_EVENT_PROPERTIES}
    project.mixpanel.add_events([event(**odd)])
    found = project.discover()["export"]["json_schema"]["properties"]
    for raw, json_type in FURTHER_EVENT_PROPERTIES.items():
        assert found[raw.removeprefix("$")]["type"] == ["null", *json_type.split(" or ")]


def test_a_value_that_is_neither_is_rescued_and_told(project: Project) -> None:
    odd: dict[str, Any] = {"$browser_version": ["17"]}
    project.mixpanel.add_events([event(**odd)])
    out = project.sync("export", mode="full_refresh")
    [row] = out.records()
    assert (row["browser_version"], row["rescued_properties"]) == (None, odd)
    assert "'$browser_version' (1 x array in a column of number or string)" in out.log
