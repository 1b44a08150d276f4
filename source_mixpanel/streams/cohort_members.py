"""`cohort_members`: who is in which cohort now."""

from __future__ import annotations

from typing import ClassVar

from source_mixpanel.streams.cohorts import COHORTS
from source_mixpanel.streams.profile_pages import Part, cohort_form
from source_mixpanel.streams.profiles import ProfileStream


class CohortMembers(ProfileStream):
    """Every member of every cohort, with its profile if it has one."""

    name = "cohort_members"
    primary_key: ClassVar[list[str]] = ["cohort_id", "distinct_id"]
    fixed: ClassVar = {"cohort_id": "integer"}
    unit = "cohorts"

    def parts(self) -> list[Part]:
        """One query a cohort that has members."""
        return [
            Part(
                key=str(cohort["id"]),
                label=f"cohort {cohort['id']} {cohort.get('name')!r}",
                form=cohort_form(cohort["id"], cohort.get("data_group_id")),
                columns={"cohort_id": cohort["id"]},
            )
            for cohort in self.workshop.lists.keyed(COHORTS, self.name, "id")
            if cohort.get("count") != 0
        ]
