"""Proxies in the environment: checked before anything is sent; their credentials are secret."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote, urlsplit

import requests
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from source_mixpanel.errors import ConfigError

_CREDENTIALS = re.compile(
    r"^(?:[a-z][a-z0-9+.-]*:/+)?(?P<user>[^@:]*):?(?P<rest>.*)@", re.IGNORECASE | re.DOTALL
)
_HTTP = ("http", "https")
_SOCKS = ("socks4", "socks4a", "socks5", "socks5h")


def proxy_secrets() -> Iterator[str]:
    """The credentials in every `*_proxy` variable, also in malformed values."""
    for name, value in os.environ.items():
        credentials = _CREDENTIALS.match(value) if name.lower().endswith("_proxy") else None
        if credentials is not None:
            user, password = credentials["user"], credentials["rest"]
            for text in (password, f"{user}:{password}") if password else (user,):
                yield from (text, unquote(text))


def check_proxies(urls: Iterable[str]) -> None:
    """Raise unless every proxy on the way to these URLs is usable.

    Raises:
        ConfigError: One is not an address, has an unknown protocol, or needs a missing package.
    """
    for url in dict.fromkeys(urls):
        proxy = _proxy_of(url)
        if proxy:
            _check_proxy(proxy, variable_of(url))


def variable_of(url: str) -> str:
    """The environment variable that names the proxy on the way to a URL."""
    proxy = _proxy_of(url)
    scheme = urlsplit(url).scheme
    names = [f"{scheme}_proxy", "all_proxy"]
    spelled = [spelling for name in names for spelling in (name, name.upper())]
    matching = (name for name in spelled if proxy and os.environ.get(name) == proxy)
    return next(matching, f"{scheme}_proxy".upper())


def _proxy_of(url: str) -> str | None:
    proxies = requests.utils.get_environ_proxies(url, no_proxy=None)
    return requests.utils.select_proxy(url, proxies)


def _check_proxy(proxy: str, variable: str) -> None:
    named = f"The environment variable {variable}"
    scheme, has_scheme, _ = proxy.partition("://")
    scheme = scheme.lower() if has_scheme else "http"
    if scheme not in (*_HTTP, *_SOCKS):
        raise ConfigError(
            f"{named} names a proxy that speaks {scheme!r}, which is not known. Begin it with "
            f"http://, https:// or socks5h://, or empty it."
        )
    try:
        host = parse_url(proxy if has_scheme else f"http://{proxy}").host
    except LocationParseError:
        host = None
    if not host:
        # Without its text, and without the cause that quotes it: it may hold a password.
        raise ConfigError(
            f"{named} does not hold the address of a proxy. Write it as http://host:port with a "
            f"port up to 65535, or empty it."
        ) from None
    if scheme in _SOCKS and importlib.util.find_spec("socks") is None:
        raise ConfigError(
            f"{named} names a SOCKS proxy, for which the connector needs a package that is not "
            f"installed. Install PySocks beside it, or name an HTTP proxy."
        )
