"""Streams that the Query API counts by day: their declaration, and how they are read."""

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
    DayRange,
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
"""Mixpanel's key for the total, beside the dates or the segments."""

_DATE_COLUMNS: Mapping[str, Any] = {
    "date": {"type": ["null", "string"], "format": "date"},
    "datetime": TIMESTAMP,
}


@dataclass(frozen=True)
class DatedDeclaration:
    """The declaration of a stream with rows by day.

    Attributes:
        path: The path of the endpoint.
        items_key: The key of the answer that holds an object by date.
        columns: Columns and types besides the dates, as for `columns_in`; undeclared ones are
            emitted as well.
        key: The columns of the primary key, with spaces between.
        each: The list of its parts; None for a stream without parts.
        documented: Whether Mixpanel documents the endpoint.
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
    """What Mixpanel has for the days of a span, and when it was requested, UTC."""

    span: Span
    days: Mapping[date, Any]
    asked_ms: int


_Answers: TypeAlias = list[_Answer | SourceError]
"""The answers for a part, with the error last if not all of it could be read."""


class DatedStream(MixpanelStream):
    """Rows by day for each part.

    Attributes:
        buckets: The buckets of the rows; ranges of days are split between them only.
        whole: Whether a range of days must not be split, since that would change its numbers.
        report: The parameters that the state is for, if they may change; else None.
    """

    cursor_field = "date"

    def __init__(
        self, context: StreamContext, declared: DatedDeclaration, period: Period, workers: int = 1
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
        self._spans_left: dict[str, list[Span]] = {}

    # -- what a stream may say differently -------------------------------------------------

    def parts(self) -> list[Part]:
        """The reports that the stream consists of."""
        each = self.declared.each
        return each.parts(self.context, self.name) if each else [Part(WHOLE, "its days")]

    def query(self) -> Mapping[str, str]:
        """The parameters of every request besides the days and those of its part."""
        return {"unit": "day"}

    def by_date(self, answer: Any) -> Mapping[str, Any] | None:
        """The object by date in an answer, with or without an envelope; None in other answers."""
        key = self.declared.items_key
        days = answer.get(key, answer) if isinstance(answer, Mapping) else None
        return days if isinstance(days, Mapping) else None

    def rows(self, part: Part, day: date, content: Any) -> list[Row]:
        """The rows of a day: one.

        Raises:
            DataError: The day's content is not an object.
        """
        if not isinstance(content, Mapping):
            raise DataError(f"Mixpanel's answer for {part.label} holds no object for {day}.")
        return [{**content, **part.columns, "date": f"{day}", "datetime": f"{day}T00:00:00Z"}]

    def explained(self, error: SourceError) -> SourceError:
        """The error that ends the stream, with advice if the endpoint is gone."""
        if not isinstance(error, RefusedError) or error.status not in self.declared.withdrawn:
            return error
        return ConfigError(
            f"Mixpanel has withdrawn the {self.name} report, from which stream {self.name!r} is "
            f"read, for this project (it answered {error.status}). Leave the stream out.",
            detail=str(error.internal_message),
        )

    # -- the sync --------------------------------------------------------------------------

    def requests_planned(self) -> int | None:
        """One for each part; more if Mixpanel accepts only fewer days."""
        return len(self.parts())

    def schema(self) -> Mapping[str, Any]:
        """The declared columns."""
        return object_schema({**_DATE_COLUMNS, **columns_in(self.declared.columns)})

    def sync(self, saved: Mapping[str, Any], *, full: bool) -> Iterator[Item]:
        """Days that are missing and days that may have changed, part by part."""
        parts = self.parts()
        self._begin(saved, [part.key for part in parts], full=full)
        run = PartRun(
            self,
            parts,
            each=self.declared.each,
            begin=self._read_answers,
            read=lambda part, answers: self._part(run, part, answers),
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
        """Parse the state, and keep the parts of it that are still valid."""
        partition = self.declared.each.key if self.declared.each else None
        state = opened(saved, self.name, lambda blob: parse_state(blob, partition))
        zone = self.context.project.zone(state.origin.zone)
        now = replace(self.context.origin, project_timezone=zone.key if zone else None)
        if full and not state.origin.holds_for(now):
            state = DatedState()
        state = state.at_start(keys, self.context.now_ms(), full=full)
        reread_reason = None
        if state.parts:
            self.go_on_from(state.origin, now)
            reread_reason = state.origin.other_days(now)
        if state.report not in (None, self.report):
            reread_reason = "It has other parameters than in the last sync"
        if reread_reason:
            self.logger.warning(
                f"{reread_reason}: stream {self.name!r} is read again from its start."
            )
            state = replace(state, parts={})
        origin = state.origin.after(now) if state.parts else now
        self._state = replace(state, report=self.report, origin=origin)
        for key, read in state.parts.items():
            wanted_days = self._wanted_days(read)
            if self.period.end is None and read.claims(wanted_days.end + ONE_DAY):
                self.logger.warning(
                    f"Stream {self.name!r}: the saved state says that {read.last} is read, which "
                    f"is later than today ({wanted_days.end}). Nothing is read before that day "
                    f"comes. If the state is wrong, reset the stream."
                )
            coverage = wanted_days.vouched(read.anchored(wanted_days.start), self.context.now_ms())
            # The numbers of a whole range are those of the day on which it begins.
            start_moved = self.whole and coverage.first != wanted_days.start
            self._state = self._state.read(key, Coverage() if start_moved else coverage)

    def _part(self, run: PartRun[_Answers], part: Part, answers: _Answers) -> Iterator[Item]:
        """The rows of a part, with a checkpoint after each answer.

        Raises:
            SourceError: Some days could not be read; they are missing in the state as well.
        """
        misread: dict[date, SourceError] = {}
        missing: SourceError | None = None
        for answer in answers:
            if isinstance(answer, SourceError):
                missing = answer
                break
            rows: list[Row] = []
            for day, content in sorted(answer.days.items()):
                try:
                    rows += self.rows(part, day, content)
                except DataError as error:  # noqa: PERF203 - a day is worth it
                    misread[day] = error
            yield rows
            self._mark_read(part, answer, [day for day in misread if day in answer.days])
            place = f"{part.label}, {answer.span.first} to {answer.span.last}"
            yield Checkpoint(dump_state(self._state), place, *self._progress(run, answers, answer))
        if misread:
            missing = self._misread_error(part, misread, missing)
        if missing is not None:
            raise missing

    def _misread_error(
        self, part: Part, misread: Mapping[date, SourceError], missing: SourceError | None
    ) -> DataError:
        """The error for days that could not be read; they are requested again later."""
        spans_left = self._spans_left.setdefault(part.key, [])
        if self.whole:
            spans_left[:] = [Span(min(misread), self._wanted_days(self._state.of(part.key)).end)]
        else:
            spans_left[:0] = [Span(day, self.buckets.end(day)) for day in sorted(misread)]
        errors = [*misread.values(), *([missing] if missing else [])]
        more = f" {missing}" if missing else ""
        return DataError(
            f"{errors[0]} Not understood: {', '.join(map(str, misread))}.{more}",
            detail="; ".join(str(error.internal_message) for error in errors),
        )

    def _mark_read(self, part: Part, answer: _Answer, misread: list[date]) -> None:
        coverage = self._state.of(part.key)
        coverage = coverage.read(answer.span.first, answer.span.last, answer.asked_ms)
        for day in misread:
            coverage = coverage.without(day, self.buckets.end(day))
        wanted_days = replace(
            self._wanted_days(coverage), look_back_days=self.period.look_back_days
        )
        self._state = self._state.read(part.key, wanted_days.settled(coverage))

    def _progress(
        self, run: PartRun[_Answers], answers: _Answers, answer: _Answer
    ) -> tuple[int, int, str]:
        """Units done after an answer, their total and name: parts, or days of the only part."""
        if run.total > 1:
            return run.done + (answer is answers[-1]), run.total, run.unit
        days = [one.span.days for one in answers if isinstance(one, _Answer)]
        return sum(days[: answers.index(answer) + 1]), sum(days), "days"

    # -- requests --------------------------------------------------------------------------

    def _read_answers(self, part: Part) -> _Answers:
        """All answers for a part, in as few requests as Mixpanel accepts.

        Raises:
            SourceError: The first request fails; later errors are the last element.
        """
        answers: _Answers = []
        try:
            answers.extend(self._ask_for_days(part))
        except SourceError as error:
            if not answers:
                raise
            answers.append(error)
        return answers

    def _wanted_days(self, coverage: Coverage) -> DayRange:
        days, now = self.context.project_days(), self.context.time.now_utc()
        start = first_bucket(self.period.first_day(days, now, coverage.first), self.buckets)
        end = self.period.last_day(days, now)
        back = None if self._state.refreshing else self.period.look_back_days
        return DayRange(start, end, days, back, self.buckets)

    def _ask_for_days(self, part: Part) -> Iterator[_Answer]:
        """The answers for the days of a part that are left, in as few requests as possible."""
        coverage = self._state.of(part.key)
        wanted_days = self._wanted_days(coverage)
        spans = wanted_days.spans(coverage)
        if self.whole and spans:
            spans = [Span(spans[0].first, wanted_days.end)]
        spans_left = self._spans_left.setdefault(part.key, spans)
        while spans_left:
            span = spans_left.pop(0)
            # A range that must not be split is requested from its start, whatever is wanted of it.
            first = wanted_days.start if self.whole else span.first
            last = span.last
            if not self.whole:
                last = self.buckets.reach(first, span.last, self._most_days)
            asked_ms = self.context.now_ms()
            try:
                days = self._ask(part, Span(first, last))
            except (RefusedError, StrainError) as error:
                spans_left.insert(0, span)
                end = self._narrowed(error, Span(first, last), span.last)
                spans_left[:1] = [replace(span, last=end)] if span.first <= end else []
                continue
            except SourceError:
                spans_left.insert(0, span)
                raise
            if last < span.last:
                spans_left.insert(0, replace(span, first=last + ONE_DAY))
            new = {day: content for day, content in days.items() if day >= span.first}
            yield _Answer(Span(span.first, last), new, asked_ms)

    def _ask(self, part: Part, span: Span) -> Mapping[date, Any]:
        """The content of an answer for some days of a part, by day.

        Raises:
            DataError: The answer has keys, but none of them is one of these days.
        """
        by_date = self.ask(part, span)
        days: dict[date, Any] = {}
        unknown_keys: list[str] = []
        for key, content in by_date.items():
            day = day_of(key)
            if day is None or day in days:
                unknown_keys += [key] if key != OVERALL else []
            elif span.first <= day <= span.last:
                days[day] = content
        if not days and by_date.keys() - {OVERALL}:
            some_keys = ", ".join(map(repr, list(by_date)[:3]))
            raise DataError(
                f"Mixpanel's answer for {part.label} has no day of {span.first} to {span.last}, "
                f"but {some_keys}."
            )
        if unknown_keys:
            self.logger.warning(
                f"Stream {self.name!r}: Mixpanel's answer for {part.label} has {len(unknown_keys)} "
                f"keys that are no days, or name one twice: "
                f"{', '.join(map(repr, unknown_keys[:3]))}. They are left out."
            )
        return days

    def ask(self, part: Part, span: Span) -> Mapping[str, Any]:
        """The content of an answer for some days of a part, by date as Mixpanel writes it.

        Raises:
            DataError: The answer has no dates.
        """
        params = {
            **part.params,
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
        """Numbers by date and name, out of numbers by name and date; None if there are none.

        Names without numbers by date are logged and left out, if others have some.
        """
        if not isinstance(values, Mapping):
            return None
        not_by_date = [name for name, numbers in values.items() if not isinstance(numbers, Mapping)]
        if not_by_date and len(not_by_date) == len(values):
            return None
        if not_by_date:
            self.logger.warning(
                f"Stream {self.name!r}: Mixpanel counts {len(not_by_date)} of {len(values)} names "
                f"by no days: {', '.join(map(repr, not_by_date[:3]))}. They are left out."
            )
        days: dict[str, dict[str, Any]] = {}
        for name, numbers in values.items():
            for day, number in numbers.items() if isinstance(numbers, Mapping) else ():
                days.setdefault(day, {})[name] = number
        return days

    def _narrowed(self, error: SourceError, requested: Span, end: date) -> date:
        """The last day to request from now on, after a refusal of so many or too late days.

        Raises:
            SourceError: Fewer days would not help.
        """
        text = error.text if isinstance(error, RefusedError) else str(error)
        if LATER_THAN_TODAY in text:
            # The local clock was ahead; the refusal has set Mixpanel's time.
            days = self.context.project_days()
            last_day = self.period.last_day(days, self.context.time.now_utc())
            if last_day < requested.last:
                return last_day
            zone = days.zone.key if days.zone is not None else "not known"
            raise ConfigError(
                f"Mixpanel says that {requested.last} is later than today, so the project's time "
                f"zone is not the one the connector goes by ({zone}). Set project_timezone to the "
                f"zone shown in Mixpanel under Project Settings.",
                detail=str(error.internal_message),
            )
        if (
            self.whole
            or requested.last <= self.buckets.end(requested.first)
            or not is_too_long(text)
        ):
            raise error
        self._most_days = min(self._most_days, max(1, requested.days // 2))
        self.logger.info(f"{error} Asking for {self._most_days} days at a time.")
        return end
