"""Start a local Mixpanel, print how to reach it, and serve until it is stopped."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from dataclasses import asdict, fields
from datetime import timedelta
from typing import TYPE_CHECKING

from mixpanel_emulator.clock import WorldClock
from mixpanel_emulator.dates import today
from mixpanel_emulator.options import CREDENTIALS, PROJECT_KINDS, EmulatorOptions, connector_config
from mixpanel_emulator.server import EmulatorServer

if TYPE_CHECKING:
    pass


def parser() -> argparse.ArgumentParser:
    """The command line's grammar; its defaults are those of `EmulatorOptions`."""
    made = argparse.ArgumentParser(prog="mixpanel-emulator", description=__doc__)
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
    made.add_argument("--export-latency", type=float, help="seconds to an export's first byte")
    made.add_argument("--export-bandwidth", type=float, help="bytes a second for each export")
    made.add_argument("--tls-cert", help="certificate file; speaks HTTPS")
    made.add_argument("--tls-key", help="private key file")
    made.add_argument("--empty", action="store_true", help="start without data")
    made.add_argument("--json", action="store_true", help="tell it in one line of JSON")
    return made


def read_options(arguments: argparse.Namespace) -> EmulatorOptions:
    """Turn a parsed command line into options."""
    values = {**vars(arguments), "quota": arguments.quota == "on"}
    known = {entry.name for entry in fields(EmulatorOptions)}
    return EmulatorOptions(
        **{name: value for name, value in values.items() if name in known and value is not None}
    )


def guide(url: str, options: EmulatorOptions) -> str:
    """What a person needs to know of a server that has started."""
    last = today(WorldClock(options.now).now_ms(), None)
    first = last - timedelta(days=options.days - 1)
    config = json.dumps(connector_config(url, first), indent=2)
    user = f"{CREDENTIALS.username}:{CREDENTIALS.secret}"
    query = f"project_id={CREDENTIALS.project_id}&from_date={last}&to_date={last}&limit=3"
    world = "no data" if options.empty else f"{options.events:,} events from seed {options.seed}"
    limits = "on" if options.quota else "off"
    return (
        f"Mixpanel is at {url}: {world}, rate limits {limits}.\n\n"
        f"A config for the connector source-mixpanel:\n\n{config}\n\n"
        f'A first look:\n\n  curl -u {user} "{url}/api/2.0/export?{query}"\n\n'
        "Ctrl-C stops it.\n"
    )


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    arguments = parser().parse_args()
    options = read_options(arguments)
    stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopped.set())
    with EmulatorServer(options) as server:
        url = server.base_url
        line = json.dumps({"url": url, **asdict(CREDENTIALS)}) + "\n"
        sys.stdout.write(line if arguments.json else guide(url, options))
        sys.stdout.flush()
        stopped.wait()


if __name__ == "__main__":
    main()
