"""The engine of every stream of profiles: users, groups, members of cohorts (Query API: engage)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any, ClassVar

from airbyte_cdk.models import SyncMode
from airbyte_cdk.sources.types import StreamSlice

from source_mixpanel.api.document import Document
from source_mixpanel.api.paging import Walk
from source_mixpanel.api.quota import QUERY_CONCURRENT
from source_mixpanel.errors import (
    DataError,
    ForbiddenError,
    PlanError,
    RefusedError,
    SourceError,
    StrainError,
)
from source_mixpanel.records.elements import Elements
from source_mixpanel.records.profiles import Emitted, ProfileRows
from source_mixpanel.records.types import object_schema
from source_mixpanel.schemas.reserved import PROFILE_PROPERTIES
from source_mixpanel.streams.base import CheckpointedStream, Row, Workshop
from source_mixpanel.streams.layout import Layout
from source_mixpanel.streams.profile_pages import Page, PageSource, Part, PartReader, lacking
from source_mixpanel.streams.profile_schema import (
    core_columns,
    find_properties,
    new_names,
    property_columns,
)
from source_mixpanel.streams.profile_state import (
    OpenWalk,
    ProfileState,
    as_last_seen,
    dump_state,
    parse_state,
)
from source_mixpanel.streams.property_schema import object_columns, remembered

_BATCH = 500
"""Rows a batch; larger ones cost more a row: their memory is mapped anew each time [measured]."""
_MISSING_GROUP = "Missing Datagroup"


@dataclass(frozen=True)
class ProfileSettings:
    """What the user wants of streams of profiles.

    Attributes:
        page_size: Profiles in a page. A page is read from disk piece by piece, so that its size
            costs no memory; 5,000 keep an answer near two seconds.
        workers: Requests at a time.
        layout: How properties are to look.
    """

    page_size: int = 5_000
    workers: int = QUERY_CONCURRENT
    layout: Layout = field(default_factory=Layout)


class ProfileStream(CheckpointedStream, engine=True):
    """Profiles of one or more queries, one after the other; the state moves page by page."""

    fixed: ClassVar[Mapping[str, str]] = {}
    """Columns beside the profile's own, with their JSON types."""
    unit: ClassVar[str] = "queries"
    """What parts are, where there are several."""

    def __init__(self, workshop: Workshop, settings: ProfileSettings) -> None:
        super().__init__(workshop)
        self.settings = settings
        self._state = ProfileState()
        self._since: str | None = None
        self._resumed: OpenWalk | None = None
        self._start: float | None = None
        self._told_begun: str | None = None
        self._todo: list[Part] = []
        self._names = new_names({}, self.fixed)
        self._rows = ProfileRows(self._names, self.settings.layout.shape(None, ()), self.fixed)
        self._emitted = Emitted()

    @abstractmethod
    def parts(self) -> list[Part]:
        """The queries that the stream consists of."""

    def groups(self) -> list[str | None]:
        """The data groups whose properties are columns; None stands for users."""
        return [None]

    def requests_planned(self) -> int | None:
        """One for the first page of each part; later pages are free."""
        return len(self.parts())

    # -- schema and state ------------------------------------------------------------------

    def schema(self) -> Mapping[str, Any]:
        """Names and types from Mixpanel's list of profile properties."""
        core = core_columns(self.fixed)
        if self.settings.layout.as_object:
            return object_schema({**core, **object_columns()})
        types = find_properties(self.workshop, self.name, self.groups(), self.logger.info)
        columns = property_columns(types, self.fixed, to_text=self.settings.layout.to_text)
        return object_schema({**core, **columns})

    @property
    def state(self) -> MutableMapping[str, Any]:
        """What the next sync has to know; moves when a page has been emitted whole."""
        return dump_state(self._state)

    @state.setter
    def state(self, value: MutableMapping[str, Any]) -> None:
        self._state = parse_state(value, self.name)

    # -- slices ----------------------------------------------------------------------------

    def stream_slices(
        self,
        *,
        sync_mode: SyncMode,
        cursor_field: list[str] | None = None,  # noqa: ARG002 - the CDK's signature
        stream_state: Mapping[str, Any] | None = None,  # noqa: ARG002 - taken by the setter
    ) -> Iterable[StreamSlice]:
        """Pages, each fetched before it is handed on; a part that is refused stops no other."""
        source = self._prepare(sync_mode)
        opened = self._resumed
        refused: list[tuple[Part, SourceError]] = []
        had = False
        firsts = source.firsts(self._todo[1:] if opened else self._todo)
        for number, part in enumerate(self._todo, start=1):
            walk = opened.walk if opened is not None and number == 1 else Walk()
            first = next(firsts) if walk.next_page == 0 else None
            self._emitted = Emitted()
            try:
                yield from self._pages(PartReader(source, part, walk), part, first, number)
                had = True
            except (RefusedError, ForbiddenError) as error:
                if isinstance(error, ForbiddenError) and refused and not had:
                    # More likely a role than two parts; and each question costs quota.
                    raise
                if not self._is_gone(part, error):
                    refused.append((part, error))
        if self._state.in_progress or refused:
            # The last parts were passed over, or finished by an earlier attempt. After a refusal
            # the next sync reads all parts again: it may last, and the others change meanwhile.
            self._state = self._state.restarted() if refused else self._done()
            yield StreamSlice(partition={"page": "end"}, cursor_slice={})
        for sentence in self._rows.columns.sentences(self.name):
            self.logger.warning(sentence)
        if refused:
            raise lacking(self.name, refused)

    def _pages(
        self, reader: PartReader, part: Part, first: Document | SourceError | None, number: int
    ) -> Iterator[StreamSlice]:
        if isinstance(first, SourceError):
            raise first
        for page in reader.pages(first):
            yield StreamSlice(
                partition={"part": part.label, "page": page.number},
                cursor_slice={},
                extra_fields={"page": page, "part": part, "reader": reader, "number": number},
            )

    def _prepare(self, sync_mode: SyncMode) -> PageSource:
        """Look at state and settings, and decide what this sync reads."""
        incremental = sync_mode == SyncMode.incremental and bool(self.cursor_field)
        self._since = self._state.last_seen if incremental else None
        known = remembered(self._state.columns, self.configured_json_schema)
        self._names = new_names(known, self.fixed)
        shape = self.settings.layout.shape(self.configured_json_schema, PROFILE_PROPERTIES)
        self._rows = ProfileRows(self._names, shape, self.fixed)
        left = [part for part in self.parts() if part.key not in self._state.finished]
        start = self.workshop.time.mark()
        opened = self._state.open
        if opened is not None and opened.since == self._since:
            # The part that was broken off comes first: its session ages.
            self._todo = sorted(left, key=lambda part: part.key != opened.part)
            self._rows.latest = opened.latest
        else:
            self._todo = left
        if not (self._todo and opened and self._todo[0].key == opened.part):
            self._state = replace(self._state, open=None)
        self._resumed = self._state.open
        self._start = None if self._resumed else start
        self._told_begun = self._resumed.begun if self._resumed else None
        return PageSource(
            self.workshop.client,
            self.name,
            page_size=self.settings.page_size,
            workers=self.settings.workers,
            log=self.logger.info,
        )

    def _is_gone(self, part: Part, error: RefusedError | ForbiddenError) -> bool:
        """Go on without a part; whether nothing is lacking, since its group was deleted.

        Raises:
            PlanError: No part can be had.
        """
        if isinstance(error, PlanError):
            raise error
        # A session that refuses a page would refuse it the next time, too.
        self._state = replace(self._state, open=None)
        if isinstance(error, RefusedError) and _MISSING_GROUP in error.text:
            self.logger.warning(
                f"Stream {self.name!r} leaves out {part.label}: its group was deleted in Mixpanel."
            )
            return True
        self.logger.warning(f"Stream {self.name!r} lacks {part.label}: {error}")
        return False

    def _begun(self) -> str | None:
        """When what is being read was begun, by Mixpanel's clock; None where the state is silent.

        Asked for after the first answer, which tells that clock. Later ones change nothing: our
        own clock may have stood still in between, as it does while a machine sleeps.
        """
        if self._start is not None:
            self._told_begun = as_last_seen(self.workshop.time.at_mark(self._start))
            self._start = None
        return self._told_begun

    # -- records ---------------------------------------------------------------------------

    def chunks(self, stream_slice: Mapping[str, Any]) -> Iterator[Iterable[Row]]:
        """The rows of a page; then the state moves past it, unless it was not whole."""
        told = getattr(stream_slice, "extra_fields", {})
        if "page" not in told:
            return
        page, part, reader = told["page"], told["part"], told["reader"]
        before, emitted = self._rows.seen, self.emitted
        elements = Elements(page.document.chunks(), "results")
        if page.again:
            self._emitted.settle()
        rows = self._rows.rows(elements, part.columns, self._emitted, again=page.again)
        faults: list[StrainError] = []
        sound = _until_fault(rows, faults)
        for first in sound:
            # Each row is written before the next one is made, which is kind to memory and caches.
            yield chain((first,), islice(sound, _BATCH - 1))
        if faults:
            page.damage = faults[0]
            return
        if not elements.found:
            raise DataError(f"Mixpanel's answer for {part.label} holds no profiles at all.")
        count, fresh = self._rows.seen - before, self.emitted - emitted
        if reader.accept(page, elements.members, count, fresh):
            self._advance(page, part, reader.walk, told["number"])

    def _advance(self, page: Page, part: Part, walk: Walk, number: int) -> None:
        columns = {**self._state.columns, **self._names.used()}
        self._state = replace(self._state, columns=columns)
        if not walk.over:
            opened = OpenWalk(part.key, self._since, self._rows.latest, walk, self._begun())
            self._state = replace(self._state, open=opened)
        elif number < len(self._todo):
            finished = (*self._state.finished, part.key)
            self._state = replace(self._state, finished=finished, open=None)
        else:
            self._state = self._done()
        self._tell_progress(page, part, walk, number)

    def _tell_progress(self, page: Page, part: Part, walk: Walk, number: int) -> None:
        """In queries where there are several, else in pages."""
        if len(self._todo) == 1:
            pages = page.number + 1 if walk.over else walk.pages
            self.progressed(part.label, page.number + 1, pages, "pages")
            return
        place = f"page {page.number + 1} of {walk.pages or '?'} of {part.label}"
        self.progressed(place, number - (not walk.over), len(self._todo), self.unit)

    def _done(self) -> ProfileState:
        """The state when everything has been read."""
        return self._state.restarted()


def _until_fault(rows: Iterable[Row], faults: list[StrainError]) -> Iterator[Row]:
    """The rows before a fault: they count as emitted, so they come before it is told."""
    try:
        yield from rows
    except StrainError as error:
        faults.append(error)
