"""Mixpanel's own Python clients: `mixpanel-utils`, and the SDK `mixpanel`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from mixpanel_emulator.options import CREDENTIALS
from peers.stage import DAYS, ROOT, Finding, Stage

UTILS, SDK = "mixpanel-utils 2.2.7", "mixpanel 5.4.1"
PYTHON = ROOT / ".venv-clients" / "bin" / "python"
_SCRIPTS = Path(__file__).with_name("scripts")
_ACCOUNT = json.dumps(asdict(CREDENTIALS))


def _told(stage: Stage, script: str, *arguments: str) -> dict[str, int]:
    lines = stage.run(PYTHON, _SCRIPTS / script, _ACCOUNT, *arguments)
    return dict(json.loads(lines[-1]))


def _named(stage: Stage, name: str) -> int:
    return sum(event["event"] == name for event in stage.server.control.events())


def use_utils(stage: Stage) -> Iterator[Finding]:
    """Read everything, and send events and profiles."""
    today = datetime.now(timezone.utc).date()
    first = today - timedelta(days=DAYS + 1)
    events, profiles = stage.events(first, today), len(stage.truth("engage"))
    told = _told(stage, "use_utils.py", str(first), str(today))
    yield Finding(UTILS, "export, by service account", told["events"], events)
    yield Finding(UTILS, "export in gzip, by secret", told["events_gzipped"], events)
    yield Finding(UTILS, "engage, pages of 100, two at a time", told["profiles"], profiles)
    yield Finding(UTILS, "engage, different ids", told["distinct_profiles"], profiles)
    yield Finding(UTILS, "engage, by secret", told["profiles_by_secret"], profiles)
    yield Finding(UTILS, "events imported", _named(stage, "Utils"), told["sent"])
    sent = [p["$properties"] for p in stage.truth("engage") if "n" in p["$properties"]]
    yield Finding(UTILS, "profiles imported", len(sent), told["sent"])
    yield Finding(UTILS, "profiles updated", sum("seen" in held for held in sent), 10)


def use_sdk(stage: Stage) -> Iterator[Finding]:
    """Send events, old events, profiles and groups."""
    told = _told(stage, "use_sdk.py")
    yield Finding(SDK, "events tracked", _named(stage, "SDK"), told["sent"])
    yield Finding(SDK, "events imported", _named(stage, "SDK old"), told["sent"])
    people: dict[str, dict[str, Any]] = {
        p["$distinct_id"]: p["$properties"] for p in stage.truth("engage")
    }
    ours = {who: held for who, held in people.items() if who.startswith("sdk-")}
    yield Finding(SDK, "profiles set, one of them deleted", len(ours), told["people"])
    counted = sum(held["number"] == int(who[4:]) + 1 for who, held in ours.items())
    yield Finding(SDK, "profiles incremented", counted, told["people"])
    company = next(g for g in stage.truth("data_groups") if g["property_name"] == "company")
    groups = stage.truth(f"groups:{company['data_group_id']}")
    sent = sum(group["$distinct_id"].startswith("company-sdk-") for group in groups)
    yield Finding(SDK, "groups set", sent, told["groups"])
