"""What the registry, the page and the files beside the code say agrees with the code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest
import yaml
from airbyte_cdk.test.standard_tests._spec_compatibility import compare_specs

from source_mixpanel.api.regions import Region, hosts
from source_mixpanel.config.migrations import migrate
from source_mixpanel.config.model import Config, parse_config
from source_mixpanel.config.spec import connection_specification

ROOT = Path(__file__).parent.parent
METADATA = yaml.safe_load((ROOT / "metadata.yaml").read_text())["data"]
PAGE = (ROOT / "docs" / "integration.md").read_text(encoding="utf-8")

# What 4.0.2's form let through, though it never worked, or is out of all proportion.
NARROWED = {
    "credentials.oneOf[0].properties.username.minLength",
    "credentials.oneOf[0].properties.secret.minLength",
    "credentials.oneOf[0].properties.project_id.minimum",
    "credentials.oneOf[1].properties.api_secret.minLength",
    "attribution_window.minimum",
    "attribution_window.maximum",
    "date_window_size.maximum",
    "page_size.maximum",
    "export_lookback_window.maximum",
}


def _pyproject(key: str) -> str:
    [value] = re.findall(rf'^{key} = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    return str(value)


def test_one_version_everywhere() -> None:
    version = _pyproject("version")
    assert METADATA["dockerImageTag"] == version
    assert f'io.airbyte.version="{version}"' in (ROOT / "Dockerfile").read_text()
    assert f"| {version} |" in PAGE
    assert METADATA["license"] == _pyproject("license")


def test_the_image_is_built_on_the_base_that_the_registry_names() -> None:
    base = METADATA["connectorBuildOptions"]["baseImage"]
    assert f"ARG BASE_IMAGE={base}\n" in (ROOT / "Dockerfile").read_text()
    assert re.fullmatch(r"docker\.io/airbyte/[a-z-]+:[\d.]+@sha256:[0-9a-f]{64}", base)


def test_every_host_that_can_be_asked_is_allowed_and_no_other() -> None:
    asked = {urlsplit(url).hostname for region in Region for url in vars(hosts(region)).values()}
    assert asked == set(METADATA["allowedHosts"]["hosts"])


def test_suggested_streams_exist_without_the_legacy_one(streams: dict[str, Any]) -> None:
    suggested = METADATA["suggestedStreams"]["streams"]
    assert set(suggested) <= set(streams)
    assert "revenue" not in suggested


def test_the_icon_is_a_square() -> None:
    icon = ET.fromstring((ROOT / METADATA["icon"]).read_text())  # noqa: S314 - our own file
    assert icon.get("width") == icon.get("height")
    assert icon.get("viewBox") == f"0 0 {icon.get('width')} {icon.get('height')}"


# -- the page --------------------------------------------------------------------------------


def test_the_page_has_airbytes_order() -> None:
    assert re.findall(r"^## (.+)$", PAGE, re.MULTILINE) == [
        "Prerequisites",
        "Setup guide",
        "Set up Mixpanel",
        "Supported sync modes",
        "Supported Streams",
        "Data type map",
        "Limitations & Troubleshooting",
        "IP allow list",
        "Changelog",
    ]


def test_the_page_explains_every_setting() -> None:
    settings = connection_specification()["properties"]
    for key in Config.model_fields:
        assert f"`{key}`" in PAGE or settings[key].get("airbyte_hidden"), key


def test_the_page_lists_every_stream_with_its_key(streams: dict[str, Any]) -> None:
    for name, stream in streams.items():
        key = ", ".join(column for [column] in stream["source_defined_primary_key"])
        shown = re.sub(
            r"^report_(segmentation|retention|funnel|frequency)$", r"report_<name>`, `\1", name
        )
        row = f"| `{shown}` | {key} |"
        assert row in PAGE, f"docs/integration.md has no row {row}"


# -- the step from 4.0.2 -----------------------------------------------------------------------

GUIDE = (ROOT / "docs" / "integration-migrations.md").read_text(encoding="utf-8")


def _shape(stream: dict[str, Any], columns: Iterable[str]) -> dict[str, Any]:
    """What a destination makes of these columns of a stream: its key, its modes, their types."""
    properties = stream["json_schema"]["properties"]
    return {
        "key": sorted(column for [column] in stream["source_defined_primary_key"]),
        "modes": sorted(stream["supported_sync_modes"]),
        "columns": {name: _kinds(properties[name]) for name in columns},
    }


def _kinds(column: dict[str, Any]) -> list[str]:
    kinds = column["type"] if isinstance(column["type"], list) else [column["type"]]
    return sorted({*kinds} - {"null"}) + ([column["format"]] if "format" in column else [])


def test_a_major_version_names_the_streams_that_it_breaks(streams: dict[str, Any]) -> None:
    version = METADATA["dockerImageTag"]
    broken = METADATA["releases"]["breakingChanges"][f"{version.partition('.')[0]}.0.0"]
    snapshot = ROOT / "unit_tests" / "snapshots" / "streams-airbyte-4.0.2.json"
    before = json.loads(snapshot.read_text())
    changed = {name for name, old in before.items() if _shape(streams[name], old["columns"]) != old}
    [scope] = broken["scopedImpact"]
    # The columns of properties have another rule of names, which no shape of fixed columns shows.
    assert set(scope["impactedScopes"]) == changed | {"engage"}


def test_the_guide_has_airbytes_form_and_tells_every_broken_stream() -> None:
    assert GUIDE.startswith("# Mixpanel Migration Guide\n\n## Upgrading to ")
    for version, broken in METADATA["releases"]["breakingChanges"].items():
        told = re.split(r"^## ", GUIDE, flags=re.MULTILINE)
        [section] = [part for part in told if part.startswith(f"Upgrading to {version}\n")]
        for scope in broken["scopedImpact"]:
            assert all(f"`{stream}`" in section for stream in scope["impactedScopes"])
        assert date.fromisoformat(broken["upgradeDeadline"]) > METADATA["releaseDate"]


# -- the settings of 4.0.2 -------------------------------------------------------------------


def test_settings_that_were_saved_for_4_0_2_fit_the_form() -> None:
    golden = ROOT / "unit_tests" / "snapshots" / "spec-airbyte-4.0.2.json"
    before = {"connectionSpecification": json.loads(golden.read_text())}
    found = compare_specs(before, {"connectionSpecification": connection_specification()})
    told = {re.sub(r"^`connectionSpecification\.properties\.|`.*$", "", x) for x in found.breaking}
    assert told == NARROWED, found.breaking


_ACCOUNT = {"username": "sync", "secret": "s3cret-0", "project_id": 7}


@pytest.mark.parametrize(
    ("saved", "expected"),
    [
        # 4.0.2: as its form saves it; without region; without option_title; an emptied date
        (
            {
                "credentials": {"option_title": "Service Account", **_ACCOUNT},
                "region": "EU",
                "project_timezone": "US/Pacific",
                "start_date": "2021-11-16T00:00:00Z",
                "end_date": "",
                "date_window_size": 30,
                "page_size": 1000,
                "num_workers": 3,
                "export_lookback_window": 0,
                "attribution_window": 5,
                "select_properties_by_default": True,
            },
            {"region": Region.EU, "end_date": None, "num_workers": 3},
        ),
        ({"credentials": _ACCOUNT, "start_date": "2021-11-16"}, {"region": Region.US}),
        # 3.x and before: a project secret at the top
        ({"api_secret": "s3cret-1", "region": "EU"}, {"region": Region.EU, "project_id": None}),
        # tap-mixpanel, Stitch and Qlik
        (
            {
                "api_secret": "s3cret-2",
                "eu_residency": "true",
                "export_events": "Page Viewed, Signed Up",
                "attribution_window": "10",
                "date_window_size": "30",
                "project_timezone": "Europe/Paris",
                "start_date": "2021-11-16T00:00:00.000Z",
                "select_properties_by_default": "true",
                "user_agent": "somebody",
            },
            {
                "region": Region.EU,
                "export_events": ("Page Viewed", "Signed Up"),
                "attribution_window": 10,
                "select_properties_by_default": True,
            },
        ),
    ],
)
def test_saved_settings_are_read(saved: dict[str, Any], expected: dict[str, Any]) -> None:
    settings = parse_config(migrate(saved))
    assert {key: getattr(settings, key) for key in expected} == expected
