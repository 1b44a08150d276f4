"""The pooled connections to Mixpanel, and where they may lead."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.connection import HTTPConnection

from source_mixpanel.api.proxies import proxy_secrets, refuse_bad_proxies
from source_mixpanel.texts.masking import hide

_POOL = 16
_KEEP_ALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 30), ("TCP_KEEPCNT", 6))
"""Seconds of silence until the first probe, seconds between probes, probes without an answer."""


class _KeptAlive(requests.adapters.HTTPAdapter):
    """Probes silent connections: a dead peer is found out, and no router forgets a live one."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As the library's own, with options for every socket."""
        super().init_poolmanager(*args, **kwargs, socket_options=_socket_options())

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """The same by way of a proxy."""
        if proxy.lower().startswith("socks"):
            return super().proxy_manager_for(proxy, **kwargs)
        return super().proxy_manager_for(proxy, **kwargs, socket_options=_socket_options())


def _socket_options() -> list[tuple[int, int, int | bytes]]:
    """TCP keep-alive, as far as the system lets it be tuned."""
    options = [*HTTPConnection.default_socket_options]
    options.append((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1))
    for name, value in _KEEP_ALIVE:
        if hasattr(socket, name):
            options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
    return options


class MixpanelSession(requests.Session):
    """Follows a redirect only where nothing can leak or change by it.

    The app API redirects paths to the same with a slash. A redirect to another host, port or
    scheme would take the request out of Mixpanel's hands; one of a POST loses its form. Neither
    is followed: the answer then stays what it is, a refusal. Credentials of proxies are hidden from
    now on.

    Args:
        urls: Where it will lead.

    Raises:
        ConfigError: A proxy on the way there cannot be one.
    """

    def __init__(self, urls: Iterable[str]) -> None:
        super().__init__()
        hide(proxy_secrets())
        refuse_bad_proxies(urls)
        adapter = _KeptAlive(pool_connections=4, pool_maxsize=_POOL)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where to go on, None to stay."""
        target = super().get_redirect_target(resp)
        if target is None or resp.request.method != "GET":
            return None
        there = urljoin(str(resp.url), target)
        return target if _origin(there) == _origin(str(resp.url)) else None


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
