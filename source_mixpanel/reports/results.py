"""`report_results`: what the saved insights reports show (Query API: insights)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from source_mixpanel.api.endpoints import SAVED_REPORTS
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.columns.fitting import Row
from source_mixpanel.columns.types import object_schema
from source_mixpanel.errors import (
    DataError,
    ForbiddenError,
    RefusedError,
    SourceError,
    TransientError,
)
from source_mixpanel.lists.stream import columns_in, undocumented_change_error
from source_mixpanel.streams.base import Checkpoint, Item, MixpanelStream, StreamContext
from source_mixpanel.streams.parts import Each, Part, PartRun, ends_refresh
from source_mixpanel.streams.state import Refresh, opened, parse_origin, parse_refresh, sealed

_REPORTS = Each(
    SAVED_REPORTS,
    "id",
    unit="reports",
    noun="report",
    params=lambda report: {"bookmark_id": str(report["id"])},
    columns=lambda report: {"bookmark_id": report["id"], "report_name": report.get("name")},
    wanted=lambda report: report.get("type") == "insights",
)


class ReportResults(MixpanelStream):
    """A row for each number of a report, by series and date.

    `series` is the path of keys to the number, a JSON array as text with `$overall` in it; `date`
    is the last key as Mixpanel writes it: an instant with the project's offset, or `all` and
    similar words in reports without a time axis.
    """

    name = "report_results"
    primary_key = ["bookmark_id", "series", "date"]  # noqa: RUF012 - a declaration
    paths = ("/api/query/insights", SAVED_REPORTS.path)
    documented = False
    columns = "bookmark_id:integer report_name series date value:number headers:array computed_at"

    def __init__(self, context: StreamContext, workers: int) -> None:
        super().__init__(context)
        self._workers = workers
        self._refresh = Refresh()

    def schema(self) -> Mapping[str, Any]:
        """The declared columns, the same for every report."""
        return object_schema(columns_in(self.columns))

    def requests_planned(self) -> int | None:
        """One for each report."""
        return len(self._parts())

    def sync(self, saved: Mapping[str, Any], *, full: bool) -> Iterator[Item]:  # noqa: ARG002 - all of it, always
        """The rows of each report; until the sync ends, the state names those that were read."""
        origin = self.context.origin
        refresh, before = opened(
            saved, self.name, lambda blob: (parse_refresh(blob), parse_origin(blob))
        )
        if before.holds_for(origin) and not refresh.is_over(self.context.now_ms()):
            self._refresh = replace(refresh, ended_ms=None)
        run = PartRun(
            self,
            [part for part in self._parts() if part.key not in self._refresh.finished],
            each=_REPORTS,
            begin=self._rows,
            read=lambda part, rows: self._report(run, part, rows),
            workers=self._workers,
        )
        try:
            yield from run.whole()
        except SourceError as error:
            if ends_refresh(error, run):
                passes = isinstance(error, TransientError)
                ended = self._refresh.ended(self.context.now_ms(), passes=passes)
                yield Checkpoint(sealed(ended.dump(), origin))
            raise
        yield Checkpoint(sealed(Refresh().dump(), origin))

    def _report(self, run: PartRun[list[Row]], part: Part, rows: list[Row]) -> Iterator[Item]:
        yield rows
        self._refresh = self._refresh.with_part(part.key)
        place = f"report {part.key} ({len(rows)} rows)"
        state = sealed(self._refresh.dump(), self.context.origin)
        yield Checkpoint(state, place, run.done + 1, run.total, run.unit)

    def _parts(self) -> list[Part]:
        """The saved reports of the kind that this endpoint computes (insights)."""
        try:
            return _REPORTS.parts(self.context, self.name)
        except (ForbiddenError, RefusedError, DataError) as error:
            if self.context.client.access.project_id is None:
                raise
            raise undocumented_change_error(self.name, error) from error

    def _rows(self, part: Part) -> list[Row]:
        request = ApiRequest(Api.QUERY, self.paths[0], self.name, part.params)
        answer = self.context.client.json(request)
        series = answer.get("series") if isinstance(answer, Mapping) else None
        if not isinstance(series, (Mapping, list)):
            raise DataError(f"Mixpanel's answer to {request} for {part.label} has no series in it.")
        common = {
            **part.columns,
            "headers": answer.get("headers"),
            "computed_at": answer.get("computed_at"),
        }
        return [
            {**common, "series": json.dumps(path, ensure_ascii=False), "date": last, "value": value}
            for *path, last, value in numbers(series)
        ]


def numbers(content: Any, *path: str) -> Iterator[tuple[Any, ...]]:
    """Each value in nested objects and arrays: a tuple of the keys to it, and the value last."""
    if isinstance(content, (Mapping, list)):
        inner = content.items() if isinstance(content, Mapping) else enumerate(content)
        for key, value in inner:
            yield from numbers(value, *path, str(key))
    else:
        yield (*path, content)
