"""Types of Mixpanel's own properties, where its SDKs do not agree on one."""

from __future__ import annotations

from typing import Any

from jsonschema import Draft7Validator

from mixpanel_emulator.control_client import ControlClient
from unit_tests.builders import event
from unit_tests.harness import Command
from unit_tests.worlds import discovered, sync

# Web SDKs send a number, mobile ones a text; both are the truth.
VERSIONS = [124, 17.5, "17.4.1", None]


def test_a_browsers_version_is_a_number_or_a_text_and_both_fit(
    command: Command, mixpanel: ControlClient, config: dict[str, Any]
) -> None:
    sent: list[dict[str, Any]] = [{"$browser_version": version} for version in VERSIONS]
    mixpanel.add_events([event(insert_id=f"i-{n}", **p) for n, p in enumerate(sent)])
    mixpanel.add_profiles(
        [{"$distinct_id": f"u-{n}", "$properties": p} for n, p in enumerate(sent)]
    )
    streams = discovered(command, config)
    chosen = [streams["export"], streams["engage"]]
    out = sync(command, config, chosen)
    assert out.code == 0, out.log
    for stream in chosen:
        column = stream["json_schema"]["properties"]["browser_version"]
        assert column["type"] == ["null", "number", "string"]
        rows = out.records(stream["name"])
        found = {str(row["browser_version"]): row["browser_version"] for row in rows}
        assert found == {str(version): version for version in VERSIONS}
        assert all(Draft7Validator(stream["json_schema"]).is_valid(row) for row in rows)
    assert "declared as" not in out.log


def test_a_value_that_is_neither_is_emitted_and_told(
    command: Command, mixpanel: ControlClient, config: dict[str, Any]
) -> None:
    odd: dict[str, Any] = {"$browser_version": ["17"]}
    mixpanel.add_events([event(**odd)])
    out = sync(command, config, [discovered(command, config)["export"]])
    assert [row["browser_version"] for row in out.records()] == [["17"]]
    assert (
        "column 'browser_version': declared as number or string, but came as 1 x array" in out.log
    )
