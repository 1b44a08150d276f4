"""List endpoints as values, among them those that several streams read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from source_mixpanel.api.request import Api


@dataclass(frozen=True)
class Listing:
    """A list endpoint.

    Attributes:
        path: May contain `{project}` and `{workspace}`; with the latter there is one list for each
            data view of the project.
        items_key: The key of the items in an answer.
        shared: Whether several streams need it, so that it is read once a sync and cached.
    """

    api: Api
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    items_key: str = "results"
    shared: bool = False


PROJECT = "/api/app/projects/{project}"

COHORTS = Listing(Api.QUERY, "/api/query/cohorts/list", shared=True)
FUNNELS = Listing(Api.QUERY, "/api/query/funnels/list", shared=True)
DATA_GROUPS = Listing(Api.APP, f"{PROJECT}/data-groups", shared=True)
SAVED_REPORTS = Listing(Api.APP, f"{PROJECT}/bookmarks", params={"v": "2"}, shared=True)
WORKSPACES = Listing(Api.APP, f"{PROJECT}/workspaces/public", shared=True)

CUSTOM_EVENTS_OF_LEXICON = Listing(
    Api.APP, f"{PROJECT}/data-definitions/events/", params={"custom_event": "true"}
)
LOOKUP_TABLES_OF_LEXICON = Listing(Api.APP, f"{PROJECT}/data-definitions/lookup-tables/")
