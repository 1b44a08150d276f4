from __future__ import annotations

import datetime as dt
import ipaddress
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mixpanel_emulator.__main__ import parser, read_options
from mixpanel_emulator.clock import WorldClock, format_instant, parse_instant
from mixpanel_emulator.options import EmulatorOptions
from mixpanel_emulator.server import EmulatorServer

ROOT = Path(__file__).parents[2]


def test_options_of_the_command_line() -> None:
    given = "--port 0 --seed 9 --quota off --project-kind local --empty --visibility-lag 2.5"
    assert read_options(parser().parse_args(given.split())) == EmulatorOptions(
        seed=9, quota=False, project_kind="local", empty=True, visibility_lag=2.5
    )
    assert read_options(parser().parse_args([])) == EmulatorOptions()


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_make_hands_its_options_over() -> None:
    told = [
        "make",
        "--no-print-directory",
        "--dry-run",
        "emulator",
        "PORT=0",
        "SEED=9",
        "QUOTA=off",
    ]
    done = subprocess.run(told, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    [_, *module, port, zero, seed, nine, quota, off] = done.stdout.splitlines()[-1].split()
    assert module == ["-m", "mixpanel_emulator"]
    given = parser().parse_args([port, zero, seed, nine, quota, off])
    assert read_options(given) == EmulatorOptions(seed=9, quota=False)


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_the_command_tells_where_it_is_and_stops_cleanly(name: signal.Signals) -> None:
    command = [sys.executable, "-m", "mixpanel_emulator", "--port", "0", "--empty", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert requests.get(told["url"] + "/api/app/me", timeout=5).status_code == 401
        auth = (told["username"], told["secret"])
        assert requests.get(told["url"] + "/api/app/me", auth=auth, timeout=5).status_code == 200
        process.send_signal(name)
        assert process.wait(10) == 0
    assert {"project_id", "api_secret", "token", "access_token"} <= set(told)


def test_a_database_file_keeps_the_world(tmp_path: Path) -> None:
    options = EmulatorOptions(
        database=str(tmp_path / "world.db"), events=40, days=2, profiles=3, now="2026-03-10T12:00Z"
    )
    with EmulatorServer(options) as server:
        server.control.add_events([{"event": "Kept", "properties": {"time": 1_773_100_000_000}}])
        before = server.control.events()
    with EmulatorServer(options) as server:
        assert server.control.events() == before
        server.control.add_events([{"event": "More", "properties": {"time": 1_773_100_000_000}}])
        assert len(server.control.events()) == len(before) + 1


def make_certificate(folder: Path) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.timezone.utc)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, private = folder / "cert.pem", folder / "key.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(chain), str(private)


def test_https(tmp_path: Path) -> None:
    chain, private = make_certificate(tmp_path)
    options = EmulatorOptions(empty=True, tls_cert=chain, tls_key=private)
    with EmulatorServer(options) as server:
        assert server.base_url.startswith("https://")
        server.control.reset()
        response = requests.get(server.base_url + "/api/app/me", verify=chain, timeout=5)
        assert response.status_code == 401
        server.control.add_fault("reset")
        with pytest.raises(requests.ConnectionError):
            requests.get(server.base_url + "/api/app/me", verify=chain, timeout=5)


def test_a_server_must_run_to_have_a_url() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        _ = EmulatorServer().base_url


def test_the_journal_tells_without_secrets(emulator: Any) -> None:
    emulator.post("/api/query/engage", {"where": "true", "session_id": "s-1"})
    entry = emulator.control.journal()[-1]
    assert entry["method"] == "POST"
    assert entry["path"] == "/api/query/engage"
    assert entry["query"] == {"project_id": "12345678"}
    assert entry["body"] == {"where": "true", "session_id": "s-1"}
    assert entry["session_id"] == "s-1"
    assert entry["at_ms"] >= parse_instant("2026-03-10T12:00:00Z")
    assert entry["headers"]["authorization"] == "Basic"
    assert "secret" not in json.dumps(entry)
    emulator.control.clear_journal()
    assert emulator.control.journal() == []


def test_the_clock_goes_on_or_stands(emulator: Any) -> None:
    emulator.control.set_clock("2026-01-01T00:00:00Z", frozen=True)
    emulator.control.advance(1.5)
    assert emulator.control.now_ms() == parse_instant("2026-01-01T00:00:01.500Z")
    ticks = iter((100.0, 101.0, 103.0))
    clock = WorldClock("2026-01-01T00:00:00Z", lambda: next(ticks))
    assert format_instant(clock.now_ms()) == "2026-01-01T00:00:02.000Z"


def test_the_date_header_is_the_worlds(emulator: Any) -> None:
    emulator.control.set_clock("2026-01-01T00:00:00Z", frozen=True)
    assert emulator.app("me").headers["date"] == "Thu, 01 Jan 2026 00:00:00 GMT"


def test_settings_are_checked(emulator: Any) -> None:
    for wrong in (
        {"colour": 1},
        {"timezone": "Mars/Base"},
        {"project_kind": "old"},
        {"export_auth_error": "500"},
    ):
        with pytest.raises(RuntimeError):
            emulator.control.configure(**wrong)
    assert emulator.control.configure(plan="free")["plan"] == "free"


def test_mistakes_in_control_requests_are_explained(emulator: Any) -> None:
    with pytest.raises(RuntimeError, match="time"):
        emulator.control.add_events([{"event": "X", "properties": {}}])
    with pytest.raises(RuntimeError, match="integer"):
        emulator.control.add_events([{"event": "X", "properties": {"time": "now"}}])
    with pytest.raises(RuntimeError, match="milliseconds"):
        emulator.control.add_events([{"event": "X", "properties": {"time": 2**63}}])
    response = emulator.session.get(emulator.url + "/_emulator/nothing", timeout=5)
    assert response.status_code == 404
