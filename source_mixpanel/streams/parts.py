"""Streams that consist of parts: funnels, cohorts, group keys, reports, data views.

What they have in common is here: parts are begun ahead, several at a time, and read in order; one
that fails is set aside and tried once more at the end; one that is gone from Mixpanel's list lacks
nothing; what is lacking in the end is told in one error, by name and reason.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from source_mixpanel.api.endpoints import Listing
from source_mixpanel.columns.fitting import Row
from source_mixpanel.columns.privacy import Privacy
from source_mixpanel.errors import (
    ConfigError,
    DataError,
    FailureKind,
    ForbiddenError,
    PlanError,
    QuotaError,
    RefusedError,
    SourceError,
    TransientError,
    UnreachableError,
    worst,
)
from source_mixpanel.streams.base import Item, MixpanelStream, StreamContext
from source_mixpanel.threads.tasks import in_order

T = TypeVar("T")

_ENOUGH = 10
_ENOUGH_FORBIDDEN = 5
"""Parts that fail before any is had: what fails is not theirs. A role mostly closes all of them."""
_MOST_NAMES = 100
_OF_A_PART = (DataError, ForbiddenError, RefusedError, TransientError)
_EVERYBODYS = (PlanError, QuotaError, UnreachableError)
_MISSING_GROUP = "Missing Datagroup"


@dataclass(frozen=True, eq=False)
class Part:
    """One question, or one row of pages, that a stream is made of.

    Attributes:
        key: What the state calls it.
    """

    key: str
    label: str
    ask: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Each:
    """A part for each item of a list.

    Attributes:
        unit: What they are, in the plural.
        noun: What one is, for its label; its name follows.
    """

    listing: Listing
    key: str
    unit: str
    noun: str
    ask: Callable[[Row], Mapping[str, str]]
    columns: Callable[[Row], Mapping[str, Any]]
    wanted: Callable[[Row], bool] = lambda _: True
    name: str = "name"

    def parts(self, context: StreamContext, stream: str) -> list[Part]:
        """The parts by now."""
        return [
            Part(
                key=str(item[self.key]),
                label=self._label(item, context.privacy),
                ask=self.ask(item),
                columns=self.columns(item),
            )
            for item in context.lists.keyed(self.listing, stream, self.key)
            if self.wanted(item)
        ]

    def _label(self, item: Row, privacy: Privacy) -> str:
        """What an item is called; a group key has the name of a property."""
        name = item.get(self.name)
        told = "" if privacy.excludes(str(name)) else f" {name!r}"
        return f"{self.noun} {item[self.key]}{told}"

    def listed(self, context: StreamContext, stream: str) -> set[str]:
        """The keys that are in the list by now."""
        return context.lists.keys_now(self.listing, stream, self.key)


@dataclass(eq=False)
class PartRun(Generic[T]):
    """Reads the parts of one stream.

    Attributes:
        each: The list that they are of; None where there is no list.
        begin: What can be done ahead of a part's turn, in a thread of its own.
        read: Its rows and checkpoints; `begin` gave what it starts from.
        discard: Given what was begun and is not read.
        done: How many parts have been read whole.
        over: Whether all of them have been tried.
    """

    stream: MixpanelStream
    parts: Sequence[Part]
    each: Each | None
    begin: Callable[[Part], T]
    read: Callable[[Part, T], Iterator[Item]]
    workers: int
    discard: Callable[[T], None] = lambda _: None
    done: int = field(default=0, init=False)
    over: bool = field(default=False, init=False)
    _failed: dict[Part, SourceError] = field(default_factory=dict, init=False)

    @property
    def unit(self) -> str:
        """What the parts are, in the plural."""
        return self.each.unit if self.each else "parts"

    @property
    def _log(self) -> logging.Logger:
        return self.stream.logger

    @property
    def total(self) -> int:
        """How many parts there are."""
        return len(self.parts)

    def whole(self) -> Iterator[Item]:
        """The rows and checkpoints of all parts.

        Raises:
            SourceError: Some are lacking, when the others have been read; or as for `items`.
        """
        yield from self.items()
        if error := self.error():
            raise error

    def _at_once(self) -> int:
        """How many to ask for: one alone, until it is known that they can be had."""
        return self.workers if self.done and not self.stream.context.disk.is_full else 1

    def items(self) -> Iterator[Item]:
        """The rows and checkpoints of all parts that can be had.

        Raises:
            SourceError: The only part fails, or something that is no part's own.
        """
        tasks = (partial(self._attempt, part) for part in self.parts)
        ahead = in_order(tasks, workers=self._at_once, discard=self._drop)
        with closing(ahead) as begun:
            for part, start in zip(self.parts, begun, strict=True):
                yield from self._read(part, start)
        for part in self._worth_another_try():
            yield from self._read(part, self._attempt(part))
        self.over = True

    def error(self) -> SourceError | None:
        """What ends the stream when all has been tried; None if nothing is lacking."""
        return missing_parts_error(self.stream.name, self.unit, self.total, self._failed)

    def _attempt(self, part: Part) -> T | SourceError:
        try:
            return self.begin(part)
        except SourceError as error:
            return error

    def _drop(self, begun: T | SourceError) -> None:
        if not isinstance(begun, SourceError):
            self.discard(begun)

    def _read(self, part: Part, begun: T | SourceError) -> Iterator[Item]:
        try:
            if isinstance(begun, SourceError):
                raise begun
            yield from self.read(part, begun)
        except SourceError as error:
            self._set_aside(part, error)
        else:
            self._failed.pop(part, None)
            self.done += 1

    def _set_aside(self, part: Part, error: SourceError) -> None:
        """Go on without a part for now.

        Raises:
            SourceError: Nothing is gained by going on.
        """
        if self.each is None and self.total == 1:
            raise error
        if not is_of_a_part(error):
            raise error
        self._failed[part] = error
        self._log.warning(f"Stream {self.stream.name!r} goes on without {part.label}: {error}")
        if self._seems_everybodys():
            self.over = True
            raise self.error() or error

    def _seems_everybodys(self) -> bool:
        """Whether so many parts have failed, and none was had, that others would fail as well."""
        forbidden = all(isinstance(error, ForbiddenError) for error in self._failed.values())
        enough = _ENOUGH_FORBIDDEN if forbidden else _ENOUGH
        return not self.done and enough <= len(self._failed) < self.total

    def _worth_another_try(self) -> list[Part]:
        """The parts that failed, without those that are gone."""
        there = self._still_listed()
        for part, error in list(self._failed.items()):
            if not isinstance(error, RefusedError):
                continue
            deleted = there is not None and part.key not in there
            if deleted or _MISSING_GROUP in error.text:
                del self._failed[part]
                self._log.info(
                    f"Stream {self.stream.name!r}: {part.label} was deleted in Mixpanel meanwhile."
                )
        return list(self._failed)

    def _still_listed(self) -> set[str] | None:
        """The keys that Mixpanel lists by now; None if it does not say."""
        refused = any(isinstance(error, RefusedError) for error in self._failed.values())
        if self.each is None or not refused:
            return None
        try:
            return self.each.listed(self.stream.context, self.stream.name)
        except SourceError:
            return None


def is_of_a_part(error: SourceError) -> bool:
    """Whether an error may be one part's own, so that others may be had."""
    return isinstance(error, _OF_A_PART) and not isinstance(error, _EVERYBODYS)


def ends_refresh(error: SourceError, run: PartRun[Any]) -> bool:
    """Whether a full refresh that fails so is at its end, and is not gone on with for long."""
    return run.over or isinstance(error, (RefusedError, ForbiddenError, DataError))


def missing_parts_error(
    stream: str,
    unit: str,
    total: int,
    failed: Mapping[Part, SourceError],
    count: int | None = None,
) -> SourceError | None:
    """One error that names each part that is lacking, by reason; None if none is.

    Its class is that of the reasons; of several the one that a later sync helps least. `count` is
    how many units the parts stand for, if a part may stand for several.
    """
    if not failed:
        return None
    by_reason: dict[str, list[str]] = {}
    for part, error in failed.items():
        by_reason.setdefault(str(error), []).append(part.label)
    reasons = " ".join(f"{_names(labels)}: {reason}" for reason, labels in by_reason.items())
    refused = any(isinstance(error, RefusedError) for error in failed.values())
    advice = " If this stays so, correct or delete what is refused in Mixpanel." if refused else ""
    details = "; ".join(dict.fromkeys(error.internal_message for error in failed.values()))
    lacking = f"{len(failed) if count is None else count} of {total} {unit}"
    message = f"Stream {stream!r} lacks {lacking}. {reasons}{advice}"
    return _KINDS[worst(_kind(error) for error in failed.values())](message, details)


_KINDS: Mapping[FailureKind, type[SourceError]] = {
    "config_error": ConfigError,
    "transient_error": TransientError,
    "system_error": DataError,
}


def _kind(error: SourceError) -> FailureKind:
    """What the error of a part is to the platform: who refuses one part is no broken connector."""
    return "config_error" if isinstance(error, RefusedError) else error.failure_type


def _names(labels: list[str]) -> str:
    more = len(labels) - _MOST_NAMES
    told = ", ".join(labels[:_MOST_NAMES])
    return f"{told} and {more} more, which the log names" if more > 0 else told
