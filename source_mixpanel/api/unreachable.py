"""The error for an exchange that did not come to an answer, told by what broke it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import requests
import urllib3

from source_mixpanel.api.machine import is_out_of_files, out_of_files
from source_mixpanel.api.request import ApiRequest
from source_mixpanel.errors import ConfigError, SourceError, StrainError, TransientError

_PROXY_REFUSES = "407"


def error_of(request: ApiRequest, host: str, error: Exception) -> SourceError:
    """A connection that never came about, or one that broke or fell silent on the way.

    Args:
        request: What was asked.
        host: Of whom.
        error: What requests, urllib3 or the system raised.
    """
    what = f"in {request} for stream {request.stream!r}"
    detail = f"{type(error).__name__}: {error}"
    causes = list(_causes(error))
    if any(is_out_of_files(cause) for cause in causes):
        return out_of_files(detail)
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return ConfigError(
            f"The certificate of {host} could not be verified {what}, so nothing was sent. If a "
            f"proxy stands between, let REQUESTS_CA_BUNDLE name a file with its certificate.",
            detail,
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return _by_proxy(what, detail)
    reason = _reason(causes, error)
    if reason:
        return TransientError(f"Mixpanel could not be reached {what}: {host} {reason}.", detail)
    return StrainError(f"The connection to Mixpanel broke {what}.", detail)


def _by_proxy(what: str, detail: str) -> SourceError:
    if _PROXY_REFUSES in detail:
        return ConfigError(
            f"The proxy did not let the connector through {what}: it wants credentials. Give them "
            f"in the environment variable HTTPS_PROXY.",
            detail,
        )
    return TransientError(
        f"Mixpanel could not be reached {what}: the proxy named in HTTPS_PROXY did not connect.",
        detail,
    )


def _reason(causes: list[BaseException], error: Exception) -> str:
    """Why no connection came about, empty if one did."""
    if any(isinstance(cause, urllib3.exceptions.NameResolutionError) for cause in causes):
        return "could not be found by name (DNS)"
    if isinstance(error, requests.TooManyRedirects):
        return "redirects without end"
    if isinstance(error, requests.ConnectTimeout):
        return "did not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "does not speak TLS as it should"
    if any(isinstance(cause, urllib3.exceptions.NewConnectionError) for cause in causes):
        told = [c.strerror for c in causes if isinstance(c, OSError) and c.strerror]
        return f"did not accept the connection ({told[-1]})" if told else "did not connect"
    return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it was raised from, outermost first."""
    left: list[object] = [error]
    seen: set[int] = set()
    while left:
        cause = left.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        # urllib3's own chain: some of its errors wrap their reason, or carry it as an argument.
        left += [*cause.args, getattr(cause, "reason", None), cause.__context__, cause.__cause__]
