"""The local Mixpanel that the acceptance files of this folder speak of: always the same world.

`python integration_tests/local_mixpanel.py` serves it, for suites that are run from outside.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

# Also as a script, which has only its own folder on the path.
ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from mixpanel_emulator.options import EmulatorOptions  # noqa: E402
from mixpanel_emulator.server import EmulatorServer  # noqa: E402

PORT = 18480
OPTIONS = EmulatorOptions(
    seed=7,
    events=400,
    days=5,
    profiles=20,
    now="2026-03-10T12:00:00Z",
    quota=False,
    timezone="UTC",
    port=PORT,
)


# Whether the column of a property that comes in several types is declared as text.
_TEXT = {"price": False, "$app_build_number": True, "$browser_version": False}


def fitting(event: dict[str, Any]) -> dict[str, Any]:
    """An event whose values have the types that their columns declare, as the suites demand.

    Mixpanel's need not: the seeded project has prices in words, and SDKs that send text where
    others send numbers. The connector emits them as they are, with a line in the log.
    """
    properties = {**event["properties"], "time": event["time_ms"]}
    for name, text in _TEXT.items():
        if name in properties and isinstance(properties[name], str) != text:
            del properties[name]
    return {"event": event["event"], "properties": properties}


@contextmanager
def serve() -> Iterator[EmulatorServer]:
    """The world, served."""
    with EmulatorServer(replace(OPTIONS, port=0)) as seeded:
        events = [fitting(event) for event in seeded.control.events()]
    with EmulatorServer(replace(OPTIONS, events=0)) as server:
        server.control.add_events(events)
        yield server


def main() -> None:
    """Serve until the input ends or Ctrl-C is pressed."""
    with serve() as server:
        print(f"{server.base_url} serves the world of the acceptance files; Ctrl-C ends it.")
        try:
            sys.stdin.read()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
