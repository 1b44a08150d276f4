"""`revenue`: the legacy revenue report by day, which Mixpanel no longer documents."""

from __future__ import annotations

from typing import ClassVar

from source_mixpanel.errors import ConfigError, RefusedError, SourceError
from source_mixpanel.streams.dated import DatedStream

_WITHDRAWN = frozenset({400, 404, 410})


class Revenue(DatedStream):
    """Amounts that were tracked with the retired `track_charge`; projects made since have none."""

    name = "revenue"
    primary_key: ClassVar[list[str]] = ["date"]
    path = "/api/query/engage/revenue"
    under = "results"
    documented = False
    columns: ClassVar = {"amount": "number", "count": "integer", "paid_count": "integer"}

    def refused(self, error: RefusedError) -> SourceError:
        """Where the endpoint is gone there is no fault to mend."""
        if error.status not in _WITHDRAWN:
            return error
        return ConfigError(
            f"Mixpanel has withdrawn the revenue report, from which stream 'revenue' is read, for "
            f"this project (it answered {error.status}). Leave the stream out.",
            detail=str(error.internal_message),
        )
