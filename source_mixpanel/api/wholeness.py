r"""Is a body of JSON Lines whole? Decided from the text alone. Pure.

Raw export has no end marker and no row count (raw export API). What is known of damage: a line
`terminated early` or `export terminated early` in place of the rest, a fragment that starts
`{"error":`, a last line without its newline, a body that stops mid-line. Lines are bounded by
the byte `\n` only: U+2028, U+0085 and their like are part of the text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_ERROR_START = b'\n{"error"'
_EXCERPT = 120


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

    Every line has to start with `{` and end with `}`; where the sums do not add up,
    `suspicious` turns true and `find_damage` has to look at each line.

    Attributes:
        lines: Lines that start with `{`; blank lines are not counted.
        size: Bytes of text.
    """

    def __init__(self) -> None:
        self.lines = 0
        self.size = 0
        self.suspicious = False
        self._last = b"\n"

    def feed(self, text: bytes) -> None:
        """Count a further piece of the body, cut anywhere."""
        if not text:
            return
        overlap = self._last + text
        seam = len(self._last)
        breaks = text.count(b"\n")
        follows = overlap.count(b"\n", seam - 1, len(overlap) - 1)
        opens = overlap.count(b"\n{", seam - 1)
        closes = overlap.count(b"}\n", max(0, seam - 1))
        if opens != follows or closes != breaks or _ERROR_START in overlap:
            self.suspicious = True
        self.lines += opens
        self.size += len(text)
        self._last = overlap[-(len(_ERROR_START) - 1) :]

    @property
    def ends_with_newline(self) -> bool:
        """Whether the last line is complete; true for an empty body."""
        return self._last.endswith(b"\n")


def find_damage(lines: Iterable[bytes]) -> Damage | None:
    """The first line that is no event, None if all are.

    Args:
        lines: With their newlines; the last one may lack it. Blank lines are harmless.
    """
    damage: Damage | None = None
    for number, line in enumerate(lines, start=1):
        reason = _fault_of(line)
        if damage is not None and reason is None and line.strip():
            return Damage(damage.reason, in_the_middle=True, line=damage.line)
        if damage is None and reason is not None:
            damage = Damage(reason, in_the_middle=False, line=number)
    return damage


def _fault_of(line: bytes) -> str | None:
    text = line.strip()
    if not text:
        return None
    if text in (b"terminated early", b"export terminated early"):
        return f"Mixpanel ended it with {text.decode()!r}"
    if text.startswith(b'{"error"'):
        return f"Mixpanel ended it with an error line: {_excerpt(text)}"
    if not line.endswith(b"\n"):
        return "its last line has no newline"
    if not (text.startswith(b"{") and text.endswith(b"}")):
        return f"it has a line that is no JSON object: {_excerpt(text)}"
    return None


def _excerpt(text: bytes) -> str:
    return repr(text[:_EXCERPT].decode("utf-8", "backslashreplace"))
