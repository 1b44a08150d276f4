"""`cohorts`: the project's saved cohorts (Query API: cohorts/list)."""

from __future__ import annotations

from typing import ClassVar

from source_mixpanel.api.lists import Listing
from source_mixpanel.api.request import Api
from source_mixpanel.streams.listing import ListStream

COHORTS = Listing(Api.QUERY, "/api/query/cohorts/list", shared=True)


class Cohorts(ListStream):
    """Every cohort, whatever its age: counts and names change without a trace of when."""

    name = "cohorts"
    primary_key: ClassVar[list[str]] = ["id"]
    listing = COHORTS
    columns: ClassVar = {
        "id": "integer",
        "project_id": "integer",
        "name": "string",
        "description": "string",
        "count": "integer",
        "created": "string",
        "is_visible": "integer",
        "data_group_id": ["string", "integer"],
    }
