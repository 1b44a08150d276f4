"""The elements of one long array in a JSON object, parsed as its text comes by. Pure.

A page of profiles, or a list of Lexicon's, may hold hundreds of megabytes of text, and ten times
that as objects. The
standard library's scanner parses one element at a time from where it stands; its integers are
exact up to 4,300 digits. Longer ones come out as their own text. Where no integer is beyond 64
bits, orjson does the same in half the time.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

import orjson

from source_mixpanel.errors import CutError, DataError
from source_mixpanel.texts.json_lines import holds_long_number
from source_mixpanel.texts.json_text import finite_or_text, integer_or_text
from source_mixpanel.texts.masking import quoted

_CONTEXT = 60
_IN_A_NUMBER = frozenset(("", ".", "e", "E", "+", "-"))
_NEXT = '},{"'
"""Where an object mostly ends that another follows."""

_REACH = 1 << 14
"""Characters in which the end is looked for; longer objects are rare, and go the exact way."""

_MOST_ENVELOPES = 8
"""Envelopes in each other; Mixpanel has been seen to use two."""

_BLANK = re.compile(r"[ \t\n\r]*")


class Elements:
    """Iterates over the elements of the array in a member of an object, whose chunks are UTF-8.

    Args:
        array: The member's name.
        enveloped: Whether the array may also stand alone, or in such a member of such a member:
            the envelopes of `api.envelopes`.

    Attributes:
        members: The object's other members; complete when the iteration is over.
        found: Whether the member was there, and an array.
    """

    def __init__(self, chunks: Iterable[bytes], array: str, *, enveloped: bool = False) -> None:
        self._text = _Text(chunks)
        self._array = array
        self._bare = enveloped
        self._envelopes = _MOST_ENVELOPES if enveloped else 1
        self.members: dict[str, Any] = {}
        self.found = False

    def __iter__(self) -> Iterator[Any]:
        """The elements in order.

        Raises:
            CutError: The text ends early, or is no JSON object.
        """
        text = self._text
        if self._bare and text.peek() == "[":
            yield from self._elements()
        else:
            yield from self._object()
        if text.peek():
            raise text.damage("text follows its end")

    def _elements(self) -> Iterator[Any]:
        self.found = True
        yield from self._text.elements()

    def _object(self) -> Iterator[Any]:
        self._envelopes -= 1
        self._text.expect("{")
        if self._text.peek() == "}":
            self._text.step()
        else:
            yield from self._all_members()

    def _all_members(self) -> Iterator[Any]:
        text = self._text
        while True:
            key = text.value()
            text.expect(":")
            if key == self._array and text.peek() == "[":
                yield from self._elements()
            elif key == self._array and text.peek() == "{" and self._envelopes:
                yield from self._object()
            elif isinstance(key, str):
                self.members[key] = text.value()
            else:
                raise text.damage("a member has no name")
            if text.peek() != ",":
                break
            text.step()
        text.expect("}")


def _decoder(**hooks: Any) -> Callable[[str, int], tuple[Any, int]]:
    decoder = json.JSONDecoder(parse_float=finite_or_text, parse_constant=str, **hooks)
    return decoder.raw_decode


class _Text:
    """A text that is longer than memory, and a place in it."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        # Bytes that are no UTF-8 come out as lone surrogates, so that nothing of them is lost.
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        self._parse = _decoder()
        self._text = ""
        self._at = 0
        self._over = False

    def _more(self) -> bool:
        """Read on, at least as much as is at hand; False at the end."""
        rest = self._text[self._at :]
        pieces, length = [rest], 0
        while not self._over and length <= len(rest):
            chunk = next(self._chunks, None)
            self._over = chunk is None
            pieces.append(self._decode(chunk or b"", final=self._over))
            length += len(pieces[-1])
        self._text, self._at = "".join(pieces), 0
        return length > 0

    def peek(self) -> str:
        """The next character that is no white space, where the place now is; empty at the end."""
        while True:
            if blank := _BLANK.match(self._text, self._at):
                self._at = blank.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def step(self) -> None:
        """Go on by one character."""
        self._at += 1

    def expect(self, character: str) -> None:
        """Go on by this character, and no other."""
        if self.peek() != character:
            raise self.damage(f"{character!r} is missing")
        self.step()

    def value(self) -> Any:
        """The value that begins here."""
        self.peek()
        while True:
            try:
                value, end = self._parse(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._more():
                    raise self.damage("it is no JSON") from error
                continue
            except RecursionError as error:
                raise DataError(
                    "Mixpanel sent a list with an element that is nested too deep to be read (900 "
                    "levels or more), so it is not read on rather than without that element."
                ) from error
            except ValueError:
                # An integer of thousands of digits; from here on they are looked at one by one.
                self._parse = _decoder(parse_int=integer_or_text)
                continue
            # A number at the very end may be half of one: 1, 1. and 1e all go on.
            if self._text[end : end + 1] not in _IN_A_NUMBER or not self._more():
                self._at = end
                return value

    def elements(self) -> Generator[Any, None, None]:
        """The elements of the array that begins here."""
        self.step()
        if self.peek() == "]":
            self.step()
            return
        while True:
            yield from self._at_hand()
            yield self.value()
            mark = self.peek()
            self.step()
            if mark == "]":
                return
            if mark != ",":
                raise self.damage("an array has neither a next element nor an end")

    def _at_hand(self) -> Iterator[Any]:
        """The objects from here on that are whole in memory, with nothing but a comma between."""
        text, at = self._text, self._at
        plain = _NEXT in text and not holds_long_number(text.encode("utf-8", "replace"))
        parse = self._parse_quickly if plain else self._parse
        while text.startswith("{", at):
            try:
                value, end = parse(text, at)
            except (ValueError, RecursionError):
                break
            if not text.startswith(",", end):
                break
            at = end + 1
            self._at = at
            yield value

    def _parse_quickly(self, text: str, at: int) -> tuple[Any, int]:
        """The object at that place; orjson takes no text that goes on, so its end is guessed.

        No object's text begins another's, so a guess that parses is right. One that does not,
        because the object holds such a place itself, goes the exact way.
        """
        end = text.find(_NEXT, at, at + _REACH) + 1
        try:
            return orjson.loads(text[at:end]), end
        except orjson.JSONDecodeError:
            return self._parse(text, at)

    def damage(self, why: str) -> CutError:
        """The error for a text that is not what it has to be."""
        near = self._text[max(0, self._at - _CONTEXT) : self._at + _CONTEXT]
        return CutError(f"Mixpanel's answer is not whole: {why}.", detail=quoted(near))
