"""The commands and settings that the documents show work by copying."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from unit_tests.builders import event
from unit_tests.documents import blocks, shell
from unit_tests.project import Project

COMMANDS = Path(sys.executable).parent


def quiet(script: str, folder: Path) -> None:
    """Run a block that has nothing to complain of."""
    done = shell(script, folder, COMMANDS)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def led_here(shown: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """Settings that a document shows, with the credentials and address of the local Mixpanel."""
    assert shown["credentials"].keys() == config["credentials"].keys()
    here = {key: config[key] for key in ("credentials", "api_url")}
    return {**shown, **here}


def ids(path: Path) -> list[str]:
    """Of the events among saved messages."""
    messages = map(json.loads, path.read_text().split("\n")[:-1])
    records = [m["record"] for m in messages if m["type"] == "RECORD"]
    return sorted(r["data"]["insert_id"] for r in records if r["stream"] == "export")


def test_two_commands_make_a_sync_and_again_they_bring_what_is_new(
    project: Project, tmp_path: Path
) -> None:
    project.mixpanel.add_events([event(insert_id=f"i-{n}", days_ago=n) for n in range(8)])
    [settings] = blocks("README.md", "A configuration to copy", "json")
    (tmp_path / "config.json").write_text(
        json.dumps(led_here(json.loads(settings), project.config))
    )
    by_name, by_catalog = blocks("README.md", "From the command line", "sh")
    assert by_name.count("source-mixpanel") == 2
    quiet(by_name, tmp_path)
    assert ids(tmp_path / "records.jsonl") == [f"i-{n}" for n in range(8)]
    project.mixpanel.advance(7_200)
    project.mixpanel.add_events([event(insert_id="new", days_ago=-0.05)])
    quiet(by_name, tmp_path)
    assert set(ids(tmp_path / "records.jsonl")) == {*(f"i-{n}" for n in range(8)), "new"}
    quiet(by_catalog, tmp_path)
    assert ids(tmp_path / "all.jsonl") == sorted([*(f"i-{n}" for n in range(8)), "new"])


def test_the_settings_for_meltano_name_streams_that_can_be_read(project: Project) -> None:
    project.mixpanel.seed(7, events=20, days=9, profiles=3)
    [shown] = blocks("docs/integration.md", "Without the platform", "yaml")
    [extractor] = yaml.safe_load(shown)["plugins"]["extractors"]
    assert not extractor["config"]["airbyte_spec"]["image"].startswith("airbyte/")
    settings = led_here(extractor["config"]["airbyte_config"], project.config)
    names = ",".join(pattern.removesuffix(".*") for pattern in extractor["select"])
    running = project.start("read", config=settings, more=["--streams", names])
    assert {record["stream"] for record in running.end().of("RECORD")} == set(names.split(","))
