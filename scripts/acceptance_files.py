"""Writes the acceptance suites' catalogs and expected records anew (`make acceptance-files`).

They come from the connector itself, which reads the local Mixpanel of
`integration_tests/local_mixpanel.py`; look at the difference before you commit it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "integration_tests"
sys.path.insert(0, str(ROOT))

from integration_tests.local_mixpanel import OPTIONS  # noqa: E402
from mixpanel_emulator.server import EmulatorServer  # noqa: E402

_EACH = 2
"""Expected records of a stream."""

# Profiles that were never seen have no cursor, which the older suite cannot compare.
_NOT_INCREMENTAL_HERE = frozenset({"engage"})


def run(*args: str) -> list[dict[str, Any]]:
    """The messages of one run of the connector."""
    command = [sys.executable, "-m", "source_mixpanel", *args]
    done = subprocess.run(command, capture_output=True, check=True, cwd=ROOT)  # noqa: S603
    return [json.loads(line) for line in done.stdout.split(b"\n") if line]


def configured(streams: Iterable[dict[str, Any]], mode: str) -> dict[str, Any]:
    """A configured catalog without the columns: suites put those of `discover` in their place."""
    return {
        "streams": [
            {
                "stream": {**stream, "json_schema": {"type": "object", "properties": {}}},
                "sync_mode": mode,
                "destination_sync_mode": "overwrite" if mode == "full_refresh" else "append_dedup",
                "primary_key": stream["source_defined_primary_key"],
            }
            | ({"cursor_field": stream["default_cursor_field"]} if mode == "incremental" else {})
            for stream in streams
        ]
    }


def write(path: Path, content: Any) -> None:
    """Write one JSON file."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def main(folder: Path) -> None:
    """Read the local Mixpanel, on a port that is free, and write what came into a folder."""
    options = replace(OPTIONS, port=0)
    with EmulatorServer(options) as server, tempfile.TemporaryDirectory() as work:
        config = str(Path(work) / "config.json")
        settings = json.loads((FOLDER / "config.json").read_text("utf-8"))
        write(Path(config), {**settings, "api_url": server.base_url})
        [catalog] = [m["catalog"] for m in run("discover", "--config", config) if "catalog" in m]
        streams = catalog["streams"]
        write(folder / "configured_catalog.json", configured(streams, "full_refresh"))
        moving = [s for s in streams if "incremental" in s["supported_sync_modes"]]
        moving = [s for s in moving if s["name"] not in _NOT_INCREMENTAL_HERE]
        write(folder / "configured_catalog_incremental.json", configured(moving, "incremental"))
        whole = Path(work) / "catalog.json"
        entries = configured(streams, "full_refresh")["streams"]
        for entry, stream in zip(entries, streams, strict=True):
            entry["stream"] = stream
        whole.write_text(json.dumps({"streams": entries}))
        messages = run("read", "--config", config, "--catalog", str(whole))
    records: dict[str, list[str]] = defaultdict(list)
    for message in messages:
        if "record" in message:
            record = {key: message["record"][key] for key in ("stream", "data")}
            text = json.dumps({**record, "emitted_at": 1773144000000}, sort_keys=True)
            records[record["stream"]].append(text)
    chosen = [line for name in sorted(records) for line in sorted(records[name])[:_EACH]]
    (folder / "expected_records.jsonl").write_text("\n".join(chosen) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(FOLDER)
