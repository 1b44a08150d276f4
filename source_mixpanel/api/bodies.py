"""Reading answers: which are good, what a bad one says, and the body of a good one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import requests

from source_mixpanel import jsontext
from source_mixpanel.api.failures import Action, action_for, error_text
from source_mixpanel.api.request import ApiRequest
from source_mixpanel.errors import CutError, DataError, TransientError
from source_mixpanel.masking import shown, shown_bytes

_CHUNK = 1 << 16
_ERROR_TEXT = 2_000
_EXCERPT = 300


def judge(response: requests.Response) -> tuple[Action | None, str]:
    """What the status and, if it is not a good one, the body mean."""
    if action_for(response.status_code, "") is None:
        return None, ""
    text = _plain(response)
    return action_for(response.status_code, text), text


def _plain(response: requests.Response) -> str:
    """The error in a body, from whichever envelope; markup and secrets are left out."""
    raw = response.raw.read(_ERROR_TEXT, decode_content=True) or b""
    text = raw.decode("utf-8", "backslashreplace").strip()
    if text.startswith("<"):
        return ""
    with suppress(ValueError):
        text = error_text(jsontext.loads(raw)) or text
    return shown(text)


def parsed(request: ApiRequest, response: requests.Response) -> Any:
    """A JSON body; an error under status 200 and a body that is no JSON are passing faults."""
    content = response.content
    try:
        # Not orjson, which reads integers beyond 64 bits as floats.
        body = jsontext.loads(content)
    except jsontext.TooDeepError as error:
        raise DataError(f"Mixpanel's {request.answer} cannot be read: {error}.") from error
    except ValueError as error:
        raise CutError(
            f"Mixpanel's {request.answer} is no JSON.",
            detail=shown_bytes(content[:_EXCERPT]),
        ) from error
    refuse_error(request, body)
    return body


def refuse_error(request: ApiRequest, body: Any) -> None:
    """Do nothing if a parsed body under status 200 is a good one.

    Raises:
        TransientError: It says that there was an error.
    """
    text = error_text(body)
    if text is not None:
        raise TransientError(
            f"Mixpanel answered {request} for stream {request.stream!r} with an error: "
            f"{shown(text[:_EXCERPT])}"
        )


def is_gzipped(response: requests.Response) -> bool:
    """Whether the body is compressed, and so has an end of its own."""
    return response.headers.get("Content-Encoding", "").lower() == "gzip"


def raw_chunks(response: requests.Response) -> Iterator[bytes]:
    """The body as it comes off the wire, still compressed; raises if the transport was cut."""
    framed = "Content-Length" in response.headers or response.raw.chunked
    yield from response.raw.stream(_CHUNK, decode_content=False)
    if not framed and not is_gzipped(response):
        raise CutError("Mixpanel's answer has no length and no end mark, so it may be cut.")
