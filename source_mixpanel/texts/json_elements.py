"""The elements of one long array in a JSON object, parsed chunk by chunk. Pure.

A page of profiles, or a list of the Lexicon, may have hundreds of megabytes of text, and ten times
that as objects. The standard library's scanner parses one element at a time; its integers are exact
up to 4,300 digits, and longer ones become texts. If no integer is beyond 64 bits, orjson does the
same in half the time.
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

_EXCERPT_LENGTH = 60
_NUMBER_MAY_GO_ON = frozenset(("", ".", "e", "E", "+", "-"))
_BETWEEN_OBJECTS = '},{"'
"""The usual text between two objects."""

_SEARCH_LENGTH = 1 << 14
"""Characters in which the end of an object is searched; longer ones take the exact way."""

_MOST_ENVELOPES = 8
"""Nested envelopes, at most; Mixpanel uses two [observed]."""

_BLANK = re.compile(r"[ \t\n\r]*")


class Elements:
    """Iterates over the elements of the array in a member of a JSON object.

    Args:
        chunks: The object's text in UTF-8.
        array: The member's name.
        enveloped: Whether the array may also be the whole text, or in such a member of such a
            member: the envelopes of `api.envelopes`.

    Attributes:
        members: The object's other members; complete after the iteration.
        has_array: Whether the member exists and is an array.
    """

    def __init__(self, chunks: Iterable[bytes], array: str, *, enveloped: bool = False) -> None:
        self._text = _Text(chunks)
        self._array = array
        self._may_be_bare = enveloped
        self._envelopes = _MOST_ENVELOPES if enveloped else 1
        self.members: dict[str, Any] = {}
        self.has_array = False

    def __iter__(self) -> Iterator[Any]:
        """The elements in order.

        Raises:
            CutError: The text ends early, or is not a JSON object.
        """
        text = self._text
        if self._may_be_bare and text.peek() == "[":
            yield from self._elements()
        else:
            yield from self._object()
        if text.peek():
            raise text.damage("text follows its end")

    def _elements(self) -> Iterator[Any]:
        self.has_array = True
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
    """A text that is longer than memory, and a position in it."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        # Bytes that are no UTF-8 come out as lone surrogates, so that nothing of them is lost.
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        self._parse = _decoder()
        self._text = ""
        self._position = 0
        self._at_end = False

    def _read_more(self) -> bool:
        """Read at least as much text as is in memory; False at the end of the text."""
        rest = self._text[self._position :]
        texts, length = [rest], 0
        while not self._at_end and length <= len(rest):
            chunk = next(self._chunks, None)
            self._at_end = chunk is None
            texts.append(self._decode(chunk or b"", final=self._at_end))
            length += len(texts[-1])
        self._text, self._position = "".join(texts), 0
        return length > 0

    def peek(self) -> str:
        """Go to the next character that is not white space, and return it; empty at the end."""
        while True:
            if blank := _BLANK.match(self._text, self._position):
                self._position = blank.end()
            if self._position < len(self._text):
                return self._text[self._position]
            if not self._read_more():
                return ""

    def step(self) -> None:
        """Advance by one character."""
        self._position += 1

    def expect(self, character: str) -> None:
        """Advance by this character.

        Raises:
            CutError: The next character is another one.
        """
        if self.peek() != character:
            raise self.damage(f"{character!r} is missing")
        self.step()

    def value(self) -> Any:
        """The value at the position, which moves after it.

        Raises:
            CutError: The text is not valid JSON.
            DataError: The value is nested too deep.
        """
        self.peek()
        while True:
            try:
                value, end = self._parse(self._text, self._position)
            except json.JSONDecodeError as error:
                if not self._read_more():
                    raise self.damage("it is no JSON") from error
                continue
            except RecursionError as error:
                raise DataError(
                    "Mixpanel sent a list with an element that is nested too deep to be read (900 "
                    "levels or more), so it is not read on rather than without that element."
                ) from error
            except ValueError:
                # An integer of thousands of digits: from now on integers are parsed one by one.
                self._parse = _decoder(parse_int=integer_or_text)
                continue
            # A number at the very end of the chunk may be incomplete: 1, 1. and 1e.
            if self._text[end : end + 1] not in _NUMBER_MAY_GO_ON or not self._read_more():
                self._position = end
                return value

    def elements(self) -> Generator[Any, None, None]:
        """The elements of the array at the position."""
        self.step()
        if self.peek() == "]":
            self.step()
            return
        while True:
            yield from self._complete_objects()
            yield self.value()
            mark = self.peek()
            self.step()
            if mark == "]":
                return
            if mark != ",":
                raise self.damage("an array has neither a next element nor an end")

    def _complete_objects(self) -> Iterator[Any]:
        """The next objects that are complete in memory and separated by a comma only."""
        text, at = self._text, self._position
        plain = _BETWEEN_OBJECTS in text and not holds_long_number(text.encode("utf-8", "replace"))
        parse = self._parse_quickly if plain else self._parse
        while text.startswith("{", at):
            try:
                value, end = parse(text, at)
            except (ValueError, RecursionError):
                break
            if not text.startswith(",", end):
                break
            at = end + 1
            self._position = at
            yield value

    def _parse_quickly(self, text: str, at: int) -> tuple[Any, int]:
        """The object at a position, and its end, which is guessed: orjson parses whole texts only.

        No object's text is the start of another's, so a guess that parses is right. If it does not,
        because the object contains `_BETWEEN_OBJECTS` itself, it is parsed the exact way.
        """
        end = text.find(_BETWEEN_OBJECTS, at, at + _SEARCH_LENGTH) + 1
        try:
            return orjson.loads(text[at:end]), end
        except orjson.JSONDecodeError:
            return self._parse(text, at)

    def damage(self, why: str) -> CutError:
        """The error for an invalid text, with an excerpt around the position."""
        surroundings = self._text[
            max(0, self._position - _EXCERPT_LENGTH) : self._position + _EXCERPT_LENGTH
        ]
        return CutError(f"Mixpanel's answer is not whole: {why}.", detail=quoted(surroundings))
