"""The engine of streams that the Query API counts by day: a whole range in one request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any, ClassVar

from airbyte_cdk.models import SyncMode
from airbyte_cdk.sources.types import StreamSlice

from source_mixpanel.api.failures import LATER_THAN_TODAY
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.dates import EARLIEST
from source_mixpanel.errors import (
    ConfigError,
    DataError,
    RefusedError,
    SourceError,
    StrainError,
)
from source_mixpanel.records.types import object_schema
from source_mixpanel.streams.base import CheckpointedStream, Row, Workshop
from source_mixpanel.streams.property_schema import TIMESTAMP
from source_mixpanel.sync.dated import (
    WHOLE,
    DatedSettings,
    DatedState,
    dump_state,
    is_day,
    is_too_long,
    parse_state,
)
from source_mixpanel.sync.days import ONE_DAY
from source_mixpanel.sync.grid import Grid
from source_mixpanel.sync.parallel import in_order

DATE_COLUMNS: Mapping[str, Any] = {
    "date": {"type": ["null", "string"], "format": "date"},
    "datetime": TIMESTAMP,
}


@dataclass(frozen=True)
class DatedPart:
    """One report.

    Attributes:
        key: What the state calls it.
        label: What the log calls it.
        params: What tells it from others.
        columns: Columns that each of its rows has.
    """

    key: str = WHOLE
    label: str = "its days"
    params: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Answer:
    """What Mixpanel told of some days of a part."""

    first: date
    last: date
    days: Mapping[str, Any]


class DatedStream(CheckpointedStream, engine=True):
    """Rows by day for each part; a subclass declares where they are and which columns they have."""

    declares = (*CheckpointedStream.declares, "path", "under", "columns")
    cursor_field: ClassVar[str] = "date"
    path: ClassVar[str]
    under: ClassVar[str]
    """The key of the answer that holds an object by date."""
    columns: ClassVar[Mapping[str, Any]]
    grid: Grid = Grid()
    """The buckets that a row is of: ranges of days are cut between them only."""
    whole: bool = False
    """Whether a range of days must not be cut, since that would change its numbers."""
    partition: ClassVar[str | None] = None
    """What Airbyte's state calls the key of a part."""
    unit: ClassVar[str] = "reports"
    """What parts are, where there are several."""

    def __init__(self, workshop: Workshop, settings: DatedSettings) -> None:
        super().__init__(workshop)
        self.settings = settings
        self._state = DatedState()
        self._most_days = settings.window_days or date.max.toordinal()

    def parts(self) -> list[DatedPart]:
        """The reports that the stream consists of."""
        return [DatedPart()]

    def requests_planned(self) -> int | None:
        """One a part, unless Mixpanel wants fewer days in each."""
        return len(self.parts())

    def refused(self, error: RefusedError) -> SourceError:
        """A refusal in the user's terms."""
        return error

    def schema(self) -> Mapping[str, Any]:
        """The declared columns."""
        return object_schema({**DATE_COLUMNS, **self.columns})

    @property
    def state(self) -> MutableMapping[str, Any]:
        """What the next sync has to know; moves when a range has been emitted."""
        return dump_state(self._state)

    @state.setter
    def state(self, value: MutableMapping[str, Any]) -> None:
        self._state = parse_state(value, self.name, self.partition)

    # -- slices ----------------------------------------------------------------------------

    def stream_slices(
        self,
        *,
        sync_mode: SyncMode,
        cursor_field: list[str] | None = None,  # noqa: ARG002 - the CDK's signature
        stream_state: Mapping[str, Any] | None = None,  # noqa: ARG002 - taken by the setter
    ) -> Iterable[StreamSlice]:
        """Ranges of days, report by report; one that Mixpanel refuses does not stop the others."""
        parts = self.parts()
        full = sync_mode == SyncMode.full_refresh
        self._state = self._state.begun([part.key for part in parts], full=full)
        failures: list[SourceError] = []
        tasks = (partial(self._attempt, part) for part in parts)
        made = in_order(tasks, workers=self.settings.workers, discard=lambda _: None)
        for number, (part, answers) in enumerate(zip(parts, made, strict=True), start=1):
            if isinstance(answers, RefusedError):
                failures.append(self.refused(answers))
            elif isinstance(answers, SourceError):
                raise answers
            else:
                before = (number - 1, len(parts))
                yield from (
                    self._slice(part, told, self._reach(before, answers, told)) for told in answers
                )
        if failures:
            raise failures[0]
        if self._state.refreshing:
            self._state = replace(self._state, refreshing=False)
            yield StreamSlice(partition={"days": "end"}, cursor_slice={})

    def _slice(self, part: DatedPart, answer: _Answer, reach: tuple[int, int, str]) -> StreamSlice:
        return StreamSlice(
            partition={"part": part.label, "days": f"{answer.first} to {answer.last}"},
            cursor_slice={},
            extra_fields={"part": part, "answer": answer, "reach": reach},
        )

    def _reach(
        self, parts: tuple[int, int], answers: list[_Answer], answer: _Answer
    ) -> tuple[int, int, str]:
        """How far the stream is after an answer, of how much: in parts, or in the only one's days.

        Args:
            parts: How many have been read before, of how many.
            answers: All of the part's.
            answer: One of them.
        """
        before, total = parts
        if total > 1:
            return before + (answer is answers[-1]), total, self.unit
        first = answers[0].first
        return (answer.last - first).days + 1, (answers[-1].last - first).days + 1, "days"

    def _attempt(self, part: DatedPart) -> list[_Answer] | SourceError:
        try:
            return list(self._answers(part))
        except SourceError as error:
            return error

    def _answers(self, part: DatedPart) -> Iterator[_Answer]:
        """All that is wanted of a part, in as few requests as Mixpanel takes."""
        days, now = self.workshop.project_days(), self.workshop.time.now_utc()
        start = self._begin(self.settings.first_day(days, now))
        first = self._state.first_day(part.key, start, self.settings.look_back_days)
        first = self._begin(first)
        end = self.settings.last_day(days, now)
        while first <= end:
            last = end if self.whole else self.grid.reach(first, end, self._most_days)
            try:
                told = self.ask(part, start if self.whole else first, last)
            except (RefusedError, StrainError) as error:
                end = self._narrowed(error, first, last, end)
                continue
            yield _Answer(first, last, told)
            first = last + ONE_DAY

    def _begin(self, day: date) -> date:
        """The first day of a day's bucket, or of the next one where Mixpanel does not take it."""
        start = self.grid.start(day)
        return start if start >= EARLIEST else self.grid.end(day) + ONE_DAY

    def ask(self, part: DatedPart, first: date, last: date) -> Mapping[str, Any]:
        """What Mixpanel holds for some days of a part, by date."""
        params = {
            **part.params,
            "from_date": first.isoformat(),
            "to_date": last.isoformat(),
            **self.query(),
        }
        request = ApiRequest(Api.QUERY, self.path, self.name, params)
        told = self.by_date(self.workshop.client.json(request))
        if told is None:
            raise DataError(f"Mixpanel's answer to {request} for {part.label} has no days in it.")
        return told

    def query(self) -> Mapping[str, str]:
        """What every request has besides the days and what its part needs."""
        return {"unit": "day"}

    def by_date(self, answer: Any) -> Mapping[str, Any] | None:
        """What an answer holds by date; None if it is of another form."""
        told = answer.get(self.under) if isinstance(answer, Mapping) else None
        return told if isinstance(told, Mapping) else None

    def _narrowed(self, error: SourceError, first: date, last: date, end: date) -> date:
        """The last day to ask for from now on, after a refusal that fewer days may not meet.

        Raises:
            SourceError: It is something else.
        """
        text = error.text if isinstance(error, RefusedError) else str(error)
        if LATER_THAN_TODAY in text:
            # Our clock was ahead; the refusal has told Mixpanel's time.
            days = self.workshop.project_days()
            sooner = self.settings.last_day(days, self.workshop.time.now_utc())
            if sooner < last:
                return sooner
            zone = days.zone.key if days.zone is not None else "not known"
            raise ConfigError(
                f"Mixpanel says that {last} is later than today, so the project's time zone is "
                f"not the one the connector goes by ({zone}). Set project_timezone to the zone "
                f"shown in Mixpanel under Project Settings.",
                detail=str(error.internal_message),
            )
        if self.whole or last <= self.grid.end(first) or not is_too_long(text):
            raise error
        self._most_days = max(1, ((last - first).days + 1) // 2)
        self.logger.info(f"{error} Asking for {self._most_days} days at a time.")
        return end

    # -- records ---------------------------------------------------------------------------

    def chunks(self, stream_slice: Mapping[str, Any]) -> Iterator[Iterable[Row]]:
        """The rows of a range of days; then the state moves past it."""
        told = getattr(stream_slice, "extra_fields", {})
        if "answer" not in told:
            return
        part, answer = told["part"], told["answer"]
        yield [
            row
            for day, held in sorted(answer.days.items())
            if is_day(day) and answer.first.isoformat() <= day <= answer.last.isoformat()
            for row in self.rows(part, day, held)
        ]
        self._state = self._state.read(part.key, answer.last)
        self.progressed(f"{part.label}, {answer.first} to {answer.last}", *told["reach"])

    def rows(self, part: DatedPart, day: str, held: Any) -> list[Row]:
        """The records of a day: one.

        Raises:
            DataError: Mixpanel holds no object for it.
        """
        if not isinstance(held, Mapping):
            raise DataError(f"Mixpanel's answer for {part.label} holds no object for {day}.")
        return [{**held, **part.columns, "date": day, "datetime": f"{day}T00:00:00Z"}]
