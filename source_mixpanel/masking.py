"""Secrets in the spellings that an error may repeat them in, and texts that are safe to show."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from airbyte_cdk.utils.airbyte_secrets_utils import filter_secrets, update_secrets

_SECRET_KEYS = frozenset({"secret", "api_secret", "access_token", "password"})
_TELLING = 4
"""Characters that give something away; to mask fewer would only make messages unreadable."""

_hidden: list[str] = []


def secrets_in(config: Any) -> Iterator[str]:
    """The secrets of any settings, also of those that are not valid."""
    nodes = [config]
    while nodes:
        node = nodes.pop()
        if isinstance(node, Mapping):
            values = (node[key] for key in _SECRET_KEYS & node.keys())
            yield from (value for value in values if isinstance(value, str))
            nodes.extend(node.values())
        elif isinstance(node, list):
            nodes.extend(node)


def hide(secrets: Iterable[str]) -> None:
    """From now on, mask these in logs, traces and excerpts, besides those that are masked."""
    spelled = {text for secret in secrets for text in _spellings(secret)}
    telling = {text for text in {*_hidden, *spelled} if len(text) >= _TELLING}
    # A spelling that holds another has to be replaced first.
    _hidden[:] = sorted(telling, key=len, reverse=True)
    update_secrets(list(_hidden))


def _spellings(secret: str) -> Iterator[str]:
    """As it is, in a URL, in JSON, as Python shows it, and in base64."""
    raw = secret.encode("utf-8", "surrogatepass")
    yield secret
    yield from (quote(raw, safe=""), quote(raw), quote_plus(raw))
    yield from (json.dumps(secret, ensure_ascii=plain)[1:-1] for plain in (True, False))
    yield from (repr(secret)[1:-1], repr(raw)[2:-1])
    for packed in (b64encode(raw).decode(), urlsafe_b64encode(raw).decode()):
        yield from (packed, packed.rstrip("="))


def shown(excerpt: str) -> str:
    """A piece of somebody else's text without secrets, and without halves of them at its ends."""
    for secret in _hidden:
        excerpt = _without_halves(excerpt, secret)
    return filter_secrets(excerpt)


def _without_halves(text: str, secret: str) -> str:
    for length in range(min(len(secret) - 1, len(text)), _TELLING - 1, -1):
        if text.endswith(secret[:length]):
            text = text[:-length]
            break
    for length in range(min(len(secret) - 1, len(text)), _TELLING - 1, -1):
        if text.startswith(secret[-length:]):
            return text[length:]
    return text
