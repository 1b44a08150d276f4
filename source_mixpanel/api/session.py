"""The pooled connections to Mixpanel, and the redirects they may follow."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.connection import HTTPConnection

from source_mixpanel.api.proxies import check_proxies, proxy_secrets
from source_mixpanel.texts.masking import hide

_POOL = 16
_KEEP_ALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 30), ("TCP_KEEPCNT", 6))
"""Idle seconds until the first probe; seconds between probes; probes until the peer is dead."""


class _KeptAlive(requests.adapters.HTTPAdapter):
    """TCP keep-alive: dead peers are detected, and routers keep idle connections open."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """The connection pool, with options for every socket."""
        super().init_poolmanager(*args, **kwargs, socket_options=_socket_options())

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """The same through a proxy; SOCKS connections take no options."""
        if proxy.lower().startswith("socks"):
            return super().proxy_manager_for(proxy, **kwargs)
        return super().proxy_manager_for(proxy, **kwargs, socket_options=_socket_options())


def _socket_options() -> list[tuple[int, int, int | bytes]]:
    """The options for TCP keep-alive that the system supports."""
    options = [*HTTPConnection.default_socket_options]
    options.append((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1))
    for name, value in _KEEP_ALIVE:
        if hasattr(socket, name):
            options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
    return options


class MixpanelSession(requests.Session):
    """Follows redirects of GET requests to the same scheme, host and port only.

    The app API redirects paths to the same with a slash. A redirect elsewhere could leak data or
    credentials, and one of a POST loses its form: such an answer is returned as it is, with its
    3xx status. Credentials of proxies are masked from now on.

    Args:
        urls: The base URLs that will be requested.

    Raises:
        ConfigError: A proxy on the way to them is not usable.
    """

    def __init__(self, urls: Iterable[str]) -> None:
        super().__init__()
        hide(proxy_secrets())
        check_proxies(urls)
        adapter = _KeptAlive(pool_connections=4, pool_maxsize=_POOL)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """The URL of a redirect that is followed; None for any other answer."""
        target = super().get_redirect_target(resp)
        if target is None or resp.request.method != "GET":
            return None
        absolute_url = urljoin(str(resp.url), target)
        return target if _origin(absolute_url) == _origin(str(resp.url)) else None


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
