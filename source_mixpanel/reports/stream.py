"""Streams that the Query API counts by day: what one is made of, and how all are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeAlias

from source_mixpanel.api.failures import LATER_THAN_TODAY
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.columns.fitting import Row
from source_mixpanel.columns.schema import TIMESTAMP
from source_mixpanel.columns.types import object_schema
from source_mixpanel.errors import (
    ConfigError,
    DataError,
    RefusedError,
    SourceError,
    StrainError,
    TransientError,
)
from source_mixpanel.lists.stream import columns_in
from source_mixpanel.reports.buckets import Buckets
from source_mixpanel.reports.state import (
    WHOLE,
    DatedState,
    Wish,
    day_of,
    dump_state,
    first_bucket,
    is_too_long,
    parse_state,
)
from source_mixpanel.streams.base import Checkpoint, Item, MixpanelStream, StreamContext
from source_mixpanel.streams.coverage import Coverage, Span
from source_mixpanel.streams.parts import Each, Part, PartRun, ends_refresh
from source_mixpanel.streams.period import Period
from source_mixpanel.streams.state import opened
from source_mixpanel.times.days import ONE_DAY

OVERALL = "$overall"
"""Mixpanel's name for everything together, beside the dates or the segments."""

_DATE_COLUMNS: Mapping[str, Any] = {
    "date": {"type": ["null", "string"], "format": "date"},
    "datetime": TIMESTAMP,
}


@dataclass(frozen=True)
class DatedOf:
    """A stream of days.

    Attributes:
        items_key: The key of the answer that holds an object by date.
        columns: As `columns_in` reads them, beside the dates; further ones come as they are.
        withdrawn: Statuses that mean that the endpoint is gone.
    """

    name: str
    path: str
    items_key: str
    columns: str
    key: str = "date"
    each: Each | None = None
    documented: bool = True
    withdrawn: frozenset[int] = frozenset()


@dataclass(frozen=True)
class _Answer:
    """What Mixpanel told of some days of a part, and when it was asked."""

    span: Span
    days: Mapping[date, Any]
    asked_ms: int


_Had: TypeAlias = list[_Answer | SourceError]
"""What was had of a part, and at its end why not all of it was."""


class DatedStream(MixpanelStream):
    """Rows by day for each part.

    Attributes:
        buckets: The buckets that a row is of: ranges of days are cut between them only.
        whole: Whether a range of days must not be cut, since that would change its numbers.
        report: The parameters that the state stands for, if they may change.
    """

    cursor_field = "date"

    def __init__(
        self, context: StreamContext, declared: DatedOf, period: Period, workers: int = 1
    ) -> None:
        super().__init__(context)
        self.declared = declared
        self.name = declared.name
        self.paths = (declared.path, *([declared.each.listing.path] if declared.each else []))
        self.primary_key = declared.key.split()
        self.documented = declared.documented
        self.period = period
        self.buckets = Buckets()
        self.whole = False
        self.report: Mapping[str, str] | None = None
        self._workers = workers
        self._most_days = period.window_days or date.max.toordinal()
        self._state = DatedState()
        self._left: dict[str, list[Span]] = {}

    # -- what a stream may say differently -------------------------------------------------

    def parts(self) -> list[Part]:
        """The reports that the stream consists of."""
        each = self.declared.each
        return each.parts(self.context, self.name) if each else [Part(WHOLE, "its days")]

    def query(self) -> Mapping[str, str]:
        """What every request has besides the days and what its part needs."""
        return {"unit": "day"}

    def by_date(self, answer: Any) -> Mapping[str, Any] | None:
        """What an answer holds by date, in an envelope or not; None if it is of another form."""
        key = self.declared.items_key
        told = answer.get(key, answer) if isinstance(answer, Mapping) else None
        return told if isinstance(told, Mapping) else None

    def rows(self, part: Part, day: date, held: Any) -> list[Row]:
        """The records of a day: one.

        Raises:
            DataError: Mixpanel holds no object for it.
        """
        if not isinstance(held, Mapping):
            raise DataError(f"Mixpanel's answer for {part.label} holds no object for {day}.")
        return [{**held, **part.columns, "date": f"{day}", "datetime": f"{day}T00:00:00Z"}]

    def explained(self, error: SourceError) -> SourceError:
        """What ends the stream in the user's terms."""
        if not isinstance(error, RefusedError) or error.status not in self.declared.withdrawn:
            return error
        return ConfigError(
            f"Mixpanel has withdrawn the {self.name} report, from which stream {self.name!r} is "
            f"read, for this project (it answered {error.status}). Leave the stream out.",
            detail=str(error.internal_message),
        )

    # -- the sync --------------------------------------------------------------------------

    def requests_planned(self) -> int | None:
        """One a part, unless Mixpanel wants fewer days in each."""
        return len(self.parts())

    def schema(self) -> Mapping[str, Any]:
        """The declared columns."""
        return object_schema({**_DATE_COLUMNS, **columns_in(self.declared.columns)})

    def sync(self, saved: Mapping[str, Any], *, full: bool) -> Iterator[Item]:
        """Days that are lacking, and those that may have changed, report by report."""
        parts = self.parts()
        self._begin(saved, [part.key for part in parts], full=full)
        run = PartRun(
            self,
            parts,
            each=self.declared.each,
            begin=self._had,
            read=lambda part, had: self._part(run, part, had),
            workers=self._workers,
        )
        try:
            yield from run.whole()
        except SourceError as error:
            if full and ends_refresh(error, run):
                self._state = self._state.ended(
                    self.context.now_ms(), passes=isinstance(error, TransientError), whole=run.over
                )
                yield Checkpoint(dump_state(self._state))
            raise self.explained(error) from error
        self._state = replace(self._state, refreshing=False)
        yield Checkpoint(dump_state(self._state))

    def _begin(self, saved: Mapping[str, Any], keys: list[str], *, full: bool) -> None:
        """Look at the state, and decide what of it stands."""
        partition = self.declared.each.key if self.declared.each else None
        state = opened(saved, self.name, lambda blob: parse_state(blob, partition))
        zone = self.context.project.zone(state.origin.zone)
        now = replace(self.context.origin, project_timezone=zone.key if zone else None)
        if full and not state.origin.holds_for(now):
            state = DatedState()
        state = state.begun(keys, self.context.now_ms(), full=full)
        anew = None
        if state.parts:
            self.go_on_from(state.origin, now)
            anew = state.origin.other_days(now)
        if state.report not in (None, self.report):
            anew = "It has other parameters than in the last sync"
        if anew:
            self.logger.warning(f"{anew}: stream {self.name!r} is read again from its start.")
            state = replace(state, parts={})
        origin = state.origin.after(now) if state.parts else now
        self._state = replace(state, report=self.report, origin=origin)
        for key, read in state.parts.items():
            wish = self._wish(read)
            if self.period.end is None and read.claims(wish.end + ONE_DAY):
                self.logger.warning(
                    f"Stream {self.name!r}: the saved state says that {read.last} is read, which "
                    f"is later than today ({wish.end}). Nothing is read before that day comes. If "
                    f"the state is wrong, reset the stream."
                )
            coverage = wish.vouched(read.anchored(wish.start), self.context.now_ms())
            # The numbers of a whole range are those of the day on which it begins.
            moved = self.whole and coverage.first != wish.start
            self._state = self._state.read(key, Coverage() if moved else coverage)

    def _part(self, run: PartRun[_Had], part: Part, had: _Had) -> Iterator[Item]:
        """The rows of a part; the state moves with each range of days that was understood."""
        odd: dict[date, SourceError] = {}
        lacking: SourceError | None = None
        for answer in had:
            if isinstance(answer, SourceError):
                lacking = answer
                break
            rows: list[Row] = []
            for day, held in sorted(answer.days.items()):
                try:
                    rows += self.rows(part, day, held)
                except DataError as error:  # noqa: PERF203 - a day is worth it
                    odd[day] = error
            yield rows
            self._move(part, answer, [day for day in odd if day in answer.days])
            place = f"{part.label}, {answer.span.first} to {answer.span.last}"
            yield Checkpoint(dump_state(self._state), place, *self._reached(run, had, answer))
        if odd:
            lacking = self._not_understood(part, odd, lacking)
        if lacking is not None:
            raise lacking

    def _not_understood(
        self, part: Part, odd: Mapping[date, SourceError], lacking: SourceError | None
    ) -> DataError:
        """The error for days that are odd, and for what else is lacking; both are left to ask."""
        left = self._left.setdefault(part.key, [])
        if self.whole:
            left[:] = [Span(min(odd), self._wish(self._state.of(part.key)).end)]
        else:
            left[:0] = [Span(day, self.buckets.end(day)) for day in sorted(odd)]
        told = [*odd.values(), *([lacking] if lacking else [])]
        more = f" {lacking}" if lacking else ""
        return DataError(
            f"{told[0]} Not understood: {', '.join(map(str, odd))}.{more}",
            detail="; ".join(str(error.internal_message) for error in told),
        )

    def _move(self, part: Part, answer: _Answer, odd: list[date]) -> None:
        coverage = self._state.of(part.key)
        coverage = coverage.read(answer.span.first, answer.span.last, answer.asked_ms)
        for day in odd:
            coverage = coverage.without(day, self.buckets.end(day))
        wish = replace(self._wish(coverage), look_back_days=self.period.look_back_days)
        self._state = self._state.read(part.key, wish.settled(coverage))

    def _reached(self, run: PartRun[_Had], had: _Had, answer: _Answer) -> tuple[int, int, str]:
        """How far the stream is after an answer, of how much: in parts, or in one's days."""
        if run.total > 1:
            return run.done + (answer is had[-1]), run.total, run.unit
        days = [one.span.days for one in had if isinstance(one, _Answer)]
        return sum(days[: had.index(answer) + 1]), sum(days), "days"

    # -- requests --------------------------------------------------------------------------

    def _had(self, part: Part) -> _Had:
        """All that is wanted of a part, in as few requests as Mixpanel takes; what can be had."""
        had: _Had = []
        try:
            had.extend(self._answers(part))
        except SourceError as error:
            if not had:
                raise
            had.append(error)
        return had

    def _wish(self, coverage: Coverage) -> Wish:
        days, now = self.context.project_days(), self.context.time.now_utc()
        start = first_bucket(self.period.first_day(days, now, coverage.first), self.buckets)
        end = self.period.last_day(days, now)
        back = None if self._state.refreshing else self.period.look_back_days
        return Wish(start, end, days, back, self.buckets)

    def _answers(self, part: Part) -> Iterator[_Answer]:
        """What is left to ask of a part, in as few requests as Mixpanel takes."""
        coverage = self._state.of(part.key)
        wish = self._wish(coverage)
        spans = wish.spans(coverage)
        if self.whole and spans:
            spans = [Span(spans[0].first, wish.end)]
        left = self._left.setdefault(part.key, spans)
        while left:
            wanted = left.pop(0)
            # A whole range is asked for from its start on, whatever of it is wanted.
            first = wish.start if self.whole else wanted.first
            last = wanted.last
            if not self.whole:
                last = self.buckets.reach(first, wanted.last, self._most_days)
            asked_ms = self.context.now_ms()
            try:
                days = self._ask(part, Span(first, last))
            except (RefusedError, StrainError) as error:
                left.insert(0, wanted)
                end = self._narrowed(error, Span(first, last), wanted.last)
                left[:1] = [replace(wanted, last=end)] if wanted.first <= end else []
                continue
            except SourceError:
                left.insert(0, wanted)
                raise
            if last < wanted.last:
                left.insert(0, replace(wanted, first=last + ONE_DAY))
            new = {day: held for day, held in days.items() if day >= wanted.first}
            yield _Answer(Span(wanted.first, last), new, asked_ms)

    def _ask(self, part: Part, span: Span) -> Mapping[date, Any]:
        """What Mixpanel holds for some days of a part.

        Raises:
            DataError: None of what it answers can be read as these days.
        """
        told = self.ask(part, span)
        days: dict[date, Any] = {}
        strange: list[str] = []
        for key, held in told.items():
            day = day_of(key)
            if day is None or day in days:
                strange += [key] if key != OVERALL else []
            elif span.first <= day <= span.last:
                days[day] = held
        if not days and told.keys() - {OVERALL}:
            found = ", ".join(map(repr, list(told)[:3]))
            raise DataError(
                f"Mixpanel's answer for {part.label} has no day of {span.first} to {span.last}, "
                f"but {found}."
            )
        if strange:
            self.logger.warning(
                f"Stream {self.name!r}: Mixpanel's answer for {part.label} has {len(strange)} keys "
                f"that are no days, or name one twice: {', '.join(map(repr, strange[:3]))}. They "
                f"are left out."
            )
        return days

    def ask(self, part: Part, span: Span) -> Mapping[str, Any]:
        """What Mixpanel answers for some days of a part, by date as it writes them."""
        params = {
            **part.ask,
            "from_date": span.first.isoformat(),
            "to_date": span.last.isoformat(),
            **self.query(),
        }
        request = ApiRequest(Api.QUERY, self.paths[0], self.name, params)
        told = self.by_date(self.context.client.json(request))
        if told is None:
            raise DataError(f"Mixpanel's answer to {request} for {part.label} has no days in it.")
        return told

    def turned(self, values: Any) -> dict[str, dict[str, Any]] | None:
        """Numbers by date and name, out of numbers by name and date; None if they are none.

        A name without numbers by date is told, and does without them, if others have some.
        """
        if not isinstance(values, Mapping):
            return None
        odd = [name for name, numbers in values.items() if not isinstance(numbers, Mapping)]
        if odd and len(odd) == len(values):
            return None
        if odd:
            self.logger.warning(
                f"Stream {self.name!r}: Mixpanel counts {len(odd)} of {len(values)} names by no "
                f"days: {', '.join(map(repr, odd[:3]))}. They are left out."
            )
        days: dict[str, dict[str, Any]] = {}
        for name, numbers in values.items():
            for day, number in numbers.items() if isinstance(numbers, Mapping) else ():
                days.setdefault(day, {})[name] = number
        return days

    def _narrowed(self, error: SourceError, asked: Span, end: date) -> date:
        """The last day to ask for from now on, after a refusal that fewer days may not meet.

        Raises:
            SourceError: It is something else.
        """
        text = error.text if isinstance(error, RefusedError) else str(error)
        if LATER_THAN_TODAY in text:
            # Our clock was ahead; the refusal has told Mixpanel's time.
            days = self.context.project_days()
            sooner = self.period.last_day(days, self.context.time.now_utc())
            if sooner < asked.last:
                return sooner
            zone = days.zone.key if days.zone is not None else "not known"
            raise ConfigError(
                f"Mixpanel says that {asked.last} is later than today, so the project's time zone "
                f"is not the one the connector goes by ({zone}). Set project_timezone to the zone "
                f"shown in Mixpanel under Project Settings.",
                detail=str(error.internal_message),
            )
        if self.whole or asked.last <= self.buckets.end(asked.first) or not is_too_long(text):
            raise error
        self._most_days = min(self._most_days, max(1, asked.days // 2))
        self.logger.info(f"{error} Asking for {self._most_days} days at a time.")
        return end
