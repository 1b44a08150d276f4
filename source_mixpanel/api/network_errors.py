"""The errors for requests without an answer, by their cause."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests
import urllib3

from source_mixpanel.api.host_errors import is_out_of_files, out_of_files
from source_mixpanel.api.proxies import variable_of
from source_mixpanel.api.request import ApiRequest
from source_mixpanel.errors import (
    ConfigError,
    SourceError,
    StrainError,
    TransientError,
    UnreachableError,
)
from source_mixpanel.texts.masking import is_data_shown

_PROXY_REFUSES = "407"
_SILENCE = (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError)


def error_of(request: ApiRequest, url: str, error: Exception, *, answered: bool) -> SourceError:
    """The error for a connection that was not made, or that broke or went silent.

    Args:
        request: The request.
        url: Its base URL.
        error: What requests, urllib3 or the system raised.
        answered: Whether an answer had begun, so that its size may be the cause.
    """
    host = urlsplit(url).hostname or "Mixpanel"
    what = f"in {request} for {request.requester}"
    causes = list(_causes(error))
    detail = f"{type(error).__name__}: {error}"
    if answered and not is_data_shown():
        # Errors about an answer's framing quote bytes of the answer.
        detail = ", ".join(type(cause).__name__ for cause in causes)
    local_error = _local_error(what, host, causes, detail)
    if local_error is not None:
        return local_error
    if isinstance(error, requests.exceptions.ProxyError):
        return _proxy_error(what, variable_of(url), detail)
    reason = _reason(causes, error)
    if reason:
        return UnreachableError(f"Mixpanel could not be reached {what}: {host} {reason}.", detail)
    if answered or any(isinstance(cause, _SILENCE) for cause in causes):
        return StrainError(f"The connection to Mixpanel broke {what}.", detail)
    return TransientError(f"The connection to Mixpanel ended without an answer {what}.", detail)


def _local_error(
    what: str, host: str, causes: list[BaseException], detail: str
) -> SourceError | None:
    """The error for a cause on this host: open files or certificates; None for other causes."""
    if any(is_out_of_files(cause) for cause in causes):
        return out_of_files(detail)
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return ConfigError(
            f"The certificate of {host} could not be verified {what}, so nothing was sent. If a "
            f"proxy stands between, let REQUESTS_CA_BUNDLE name a file with its certificate.",
            detail,
        )
    return None


def _proxy_error(what: str, variable: str, detail: str) -> SourceError:
    if _PROXY_REFUSES in detail:
        return ConfigError(
            f"The proxy did not let the connector through {what}: it wants credentials. Give them "
            f"in the environment variable {variable}.",
            detail,
        )
    return UnreachableError(
        f"Mixpanel could not be reached {what}: the proxy named in {variable} did not connect.",
        detail,
    )


def _reason(causes: list[BaseException], error: Exception) -> str:
    """Why no connection was made; empty if one was."""
    if any(isinstance(cause, urllib3.exceptions.NameResolutionError) for cause in causes):
        return "could not be found by name (DNS)"
    if isinstance(error, requests.ConnectTimeout):
        return "did not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "does not speak TLS as it should"
    if any(isinstance(cause, urllib3.exceptions.NewConnectionError) for cause in causes):
        system_messages = [c.strerror for c in causes if isinstance(c, OSError) and c.strerror]
        return (
            f"did not accept the connection ({system_messages[-1]})"
            if system_messages
            else "did not connect"
        )
    return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all its causes, outermost first."""
    pending: list[object] = [error]
    seen: set[int] = set()
    while pending:
        cause = pending.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        # urllib3's own chain: some of its errors wrap their reason, or carry it as an argument.
        pending += [*cause.args, getattr(cause, "reason", None), cause.__context__, cause.__cause__]
