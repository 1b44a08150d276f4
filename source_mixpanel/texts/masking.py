"""Masking of secrets in all spellings in which an error may quote them.

Error texts of Mixpanel are shown without secrets. Pieces of data are shown as well, unless the user
excludes or hashes properties.
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
_MIN_LENGTH = 4
"""The least length of a masked text; masking shorter ones would make messages unreadable."""

_QUOTED = 3
"""Levels of quoting: an answer in an exception in a message."""

NOT_SHOWN = "(not shown: exclude_properties or hash_properties is set)"
"""Replaces every piece of data after `keep_data_back`."""

_hidden: list[str] = []
_other_maskers: set[Callable[[list[str]], None]] = set()
_data_hidden: list[bool] = []


def secrets_in(config: Any) -> Iterator[str]:
    """The secrets in any settings, also in invalid ones."""
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
    """Add secrets to those that are masked from now on."""
    spelled = {text for secret in secrets for text in _spellings(secret)}
    long_enough = {text for text in {*_hidden, *spelled} if len(text) >= _MIN_LENGTH}
    # A spelling that holds another has to be replaced first.
    _hidden[:] = sorted(long_enough, key=len, reverse=True)
    for masker in _other_maskers:
        masker(list(_hidden))


def hide_also_in(masker: Callable[[list[str]], None]) -> None:
    """Give all secrets to another masker, such as that of logs, whenever some are added."""
    _other_maskers.add(masker)


def masked(text: str) -> str:
    """A text with asterisks instead of secrets."""
    for secret in _hidden:
        text = text.replace(secret, "****")
    return text


def keep_data_back() -> None:
    """Show no piece of data from now on: it may contain excluded values."""
    _data_hidden[:] = [True]


def is_data_shown() -> bool:
    """Whether errors and logs may show pieces of data."""
    return not _data_hidden


def _spellings(secret: str) -> set[str]:
    """A secret as it is, in URLs and in base64, each of them escaped up to `_QUOTED` times."""
    raw = secret.encode("utf-8", "surrogatepass")
    encoded = {b64encode(raw).decode(), urlsafe_b64encode(raw).decode()}
    spelled = {secret, quote(raw, safe=""), quote(raw), quote_plus(raw), *encoded}
    spelled |= {text.rstrip("=") for text in encoded}
    for _ in range(_QUOTED):
        spelled |= {escaped for text in spelled for escaped in _escaped(text)}
    return spelled


def _escaped(text: str) -> Iterator[str]:
    """A text as JSON and Python escape it, with each kind of quotation mark."""
    yield from (json.dumps(text, ensure_ascii=plain)[1:-1] for plain in (True, False))
    raw = text.encode("utf-8", "surrogatepass")
    yield from (repr(text)[1:-1], repr(raw)[2:-1])
    yield from (repr(f"'\"{text}")[4:-1], repr(b"'\"" + raw)[5:-1])


def shown(text: str) -> str:
    """A text without secrets, and without parts of secrets at its ends, which may be cut."""
    for secret in _hidden:
        text = _without_partial_secrets(text, secret)
    return masked(text)


def quoted(data: str) -> str:
    """A piece of data in quotation marks, without secrets; a remark if data is not to be shown."""
    return repr(shown(data)) if is_data_shown() else NOT_SHOWN


def excerpt(data: bytes, length: int = EXCERPT) -> str:
    """The first bytes of some data, as `quoted`."""
    return quoted(data[:length].decode("utf-8", "backslashreplace"))


def _without_partial_secrets(text: str, secret: str) -> str:
    for length in range(min(len(secret) - 1, len(text)), _MIN_LENGTH - 1, -1):
        if text.endswith(secret[:length]):
            text = text[:-length]
            break
    for length in range(min(len(secret) - 1, len(text)), _MIN_LENGTH - 1, -1):
        if text.startswith(secret[-length:]):
            return text[length:]
    return text
