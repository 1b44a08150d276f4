"""One request to Mixpanel, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

PROJECT = "project"
"""Stands for the name of a stream in requests for the project's own settings."""


def requester(stream: str) -> str:
    """What a request is made for, as messages name it: `stream 'name'`."""
    return "the project's settings" if stream == PROJECT else f"stream {stream!r}"


class Api(Enum):
    """Mixpanel's APIs, told apart by host, quota and how they take the project's number."""

    QUERY = "Query API"
    EXPORT = "raw export API"
    APP = "app API"
    LEXICON = "Lexicon schemas API"
    INGESTION = "ingestion API"


@dataclass(frozen=True)
class ApiRequest:
    """A request.

    Attributes:
        api: Where it goes and which quota it spends.
        path: Below the host, with its leading slash.
        stream: The stream that it is made for.
        params: The query string; values as text.
        form: A form body; given, the request is a POST.
        counted: Whether it uses up quota (pages of an engage session do not).
    """

    api: Api
    path: str
    stream: str
    params: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    counted: bool = True

    @property
    def method(self) -> str:
        """GET, or POST if there is a form."""
        return "GET" if self.form is None else "POST"

    @property
    def answer(self) -> str:
        """Its answer in words, for messages: `answer to GET /path for stream 'name'`."""
        return f"answer to {self} for {self.requester}"

    @property
    def requester(self) -> str:
        """What it is made for, as messages name it: `stream 'name'`."""
        return requester(self.stream)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
