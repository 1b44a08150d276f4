"""Streams that consist of parts: funnels, cohorts, group keys, reports, data views.

What they have in common is here: parts are begun ahead, several at a time, and read in order; one
that fails is retried once at the end; one that was deleted in Mixpanel is no failure; those that
are missing in the end are named in one error, with the reason.
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

_FAILURES_TO_STOP = 10
_FORBIDDEN_TO_STOP = 5
"""Parts that may fail before any succeeds; after that all would fail. A missing role fails all."""
_MOST_NAMES = 100
_PART_ERRORS = (DataError, ForbiddenError, RefusedError, TransientError)
_SHARED_ERRORS = (PlanError, QuotaError, UnreachableError)
_MISSING_GROUP = "Missing Datagroup"


@dataclass(frozen=True, eq=False)
class Part:
    """One report, or one sequence of pages, of a stream.

    Attributes:
        key: Its name in the state.
        label: Its name in messages.
        params: The parameters of its requests.
        columns: The values that its rows have in common.
    """

    key: str
    label: str
    params: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Each:
    """A part for each item of a list.

    Attributes:
        listing: The list endpoint.
        key: The key of an item's id.
        unit: The name of the parts, in the plural.
        noun: The name of one part, for its label.
        params: The parameters of an item's requests.
        columns: The values that an item's rows have in common.
        wanted: Whether an item is a part.
        name: The key of an item's name, for its label.
    """

    listing: Listing
    key: str
    unit: str
    noun: str
    params: Callable[[Row], Mapping[str, str]]
    columns: Callable[[Row], Mapping[str, Any]]
    wanted: Callable[[Row], bool] = lambda _: True
    name: str = "name"

    def parts(self, context: StreamContext, stream: str) -> list[Part]:
        """The parts, out of the list."""
        return [
            Part(
                key=str(item[self.key]),
                label=self._label(item, context.privacy),
                params=self.params(item),
                columns=self.columns(item),
            )
            for item in context.lists.keyed(self.listing, stream, self.key)
            if self.wanted(item)
        ]

    def _label(self, item: Row, privacy: Privacy) -> str:
        """The label of an item; without its name if that is the name of an excluded property."""
        name = item.get(self.name)
        suffix = "" if privacy.excludes(str(name)) else f" {name!r}"
        return f"{self.noun} {item[self.key]}{suffix}"

    def listed(self, context: StreamContext, stream: str) -> set[str]:
        """The keys of a new read of the list."""
        return context.lists.keys_now(self.listing, stream, self.key)


@dataclass(eq=False)
class PartRun(Generic[T]):
    """Reads the parts of one stream.

    Attributes:
        parts: The parts to read.
        each: The list that they come from; None if there is none.
        begin: Starts a part ahead of its turn, in its own thread; its result is given to `read`.
        read: Gives the rows and checkpoints of a part.
        workers: Parts that may be begun ahead.
        discard: Gets the results of `begin` that are not read.
        done: How many parts have been read completely.
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
        """The name of the parts, in the plural."""
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
            SourceError: Some are missing, after the others have been read; or as for `items`.
        """
        yield from self.items()
        if error := self.error():
            raise error

    def _concurrency(self) -> int:
        """How many parts may be begun ahead: only one until the first one has succeeded."""
        return self.workers if self.done and not self.stream.context.disk.is_full else 1

    def items(self) -> Iterator[Item]:
        """The rows and checkpoints of all parts that can be read.

        Raises:
            SourceError: The only part fails, or the cause affects all parts.
        """
        tasks = (partial(self._attempt, part) for part in self.parts)
        results = in_order(tasks, workers=self._concurrency, discard=self._drop)
        with closing(results) as begun:
            for part, start in zip(self.parts, begun, strict=True):
                yield from self._read(part, start)
        for part in self._parts_to_retry():
            yield from self._read(part, self._attempt(part))
        self.over = True

    def error(self) -> SourceError | None:
        """The error after all parts have been tried; None if none is missing."""
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
        """Continue without a part for now.

        Raises:
            SourceError: The others would fail as well, or there are none.
        """
        if self.each is None and self.total == 1:
            raise error
        if not is_of_a_part(error):
            raise error
        self._failed[part] = error
        self._log.warning(f"Stream {self.stream.name!r} goes on without {part.label}: {error}")
        if self._would_all_fail():
            self.over = True
            raise self.error() or error

    def _would_all_fail(self) -> bool:
        """Whether so many parts have failed, and none succeeded, that all would fail."""
        forbidden = all(isinstance(error, ForbiddenError) for error in self._failed.values())
        limit = _FORBIDDEN_TO_STOP if forbidden else _FAILURES_TO_STOP
        return not self.done and limit <= len(self._failed) < self.total

    def _parts_to_retry(self) -> list[Part]:
        """The parts that failed, without those that were deleted in Mixpanel."""
        still_listed = self._still_listed()
        for part, error in list(self._failed.items()):
            if not isinstance(error, RefusedError):
                continue
            deleted = still_listed is not None and part.key not in still_listed
            if deleted or _MISSING_GROUP in error.text:
                del self._failed[part]
                self._log.info(
                    f"Stream {self.stream.name!r}: {part.label} was deleted in Mixpanel meanwhile."
                )
        return list(self._failed)

    def _still_listed(self) -> set[str] | None:
        """The keys of a new read of the list; None if it is not needed or fails."""
        refused = any(isinstance(error, RefusedError) for error in self._failed.values())
        if self.each is None or not refused:
            return None
        try:
            return self.each.listed(self.stream.context, self.stream.name)
        except SourceError:
            return None


def is_of_a_part(error: SourceError) -> bool:
    """Whether an error may affect one part only, so that others may succeed."""
    return isinstance(error, _PART_ERRORS) and not isinstance(error, _SHARED_ERRORS)


def ends_refresh(error: SourceError, run: PartRun[Any]) -> bool:
    """Whether this error ends a full refresh, so that only an attempt soon after continues it."""
    return run.over or isinstance(error, (RefusedError, ForbiddenError, DataError))


def missing_parts_error(
    stream: str,
    unit: str,
    total: int,
    failed: Mapping[Part, SourceError],
    count: int | None = None,
) -> SourceError | None:
    """One error that names the missing parts by reason; None if no part failed.

    Its class is that of the reasons; of several classes, the one that a later sync helps least.
    `count` is the number of missing units, if a part may stand for several.
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
    missing = f"{len(failed) if count is None else count} of {total} {unit}"
    message = f"Stream {stream!r} lacks {missing}. {reasons}{advice}"
    return _KINDS[worst(_kind(error) for error in failed.values())](message, details)


_KINDS: Mapping[FailureKind, type[SourceError]] = {
    "config_error": ConfigError,
    "transient_error": TransientError,
    "system_error": DataError,
}


def _kind(error: SourceError) -> FailureKind:
    """The failure type of a part's error; a refused part is an error of configuration."""
    return "config_error" if isinstance(error, RefusedError) else error.failure_type


def _names(labels: list[str]) -> str:
    more = len(labels) - _MOST_NAMES
    shown = ", ".join(labels[:_MOST_NAMES])
    return f"{shown} and {more} more, which the log names" if more > 0 else shown
