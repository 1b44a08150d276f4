"""Dated streams as values, and the four kinds of reports that the settings may describe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from source_mixpanel.api.endpoints import FUNNELS as FUNNEL_LIST
from source_mixpanel.streams.base import Row
from source_mixpanel.streams.dated import DatedOf
from source_mixpanel.streams.parts import Each
from source_mixpanel.streams.reports import FOR_GOOD, ReportStream, grid_of, listed

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
        return (int(self.params.get("interval_count", 1)) + 1) * grid_of(self.params).longest

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
