r"""Is a body of JSON Lines whole? Decided from the text alone. Pure.

Raw export has no end marker and no row count (raw export API). What is known of damage: a line
`terminated early` or `export terminated early` in place of the rest, a fragment that starts
`{"error":`, a last line without its newline, a body that stops mid-line. A fragment may follow
half an event on the same line, and a part that was lost makes one line of two; so every line is
parsed before any of them leaves. Lines are bounded by the byte `\n` only: U+2028, U+0085 and their
like are part of the text.
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
    """Why a body is not whole.

    Attributes:
        reason: In words, for the log.
        in_the_middle: Whole lines follow the damage, so a cut does not explain it.
        line: Its number, from 1.
    """

    reason: str
    in_the_middle: bool
    line: int


class LineCensus:
    """Proves the lines of a body as it passes by: each is parsed, and has to be an event.

    Where that is not so the body is `is_suspect`, and `find_damage` tells why.

    Attributes:
        lines: Events so far; blank lines are not counted.
    """

    def __init__(self) -> None:
        self.lines = 0
        self.size = 0
        self._odd = False
        self._begun: list[bytes] = []

    def feed(self, text: bytes) -> None:
        """Prove a further piece of the body, cut anywhere."""
        self.size += len(text)
        end = text.rfind(b"\n") + 1
        if not end:
            self._begun.append(text)
            return
        self._begun.append(text[: end - 1])
        loads, found = orjson.loads, 0
        for line in b"".join(self._begun).split(b"\n"):
            try:
                event = loads(line)
                if type(event["event"]) is str and type(event["properties"]) is dict:
                    found += 1
                    continue
            except (orjson.JSONDecodeError, TypeError, KeyError):
                # The standard library parses what orjson refuses, such as halves of surrogates.
                pass
            if line.strip():
                found += 1
                self._odd = self._odd or not _is_event(line)
        self.lines += found
        self._begun = [text[end:]]

    @property
    def is_suspect(self) -> bool:
        """Whether a line is no event, or the last one has no end, now that the body is over."""
        return self._odd or bool(b"".join(self._begun).strip())


def find_damage(lines: Iterable[bytes]) -> Damage | None:
    """The first line that is no event, None if all are; blank lines are harmless."""
    damage: Damage | None = None
    for number, line in enumerate(lines, start=1):
        reason = _fault_of(line)
        if damage is not None and reason is None and line.strip():
            return Damage(damage.reason, in_the_middle=True, line=damage.line)
        if damage is None and reason is not None:
            damage = Damage(reason, in_the_middle=False, line=number)
    return damage


def _is_event(line: bytes) -> bool:
    try:
        event = json_text.loads(line)
    except json_text.TooDeepError:
        # Whoever reads it will say so; nothing is lost by it.
        return True
    except ValueError:
        return False
    if not isinstance(event, dict):
        return False
    return isinstance(event.get("event"), str) and isinstance(event.get("properties"), dict)


def _fault_of(line: bytes) -> str | None:
    text = line.strip()
    if not text or (line.endswith(b"\n") and _is_event(line)):
        return None
    if text in (b"terminated early", b"export terminated early"):
        return f"Mixpanel ended it with {text.decode()!r}"
    if text.startswith(b'{"error"'):
        return f"Mixpanel ended it with an error line: {_error_in(text)}"
    if not line.endswith(b"\n"):
        return "its last line has no newline"
    return f"it has a line that is no event: {excerpt(text)}"


def _error_in(line: bytes) -> str:
    """What a line says that begins like an error; half an event may follow it."""
    if is_data_shown():
        return excerpt(line)
    with suppress(ValueError):
        said = error_text(json_text.loads(line))
        if said is not None:
            return repr(shown(said[:EXCERPT]))
    return NOT_SHOWN
