"""`report_results`: what the saved insights reports show (Query API: insights)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from functools import partial
from typing import Any, ClassVar

from airbyte_cdk.models import SyncMode
from airbyte_cdk.sources.types import StreamSlice

from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.errors import DataError, ForbiddenError, PlanError, RefusedError, SourceError
from source_mixpanel.records.types import object_schema
from source_mixpanel.streams.base import CheckpointedStream, Row, Workshop
from source_mixpanel.streams.boards import SAVED_REPORTS
from source_mixpanel.streams.finished_state import FinishedState, dump_finished, parse_finished
from source_mixpanel.streams.listing import changed
from source_mixpanel.sync.parallel import in_order


class ReportResults(CheckpointedStream):
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

    def __init__(self, workshop: Workshop, workers: int) -> None:
        super().__init__(workshop)
        self._workers = workers
        self._state = FinishedState()

    def schema(self) -> Mapping[str, Any]:
        """The same for reports of every shape."""
        return object_schema(self.columns)

    def requests_planned(self) -> int | None:
        """One a report."""
        return len(self._reports())

    @property
    def state(self) -> MutableMapping[str, Any]:
        """In the middle of a sync the reports that have been read."""
        return dump_finished(self._state)

    @state.setter
    def state(self, value: MutableMapping[str, Any]) -> None:
        self._state = parse_finished(value, self.name)

    def stream_slices(
        self,
        *,
        sync_mode: SyncMode,  # noqa: ARG002 - the CDK's signature
        cursor_field: list[str] | None = None,  # noqa: ARG002
        stream_state: Mapping[str, Any] | None = None,  # noqa: ARG002 - taken by the setter
    ) -> Iterable[StreamSlice]:
        """Reports; one that is closed or gone does not stop the others."""
        todo = [r for r in self._reports() if str(r["id"]) not in self._state.finished]
        failures: list[SourceError] = []
        tasks = (partial(self._attempt, report) for report in todo)
        made = in_order(tasks, workers=self._workers, discard=lambda _: None)
        for number, (report, rows) in enumerate(zip(todo, made, strict=True), start=1):
            if isinstance(rows, SourceError):
                failures.append(rows)
                continue
            yield StreamSlice(
                partition={"report": str(report["id"])},
                cursor_slice={},
                extra_fields={"rows": rows, "reach": (number, len(todo), "reports")},
            )
        # The next sync reads all of them again, whether this one had all of them or not.
        self._state = FinishedState()
        yield StreamSlice(partition={"report": "end"}, cursor_slice={})
        if failures:
            raise failures[0]

    def chunks(self, stream_slice: Mapping[str, Any]) -> Iterator[Iterable[Row]]:
        """The rows of a report; then the state moves past it."""
        told = getattr(stream_slice, "extra_fields", {})
        if "rows" not in told:
            return
        yield told["rows"]
        number = stream_slice["report"]
        self._state = FinishedState((*self._state.finished, number))
        self.progressed(f"report {number} ({len(told['rows'])} rows)", *told["reach"])

    def _reports(self) -> list[Mapping[str, Any]]:
        """The saved reports of the kind that this endpoint computes."""
        try:
            found = self.workshop.lists.keyed(SAVED_REPORTS, self.name, "id")
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
