from __future__ import annotations

import gzip
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.gzip_parts import stream, write_part
from mixpanel_emulator.options import EmulatorOptions
from mixpanel_emulator.server import EmulatorServer
from peers.hosts import HOSTS, Tunnel
from peers.trust import Trust, certify
from unit_tests.project import Project


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    return certify(tmp_path_factory.mktemp("trust"))


@pytest.fixture(scope="module")
def tunnel(trust: Trust) -> Iterator[Tunnel]:
    options = EmulatorOptions(empty=True, tls_cert=str(trust.cert), tls_key=str(trust.key))
    with (
        EmulatorServer(options) as server,
        Tunnel(int(server.base_url.rpartition(":")[2])) as open_tunnel,
    ):
        yield open_tunnel


def ask(tunnel: Tunnel, trust: Trust, host: str) -> int:
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"https": tunnel.url}),
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(trust.ca))),
    )
    try:
        with opener.open(f"https://{host}/api/app/me") as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize("host", HOSTS)
def test_every_host_leads_to_the_local_mixpanel(tunnel: Tunnel, trust: Trust, host: str) -> None:
    assert ask(tunnel, trust, host) == 401


def test_other_hosts_lead_nowhere(tunnel: Tunnel, trust: Trust) -> None:
    with pytest.raises(urllib.error.URLError, match="403"):
        ask(tunnel, trust, "mixpanel.com.example.org")
    assert tunnel.refused == {"mixpanel.com.example.org:443": 1}


@pytest.mark.parametrize(
    ("region", "asked"),
    [
        ("US", {"mixpanel.com", "data.mixpanel.com", "api.mixpanel.com"}),
        ("EU", {"eu.mixpanel.com", "data-eu.mixpanel.com", "api-eu.mixpanel.com"}),
        ("IN", {"in.mixpanel.com", "data-in.mixpanel.com", "api-in.mixpanel.com"}),
    ],
)
def test_a_region_is_read_from_its_own_hosts_alone(
    project: Project, tunnel: Tunnel, trust: Trust, region: str, asked: set[str]
) -> None:
    project.config["region"] = region
    del project.config["api_url"]
    before = tunnel.led.copy()
    env = {"HTTPS_PROXY": tunnel.url, "REQUESTS_CA_BUNDLE": str(trust.ca)}
    names = "export,cohorts,lookup_tables"
    out = project.run("read", env=env, more=["--streams", names], skip_waits=False)
    assert out.code == 0, out.log
    assert set(tunnel.led - before) == asked


def test_parts_make_one_sound_gzip_stream(tmp_path: Path) -> None:
    texts = [b"one\ntwo\n" * 5_000, b"three\n", b"", b"four\n" * 70_000]
    paths = []
    for number, text in enumerate(texts):
        paths.append(tmp_path / f"{number}.deflate")
        write_part(paths[-1], [text.splitlines(keepends=True)])
    packed = b"".join(stream(paths, 1_000))
    assert gzip.decompress(packed) == b"".join(texts)
