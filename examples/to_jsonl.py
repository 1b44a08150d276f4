"""Moves a Mixpanel project into files of JSON lines with airbyte-serverless.

    python examples/to_jsonl.py config.json FOLDER [STREAM ...]

A file for each stream grows with every run; the first run reads everything, later ones what is new
or late. `states.json` beside them says how far they are: a run that is broken off goes on from
there, and the records since then come twice.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from airbyte_serverless.sources import Source

HERE = Path(__file__).parent.parent / ".venv" / "bin" / "source-mixpanel"

given = argparse.ArgumentParser(description=__doc__)
given.add_argument("config", type=Path)
given.add_argument("folder", type=Path)
given.add_argument("streams", nargs="*")
arguments = given.parse_args()

source = Source(
    executable=os.environ.get("SOURCE_MIXPANEL") or shutil.which("source-mixpanel") or str(HERE),
    config=json.loads(arguments.config.read_text("utf-8")),
    streams=arguments.streams or None,
)
arguments.folder.mkdir(exist_ok=True)
kept = arguments.folder / "states.json"
states = {}
if kept.exists():
    saved = json.loads(kept.read_text("utf-8"))
    states = {state["stream"]["stream_descriptor"]["name"]: state for state in saved}
counts: Counter[str] = Counter()
with ExitStack() as stack:
    files = {}
    for message in source.extract(state=list(states.values())):
        if message["type"] == "RECORD":
            name = message["record"]["stream"]
            if name not in files:
                path = arguments.folder / f"{name}.jsonl"
                files[name] = stack.enter_context(path.open("a", encoding="utf-8"))
            files[name].write(json.dumps(message["record"]["data"], ensure_ascii=False) + "\n")
            counts[name] += 1
        elif message["type"] == "STATE":
            # What was read before a state is kept before it.
            for file in files.values():
                file.flush()
            state = message["state"]
            states[state["stream"]["stream_descriptor"]["name"]] = state
            kept.write_text(json.dumps(list(states.values())), "utf-8")
print(json.dumps({"rows": counts}))
