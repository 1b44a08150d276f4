"""Reading answers: which are good, what a bad one says, and the body of a good one."""

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
_FAULTY = 400


class RateLimitedError(TransientError):
    """A refusal for too many requests, in the body of what looks like a good answer."""


def judge(response: requests.Response) -> tuple[Action | None, str]:
    """What the status and, if it is not a good one, the body mean."""
    if action_for(response.status_code, "") is None:
        return None, ""
    text = _plain(response) if _explains(response) else ""
    return action_for(response.status_code, text), text


def _explains(response: requests.Response) -> bool:
    """Whether a body is about what is wrong: under other statuses it may be a piece of data."""
    return response.status_code >= _FAULTY or is_data_shown()


def _plain(response: requests.Response) -> str:
    """The error in a body, from whichever envelope; markup and secrets are left out."""
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
    """What a JSON body holds.

    Raises:
        CutError: It is no JSON.
        TransientError: It says that there was an error.
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
    refuse_error(request, answer)
    return answer


def refuse_error(request: ApiRequest, body: Any) -> None:
    """Do nothing if a parsed body under status 200 is a good one.

    Raises:
        RateLimitedError: It says that there were too many requests.
        StrainError: It says that it took too long.
        TransientError: It says that there was another error.
    """
    text = error_text(body)
    if text is None:
        return
    kinds = {RATE_LIMITED: RateLimitedError, TIMED_OUT: StrainError}
    kind = next((kind for marker, kind in kinds.items() if marker in text), TransientError)
    raise kind(
        f"Mixpanel answered {request} for {request.whom} with an error: {shown(text[:_EXCERPT])}"
    )


def is_gzipped(response: requests.Response) -> bool:
    """Whether the body is compressed, and so has an end of its own."""
    return response.headers.get("Content-Encoding", "").lower() == "gzip"


def framed(response: requests.Response, body: Iterator[bytes]) -> Iterator[bytes]:
    """The same body, if something tells where it ends.

    Raises:
        CutError: Nothing does, so that a part of it could pass for the whole.
    """
    ends = "Content-Length" in response.headers or response.raw.chunked
    yield from body
    if not ends and not is_gzipped(response):
        raise CutError("Mixpanel's answer has no length and no end mark, so it may be cut.")
