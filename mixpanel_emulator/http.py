"""Requests and responses as values, without sockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from mixpanel_emulator import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

JSON_TYPE = "application/json"
TEXT_TYPE = "text/plain"


class Family(Enum):
    """The API a path belongs to; decides credentials, quota bucket and error shape."""

    EXPORT = "export"
    QUERY = "query"
    APP = "app"
    LOOKUP = "lookup"
    INGEST = "ingest"


class ApiError(Exception):
    """The refusal of a request.

    Attributes:
        status: HTTP status.
        text: The sentence; the family decides how it is wrapped.
        headers: Extra response headers.
        body: A whole JSON body to use instead of the family's wrapping.
    """

    def __init__(
        self,
        status: int,
        text: str,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = dict(headers or {})
        self.body = body


@dataclass(frozen=True)
class Call:
    """One request.

    Attributes:
        method: Upper-case verb.
        path: Decoded path.
        target: Path with the query string as sent, for error bodies.
        headers: Lower-case names.
        query: URL parameters; of repeated names the last.
        body: Raw body, already un-gzipped.
        params: URL parameters overlaid by JSON body fields, then by form fields
            (observed: the official client).
        args: Variables of the matched path.
    """

    method: str
    path: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    params: Mapping[str, Any] = field(default_factory=dict)
    args: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """A parameter as text; JSON values of a JSON body come back as JSON text."""
        value = self.params.get(name)
        if value is None or isinstance(value, str):
            return value
        return json_text.ascii_text(value)

    def each(self, name: str) -> list[str]:
        """Every value of a URL parameter that may be repeated."""
        return parse_qs(self.target.partition("?")[2], keep_blank_values=True).get(name, [])


@dataclass(frozen=True)
class Reply:
    """One response: a body of known bytes or a stream of blocks of whole lines."""

    status: int = 200
    body: bytes | Iterator[bytes] = b""
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)


def json_reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON response."""
    return Reply(status, json_text.export_bytes(value), JSON_TYPE, headers or {})


def app_reply(results: Any, **extra: Any) -> Reply:
    """The app API's envelope (OpenAPI; observed)."""
    return json_reply({"status": "ok", "results": results, **extra})


def error_reply(family: Family | None, call: Call, error: ApiError) -> Reply:
    """The response to an error in the form of its API (OpenAPI; observed)."""
    if error.body is not None:
        return json_reply(error.body, error.status, error.headers)
    if family is Family.EXPORT:
        text = error.text.encode("utf-8", "backslashreplace")
        return Reply(error.status, text, TEXT_TYPE, error.headers)
    return json_reply(_error_body(family, call, error), error.status, error.headers)


def _error_body(family: Family | None, call: Call, error: ApiError) -> dict[str, Any]:
    if family is Family.QUERY:
        return {"request": call.target, "error": error.text}
    if family is Family.LOOKUP:
        phrase = HTTPStatus(error.status).phrase
        return {"code": error.status, "error": error.text, "status": phrase}
    return {"status": "error", "error": error.text}
