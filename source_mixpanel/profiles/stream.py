"""Streams of profiles (users, groups, cohort members): declarations, and how they are read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any

from source_mixpanel.api.document import Document
from source_mixpanel.api.endpoints import COHORTS, DATA_GROUPS
from source_mixpanel.api.quota import QUERY_CONCURRENT
from source_mixpanel.columns.fitting import Row
from source_mixpanel.columns.properties import Shape
from source_mixpanel.columns.schema import object_columns
from source_mixpanel.columns.types import object_schema
from source_mixpanel.columns.width import advice_on_width
from source_mixpanel.errors import (
    CutError,
    DataError,
    ForbiddenError,
    RefusedError,
    SourceError,
    StrainError,
    TransientError,
)
from source_mixpanel.profiles.pages import PATH, PageSource, Reading, output_properties
from source_mixpanel.profiles.paging import Walk
from source_mixpanel.profiles.rows import ProfileRows, profile_core
from source_mixpanel.profiles.schema import (
    core_columns,
    find_properties,
    property_columns,
)
from source_mixpanel.profiles.state import (
    OpenWalk,
    ProfileState,
    as_last_seen,
    can_be_saved,
    dump_state,
    parse_state,
)
from source_mixpanel.streams.base import Checkpoint, Item, MixpanelStream, StreamContext
from source_mixpanel.streams.parts import Each, Part, PartRun, ends_refresh
from source_mixpanel.streams.state import opened
from source_mixpanel.texts.json_elements import Elements

_BATCH = 500
"""Rows of a batch; larger ones take longer for each row, for memory mapping [measured]."""


@dataclass(frozen=True)
class ProfileSettings:
    """The settings of streams of profiles.

    Attributes:
        page_size: Profiles in a page. A page is parsed from disk in chunks, so that its size
            needs no memory; 5,000 keep an answer near two seconds.
        workers: Requests that may run at the same time.
        shape: The layout of rows.
        column_names: The columns that the user has pinned, by raw name.
    """

    page_size: int = 5_000
    workers: int = QUERY_CONCURRENT
    shape: Shape = field(default_factory=Shape)
    column_names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ProfilesDeclaration:
    """The declaration of a stream of profiles.

    Attributes:
        key: The columns of the primary key, with spaces between.
        fixed: Further core columns, with their JSON types.
        each: The list of its parts; None for a stream with one query.
        documented: Whether Mixpanel documents the endpoint.
        of_groups: Whether the profiles are those of groups, not of users.
    """

    name: str
    key: str
    fixed: Mapping[str, str] = field(default_factory=dict)
    each: Each | None = None
    documented: bool = True
    of_groups: bool = False


GROUPS = ProfilesDeclaration(
    "groups",
    "data_group_id distinct_id",
    fixed={"data_group_id": "string"},
    each=Each(
        DATA_GROUPS,
        "data_group_id",
        unit="group keys",
        noun="group key",
        params=lambda group: {"data_group_id": str(group["data_group_id"])},
        columns=lambda group: {"data_group_id": str(group["data_group_id"])},
        name="property_name",
    ),
    documented=False,
    of_groups=True,
)
"""Every group profile of every group key; a group key's number may be negative."""


def _members_of(cohort: Row) -> dict[str, str]:
    """The form of the query for a cohort's members, with those that have no profile."""
    form = {"filter_by_cohort": json.dumps({"id": cohort["id"]}), "include_all_users": "true"}
    group = cohort.get("data_group_id")
    return form if group is None else {**form, "data_group_id": str(group)}


COHORT_MEMBERS = ProfilesDeclaration(
    "cohort_members",
    "cohort_id distinct_id",
    fixed={"cohort_id": "integer"},
    each=Each(
        COHORTS,
        "id",
        unit="cohorts",
        noun="cohort",
        params=_members_of,
        columns=lambda cohort: {"cohort_id": cohort["id"]},
        wanted=lambda cohort: cohort.get("count") != 0,
    ),
)
"""Every member of every cohort, with its profile if it has one."""


class ProfileStream(MixpanelStream):
    """Profiles of one or more queries, one after the other; each page is a checkpoint."""

    makes_rows_fit = True

    def __init__(
        self, context: StreamContext, declared: ProfilesDeclaration, settings: ProfileSettings
    ) -> None:
        self.core = profile_core(declared.fixed)
        super().__init__(context)
        self.declared = declared
        self.name = declared.name
        self.primary_key = declared.key.split()
        self.documented = declared.documented
        self.paths = (PATH, *([declared.each.listing.path] if declared.each else []))
        self.settings = settings
        self._state = ProfileState()
        self._since: str | None = None
        self._start: float | None = None
        self._begun_at: str | None = None
        self._readings: dict[str, Reading] = {}
        self._rows = ProfileRows(self.catalog, settings.shape, self.core, context.privacy)

    # -- what a stream may say differently -------------------------------------------------

    def parts(self) -> list[Part]:
        """The queries of the stream."""
        each = self.declared.each
        return each.parts(self.context, self.name) if each else []

    def done(self) -> ProfileState:
        """The state after everything has been read."""
        return self._state.over()

    # -- schema ----------------------------------------------------------------------------

    def requests_planned(self) -> int | None:
        """One for the first page of each part; later pages are free."""
        return len(self.parts())

    def schema(self) -> Mapping[str, Any]:
        """Names and types from Mixpanel's list of profile properties."""
        fixed = self.declared.fixed
        if self.settings.shape.as_object:
            return object_schema({**core_columns(fixed), **object_columns()}, rescues=False)
        types = find_properties(self.context, self.name, self._groups(), self.logger.info)
        pinned, to_text = self.settings.column_names, self.settings.shape.to_text
        privacy = self.context.privacy
        columns = property_columns(types, self.core, pinned, privacy, to_text=to_text)
        if advice := advice_on_width(self.name, len(columns)):
            self.logger.warning(advice)
        return object_schema({**core_columns(fixed), **columns})

    def _groups(self) -> list[str | None]:
        """The data groups whose properties become columns; None stands for users."""
        users = [] if self.declared.of_groups else [None]
        if self.declared.each is None:
            return [None]
        try:
            groups = {part.params.get("data_group_id") for part in self.parts()} - {None}
            return [*users, *sorted(groups, key=str)]
        except (ForbiddenError, RefusedError, DataError) as error:
            self.logger.info(f"Stream {self.name!r} is discovered without its properties: {error}")
            return [*users]

    # -- the sync --------------------------------------------------------------------------

    def sync(self, saved: Mapping[str, Any], *, full: bool) -> Iterator[Item]:
        """Pages of profiles, part by part; parts that an earlier attempt began come first."""
        self._begin(saved, full=full)
        source = PageSource(
            self.context.client,
            self.context.disk,
            self.name,
            self.settings.page_size,
            self.settings.workers,
            self.logger.info,
            self._only(),
        )
        run = PartRun(
            self,
            self._parts_left(),
            each=self.declared.each,
            begin=lambda part: self._first(source, part),
            read=lambda part, first: self._part(run, source, part, first),
            workers=self.settings.workers,
            discard=_close,
        )
        try:
            yield from run.whole()
        except SourceError as error:
            if ends_refresh(error, run):
                passes = isinstance(error, TransientError)
                ended = self._state.ended(self.context.now_ms(), passes=passes)
                yield Checkpoint(dump_state(ended))
            raise
        self._state = self.done()
        yield Checkpoint(dump_state(self._state))

    def _begin(self, saved: Mapping[str, Any], *, full: bool) -> None:
        """Parse the state, and set what this sync continues from."""
        now = self.context.origin
        state = opened(saved, self.name, parse_state)
        incremental = not full and bool(self.cursor_field)
        self._since = state.last_seen if incremental else None
        if self._since is not None:
            self.go_on_from(state.origin, now)
        self._start = self.context.time.mark()
        self._state = state.at_start(now, self.context.now_ms(), self._since)
        shape, privacy = self.settings.shape, self.context.privacy
        self._rows = ProfileRows(self.catalog, shape, self.core, privacy)
        for key, mark in self._state.open.items():
            self._readings[key] = Reading(mark.walk)
            self._rows.latest, self._begun_at, self._start = mark.latest, mark.begun, None

    def _only(self) -> str | None:
        """The properties to request, if only those of the catalog are wanted; else None.

        For `rescued_properties`, those that are newer than the catalog are needed as well.
        """
        shape = self.settings.shape
        if shape.as_object or not shape.only_declared:
            return None
        return output_properties(self.catalog, self.core, self.context.privacy)

    def _parts_left(self) -> list[Part]:
        """The parts that are left; interrupted ones first, before their sessions expire."""
        parts = {part.key: part for part in self.parts()}
        self._state = self._state.only(parts)
        left = parts.keys() - set(self._state.refresh.finished)
        order = sorted(parts, key=lambda key: key not in self._state.open)
        return [parts[key] for key in order if key in left]

    def _begun(self) -> str | None:
        """When the first session began, by Mixpanel's clock; None if the state does not say.

        Called after the first answer, whose `Date` is that clock. Later answers change nothing: the
        local clock may have stopped in between, as it does while a computer sleeps.
        """
        if self._start is not None:
            self._begun_at = as_last_seen(self.context.time.at_mark(self._start))
            self._start = None
        return self._begun_at

    # -- records ---------------------------------------------------------------------------

    def oddities(self) -> Iterator[str]:
        """Sentences about unusual profiles and values."""
        return iter(self._rows.sentences(self.name))

    # -- a part ----------------------------------------------------------------------------

    def _first(self, source: PageSource, part: Part) -> Document | None:
        """The first page; None if the part continues from a state."""
        if part.key in self._readings:
            return None
        return source.document(part, Walk(), 0)

    def _part(
        self,
        run: PartRun[Document | None],
        source: PageSource,
        part: Part,
        first: Document | None,
    ) -> Iterator[Item]:
        """The rows of a part, from its first unread page to its end."""
        reading = self._readings.setdefault(part.key, Reading())
        while not reading.walk.over:
            try:
                with closing(source.documents(part, reading, first)) as documents:
                    for document in documents:
                        yield from self._page(run, part, reading, document)
            except RefusedError as error:
                source.restart(part, reading, error)
            except StrainError as error:
                source.try_again(part, reading, error)
            first, reading.again = None, True
        del self._readings[part.key]
        self._state = self._state.finished(part.key)
        if run.done + 1 < run.total:
            yield Checkpoint(dump_state(self._state))

    def _page(
        self, run: PartRun[Document | None], part: Part, reading: Reading, document: Document
    ) -> Iterator[Item]:
        """The rows of a page, and a checkpoint.

        Raises:
            StrainError: The page is incomplete, and has to be read again.
            DataError: It has no profiles, or only those that came before.
        """
        number, before, fresh = reading.walk.next_page, self._rows.seen, self._rows.made
        elements = Elements(document.chunks(), "results")
        if reading.again:
            reading.emitted.settle()
        rows = self._rows.rows(elements, part.columns, reading.emitted, again=reading.again)
        errors: list[SourceError] = []
        good_rows = _until_error(rows, errors)
        for first in good_rows:
            # Each row is written before the next one is made, which saves memory.
            yield chain((first,), islice(good_rows, _BATCH - 1))
        document.close()
        if errors:
            raise errors[0]
        if not elements.has_array:
            raise DataError(f"Mixpanel's answer for {part.label} holds no profiles at all.")
        count, fresh = self._rows.seen - before, self._rows.made - fresh
        self._advance(part, reading, elements.members, count, fresh)
        if not reading.walk.over and can_be_saved(reading.walk):
            mark = OpenWalk(self._since, self._rows.latest, reading.walk, self._begun())
            self._state = self._state.at(part.key, mark)
        yield self._progress(run, part, reading.walk, number)

    def _advance(
        self, part: Part, reading: Reading, answer: Mapping[str, Any], count: int, fresh: int
    ) -> None:
        """Advance the walk by a page of `count` profiles, of which `fresh` were not emitted before.

        Raises:
            CutError: The page has fewer profiles than promised.
            DataError: Mixpanel repeats an earlier page.
        """
        walk = reading.walk
        if walk.is_short(walk.next_page, count):
            raise CutError(
                f"Page {walk.next_page + 1} of {walk.pages} of {part.label} has only {count} "
                f"profiles, fewer than Mixpanel announced."
            )
        if fresh:
            reading.stale, reading.reached = 0, max(reading.reached, walk.next_page + 1)
        elif count and (not reading.again or walk.next_page > reading.reached):
            if not walk.has_read_total:
                raise DataError(
                    f"Mixpanel gives profiles of {part.label} that it gave before as its page "
                    f"{walk.next_page + 1}, so it is not known which ones are lacking."
                )
            reading.walk = replace(walk, over=True)
            return
        reading.walk = walk.after(answer, count)
        reading.failures = 0

    def _progress(
        self, run: PartRun[Document | None], part: Part, walk: Walk, number: int
    ) -> Checkpoint:
        """The checkpoint after a page; progress counts queries, or pages of the only one."""
        # At the end of a part its last page and the part itself are one state.
        state = None if walk.over else dump_state(self._state)
        if run.total == 1:
            pages = number + 1 if walk.over else walk.pages
            return Checkpoint(state, part.label, number + 1, pages, "pages")
        place = f"page {number + 1} of {walk.pages or '?'} of {part.label}"
        return Checkpoint(state, place, run.done + walk.over, run.total, run.unit)


def _close(document: Document | None) -> None:
    if document is not None:
        document.close()


def _until_error(rows: Iterable[Row], errors: list[SourceError]) -> Iterator[Row]:
    """The rows before an error, which is added to `errors`: they have to be emitted first."""
    try:
        yield from rows
    except SourceError as error:
        errors.append(error)
