"""Pages of profiles: fetched ahead, taken in order, asked for again where they were not whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from source_mixpanel.api.client import MixpanelClient
from source_mixpanel.api.document import Document
from source_mixpanel.api.paging import UNCACHED, Walk
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.errors import (
    ConfigError,
    CutError,
    ForbiddenError,
    RefusedError,
    SourceError,
    StrainError,
    TransientError,
)
from source_mixpanel.sync.parallel import in_order

PATH = "/api/query/engage"
_TRIES = 3

Log = Callable[[str], None]


@dataclass(frozen=True)
class Part:
    """One profile query.

    Attributes:
        key: What the state calls it.
        label: What the log calls it.
        form: What tells it from others.
        columns: Columns of its rows that are no properties.
    """

    key: str
    label: str
    form: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Page:
    """One page on disk.

    Attributes:
        number: From 0.
        document: Its text.
        again: Whether some of its profiles may have been emitted before.
        damage: Why it has to be read again, as its reader found.
    """

    number: int
    document: Document
    again: bool
    damage: StrainError | None = None


class PageSource:
    """Asks for pages of profiles.

    Args:
        client: Asks Mixpanel.
        stream: For whom.
        page_size: Profiles in a page.
        workers: Requests at a time.
        log: Where it goes when a page or a session has to be asked for again.
    """

    def __init__(
        self, client: MixpanelClient, stream: str, *, page_size: int, workers: int, log: Log
    ) -> None:
        self._client = client
        self._stream = stream
        self._page_size = page_size
        self._log = log
        self.workers = workers

    def document(self, part: Part, walk: Walk, number: int) -> Document:
        """A page as it is on the wire; page 0 opens a session."""
        form = {**part.form, "page_size": str(walk.size or self._page_size)}
        if number:
            form |= {"session_id": walk.session or "", "page": str(number)}
        request = ApiRequest(Api.QUERY, PATH, self._stream, form=form, counted=not number)
        return self._client.document(request)

    def firsts(self, parts: Iterable[Part]) -> Iterator[Document | SourceError]:
        """The first page of each part, some of them ahead; or why it cannot be had."""

        def first(part: Part) -> Document | SourceError:
            try:
                return self.document(part, Walk(), 0)
            except SourceError as error:
                return error

        def discard(document: Document | SourceError) -> None:
            if isinstance(document, Document):
                document.close()

        return in_order(
            (partial(first, part) for part in parts), workers=self.workers, discard=discard
        )

    def say(self, sentence: str) -> None:
        """A line in the log."""
        self._log(sentence)


class PartReader:
    """Walks one part from where it stands to its end.

    The caller reads each page, then says in `accept` what it held, or in the page's `damage`
    why it could not be read.

    Attributes:
        walk: Where it stands.
    """

    def __init__(self, source: PageSource, part: Part, walk: Walk) -> None:
        self._source = source
        self._part = part
        self._failures = 0
        self._stale = 0
        self.walk = walk

    def pages(self, first: Document | None) -> Iterator[Page]:
        """Pages in order; one may come again, marked so.

        Args:
            first: Page 0, if it is there already.

        Raises:
            SourceError: Mixpanel does not give them, whatever is tried.
        """
        again = False
        while not self.walk.over:
            try:
                with closing(self._documents(first)) as documents:
                    for number, document in documents:
                        page = Page(number, document, again)
                        yield page
                        document.close()
                        if page.damage is not None:
                            raise page.damage
            except RefusedError as error:
                self._restart(error)
            except StrainError as error:
                self._failures += 1
                if self._failures >= _TRIES:
                    raise
                self._source.say(f"{error} Asking for {self._part.label} again from there.")
            first, again = None, True

    def _documents(self, first: Document | None) -> Generator[tuple[int, Document], None, None]:
        if first is not None:
            yield 0, first
        while due := self.walk.due:
            walk = self.walk
            tasks = (partial(self._source.document, self._part, walk, n) for n in due)
            made = in_order(tasks, workers=self._source.workers, discard=Document.close)
            with closing(made):
                yield from zip(due, made, strict=True)
        if not self.walk.over:
            raise TransientError(
                f"Mixpanel gave {self._part.label} without a session, so its further pages "
                f"cannot be asked for."
            )

    def accept(self, page: Page, answer: Mapping[str, Any], count: int, fresh: int) -> bool:
        """Go on past a page that has been read; False if it is not what it should be.

        Args:
            page: Which.
            answer: Its members beside its results.
            count: Profiles in it.
            fresh: Profiles in it that had not been emitted before.
        """
        if fresh:
            self._stale = 0
        if self.walk.lacks(page.number, count):
            page.damage = CutError(
                f"Page {page.number + 1} of {self.walk.pages} of {self._part.label} has only "
                f"{count} profiles, fewer than Mixpanel announced."
            )
            return False
        self.walk = self.walk.after(answer, count)
        self._failures = 0
        return True

    def _restart(self, error: RefusedError) -> None:
        """Begin anew with a session of its own if the last one is over.

        Raises:
            SourceError: That is not what happened, or no session lasts long enough to get on.
        """
        if UNCACHED not in error.text or self.walk.next_page == 0:
            raise error
        self._stale += 1
        if self._stale > _TRIES:
            raise TransientError(
                f"Mixpanel ends the sessions of {self._part.label} before a page of new profiles "
                f"could be read. Try again later, or set a larger page_size.",
                detail=str(error.internal_message),
            ) from error
        self._source.say(
            f"The session of {self._part.label} is over at Mixpanel; it is read anew, without the "
            f"profiles that have been emitted."
        )
        self.walk = Walk()


def lacking(stream: str, refused: Sequence[tuple[Part, SourceError]]) -> SourceError:
    """What ends a stream after parts that were refused; the first of them is named."""
    (part, error), *more = refused
    if not part.columns:
        # It is the only query.
        return error
    others = f" and {len(more)} more, which the log names" if more else ""
    closed = isinstance(error, ForbiddenError)
    advice = "" if closed else " If this stays so, correct or delete it in Mixpanel."
    # The user mends it: tried again at once, all others would be read again for nothing.
    return ConfigError(
        f"Stream {stream!r} lacks {part.label}{others}. {error}{advice}",
        detail=str(error.internal_message),
    )


def cohort_form(number: Any, data_group_id: Any) -> dict[str, str]:
    """The query for a cohort's members, those without a profile too."""
    form = {"filter_by_cohort": json.dumps({"id": number}), "include_all_users": "true"}
    if data_group_id is not None:
        form["data_group_id"] = str(data_group_id)
    return form
