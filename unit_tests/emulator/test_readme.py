from __future__ import annotations

import re
from typing import Any

import requests

from mixpanel_emulator.__main__ import parser
from mixpanel_emulator.control_client import ControlClient
from mixpanel_emulator.options import CREDENTIALS
from unit_tests.judge import FIDELITY

TEXT = FIDELITY.with_name("README.md").read_text(encoding="utf-8")


def test_the_example_runs_and_reads_what_it_added() -> None:
    [code] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    read: list[bytes] = []

    def let_a_tool_read(url: str) -> None:
        days = {"from_date": "2026-03-01", "to_date": "2026-03-01"}
        asked = {**days, "project_id": str(CREDENTIALS.project_id)}
        who = (CREDENTIALS.username, CREDENTIALS.secret)
        read.append(requests.get(url + "/api/2.0/export", asked, auth=who, timeout=20).content)

    place = "# ... let your tool read from server.base_url ..."
    scope: dict[str, Any] = {"let_a_tool_read": let_a_tool_read}
    exec(code.replace(place, "let_a_tool_read(server.base_url)"), scope)  # noqa: S102 - our README
    assert b'"event":"Signup"' in read[0]


def test_the_calls_and_options_that_it_names_exist() -> None:
    [table] = re.findall(r"\| you want to \| call \|\n\|---\|---\|\n(.*?)\n\n", TEXT, re.DOTALL)
    calls = re.findall(r"`(\w+)(?:\(\w*\))?`", table)
    assert len(calls) > 10
    assert all(callable(getattr(ControlClient, name)) for name in calls)
    options = set(re.findall(r"--[a-z][a-z-]*", TEXT)) - {"--help"}
    assert options <= set(re.findall(r"--[a-z][a-z-]*", parser().format_help()))
    assert len(options) > 3
