"""`report_results`: what the saved insights reports show (Query API: insights)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.errors import DataError, ForbiddenError, PlanError, RefusedError, SourceError
from source_mixpanel.records.types import object_schema
from source_mixpanel.streams.base import MixpanelStream, Row
from source_mixpanel.streams.boards import SAVED_REPORTS
from source_mixpanel.streams.listing import changed
from source_mixpanel.sync.parallel import in_order

_WORKERS = 5
"""Queries that Mixpanel answers at a time."""


class ReportResults(MixpanelStream):
    """A row for each number of a report: which series it is of, and which date.

    `series` is the path to the number, a JSON array as text, `$overall` and all; `date` is the
    last key as it came: an instant with the project's offset, or `all` and the like in reports
    that are not over time.
    """

    name = "report_results"
    primary_key: ClassVar[list[str]] = ["bookmark_id", "series", "date"]
    path = "/api/query/insights"
    documented = False
    columns: ClassVar[Mapping[str, Any]] = {
        "bookmark_id": "integer",
        "report_name": "string",
        "series": "string",
        "date": "string",
        "value": "number",
        "headers": "array",
        "computed_at": "string",
    }

    def schema(self) -> Mapping[str, Any]:
        """The same for reports of every shape."""
        return object_schema(self.columns)

    def requests_planned(self) -> int | None:
        """One a report."""
        return len(self._reports())

    def chunks(self, stream_slice: Mapping[str, Any]) -> Iterator[Iterable[Row]]:  # noqa: ARG002
        """A report at a time; one that is closed or gone does not stop the others."""
        reports = self._reports()
        failures: list[SourceError] = []
        tasks = (partial(self._attempt, report) for report in reports)
        made = in_order(tasks, workers=_WORKERS, discard=lambda _: None)
        for number, (report, rows) in enumerate(zip(reports, made, strict=True), start=1):
            if isinstance(rows, SourceError):
                failures.append(rows)
                continue
            yield rows
            self.logger.info(
                f"Stream {self.name!r} has read report {report['id']} "
                f"({number} of {len(reports)}): {len(rows)} rows."
            )
        if failures:
            raise failures[0]

    def _reports(self) -> list[Mapping[str, Any]]:
        """The saved reports of the kind that this endpoint computes."""
        try:
            found = self.workshop.lists.all(SAVED_REPORTS, self.name)
        except (ForbiddenError, RefusedError, DataError) as error:
            if self.workshop.client.access.project_id is None:
                raise
            raise changed(self.name, error) from error
        return [report for report in found if report.get("type") == "insights"]

    def _attempt(self, report: Mapping[str, Any]) -> list[Row] | SourceError:
        """The rows of a report, or why it alone cannot be had."""
        try:
            return self._rows(report)
        except PlanError:
            raise
        except (ForbiddenError, RefusedError, DataError) as error:
            self.logger.warning(f"Report {report['id']} {report.get('name')!r}: {error}")
            return error

    def _rows(self, report: Mapping[str, Any]) -> list[Row]:
        params = {"bookmark_id": str(report["id"])}
        request = ApiRequest(Api.QUERY, self.path, self.name, params)
        answer = self.workshop.client.json(request)
        series = answer.get("series") if isinstance(answer, Mapping) else None
        if not isinstance(series, (Mapping, list)):
            raise DataError(
                f"Mixpanel's answer to {request} for report {report['id']} has no series in it."
            )
        common = {
            "bookmark_id": report["id"],
            "report_name": report.get("name"),
            "headers": answer.get("headers"),
            "computed_at": answer.get("computed_at"),
        }
        return [
            {**common, "series": json.dumps(path, ensure_ascii=False), "date": last, "value": value}
            for *path, last, value in numbers(series)
        ]


def numbers(held: Any, *path: str) -> Iterator[tuple[Any, ...]]:
    """Each value in nested objects (and arrays, by position) after the keys that lead to it."""
    if isinstance(held, (Mapping, list)):
        inner = held.items() if isinstance(held, Mapping) else enumerate(held)
        for key, value in inner:
            yield from numbers(value, *path, str(key))
    else:
        yield (*path, held)
