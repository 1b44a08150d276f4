"""Mixpanel's host names, and the way from them to a server on this machine.

Clients that cannot be told another host are left as they are: a proxy tunnels Mixpanel's hosts to
the local server and everything else nowhere, and the clients' usual environment variables name
the proxy and the authority to trust. Nothing on the system changes, and nothing leaves it.
"""

from __future__ import annotations

import os
import socket
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

HOSTS = (
    "mixpanel.com",
    "eu.mixpanel.com",
    "in.mixpanel.com",
    "data.mixpanel.com",
    "data-eu.mixpanel.com",
    "data-in.mixpanel.com",
    "api.mixpanel.com",
    "api-eu.mixpanel.com",
    "api-in.mixpanel.com",
)
LOOPBACK = "127.0.0.1"
_HTTPS = 443
_PIECE = 1 << 17
_HEAD = 1 << 14
TRUSTING = Path(__file__).with_name("trusting")
_OURS = ("PROXY", "CA_BUNDLE", "SSL_CERT", "PYTHON", "VIRTUAL_ENV")


def client_env(proxy: str, ca: Path, *, trusting: bool = False) -> dict[str, str]:
    """The environment for a client: this machine's, with our proxy and our authority alone.

    Args:
        proxy: The tunnel's URL.
        ca: The authority's file.
        trusting: For a client that asks `certifi` and no variable which authorities to trust.
    """
    kept = {
        name: text
        for name, text in os.environ.items()
        if not any(part in name.upper() for part in _OURS)
    }
    trust = dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"), str(ca))
    path = {"PYTHONPATH": str(TRUSTING)} if trusting else {}
    return {**kept, **trust, **path, "HTTPS_PROXY": proxy, "https_proxy": proxy}


class Tunnel:
    """A proxy for HTTPS (RFC 9110, CONNECT); use it as a context manager.

    Args:
        port: The local server's, on loopback.

    Attributes:
        led: Connections by host that were led to the local server.
        refused: Connections by host and port that were not.
    """

    def __init__(self, port: int) -> None:
        self._target = (LOOPBACK, port)
        self._listener = socket.create_server((LOOPBACK, 0), backlog=128)
        self.led: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    @property
    def url(self) -> str:
        """What `HTTPS_PROXY` has to be."""
        return f"http://{LOOPBACK}:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        """Listen."""
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            verb, _, rest = _read_head(client).partition(b" ")
            place = rest.partition(b" ")[0].decode("ascii", "replace")
            host, _, port = place.rpartition(":")
            if verb != b"CONNECT" or host not in HOSTS or port != str(_HTTPS):
                self.refused[place] += 1
                client.sendall(b"HTTP/1.1 403 Not Mixpanel\r\nContent-Length: 0\r\n\r\n")
                return
            self.led[host] += 1
            with socket.create_connection(self._target) as server:
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join()


def _read_head(client: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _HEAD:
        piece = client.recv(_HEAD)
        if not piece:
            break
        head += piece
    return head


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Carry bytes one way until they end, and tell the other side so."""
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            sink.sendall(piece)
    for end, how in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
        with suppress(OSError):
            end.shutdown(how)
