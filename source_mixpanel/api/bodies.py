"""Reading answers: good or bad by status, the error text of a bad one, the body of a good one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import requests
import urllib3

from source_mixpanel.api.failures import (
    RATE_LIMITED,
    TIMED_OUT,
    Action,
    action_for,
    error_text,
)
from source_mixpanel.api.request import ApiRequest
from source_mixpanel.api.spool import inflate
from source_mixpanel.errors import CutError, DataError, StrainError, TransientError
from source_mixpanel.texts import json_text
from source_mixpanel.texts.masking import excerpt, is_data_shown, shown

_ERROR_TEXT = 2_000
_EXCERPT = 300
_FIRST_ERROR_STATUS = 400


class RateLimitedError(TransientError):
    """Too many requests, as the body of an answer with status 200 says."""


def classify(response: requests.Response) -> tuple[Action | None, str]:
    """The action for an answer and its error text; None and empty for a good status."""
    if action_for(response.status_code, "") is None:
        return None, ""
    text = _read_error_text(response) if _has_error_text(response) else ""
    return action_for(response.status_code, text), text


def _has_error_text(response: requests.Response) -> bool:
    """Whether a body may be read as an error text: under other statuses it may be data."""
    return response.status_code >= _FIRST_ERROR_STATUS or is_data_shown()


def _read_error_text(response: requests.Response) -> str:
    """The error text in a body, out of any known envelope, without secrets; empty for HTML."""
    raw = b""
    # The status says enough where the body cannot be read.
    with suppress(urllib3.exceptions.HTTPError, OSError):
        raw = response.raw.read(_ERROR_TEXT, decode_content=True) or b""
    text = raw.decode("utf-8", "backslashreplace").strip()
    if text.startswith("<"):
        return ""
    with suppress(ValueError):
        text = error_text(json_text.loads(raw)) or text
    return shown(text)


def parsed(request: ApiRequest, response: requests.Response, body: Iterator[bytes]) -> Any:
    """The parsed JSON body.

    Raises:
        CutError: It is not JSON.
        TransientError: It reports an error.
        DataError: It is nested too deep.
    """
    what = f"Mixpanel's {request.answer}"
    content = b"".join(inflate(body, gzipped=is_gzipped(response), what=what))
    try:
        # Not orjson, which reads integers beyond 64 bits as floats.
        answer = json_text.loads(content)
    except json_text.TooDeepError as error:
        raise DataError(f"Mixpanel's {request.answer} cannot be read: {error}.") from error
    except ValueError as error:
        raise CutError(
            f"Mixpanel's {request.answer} is no JSON.",
            detail=excerpt(content, _EXCERPT),
        ) from error
    raise_for_error(request, answer)
    return answer


def raise_for_error(request: ApiRequest, body: Any) -> None:
    """Raise if a parsed body under status 200 reports an error.

    Raises:
        RateLimitedError: Too many requests.
        StrainError: The query took too long.
        TransientError: Any other error.
    """
    text = error_text(body)
    if text is None:
        return
    kinds = {RATE_LIMITED: RateLimitedError, TIMED_OUT: StrainError}
    kind = next((kind for marker, kind in kinds.items() if marker in text), TransientError)
    raise kind(
        f"Mixpanel answered {request} for {request.requester} with an error: "
        f"{shown(text[:_EXCERPT])}"
    )


def is_gzipped(response: requests.Response) -> bool:
    """Whether the body is compressed, and so has an end of its own."""
    return response.headers.get("Content-Encoding", "").lower() == "gzip"


def check_framing(response: requests.Response, body: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks of the body, unchanged.

    Raises:
        CutError: After the last chunk: neither a length, nor chunked encoding, nor gzip marks the
            end, so that a cut body would look complete.
    """
    has_end = "Content-Length" in response.headers or response.raw.chunked
    yield from body
    if not has_end and not is_gzipped(response):
        raise CutError("Mixpanel's answer has no length and no end mark, so it may be cut.")
