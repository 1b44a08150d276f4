"""Reports by day: funnels and revenue as values, and those that the settings describe."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar

from source_mixpanel.api.endpoints import FUNNELS as FUNNEL_LIST
from source_mixpanel.columns.fitting import Row
from source_mixpanel.errors import ConfigError, DataError, RefusedError, SourceError
from source_mixpanel.reports.buckets import Buckets
from source_mixpanel.reports.state import WHOLE, is_too_long
from source_mixpanel.reports.stream import OVERALL, DatedOf, DatedStream
from source_mixpanel.streams.base import StreamContext
from source_mixpanel.streams.coverage import Span
from source_mixpanel.streams.parts import Each, Part
from source_mixpanel.streams.period import Period

FOR_GOOD = 10**9
"""Days, for rows that never cease to change."""


def buckets_of(params: Mapping[str, str]) -> Buckets:
    """The buckets that `unit`, or `interval` in days, calls for."""
    interval = params.get("interval")
    return Buckets(params.get("unit", "day"), int(interval) if interval else None)


def listed(value: Any) -> list[Any]:
    """A value that has to be a list.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(value, list):
        raise TypeError(f"a list was expected, not {type(value).__name__}")
    return value


class ReportStream(DatedStream):
    """The rows of a report by the buckets it counts in; changed parameters are read from the start.

    A subclass is a kind of report, and says in `leaves` what becomes of a date's value.

    Attributes:
        always_whole: Whether any range has to be asked for whole; one that is split by `on` always
            has to.
        most_segments: The most segments that Mixpanel gives, where it says so; as many are asked
            for.
    """

    kind: ClassVar[str]
    declared_as: ClassVar[DatedOf]
    always_whole: ClassVar[bool] = False
    most_segments: ClassVar[int | None] = None

    def __init__(
        self, context: StreamContext, period: Period, title: str, params: Mapping[str, str]
    ) -> None:
        self.title = title
        self.params = params
        look_back = period.look_back_days + self.unsettled_days()
        if "limit" in self.params:
            # Which segments are the largest may change for every day.
            look_back = FOR_GOOD
        declared = replace(self.declared_as, name=f"report_{title}")
        super().__init__(context, declared, replace(period, look_back_days=look_back))
        self.buckets = buckets_of(self.params)
        self.whole = self.always_whole or self.split
        self.report = {"kind": self.kind, **self.params}

    @property
    def split(self) -> bool:
        """Whether there is a row for each value of an expression."""
        return "on" in self.params

    def unsettled_days(self) -> int:
        """For how many days after its own a bucket's numbers may change, late events aside."""
        return 0

    def query(self) -> Mapping[str, str]:
        """The user's parameters; days are the buckets, and all segments wanted, if not told."""
        usual = {} if "interval" in self.params else {"unit": "day"}
        if self.split and self.most_segments is not None:
            usual["limit"] = str(self.most_segments)
        return {**usual, **self.params}

    def parts(self) -> list[Part]:
        """The report."""
        return [Part(WHOLE, f"report {self.title!r}")]

    # -- answers ---------------------------------------------------------------------------

    def ask(self, part: Part, span: Span) -> Mapping[str, Any]:
        """What Mixpanel holds by date; the log tells if there may be more segments."""
        days = super().ask(part, span)
        limit = self.query().get("limit")
        if limit is not None and self.split and len(self._names(days.values())) >= int(limit):
            self.logger.warning(
                f"Mixpanel gives the {limit} largest segments of report {self.title!r}, and "
                f"no more: stream {self.name!r} has no rows of others."
            )
        return days

    @staticmethod
    def _names(days: Iterable[Any]) -> set[str]:
        return {name for held in days if isinstance(held, Mapping) for name in held} - {OVERALL}

    def explained(self, error: SourceError) -> SourceError:
        """The parameters are the user's, and so is what Mixpanel says of them."""
        if not isinstance(error, RefusedError):
            return error
        too_long = self.whole and is_too_long(error.text)
        advice = "Set a later start_date" if too_long else "Correct its parameters in the settings"
        return ConfigError(
            f"Mixpanel does not accept report {self.title!r}, from which stream "
            f"{self.name!r} is read (it answered {error.status}: {error.text}). {advice}.",
            detail=str(error.internal_message),
        )

    def rows(self, part: Part, day: date, held: Any) -> list[Row]:
        """The rows of each segment.

        Raises:
            DataError: The answer is not of the form that its parameters call for.
        """
        try:
            return [
                row
                for segment, value in self.segments(held).items()
                for leaf in self.leaves(value)
                for row in super(ReportStream, self).rows(part, day, {**leaf, "segment": segment})
            ]
        except (AttributeError, TypeError, KeyError) as error:
            raise DataError(
                f"Mixpanel's answer for {part.label} holds something else than expected for {day}.",
                detail=f"{type(error).__name__}: {error}",
            ) from error

    def segments(self, held: Any) -> Mapping[str, Any]:
        """What a date holds by segment.

        Raises:
            TypeError: It holds no segments.
        """
        told = held if self.split else {OVERALL: held}
        if not isinstance(told, Mapping):
            raise TypeError(f"segments were expected, not {type(told).__name__}")
        return told

    @abstractmethod
    def leaves(self, held: Any) -> Iterator[Row]:
        """The columns of each row that a segment's value on a date makes."""


_DAY_S = 86_400
_LENGTHS = {"second": 1, "minute": 60, "hour": 3_600, "day": _DAY_S}
_LONGEST_FUNNEL_DAYS = 90


FUNNELS = DatedOf(
    "funnels",
    "/api/query/funnels",
    "data",
    "funnel_id:integer name steps:array analysis:object",
    key="funnel_id date",
    each=Each(
        FUNNEL_LIST,
        "funnel_id",
        unit="funnels",
        noun="funnel",
        ask=lambda funnel: {"funnel_id": str(funnel["funnel_id"])},
        columns=lambda funnel: {"funnel_id": funnel["funnel_id"], "name": funnel.get("name")},
    ),
)
"""Steps and conversions of every saved funnel; days change until the funnel's window closes."""

REVENUE = DatedOf(
    "revenue",
    "/api/query/engage/revenue",
    "results",
    "amount:number count:integer paid_count:integer",
    documented=False,
    withdrawn=frozenset({400, 404, 410}),
)
"""Amounts that were tracked with the retired `track_charge`; projects made since have none."""


class SegmentationReport(ReportStream):
    """How often an event happened, or how many people did it, by the value of an expression."""

    kind = "segmentation"
    most_segments = 10_000
    declared_as = DatedOf(
        "", "/api/query/segmentation", "data", "segment value:number", key="date segment"
    )

    def by_date(self, answer: Any) -> Mapping[str, Any] | None:
        """The numbers by date and segment; Mixpanel has them by segment and date."""
        data = answer.get(self.declared.items_key) if isinstance(answer, Mapping) else None
        return self.turned(data.get("values") if isinstance(data, Mapping) else None)

    def segments(self, held: Any) -> Mapping[str, Any]:
        """The numbers; the one of all is under the event's name."""
        return dict(held)

    def leaves(self, held: Any) -> Iterator[Row]:
        """The number."""
        yield {"value": held}


class FunnelReport(ReportStream):
    """The steps of a saved funnel."""

    kind = "funnel"
    most_segments = 10_000
    declared_as = DatedOf(
        "",
        "/api/query/funnels",
        "data",
        "segment step_index:integer event goal step_label count:integer avg_time:number"
        " avg_time_from_start:number step_conv_ratio:number overall_conv_ratio:number"
        " custom_event:boolean custom_event_id:integer analysis:object",
        key="date segment step_index",
    )

    def unsettled_days(self) -> int:
        """Until the last of those who began has run out of time; Mixpanel allows 90 days."""
        length, unit = self.params.get("length"), self.params.get("length_unit")
        if length is None or unit is None:
            return _LONGEST_FUNNEL_DAYS
        return -(-int(length) * _LENGTHS[unit] // _DAY_S)

    def leaves(self, held: Any) -> Iterator[Row]:
        """A row for each step."""
        whole = held if isinstance(held, Mapping) else {"steps": held}
        common = {key: value for key, value in whole.items() if key != "steps"}
        for index, step in enumerate(listed(whole["steps"])):
            yield {**common, **step, "step_index": index}


class RetentionReport(ReportStream):
    """Of those who entered on a date, how many came back in each interval after.

    Who is new depends on the first day asked for, and an interval's end may depend on the last.
    """

    kind = "retention"
    always_whole = True
    declared_as = DatedOf(
        "",
        "/api/query/retention",
        "data",
        "segment interval_index:integer count:integer first:integer",
        key="date segment interval_index",
    )

    def unsettled_days(self) -> int:
        """Until the last interval is over, which begins with each person's own entry."""
        if self.params.get("unbounded_retention") == "true":
            return FOR_GOOD
        return (int(self.params.get("interval_count", 1)) + 1) * buckets_of(self.params).longest

    def leaves(self, held: Any) -> Iterator[Row]:
        """A row for each interval; one without a count for a cohort that has none yet."""
        counts = listed(held["counts"])
        common = {key: value for key, value in held.items() if key != "counts"}
        for index, count in enumerate(counts or [None]):
            yield {**common, "count": count, "interval_index": index}


class FrequencyReport(ReportStream):
    """How many people were active in at least so many hours or days of a day, week or month."""

    kind = "frequency"
    declared_as = DatedOf(
        "",
        "/api/query/retention/addiction",
        "data",
        "segment at_least:integer count:integer",
        key="date segment at_least",
    )

    def leaves(self, held: Any) -> Iterator[Row]:
        """A row for each number of hours or days, from 1."""
        for at_least, count in enumerate(listed(held), start=1):
            yield {"at_least": at_least, "count": count}


REPORTS: Mapping[str, type[ReportStream]] = {
    stream.kind: stream
    for stream in (SegmentationReport, RetentionReport, FunnelReport, FrequencyReport)
}
"""The stream of each kind of report."""
