"""`engage`: user profiles."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from source_mixpanel.profiles.rows import LAST_SEEN
from source_mixpanel.profiles.state import ProfileState, as_last_seen
from source_mixpanel.profiles.stream import ProfilesDeclaration, ProfileSettings, ProfileStream
from source_mixpanel.streams.base import StreamContext
from source_mixpanel.streams.parts import Part

_CLOCKS_DIFFER = timedelta(minutes=2)
"""Times that are less far in the future may be due to differing clocks."""


class Engage(ProfileStream):
    """All user profiles; in incremental syncs those with a `$last_seen` since the last sync."""

    cursor_field = "last_seen"
    exact = False

    def __init__(self, context: StreamContext, settings: ProfileSettings) -> None:
        super().__init__(context, ProfilesDeclaration("engage", "distinct_id"), settings)

    def parts(self) -> list[Part]:
        """One query, for all profiles or for the changed ones."""
        if self._since is None:
            return [Part("users", "the user profiles")]
        self.logger.info(
            f"Stream 'engage' asks for the profiles with $last_seen from {self._since} on. "
            f"Mixpanel does not set $last_seen on every change, and says nothing of deleted "
            f"profiles: only a full refresh is an exact copy."
        )
        where = f'properties["{LAST_SEEN}"] >= "{self._since}"'
        return [Part("users", "the changed user profiles", {"where": where})]

    def done(self) -> ProfileState:
        """The final state, with the new cursor."""
        return replace(super().done(), last_seen=self._cursor() or None)

    def _cursor(self) -> str:
        """The cursor of the next sync: every change that this sync missed is not earlier.

        All pages are of one session, which has the profiles as they were when it was opened.
        A profile that changes later has no earlier `$last_seen` than the latest of the session,
        unless that lies in the future; so the cursor is never later than the opening. It is a
        whole second, which the next sync reads again: that second may not have been over. If the
        session expires, the next one has all profiles as they are later still.
        """
        begun = self._begun()
        if begun is None:
            # A state of an earlier version: it is not known which times were in the future then.
            return self._since or ""
        latest = (self._rows.latest or "")[: len(begun)]
        cursor = min(max(self._since or "", latest), begun)
        now = as_last_seen(self.context.time.now_utc() + _CLOCKS_DIFFER)
        if self._since is not None and self._since > now:
            self.logger.warning(
                f"The saved state of stream {self.name!r} said that profiles had been read up to "
                f"{self._since}, which lies in the future. It is set back to {cursor}. Profiles "
                f"that changed before that may be missing: reset the stream, or run a full "
                f"refresh, to have them."
            )
        return cursor
