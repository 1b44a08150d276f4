"""Reading what SDKs send: a form field of JSON or base64, a JSON body, or lines of JSON."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from mixpanel_emulator import json_text
from mixpanel_emulator.http import TEXT_TYPE, ApiError, Call, Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_BYTES = 2_097_152
_NDJSON = "application/x-ndjson"


class BadRecordError(ValueError):
    """An event or update that is refused; the text says what is wrong with it."""


def _decode(text: str) -> Any:
    try:
        return json_text.loads(text)
    except ValueError:
        pass
    try:
        return json_text.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise ApiError(400, "data is neither JSON nor base64 of JSON") from None


def read_batch(call: Call) -> list[Any]:
    """The objects of a batch; a single object is a batch of one.

    Raises:
        ApiError: 400 if the body cannot be read, 413 if it is over 2 MiB.
    """
    if len(call.body) > MAX_BYTES:
        raise ApiError(413, f"request exceeds max limit of {MAX_BYTES} bytes")
    form = call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    data = call.params.get("data")
    if isinstance(data, str) and (form or call.method == "GET"):
        value = _decode(data)
    elif call.headers.get("content-type", "").startswith(_NDJSON):
        value = [_decode(line.decode()) for line in call.body.split(b"\n") if line.strip()]
    else:
        value = _decode(call.body.decode("utf-8", "replace"))
    return value if isinstance(value, list) else [value]


def acknowledge(call: Call, error: str | None) -> Reply:
    """What /track, /engage and /groups say: 1 or 0 as text, or an object for verbose=1."""
    status = 0 if error else 1
    if call.text("verbose") == "1":
        return json_reply({"error": error, "status": status})
    return Reply(200, b"%d" % status, TEXT_TYPE)


def problem_of(accept: Callable[[Any], None], item: Any) -> str | None:
    """Feed one object to `accept`; return why it was refused, or None."""
    try:
        accept(item)
    except ValueError as error:
        return str(error)
    return None


def accept_all(call: Call, accept: Callable[[Any], None]) -> Reply:
    """Feed each object of the batch to `accept`; refuse if not one of them is good."""
    try:
        batch = read_batch(call)
    except ApiError as error:
        return acknowledge(call, error.text)
    problems = [problem_of(accept, item) for item in batch] or ["data, empty batch"]
    return acknowledge(call, None if None in problems else problems[-1])
