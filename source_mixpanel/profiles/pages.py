"""Pages of profiles: requested ahead, read in order, and requested again if incomplete."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial

from source_mixpanel.api.client import MixpanelClient
from source_mixpanel.api.disk import DiskBudget
from source_mixpanel.api.document import Document
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.columns.catalog import CatalogColumns
from source_mixpanel.columns.naming import Core
from source_mixpanel.columns.privacy import Privacy
from source_mixpanel.columns.types import RESCUED
from source_mixpanel.errors import RefusedError, StrainError, TransientError
from source_mixpanel.profiles.paging import UNCACHED, Walk
from source_mixpanel.profiles.rows import LAST_SEEN, Emitted
from source_mixpanel.streams.parts import Part
from source_mixpanel.threads.tasks import in_order

PATH = "/api/query/engage"
_TRIES = 3
_MOST_NAMES = 200
_LONGEST_LIST = 6_000


def output_properties(catalog: CatalogColumns, core: Core, privacy: Privacy) -> str | None:
    """The names of all properties that have columns in a catalog, to request only these.

    A JSON array, always with `$last_seen`. None if they are too many for a request, or a column
    does not name its property.
    """
    nameless = catalog.columns.keys() - {*core.columns, RESCUED, *catalog.properties.values()}
    names = sorted({LAST_SEEN, *catalog.properties})
    names = [name for name in names if not privacy.excludes(name)]
    text = json.dumps(names, separators=(",", ":"))
    if nameless or len(names) > _MOST_NAMES or len(text) > _LONGEST_LIST:
        return None
    return text


@dataclass
class Reading:
    """The progress in one part, over all its sessions.

    Attributes:
        walk: The current session.
        emitted: The profiles that have been emitted.
        again: Whether profiles of the next page may have been emitted before.
        failures: Incomplete pages in a row.
        stale: Sessions in a row that expired before a new profile was read.
        reached: Pages up to the last one with new profiles.
    """

    walk: Walk = field(default_factory=Walk)
    emitted: Emitted = field(default_factory=Emitted)
    again: bool = False
    failures: int = 0
    stale: int = 0
    reached: int = 0


@dataclass(frozen=True)
class PageSource:
    """Requests the pages of one stream.

    Attributes:
        page_size: Profiles in a page.
        workers: Pages that may be requested at the same time.
        log: Gets a sentence for each page or session that is requested again.
        only: The properties to request, a JSON array; None for all of them.
    """

    client: MixpanelClient
    disk: DiskBudget
    stream: str
    page_size: int
    workers: int
    log: Callable[[str], None]
    only: str | None = None

    def document(self, part: Part, walk: Walk, number: int) -> Document:
        """The body of a page; page 0 opens a session."""
        form = {**part.params, "page_size": str(walk.size or self.page_size)}
        if self.only is not None:
            form["output_properties"] = self.only
        if number:
            form |= {"session_id": walk.session or "", "page": str(number)}
        request = ApiRequest(Api.QUERY, PATH, self.stream, form=form, counted=not number)
        return self.client.document(request, self.disk.share(patient=False))

    def documents(
        self, part: Part, reading: Reading, first: Document | None
    ) -> Generator[Document, None, None]:
        """Pages in order, from `reading.walk` on, which the caller has to advance after each.

        As many pages are requested ahead as there is disk space for.
        """
        largest = 0
        if first is not None:
            largest = first.stored
            yield first

        def workers() -> int:
            return self.disk.concurrent_downloads(self.workers, largest)

        while due := reading.walk.due:
            tasks = (partial(self.document, part, reading.walk, number) for number in due)
            fetched = in_order(tasks, workers=workers, discard=Document.close)
            with closing(fetched):
                for document in fetched:
                    largest = max(largest, document.stored)
                    yield document
                    if reading.walk.over:
                        return
        if not reading.walk.over:
            raise TransientError(
                f"Mixpanel gave {part.label} without a session, so its further pages cannot be "
                f"asked for."
            )

    def try_again(self, part: Part, reading: Reading, error: StrainError) -> None:
        """Count an incomplete page, which is to be requested again.

        Raises:
            StrainError: It has been requested too often.
        """
        reading.failures += 1
        if reading.failures >= _TRIES:
            raise error
        self.log(f"{error} Asking for {part.label} again from there.")

    def restart(self, part: Part, reading: Reading, error: RefusedError) -> None:
        """Continue after a refused page: with a new session if the last one has expired.

        Raises:
            SourceError: Another refusal, or sessions expire before any new profile is read.
        """
        walk = reading.walk
        if walk.has_read_total:
            reading.walk = replace(walk, over=True)
            return
        if UNCACHED not in error.text or walk.next_page == 0:
            raise error
        reading.stale += 1
        if reading.stale > _TRIES:
            raise TransientError(
                f"Mixpanel ends the sessions of {part.label} before a page of new profiles could "
                f"be read. Try again later, or set a larger page_size.",
                detail=str(error.internal_message),
            ) from error
        self.log(
            f"The session of {part.label} is over at Mixpanel; it is read anew, without the "
            f"profiles that have been emitted."
        )
        reading.walk = Walk()
