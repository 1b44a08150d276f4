"""How much memory the real command takes at the most, whatever Mixpanel answers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MOST_MB = 300
EVENTS = 5_000
PROPERTIES = 150

COMMAND = """
import atexit, sys
from pathlib import Path
from source_mixpanel.run import run
told = Path(sys.argv.pop(1))
atexit.register(lambda: told.write_text(Path("/proc/self/status").read_text()))
run()
"""
"""The command, which tells the most memory that it had; what starts it does not count."""


@contextmanager
def serving(path: str, body: list[bytes]) -> Iterator[str]:
    """A Mixpanel that has only this to tell, piece by piece; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pieces: Iterable[bytes] = body if self.path.split("?")[0] == path else [b"{}"]
            self.send_response(200 if pieces is body else 404)
            self.send_header("Content-Length", str(sum(map(len, pieces))))
            self.end_headers()
            self.wfile.writelines(pieces)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def lexicon() -> list[bytes]:
    """Thousands of events with the same properties, as they are described."""
    told = {"displayName": "Some property", "hidden": False, "dropped": False}
    described = {
        f"property_{n:04d}": {
            "type": "number" if n % 2 else "string",
            "description": "What it is, in words.",
            "metadata": {"com.mixpanel": told},
        }
        for n in range(PROPERTIES)
    }
    schema = {"entityType": "event", "name": "Event", "schemaJson": {"properties": described}}
    one = json.dumps(schema).encode()
    return [b'{"status":"ok","results":[', one, *[b"," + one] * (EVENTS - 1), b"]}"]


def test_lexicon_is_discovered_in_less_memory_than_its_answer_would_take(tmp_path: Path) -> None:
    body = lexicon()
    credentials = {"username": "u", "secret": "s", "project_id": 7}
    status, config = tmp_path / "status", tmp_path / "config.json"
    with serving("/api/app/projects/7/schemas/event", body) as url:
        config.write_text(json.dumps({"credentials": credentials, "api_url": url}))
        args = [sys.executable, "-c", COMMAND, str(status), "discover", "--config", str(config)]
        done = subprocess.run(args, capture_output=True, check=True)  # noqa: S603 - our own command
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    [catalog] = [message["catalog"] for message in messages if message["type"] == "CATALOG"]
    [export] = [stream for stream in catalog["streams"] if stream["name"] == "export"]
    columns = export["json_schema"]["properties"]
    assert columns["property_0000"]["type"] == ["null", "string"]
    assert columns["property_0149"]["type"] == ["null", "number"]
    [peak] = re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())
    assert sum(map(len, body)) / 1e6 > 100
    assert int(peak) / 1024 < MOST_MB
