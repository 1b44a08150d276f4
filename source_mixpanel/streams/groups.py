"""`groups`: profiles of the project's group keys (companies, teams ...)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from source_mixpanel.api.lists import Listing
from source_mixpanel.api.request import Api
from source_mixpanel.errors import DataError, ForbiddenError, RefusedError
from source_mixpanel.streams.profile_pages import Part
from source_mixpanel.streams.profiles import ProfileStream

DATA_GROUPS = Listing(Api.APP, "/api/app/projects/{project}/data-groups", shared=True)


class Groups(ProfileStream):
    """Every group profile of every group key; a group key's number may be negative."""

    name = "groups"
    primary_key: ClassVar[list[str]] = ["data_group_id", "distinct_id"]
    fixed: ClassVar = {"data_group_id": "string"}
    unit = "group keys"
    documented = False

    def parts(self) -> list[Part]:
        """One query a group key."""
        return [
            Part(
                key=str(group["data_group_id"]),
                label=f"the profiles of group key {group.get('property_name')!r}",
                form={"data_group_id": str(group["data_group_id"])},
                columns={"data_group_id": str(group["data_group_id"])},
            )
            for group in self._list()
        ]

    def groups(self) -> list[str | None]:
        """Every group key's number, none if the list is closed to the account, or odd."""
        try:
            return [str(group["data_group_id"]) for group in self._list()]
        except (ForbiddenError, RefusedError, DataError) as error:
            self.logger.info(f"Stream 'groups' is discovered without its properties: {error}")
            return []

    def _list(self) -> list[Mapping[str, Any]]:
        return self.workshop.lists.keyed(DATA_GROUPS, self.name, "data_group_id")
