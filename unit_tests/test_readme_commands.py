"""The commands that the README shows work by copying."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from mixpanel_emulator.control_client import ControlClient
from unit_tests.builders import event

ROOT = Path(__file__).parent.parent


def blocks(heading: str) -> list[str]:
    """The commands below a heading of the README."""
    [section] = re.findall(
        rf"\n## {heading}\n(.*?)\n## ", (ROOT / "README.md").read_text(), re.DOTALL
    )
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


def shell(script: str, folder: Path) -> None:
    """Run them as a person would, with the command installed."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(  # noqa: S603 - our own document
        ["/bin/bash", "-euc", script],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def ids(path: Path) -> list[str]:
    """Of the events among saved messages."""
    messages = map(json.loads, path.read_text().split("\n")[:-1])
    records = [m["record"] for m in messages if m["type"] == "RECORD"]
    return sorted(r["data"]["insert_id"] for r in records if r["stream"] == "export")


def test_two_commands_make_a_sync_and_again_they_bring_what_is_new(
    mixpanel: ControlClient, config: dict[str, Any], tmp_path: Path
) -> None:
    mixpanel.add_events([event(insert_id=f"i-{n}", days_ago=n) for n in range(8)])
    (tmp_path / "config.json").write_text(json.dumps(config))
    by_name, by_catalog = blocks("From the command line")
    assert by_name.count("source-mixpanel") == 2
    shell(by_name, tmp_path)
    assert ids(tmp_path / "records.jsonl") == [f"i-{n}" for n in range(8)]
    mixpanel.advance(7_200)
    mixpanel.add_events([event(insert_id="new", days_ago=-0.05)])
    shell(by_name, tmp_path)
    assert set(ids(tmp_path / "records.jsonl")) == {*(f"i-{n}" for n in range(8)), "new"}
    shell(by_catalog, tmp_path)
    assert ids(tmp_path / "all.jsonl") == sorted([*(f"i-{n}" for n in range(8)), "new"])
