"""Serves ready-made bodies over TLS as Mixpanel does, and leads its host names here.

    python -m benchmarks.replay CACHE FOLDER PROFILES [--latency SECONDS]
        [--bandwidth BYTES] [--now MOMENT]

Prints a line of JSON (the proxy's URL, the authority's file) and serves until its standard input
ends. FOLDER gets the certificates and `journal`, a line for each request. A raw export takes so
long to its first byte, and its connection carries so many bytes a second of the body. Its clock
starts at that moment.
"""

from __future__ import annotations

import argparse
import json
import ssl
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from isal import igzip

from benchmarks.datasets import (
    EXPORT,
    LATE,
    PROFILES_PROJECT,
    day_file,
    names_file,
    profiles_file,
    sample_file,
)
from benchmarks.gzip_parts import stream
from mixpanel_emulator.pace import Pace
from peers.hosts import LOOPBACK, Tunnel
from peers.trust import Trust, certify

_PIECE = 1 << 16
_PAGE = 1_000
_ZONE = "America/Los_Angeles"

Params = dict[str, str]


class Library:
    """What there is to serve.

    Args:
        cache: Where bodies are.
        profiles: How many profiles the project of profiles has.
        journal: Where requests are noted.
    """

    def __init__(self, cache: Path, profiles: int, journal: Path) -> None:
        self._cache = cache
        self._lock = threading.Lock()
        self._journal = journal
        self._profiles: list[bytes] = []
        if profiles:
            self._profiles = profiles_file(cache, profiles).read_bytes().splitlines()
        self._pages: dict[tuple[bool, int, int], bytes] = {}

    def note(self, path: str, size: int | None = None) -> None:
        """Write a request down; and once more, with its bytes, when all of its answer is out."""
        with self._lock, self._journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps([path, size]) + "\n")

    def days(self, params: Params) -> list[Path]:
        """The parts that make up the answer to a raw export."""
        unit = "ms" if params.get("time_in_ms") == "true" else "s"
        kind = f"{unit}{LATE}" if "mp_processing_time_ms" in params.get("where", "") else unit
        project = int(params["project_id"])
        first, last = (date.fromisoformat(params[name]) for name in ("from_date", "to_date"))
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        found = [path for day in days if (path := self._day(project, kind, day)).exists()]
        return [sample_file(self._cache, unit)] if found and "limit" in params else found

    def _day(self, project: int, kind: str, day: date) -> Path:
        return day_file(self._cache, project, kind, day)

    def page(self, params: Params) -> bytes:
        """One page of profiles, compressed."""
        full = params.get("project_id") == str(PROFILES_PROJECT)
        number, size = int(params.get("page", "0")), int(params.get("page_size", _PAGE))
        key = (full, number, size)
        with self._lock:
            if key not in self._pages:
                self._pages[key] = _packed(self._profiles if full else [], number, size)
            return self._pages[key]

    def answer(self, path: str, project: str) -> Any:
        """The other endpoints that the clients ask."""
        if path == "/api/app/me":
            entry = {"name": "Bench", "timezone": _ZONE, "organization_id": 1}
            view = {"id": 9, "is_global": True, "is_default": True, "project_id": int(project)}
            told = {"projects": {project: entry}, "workspaces": {9: view}}
            return {"status": "ok", "results": told}
        below = path.partition("/query/")[2] or path.partition("/2.0/")[2]
        if below == "events/properties/top":
            return json.loads(names_file(self._cache).read_text())
        if below == "engage/properties":
            return {"status": "ok", "results": self._profile_properties()}
        if below in ("cohorts/list", "funnels/list", "events/names"):
            return []
        if path.startswith("/api/app/projects/"):
            return {"status": "ok", "results": []}
        return None

    def _profile_properties(self) -> dict[str, dict[str, Any]]:
        kinds = {str: "string", int: "number", float: "number", bool: "boolean", list: "list"}
        told: dict[str, dict[str, Any]] = {}
        for line in self._profiles[:1000]:
            for name, value in json.loads(line)["$properties"].items():
                told[name] = {"count": 1, "type": kinds.get(type(value), "unknown")}
        return told


def _packed(profiles: list[bytes], number: int, size: int) -> bytes:
    head: dict[str, Any] = {"page": number, "session_id": "1767268800-bench", "status": "ok"}
    if number == 0:
        head |= {"page_size": size, "total": len(profiles)}
    results = b",".join(profiles[number * size : (number + 1) * size])
    text = json.dumps(head).encode()[:-1] + b',"results":[' + results + b"]}"
    return bytes(igzip.compress(text, compresslevel=1))


@dataclass(frozen=True)
class Line:
    """How raw exports come over each connection.

    Attributes:
        latency: Seconds to the first byte.
        bandwidth: Bytes a second of a body; None is no limit.
        ahead: Seconds that the server's clock is ahead of this machine's.
    """

    latency: float = 0.0
    bandwidth: float | None = None
    ahead: float = 0.0

    def carry(self, body: Iterable[bytes]) -> Iterator[bytes]:
        """Yield a body in pieces, each when it is through."""
        pace = Pace(self.bandwidth, time.monotonic())
        for piece in pace.chunks(body):
            time.sleep(pace.wait(len(piece), time.monotonic()))
            yield piece


class Handler(BaseHTTPRequestHandler):
    """One connection; `library` and `line` are set on a subclass."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    library: Library
    line: Line

    def do_GET(self) -> None:
        """Answer."""
        self._serve({})

    def do_POST(self) -> None:
        """Answer; parameters may be in the body too."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Content-Type", "").startswith("application/json"):
            fields = json.loads(body or b"{}")
            self._serve({name: str(value) for name, value in fields.items()})
        else:
            self._serve(dict(parse_qsl(body.decode())))

    def _serve(self, fields: Params) -> None:
        url = urlsplit(self.path)
        params = {**dict(parse_qsl(url.query)), **fields}
        self.library.note(url.path)
        if url.path == EXPORT:
            days = self.library.days(params)
            time.sleep(self.line.latency)
            self._send(200, "text/plain", self._exported(days), gzipped=bool(days))
        elif url.path in ("/api/query/engage", "/api/2.0/engage"):
            self._send(200, "application/json", _pieces(self.library.page(params)), gzipped=True)
        else:
            answer = self.library.answer(url.path.rstrip("/"), params.get("project_id", "1"))
            text = json.dumps({"error": "unknown path"} if answer is None else answer).encode()
            self._send(404 if answer is None else 200, "application/json", [text], gzipped=False)

    def _exported(self, days: list[Path]) -> Iterator[bytes]:
        yield from self.line.carry(stream(days, _PIECE) if days else [])
        # Before the end of the body: whoever has all of it finds this written.
        self.library.note(EXPORT, sum(day.stat().st_size for day in days))

    def _send(self, status: int, kind: str, body: Iterable[bytes], *, gzipped: bool) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        if gzipped:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        for piece in body:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Tell the server's time, as each answer does."""
        return super().date_time_string(timestamp or time.time() + self.line.ahead)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


def _pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]


class Server(ThreadingHTTPServer):
    """HTTPS on a free port of loopback."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, library: Library, trust: Trust, line: Line) -> None:
        handler = type("Bound", (Handler,), {"library": library, "line": line})
        super().__init__((LOOPBACK, 0), handler)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(trust.cert, trust.key)

    def get_request(self) -> tuple[socket, Any]:
        """A connection whose handshake its own thread does."""
        client, address = super().get_request()
        return self._tls.wrap_socket(
            client, server_side=True, do_handshake_on_connect=False
        ), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may go away when they like."""


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cache", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("profiles", type=int)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--bandwidth", type=float)
    parser.add_argument("--now", type=datetime.fromisoformat)
    given = parser.parse_args()
    trust = certify(given.folder)
    library = Library(given.cache, given.profiles, given.folder / "journal")
    ahead = given.now.timestamp() - time.time() if given.now else 0.0
    line = Line(given.latency, given.bandwidth, ahead)
    with Server(library, trust, line) as server, Tunnel(server.server_address[1]) as tunnel:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(json.dumps({"proxy": tunnel.url, "ca": str(trust.ca)}), flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()
