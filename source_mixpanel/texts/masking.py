"""Secrets in the spellings that an error may repeat them in, and texts that are safe to show.

What Mixpanel says to a request is shown without secrets. Pieces of the data that it holds are
shown as well, unless the user keeps some of it back.
"""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

_SECRET_KEYS = frozenset({"secret", "api_secret", "access_token", "password", "hash_salt"})
EXCERPT = 120
"""Characters that an error shows of a text that may be of any length."""
_TELLING = 4
"""Characters that give something away; to mask fewer would only make messages unreadable."""

_QUOTED = 3
"""How often an error may have been quoted in another: an answer in an exception in a message."""

NOT_SHOWN = "(not shown: exclude_properties or hash_properties is set)"
"""Stands for every piece of data once `keep_data_back` has been called."""

_hidden: list[str] = []
_also_told: set[Callable[[list[str]], None]] = set()
_kept_back: list[bool] = []


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
    """From now on, mask these, besides those that are masked."""
    spelled = {text for secret in secrets for text in _spellings(secret)}
    telling = {text for text in {*_hidden, *spelled} if len(text) >= _TELLING}
    # A spelling that holds another has to be replaced first.
    _hidden[:] = sorted(telling, key=len, reverse=True)
    for told in _also_told:
        told(list(_hidden))


def hide_also_in(masker: Callable[[list[str]], None]) -> None:
    """Hand a masker of others' texts, as logs and traces, all secrets whenever there are more."""
    _also_told.add(masker)


def masked(text: str) -> str:
    """A text with asterisks in the place of secrets."""
    for secret in _hidden:
        text = text.replace(secret, "****")
    return text


def keep_data_back() -> None:
    """From now on, show no piece of Mixpanel's data: nobody can tell what is in it."""
    _kept_back[:] = [True]


def is_data_shown() -> bool:
    """Whether errors and logs may show pieces of data."""
    return not _kept_back


def _spellings(secret: str) -> set[str]:
    """As it is, in a URL, in base64, and each of them quoted in a quoted text in a quoted text."""
    raw = secret.encode("utf-8", "surrogatepass")
    packed = {b64encode(raw).decode(), urlsafe_b64encode(raw).decode()}
    spelled = {secret, quote(raw, safe=""), quote(raw), quote_plus(raw), *packed}
    spelled |= {text.rstrip("=") for text in packed}
    for _ in range(_QUOTED):
        spelled |= {more for text in spelled for more in _escaped(text)}
    return spelled


def _escaped(text: str) -> Iterator[str]:
    """As JSON and Python quote it, whichever quotation mark they use."""
    yield from (json.dumps(text, ensure_ascii=plain)[1:-1] for plain in (True, False))
    raw = text.encode("utf-8", "surrogatepass")
    yield from (repr(text)[1:-1], repr(raw)[2:-1])
    yield from (repr(f"'\"{text}")[4:-1], repr(b"'\"" + raw)[5:-1])


def shown(said: str) -> str:
    """What Mixpanel says, without secrets, and without halves of them at its ends."""
    for secret in _hidden:
        said = _without_halves(said, secret)
    return masked(said)


def quoted(piece: str) -> str:
    """A piece of data in quotation marks, without secrets; a remark if it is kept back."""
    return repr(shown(piece)) if is_data_shown() else NOT_SHOWN


def excerpt(data: bytes, length: int = EXCERPT) -> str:
    """The same of the first of some data."""
    return quoted(data[:length].decode("utf-8", "backslashreplace"))


def _without_halves(text: str, secret: str) -> str:
    for length in range(min(len(secret) - 1, len(text)), _TELLING - 1, -1):
        if text.endswith(secret[:length]):
            text = text[:-length]
            break
    for length in range(min(len(secret) - 1, len(text)), _TELLING - 1, -1):
        if text.startswith(secret[-length:]):
            return text[length:]
    return text
