"""`engage`: user profiles."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from source_mixpanel.records.profiles import LAST_SEEN
from source_mixpanel.streams.profile_pages import Part
from source_mixpanel.streams.profile_state import ProfileState
from source_mixpanel.streams.profiles import ProfileStream


class Engage(ProfileStream):
    """Every user profile, or since the last sync those that Mixpanel has marked as changed."""

    name = "engage"
    primary_key: ClassVar[list[str]] = ["distinct_id"]
    cursor_field = "last_seen"

    def parts(self) -> list[Part]:
        """One query, for all or for those changed."""
        if self._since is None:
            return [Part("users", "the user profiles")]
        self.logger.info(
            f"Stream 'engage' asks for the profiles with $last_seen from {self._since} on. "
            f"Mixpanel does not set $last_seen on every change, and says nothing of deleted "
            f"profiles: only a full refresh is an exact copy."
        )
        where = f'properties["{LAST_SEEN}"] >= "{self._since}"'
        return [Part("users", "the changed user profiles", {"where": where})]

    def _done(self) -> ProfileState:
        # A profile may claim to be seen in the future; the cursor does not follow it there.
        now = self.workshop.time.now_utc().strftime("%Y-%m-%dT%H:%M:%S")
        latest = min(self._rows.latest or "", now)
        last_seen = max(self._since or "", latest) or None
        return replace(super()._done(), last_seen=last_seen)
