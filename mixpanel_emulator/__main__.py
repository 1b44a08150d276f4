"""`python -m mixpanel_emulator`: start a local Mixpanel and print how to reach it."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from dataclasses import asdict, fields

from mixpanel_emulator.options import CREDENTIALS, PROJECT_KINDS, EmulatorOptions
from mixpanel_emulator.server import EmulatorServer


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar; its defaults are those of `EmulatorOptions`."""
    made = argparse.ArgumentParser(prog="python -m mixpanel_emulator", description=__doc__)
    made.add_argument("--host", help="address to listen on")
    made.add_argument("--port", type=int, help="port; 0 picks a free one")
    made.add_argument("--seed", type=int, help="the integer the world grows from")
    made.add_argument("--events", type=int, help="events to seed")
    made.add_argument("--days", type=int, help="days they spread over")
    made.add_argument("--profiles", type=int, help="user profiles to seed")
    made.add_argument("--database", help="file that keeps the world over restarts")
    made.add_argument("--now", help="ISO instant the world's clock starts at")
    made.add_argument("--quota", choices=("on", "off"), default="on", help="rate limits")
    made.add_argument("--project-kind", choices=PROJECT_KINDS, help="utc: from 2023; local: older")
    made.add_argument("--timezone", help="the project's IANA zone")
    made.add_argument("--visibility-lag", type=float, help="seconds until events show in exports")
    made.add_argument("--tls-cert", help="certificate file; speaks HTTPS")
    made.add_argument("--tls-key", help="private key file")
    made.add_argument("--empty", action="store_true", help="start without data")
    return made


def read_options(arguments: list[str]) -> EmulatorOptions:
    """Turn a command line into options."""
    given = vars(parser().parse_args(arguments))
    given["quota"] = given["quota"] == "on"
    known = {entry.name for entry in fields(EmulatorOptions)}
    return EmulatorOptions(
        **{name: value for name, value in given.items() if name in known and value is not None}
    )


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    options = read_options(sys.argv[1:])
    stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopped.set())
    with EmulatorServer(options) as server:
        sys.stdout.write(json.dumps({"url": server.base_url, **asdict(CREDENTIALS)}) + "\n")
        sys.stdout.flush()
        stopped.wait()


if __name__ == "__main__":
    main()
