"""Lets other people's clients, unmodified, read from the local Mixpanel and send to it.

    python -m peers [--only NAME] [--every-stream]

Each has a local Mixpanel of its own, on Mixpanel's real host names over TLS. What a client has is
compared with what there is; the exit code is 1 if a client broke or the two differ.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from peers import airbyte, clients, headless, tap
from peers.stage import Finding, PeerError, Stage, end_all, stage

_TERMINATED = 143

Client = Callable[[Stage], Iterator[Finding]]


def try_client(name: str, client: Client) -> tuple[list[Finding], list[str]]:
    """What a client did, and what went wrong."""
    findings: list[Finding] = []
    troubles: list[str] = []
    with stage(trusting=name == "airbyte") as where:
        try:
            findings.extend(client(where))
        except PeerError as error:
            troubles.append(f"{name}: {error}")
        except Exception as error:  # noqa: BLE001 - one client's trouble is not another's
            troubles.append(f"{name}: {type(error).__name__}: {error}")
        troubles += [f"{name}: {refused}" for refused in where.refusals()]
        led = ", ".join(f"{host} {times}" for host, times in sorted(where.tunnel.led.items()))
        print(f"{name}: led here: {led}", flush=True)
        for place in where.tunnel.refused:
            print(f"{name}: wanted to go to {place}, which is not Mixpanel's", flush=True)
    return findings, troubles


def show(findings: list[Finding]) -> None:
    """Print the table."""
    head = ("client", "what", "has", "there is", "")
    rows = [
        (f.client, f.what, f"{f.got:,}", f"{f.truth:,}", ("ok  " if f.right else "NO  ") + f.note)
        for f in findings
    ]
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    for row in (head, *rows):
        print("  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)).rstrip())


def stop(_number: int, _frame: object) -> None:
    """End on SIGTERM with every client."""
    end_all()
    raise SystemExit(_TERMINATED)


def main() -> int:
    """Try all clients at once."""
    signal.signal(signal.SIGTERM, stop)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every-stream", action="store_true", help="also Airbyte's slow ones")
    parser.add_argument("--only", choices=("airbyte", "tap", "utils", "sdk", "headless"))
    given = parser.parse_args()
    every: dict[str, Client] = {
        "airbyte": lambda where: airbyte.try_out(where, every=given.every_stream),
        "tap": tap.try_out,
        "utils": clients.use_utils,
        "sdk": clients.use_sdk,
        "headless": headless.try_out,
    }
    chosen = {name: client for name, client in every.items() if given.only in (None, name)}
    with ThreadPoolExecutor() as pool:
        done = list(pool.map(try_client, chosen, chosen.values()))
    findings = [finding for found, _ in done for finding in found]
    show(findings)
    troubles = [trouble for _, told in done for trouble in told]
    for trouble in troubles:
        print(trouble, file=sys.stderr)
    return 1 if troubles or not all(finding.right for finding in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
