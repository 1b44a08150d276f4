r"""Whether a body of JSON Lines is complete, decided from its text alone. Pure.

Raw export has no end marker and no row count (raw export API). Known damage: a line
`terminated early` or `export terminated early` instead of the rest, a fragment that starts
`{"error":`, a last line without its newline, a body that stops mid-line. A fragment may follow
half an event on the same line, and a part that was lost makes one line of two; so every line is
parsed before any of them is emitted. Only the byte `\n` ends a line: U+2028, U+0085 and similar
characters are part of the text.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import orjson

from source_mixpanel.api.failures import error_text
from source_mixpanel.texts import json_text
from source_mixpanel.texts.masking import EXCERPT, NOT_SHOWN, excerpt, is_data_shown, shown


@dataclass(frozen=True)
class Damage:
    """Why a body is not complete.

    Attributes:
        reason: For the log.
        in_the_middle: Whether complete lines follow, so that a cut does not explain the damage.
        line: The number of the damaged line, from 1.
    """

    reason: str
    in_the_middle: bool
    line: int


class LineCensus:
    """Checks and counts the lines of a body as its chunks arrive: each has to parse as an event.

    If one does not, the body is `is_suspect`, and `find_damage` gives the reason.

    Attributes:
        lines: Events so far; blank lines do not count.
        size: Bytes so far.
    """

    def __init__(self) -> None:
        self.lines = 0
        self.size = 0
        self._has_invalid_line = False
        self._partial_line: list[bytes] = []

    def feed(self, text: bytes) -> None:
        """Check the next chunk of the body, which may end anywhere."""
        self.size += len(text)
        end = text.rfind(b"\n") + 1
        if not end:
            self._partial_line.append(text)
            return
        self._partial_line.append(text[: end - 1])
        loads, count = orjson.loads, 0
        for line in b"".join(self._partial_line).split(b"\n"):
            try:
                event = loads(line)
                if type(event["event"]) is str and type(event["properties"]) is dict:
                    count += 1
                    continue
            except (orjson.JSONDecodeError, TypeError, KeyError):
                # The standard library parses what orjson refuses, such as halves of surrogates.
                pass
            if line.strip():
                count += 1
                self._has_invalid_line = self._has_invalid_line or not _is_event(line)
        self.lines += count
        self._partial_line = [text[end:]]

    @property
    def is_suspect(self) -> bool:
        """After the last chunk: whether a line is not an event, or the last line has no newline."""
        return self._has_invalid_line or bool(b"".join(self._partial_line).strip())


def find_damage(lines: Iterable[bytes]) -> Damage | None:
    """The first line that is not an event; None if all are. Blank lines are allowed."""
    damage: Damage | None = None
    for number, line in enumerate(lines, start=1):
        reason = _damage_of_line(line)
        if damage is not None and reason is None and line.strip():
            return Damage(damage.reason, in_the_middle=True, line=damage.line)
        if damage is None and reason is not None:
            damage = Damage(reason, in_the_middle=False, line=number)
    return damage


def _is_event(line: bytes) -> bool:
    try:
        event = json_text.loads(line)
    except json_text.TooDeepError:
        # Whoever parses it later reports that; the line itself is complete.
        return True
    except ValueError:
        return False
    if not isinstance(event, dict):
        return False
    return isinstance(event.get("event"), str) and isinstance(event.get("properties"), dict)


def _damage_of_line(line: bytes) -> str | None:
    text = line.strip()
    if not text or (line.endswith(b"\n") and _is_event(line)):
        return None
    if text in (b"terminated early", b"export terminated early"):
        return f"Mixpanel ended it with {text.decode()!r}"
    if text.startswith(b'{"error"'):
        return f"Mixpanel ended it with an error line: {_quote_error(text)}"
    if not line.endswith(b"\n"):
        return "its last line has no newline"
    return f"it has a line that is no event: {excerpt(text)}"


def _quote_error(line: bytes) -> str:
    """The error text of a line that begins like an error; half an event may follow it."""
    if is_data_shown():
        return excerpt(line)
    with suppress(ValueError):
        message = error_text(json_text.loads(line))
        if message is not None:
            return repr(shown(message[:EXCERPT]))
    return NOT_SHOWN
