"""`annotations`: notes on dates (app API; the Query API's legacy list with a project secret)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, ClassVar

from source_mixpanel.api.failures import LATER_THAN_TODAY
from source_mixpanel.api.lists import Listing
from source_mixpanel.api.request import Api
from source_mixpanel.errors import RefusedError
from source_mixpanel.streams.base import Row
from source_mixpanel.streams.listing import ListStream

_LEGACY = Listing(Api.QUERY, "/api/query/annotations", under="annotations")
_MIXPANEL_BEGAN = date(2009, 1, 1)
_FUTURE = timedelta(days=3650)


class Annotations(ListStream):
    """Every annotation; its date is the one annotated, in the form Mixpanel sends it."""

    name = "annotations"
    primary_key: ClassVar[list[str]] = ["id"]
    lane = Api.APP
    listing = Listing(Api.APP, "/api/app/projects/{project}/annotations")
    columns: ClassVar = {
        "id": "integer",
        "project_id": "integer",
        "date": "string",
        "description": "string",
        "user": "object",
        "tags": "array",
    }

    def chunks(self, stream_slice: Mapping[str, Any]) -> Iterator[Iterable[Row]]:
        """From the app API; it takes no project secret, so with one from the legacy list."""
        if self.workshop.client.access.project_id is not None:
            return super().chunks(stream_slice)
        return iter([[self.row(item) for item in self._legacy()]])

    def _legacy(self) -> list[Any]:
        """The legacy list wants dates: all of them, planned ones too where it lets us."""
        today = self.workshop.project_days().today(self.workshop.time.now_utc())
        try:
            return self._between(today + _FUTURE)
        except RefusedError as error:
            if LATER_THAN_TODAY not in error.text:
                raise
            return self._between(self.workshop.project_days().today(self.workshop.time.now_utc()))

    def _between(self, last: date) -> list[Any]:
        dates = {"from_date": _MIXPANEL_BEGAN.isoformat(), "to_date": last.isoformat()}
        return self.workshop.lists.all(replace(_LEGACY, params=dates), self.name)
