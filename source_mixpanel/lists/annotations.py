"""`annotations`: notes on dates (app API; the Query API's legacy list with a project secret)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from source_mixpanel.api.endpoints import Listing
from source_mixpanel.api.failures import LATER_THAN_TODAY
from source_mixpanel.api.request import Api
from source_mixpanel.errors import RefusedError
from source_mixpanel.lists.declarations import ANNOTATIONS
from source_mixpanel.lists.stream import ListStream
from source_mixpanel.streams.base import Item, StreamContext

_LEGACY = Listing(Api.QUERY, "/api/query/annotations", items_key="annotations")
_MIXPANEL_BEGAN = date(2009, 1, 1)
_FUTURE = timedelta(days=3650)


class Annotations(ListStream):
    """From the app API; with a project secret, which that does not accept, from the legacy list."""

    def __init__(self, context: StreamContext) -> None:
        super().__init__(context, ANNOTATIONS)

    def items(self) -> Iterator[Item]:
        """The rows of the list that the credentials can read."""
        if self.context.client.access.project_id is not None:
            return super().items()
        return iter([self.rows(self._legacy())])

    def requests_planned(self) -> int | None:
        """One request, whichever list is read."""
        return 1

    def _legacy(self) -> list[Any]:
        """The items of the legacy list for all dates; future ones only if Mixpanel accepts them."""
        today = self.context.project_days().today(self.context.time.now_utc())
        try:
            return self._between(today + _FUTURE)
        except RefusedError as error:
            if LATER_THAN_TODAY not in error.text:
                raise
            return self._between(self.context.project_days().today(self.context.time.now_utc()))

    def _between(self, last: date) -> list[Any]:
        dates = {"from_date": _MIXPANEL_BEGAN.isoformat(), "to_date": last.isoformat()}
        return self.context.lists.items(replace(_LEGACY, params=dates), self.name)
