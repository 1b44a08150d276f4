"""Secrets are nowhere in the output, and go nowhere but to Mixpanel."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from mixpanel_emulator.options import EmulatorOptions
from mixpanel_emulator.server import EmulatorServer
from peers.trust import certify
from unit_tests.builders import bare, event
from unit_tests.harness import Output
from unit_tests.project import Project

USER = "sync.9f8e.mp-service-account"
SECRET = 'q7Zk"/é+Wx\\9 v%Lm=3&tR'
PAIR = b64encode(f"{USER}:{SECRET}".encode()).decode()
PIECE = 6
"""Characters of a secret that must not be seen in a row."""

SPELLINGS = {
    "as it is": SECRET,
    "in a URL": quote(SECRET, safe=""),
    "in a query": quote_plus(SECRET),
    "in JSON": json.dumps(SECRET)[1:-1],
    "in JSON with its letters": json.dumps(SECRET, ensure_ascii=False)[1:-1],
    "in Python": repr(SECRET)[1:-1],
    "in base64": b64encode(SECRET.encode()).decode(),
    "in the header": PAIR,
    "the header in base64": b64encode(f"Basic {PAIR}".encode()).decode(),
}

ALL = ["export", "engage", "cohorts", "funnels", "annotations"]


@pytest.fixture
def secretive(project: Project) -> Project:
    """Read by a secret that needs escaping wherever it is written."""
    account = {**project.config["credentials"], "username": USER, "secret": SECRET}
    return project.using(credentials=account, event_timestamps="utc")


def pieces(secret: str) -> set[str]:
    return {secret[n : n + PIECE] for n in range(len(secret) - PIECE + 1)}


def leaks(out: Output) -> set[str]:
    """What of the secret, in whichever spelling, is in the output; the settings told back aside."""
    told = [message for message in out.messages if message["type"] != "CONTROL"]
    # Lines are JSON themselves, which escapes once more.
    texts = [json.dumps(told), json.dumps(told, ensure_ascii=False), _strings(told), out.stderr]
    everything = "\n".join(texts)
    return {piece for text in SPELLINGS.values() for piece in pieces(text) if piece in everything}


def _strings(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(map(_strings, value.values()))
    return "\n".join(map(_strings, value)) if isinstance(value, list) else str(value)


def verbs(project: Project) -> Iterator[Output]:
    """Every verb; the sync reads streams of each API."""
    yield project.run("check", tries=2)
    yield project.run("discover", tries=2)
    yield project.sync(*map(bare, ALL), mode="full_refresh", tries=2)


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("form", ["error", "text", "lines"])
def test_a_server_that_echoes_them_in_any_spelling_gives_nothing_away(
    secretive: Project, status: int, form: str
) -> None:
    told = " | ".join(SPELLINGS.values())
    body: Any = {"error": told} if form == "error" else told
    if form == "lines":
        body = json.dumps({"event": "a", "properties": {}}) + "\n" + json.dumps({"error": told})
    secretive.mixpanel.add_fault("status", "/api", status=status, body=body)
    for out in verbs(secretive):
        assert secretive.mixpanel.journal(), "nobody was asked"
        secretive.mixpanel.clear_journal()
        assert leaks(out) == set()


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_an_excerpt_that_ends_within_one_leaves_no_half_of_it(
    secretive: Project, spelling: str
) -> None:
    # Excerpts are 60 to 2,000 characters long; one of these places lies across each of their ends.
    for length in (340, 2040):
        for start in range(length - 60, length, 20):
            secretive.mixpanel.clear_faults()
            body = "." * (start - 25) + spelling + " " + spelling
            secretive.mixpanel.add_fault("status", "/api/2.0/export", status=400, body=body)
            out = secretive.sync(bare("export"), tries=1)
            assert out.code == 1
            assert leaks(out) == set()


@pytest.mark.parametrize(
    "change",
    [
        {"start_date": SECRET},
        {"api_url": f"https://{USER}:{quote(SECRET, safe='')}@example.com"},
        {"api_url": f"https://example.com/?key={quote(SECRET, safe='')}"},
        {"region": SECRET},
        {"export_where": f'properties["{quote(SECRET)}" == 1'},
        {"project_timezone": SECRET},
        {"credentials": {"option_title": "Service Account", "secret": SECRET}},
        {"credentials": {"option_title": "OAuth Token", "access_token": f"{SECRET}\n"}},
        {"credentials": {"option_title": SECRET, "secret": SECRET}},
        {"credentials": [{"secret": SECRET}]},
        {"credentials": None, "api_secret": SECRET, "attribution_window": SECRET},
    ],
    ids=", ".join,
)
def test_settings_that_are_wrong_are_told_without_them(
    secretive: Project, change: dict[str, Any]
) -> None:
    for out in verbs(secretive.using(**change)):
        assert leaks(out) == set()
        assert "Something went wrong" not in out.raw.decode()
    assert secretive.mixpanel.journal() == []


class _Listener(BaseHTTPRequestHandler):
    """Notes what it gets, and answers with data nobody should take."""

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.server.seen.append((self.headers.items(), self.rfile.read(length)))  # type: ignore[attr-defined]
        self.send_response(200)
        body = b'{"event":"Foreign","properties":{"time":1773057600000}}\n'
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - the library's name

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def listening(host: str) -> Iterator[tuple[str, list[Any]]]:
    """Another server: its URL, and what it has seen."""
    with ThreadingHTTPServer((host, 0), _Listener) as server:
        server.seen = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{host}:{server.server_port}", server.seen  # type: ignore[attr-defined]
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("status", [301, 302, 307])
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"], ids=["other port", "other host"])
def test_no_redirect_leads_away_from_mixpanel(secretive: Project, host: str, status: int) -> None:
    with listening(host) as (elsewhere, seen):
        headers = {"Location": f"{elsewhere}/collect?secret={quote(SECRET, safe='')}"}
        secretive.mixpanel.add_fault("status", "/api", status=status, headers=headers)
        for out in verbs(secretive):
            assert leaks(out) == set()
            assert "Foreign" not in out.raw.decode()
        assert seen == []
        [error] = [e for e in out.errors if e.get("stream_descriptor", {}).get("name") == "export"]
    assert error["failure_type"] == "config_error"
    assert "points to another address" in error["message"]


def test_a_post_that_is_redirected_is_not_sent_again_without_its_form(project: Project) -> None:
    there = {"Location": "/api/query/engage"}
    project.mixpanel.add_fault("status", "/api/query/engage", status=302, headers=there, times=1)
    out = project.sync(bare("engage"), mode="full_refresh", tries=1)
    assert out.code == 1
    assert [
        e["method"] for e in project.mixpanel.journal() if e["path"] == "/api/query/engage"
    ] == ["POST"]


@pytest.mark.parametrize("answer", [(302, {}), (304, {}), (206, {})], ids=["302", "304", "206"])
def test_an_answer_that_is_no_whole_one_is_never_an_empty_success(
    project: Project, answer: tuple[int, dict[str, str]]
) -> None:
    project.mixpanel.add_events([event()])
    project.discover()
    project.mixpanel.add_fault("status", "/api/2.0/export", status=answer[0])
    out = project.sync("export", tries=2)
    assert (out.code, out.statuses("export")[-1]) == (1, "INCOMPLETE")


def test_a_certificate_that_nobody_vouches_for_is_refused(
    secretive: Project, tmp_path: Path
) -> None:
    trust = certify(tmp_path)
    options = EmulatorOptions(empty=True, tls_cert=str(trust.cert), tls_key=str(trust.key))
    with EmulatorServer(options) as server:
        there = secretive.using(api_url=server.base_url)
        out = there.sync(bare("export"), mode="full_refresh", tries=3)
        error = out.errors[0]
        assert (out.code, error["failure_type"]) == (1, "config_error")
        assert "certificate of 127.0.0.1 could not be verified" in error["message"]
        [status] = there.run("check").of("CONNECTION_STATUS")
        assert "could not be verified" in status["message"]
        assert server.control.journal() == []


@pytest.mark.parametrize(
    "url",
    ["http://example.com", "http://127.0.0.1.example.com", "http://10.0.0.1", "http://0.0.0.0:1",
     "HTTP://example.com", "http://[::ffff:10.0.0.1]", "ftp://127.0.0.1", "//127.0.0.1"],
)  # fmt: skip
def test_plain_http_is_for_loopback_alone(project: Project, url: str) -> None:
    out = project.using(api_url=url).sync(bare("export"))
    assert (out.code, out.errors[0]["failure_type"]) == (1, "config_error")
    assert "plain http only for loopback" in out.errors[0]["message"]
