"""The local Mixpanel that the acceptance files of this folder speak of: always the same world.

`python integration_tests/local_mixpanel.py` serves it, for suites that are run from outside.
"""

from __future__ import annotations

import sys
from pathlib import Path

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


def main() -> None:
    """Serve until the input ends or Ctrl-C is pressed."""
    with EmulatorServer(OPTIONS) as server:
        print(f"{server.base_url} serves the world of the acceptance files; Ctrl-C ends it.")
        try:
            sys.stdin.read()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
