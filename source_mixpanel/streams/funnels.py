"""`funnels`: each saved funnel by day."""

from __future__ import annotations

from typing import ClassVar

from source_mixpanel.api.lists import Listing
from source_mixpanel.api.request import Api
from source_mixpanel.streams.dated import DatedPart, DatedStream

FUNNELS = Listing(Api.QUERY, "/api/query/funnels/list", shared=True)


class Funnels(DatedStream):
    """Steps and conversions of every saved funnel; days change until the funnel's window closes."""

    name = "funnels"
    primary_key: ClassVar[list[str]] = ["funnel_id", "date"]
    path = "/api/query/funnels"
    under = "data"
    partition = "funnel_id"
    unit = "funnels"
    columns: ClassVar = {
        "funnel_id": "integer",
        "name": "string",
        "steps": "array",
        "analysis": "object",
    }

    def parts(self) -> list[DatedPart]:
        """One report a funnel."""
        return [
            DatedPart(
                key=str(funnel["funnel_id"]),
                label=f"funnel {funnel['funnel_id']} {funnel.get('name')!r}",
                params={"funnel_id": str(funnel["funnel_id"])},
                columns={"funnel_id": funnel["funnel_id"], "name": funnel.get("name")},
            )
            for funnel in self.workshop.lists.keyed(FUNNELS, self.name, "funnel_id")
        ]
