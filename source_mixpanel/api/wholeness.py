r"""Is a body of JSON Lines whole? Decided from the text alone. Pure.

Raw export has no end marker and no row count (raw export API). What is known of damage: a line
`terminated early` or `export terminated early` in place of the rest, a fragment that starts
`{"error":`, a last line without its newline, a body that stops mid-line. A fragment may follow
half an event on the same line, so the last line is parsed. Lines are bounded by the byte `\n`
only: U+2028, U+0085 and their like are part of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from source_mixpanel import jsontext
from source_mixpanel.api.failures import error_text
from source_mixpanel.masking import EXCERPT, NOT_SHOWN, excerpt, is_data_shown, shown

_ODD = re.compile(rb'\n(?:(?<=[^}]\n)|(?=[^{])|(?=\{"error"))')
"""A newline after anything but `}`, before anything but `{`, or before an error. It begins with the
newline itself, because one byte is what a pattern is found fastest by."""

_SEEN_AGAIN = len(b'\n{"error"')


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
    """Counts the lines of a body as it passes by, at memory speed.

    Every line has to start with `{` and end with `}`, and the last one to be an event; where
    that is not so the body is `doubtful`, and `find_damage` has to look at each line.

    Attributes:
        lines: Lines that start with `{`; blank lines are not counted.
    """

    def __init__(self) -> None:
        self.lines = 0
        self.size = 0
        self._suspicious = False
        self._last = b"\n"
        self._line: list[bytes] = []

    def feed(self, text: bytes) -> None:
        """Count a further piece of the body, cut anywhere."""
        if not text:
            return
        overlap = self._last + text
        # A newline may be looked at twice, by two pieces, but what follows it is counted once.
        begin = len(self._last) - 1
        if _ODD.search(overlap):
            self._suspicious = True
            self.lines += overlap.count(b"\n{", begin)
        else:
            self.lines += overlap.count(b"\n", begin, len(overlap) - 1)
        self.size += len(text)
        self._last = overlap[-_SEEN_AGAIN:]
        self._keep_last_line(text)

    def _keep_last_line(self, text: bytes) -> None:
        """The newline that ends a line belongs to it: a new one begins with what follows."""
        begin = text.rfind(b"\n", 0, -1) + 1
        if begin or (self._line and self._line[-1].endswith(b"\n")):
            self._line.clear()
        self._line.append(text[begin:])

    @property
    def doubtful(self) -> bool:
        """Whether each line has to be looked at, now that the body has gone by."""
        last = b"".join(self._line)
        ends = self._last.endswith(b"\n")
        return self._suspicious or not ends or (bool(last.strip()) and not _is_event(last))


def find_damage(lines: Iterable[bytes]) -> Damage | None:
    """The first line that is no event, None if all are; blank lines are harmless."""
    damage: Damage | None = None
    last, last_number = b"", 0
    for number, line in enumerate(lines, start=1):
        reason = _fault_of(line)
        if damage is not None and reason is None and line.strip():
            return Damage(damage.reason, in_the_middle=True, line=damage.line)
        if damage is None and reason is not None:
            damage = Damage(reason, in_the_middle=False, line=number)
        if line.strip():
            last, last_number = line, number
    if damage is None and last and not _is_event(last):
        reason = f"its last line is no event: {excerpt(last)}"
        return Damage(reason, in_the_middle=False, line=last_number)
    return damage


def _is_event(line: bytes) -> bool:
    try:
        event = jsontext.loads(line)
    except jsontext.TooDeepError:
        # Whoever reads it will say so; nothing is lost by it.
        return True
    except ValueError:
        return False
    return isinstance(event, dict) and "event" in event


def _fault_of(line: bytes) -> str | None:
    text = line.strip()
    if not text:
        return None
    if text in (b"terminated early", b"export terminated early"):
        return f"Mixpanel ended it with {text.decode()!r}"
    if text.startswith(b'{"error"'):
        return f"Mixpanel ended it with an error line: {_error_in(text)}"
    if not line.endswith(b"\n"):
        return "its last line has no newline"
    if not (text.startswith(b"{") and text.endswith(b"}")):
        return f"it has a line that is no JSON object: {excerpt(text)}"
    return None


def _error_in(line: bytes) -> str:
    """What a line says that begins like an error; half an event may follow it."""
    if is_data_shown():
        return excerpt(line)
    with suppress(ValueError):
        said = error_text(jsontext.loads(line))
        if said is not None:
            return repr(shown(said[:EXCERPT]))
    return NOT_SHOWN
