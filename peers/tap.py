"""tap-mixpanel, the Singer tap behind Stitch and Qlik."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from mixpanel_emulator.options import CREDENTIALS
from peers.stage import DAYS, ROOT, Finding, Stage, count, messages

CLIENT = "tap-mixpanel 1.8.0"
EXECUTABLE = ROOT / ".venv-tap" / "bin" / "tap-mixpanel"


def try_out(stage: Stage) -> Iterator[Finding]:
    """Discover, select everything, read."""
    today = datetime.now(timezone.utc).date()
    start = today - timedelta(days=DAYS + 1)
    config = stage.write("config.json", _config(f"{start}T00:00:00Z"))
    printed = "\n".join(stage.run(EXECUTABLE, "--config", config, "--discover"))
    catalog = json.loads(printed)
    yield Finding(CLIENT, "discover: streams", len(catalog["streams"]), 6)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = True
    chosen = stage.write("catalog.json", catalog)
    told = messages(stage.run(EXECUTABLE, "--config", config, "--catalog", chosen))
    records = [message for message in told if message["type"] == "RECORD"]
    days = (today - start).days + 1
    truths = {
        "export": stage.events(start, today),
        "engage": len(stage.truth("engage")),
        "cohorts": len(stage.truth("cohorts")),
        "cohort_members": len(stage.truth("cohort_members")),
        "funnels": len(stage.truth("funnels")) * days,
        "annotations": sum(a["date"] >= str(start) for a in stage.truth("annotations")),
    }
    for name, truth in truths.items():
        yield Finding(CLIENT, name, count(records, name), truth)


def _config(start: str) -> dict[str, Any]:
    return {
        "api_secret": CREDENTIALS.api_secret,
        "project_timezone": "UTC",
        "attribution_window": "5",
        "date_window_size": "30",
        "start_date": start,
        "user_agent": "peers",
        "select_properties_by_default": "true",
    }
