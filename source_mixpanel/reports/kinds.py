"""Reports by day: funnels, revenue, and the kinds of reports that the settings describe."""

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
from source_mixpanel.reports.stream import OVERALL, DatedDeclaration, DatedStream
from source_mixpanel.streams.base import StreamContext
from source_mixpanel.streams.coverage import Span
from source_mixpanel.streams.parts import Each, Part
from source_mixpanel.streams.period import Period

FOREVER_DAYS = 10**9
"""Days of look-back for rows that may always change."""


def buckets_of(params: Mapping[str, str]) -> Buckets:
    """The buckets for the parameters `unit` or `interval` (days)."""
    interval = params.get("interval")
    return Buckets(params.get("unit", "day"), int(interval) if interval else None)


def listed(value: Any) -> list[Any]:
    """The same value.

    Raises:
        TypeError: It is not a list.
    """
    if not isinstance(value, list):
        raise TypeError(f"a list was expected, not {type(value).__name__}")
    return value


class ReportStream(DatedStream):
    """The rows of a report by bucket; if its parameters change, it is read from its start.

    A subclass is a kind of report; its `leaves` makes rows of the value of a date.

    Attributes:
        never_split: Whether a range of days must not be split; with `on` it never may.
        most_segments: The most segments that Mixpanel gives, which are requested; None if that is
            not documented.
    """

    kind: ClassVar[str]
    declaration: ClassVar[DatedDeclaration]
    never_split: ClassVar[bool] = False
    most_segments: ClassVar[int | None] = None

    def __init__(
        self, context: StreamContext, period: Period, title: str, params: Mapping[str, str]
    ) -> None:
        self.title = title
        self.params = params
        look_back = period.look_back_days + self.unsettled_days()
        if "limit" in self.params:
            # Which segments are the largest may change on any day.
            look_back = FOREVER_DAYS
        declared = replace(self.declaration, name=f"report_{title}")
        super().__init__(context, declared, replace(period, look_back_days=look_back))
        self.buckets = buckets_of(self.params)
        self.whole = self.never_split or self.split
        self.report = {"kind": self.kind, **self.params}

    @property
    def split(self) -> bool:
        """Whether there is a row for each value of an expression."""
        return "on" in self.params

    def unsettled_days(self) -> int:
        """Days after its end for which a bucket's numbers may change, besides late events."""
        return 0

    def query(self) -> Mapping[str, str]:
        """The parameters of the settings; by default buckets of a day, and all segments."""
        usual = {} if "interval" in self.params else {"unit": "day"}
        if self.split and self.most_segments is not None:
            usual["limit"] = str(self.most_segments)
        return {**usual, **self.params}

    def parts(self) -> list[Part]:
        """The report, the only part."""
        return [Part(WHOLE, f"report {self.title!r}")]

    # -- answers ---------------------------------------------------------------------------

    def ask(self, part: Part, span: Span) -> Mapping[str, Any]:
        """The content of an answer by date; logs if there may be more segments than it has."""
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
        return {name for content in days if isinstance(content, Mapping) for name in content} - {
            OVERALL
        }

    def explained(self, error: SourceError) -> SourceError:
        """A refusal as an error of the report's settings; other errors unchanged."""
        if not isinstance(error, RefusedError):
            return error
        too_long = self.whole and is_too_long(error.text)
        advice = "Set a later start_date" if too_long else "Correct its parameters in the settings"
        return ConfigError(
            f"Mixpanel does not accept report {self.title!r}, from which stream "
            f"{self.name!r} is read (it answered {error.status}: {error.text}). {advice}.",
            detail=str(error.internal_message),
        )

    def rows(self, part: Part, day: date, content: Any) -> list[Row]:
        """The rows of each segment.

        Raises:
            DataError: The answer has another form than expected.
        """
        try:
            return [
                row
                for segment, value in self.segments(content).items()
                for leaf in self.leaves(value)
                for row in super(ReportStream, self).rows(part, day, {**leaf, "segment": segment})
            ]
        except (AttributeError, TypeError, KeyError) as error:
            raise DataError(
                f"Mixpanel's answer for {part.label} holds something else than expected for {day}.",
                detail=f"{type(error).__name__}: {error}",
            ) from error

    def segments(self, content: Any) -> Mapping[str, Any]:
        """The content of a date by segment.

        Raises:
            TypeError: It has no segments.
        """
        by_segment = content if self.split else {OVERALL: content}
        if not isinstance(by_segment, Mapping):
            raise TypeError(f"segments were expected, not {type(by_segment).__name__}")
        return by_segment

    @abstractmethod
    def leaves(self, content: Any) -> Iterator[Row]:
        """The columns of the rows for a segment's value on a date.

        Raises:
            TypeError: The value has another form; also AttributeError and KeyError.
        """


_DAY_S = 86_400
_LENGTHS = {"second": 1, "minute": 60, "hour": 3_600, "day": _DAY_S}
_LONGEST_FUNNEL_DAYS = 90


FUNNELS = DatedDeclaration(
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
        params=lambda funnel: {"funnel_id": str(funnel["funnel_id"])},
        columns=lambda funnel: {"funnel_id": funnel["funnel_id"], "name": funnel.get("name")},
    ),
)
"""Steps and conversions of every saved funnel; days change until the funnel's window closes."""

REVENUE = DatedDeclaration(
    "revenue",
    "/api/query/engage/revenue",
    "results",
    "amount:number count:integer paid_count:integer",
    documented=False,
    withdrawn=frozenset({400, 404, 410}),
)
"""Amounts that were tracked with the retired `track_charge`; projects made since have none."""


class SegmentationStream(ReportStream):
    """How often an event happened, or how many people did it, by the value of an expression."""

    kind = "segmentation"
    most_segments = 10_000
    declaration = DatedDeclaration(
        "", "/api/query/segmentation", "data", "segment value:number", key="date segment"
    )

    def by_date(self, answer: Any) -> Mapping[str, Any] | None:
        """The numbers by date and segment; Mixpanel has them by segment and date."""
        data = answer.get(self.declared.items_key) if isinstance(answer, Mapping) else None
        return self.turned(data.get("values") if isinstance(data, Mapping) else None)

    def segments(self, content: Any) -> Mapping[str, Any]:
        """The numbers by segment; without `on`, the total has the event's name."""
        return dict(content)

    def leaves(self, content: Any) -> Iterator[Row]:
        """One row with the number."""
        yield {"value": content}


class FunnelStream(ReportStream):
    """The steps of a saved funnel."""

    kind = "funnel"
    most_segments = 10_000
    declaration = DatedDeclaration(
        "",
        "/api/query/funnels",
        "data",
        "segment step_index:integer event goal step_label count:integer avg_time:number"
        " avg_time_from_start:number step_conv_ratio:number overall_conv_ratio:number"
        " custom_event:boolean custom_event_id:integer analysis:object",
        key="date segment step_index",
    )

    def unsettled_days(self) -> int:
        """The time that users have to complete the funnel, 90 days at most."""
        length, unit = self.params.get("length"), self.params.get("length_unit")
        if length is None or unit is None:
            return _LONGEST_FUNNEL_DAYS
        return -(-int(length) * _LENGTHS[unit] // _DAY_S)

    def leaves(self, content: Any) -> Iterator[Row]:
        """A row for each step."""
        content = content if isinstance(content, Mapping) else {"steps": content}
        common = {key: value for key, value in content.items() if key != "steps"}
        for index, step in enumerate(listed(content["steps"])):
            yield {**common, **step, "step_index": index}


class RetentionStream(ReportStream):
    """How many of those who started on a date came back in each interval after it.

    Who is new depends on the first day of the request; the end of intervals may depend on the last.
    """

    kind = "retention"
    never_split = True
    declaration = DatedDeclaration(
        "",
        "/api/query/retention",
        "data",
        "segment interval_index:integer count:integer first:integer",
        key="date segment interval_index",
    )

    def unsettled_days(self) -> int:
        """The intervals that are counted, which start when each person starts."""
        if self.params.get("unbounded_retention") == "true":
            return FOREVER_DAYS
        return (int(self.params.get("interval_count", 1)) + 1) * buckets_of(self.params).longest

    def leaves(self, content: Any) -> Iterator[Row]:
        """A row for each interval; one without a count if there is none yet."""
        counts = listed(content["counts"])
        common = {key: value for key, value in content.items() if key != "counts"}
        for index, count in enumerate(counts or [None]):
            yield {**common, "count": count, "interval_index": index}


class FrequencyStream(ReportStream):
    """How many people were active in at least so many hours or days of a day, week or month."""

    kind = "frequency"
    declaration = DatedDeclaration(
        "",
        "/api/query/retention/addiction",
        "data",
        "segment at_least:integer count:integer",
        key="date segment at_least",
    )

    def leaves(self, content: Any) -> Iterator[Row]:
        """A row for each number of hours or days, from 1."""
        for at_least, count in enumerate(listed(content), start=1):
            yield {"at_least": at_least, "count": count}


REPORTS: Mapping[str, type[ReportStream]] = {
    stream.kind: stream
    for stream in (SegmentationStream, RetentionStream, FunnelStream, FrequencyStream)
}
"""The stream class by kind of report."""
