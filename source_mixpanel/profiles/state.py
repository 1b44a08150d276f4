"""The state of streams of profiles: parsed in every format it ever had, dumped. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from source_mixpanel.profiles.paging import Walk
from source_mixpanel.streams.state import Origin, Refresh, parse_origin, parse_refresh, sealed
from source_mixpanel.times.dates import parse_moment

_WALK = {"session": "id", "size": "page_size", "total": "total", "next_page": "next_page"}
_LONGEST = re.compile(r"[ -~]{1,64}")


@dataclass(frozen=True)
class OpenWalk:
    """A query that was interrupted between two pages.

    Attributes:
        since: The cursor that it started from; None if it reads all profiles.
        latest: The latest `$last_seen` that it has read.
        walk: Its session and next page.
        begun: When it started, by Mixpanel's clock; None in states of earlier versions.
    """

    since: str | None
    latest: str | None
    walk: Walk
    begun: str | None = None


@dataclass(frozen=True)
class ProfileState:
    """The state of a stream of profiles.

    Attributes:
        last_seen: The cursor: the latest `$last_seen` of the last complete sync.
        refresh: During a sync: the parts that have been read.
        open: During a sync: the queries of parts that have been read in part, by key.
        origin: Where the records came from.
    """

    last_seen: str | None = None
    refresh: Refresh = field(default_factory=Refresh)
    open: Mapping[str, OpenWalk] = field(default_factory=dict)
    origin: Origin = field(default_factory=Origin)

    def at_start(self, now: Origin, now_ms: int, since: str | None) -> ProfileState:
        """The state at the beginning of a sync.

        An earlier attempt is continued if it was of the same project and data view, from the same
        cursor, and did not end too long ago.
        """
        if since is None and not self.origin.holds_for(now):
            return ProfileState(origin=now)
        origin = now if since is None else self.origin.after(now)
        if not self.origin.holds_for(now) or self.refresh.is_over(now_ms):
            return ProfileState(self.last_seen, origin=origin)
        sessions = {key: walk for key, walk in self.open.items() if walk.since == since}
        return replace(
            self, open=sessions, refresh=replace(self.refresh, ended_ms=None), origin=origin
        )

    def at(self, part: str, mark: OpenWalk) -> ProfileState:
        """With a part read up to a page."""
        return replace(self, open={**self.open, part: mark})

    def only(self, parts: Iterable[str]) -> ProfileState:
        """Without parts that no longer exist."""
        known = set(parts)
        return replace(self, open={key: walk for key, walk in self.open.items() if key in known})

    def finished(self, part: str) -> ProfileState:
        """With a part that has been read."""
        sessions = {key: walk for key, walk in self.open.items() if key != part}
        return replace(self, open=sessions, refresh=self.refresh.with_part(part))

    def ended(self, now_ms: int, *, passes: bool) -> ProfileState:
        """After all parts were tried and some are missing; without `passes`, start over."""
        refresh = self.refresh.ended(now_ms, passes=passes)
        return replace(self, refresh=refresh, open=self.open if passes else {})

    def over(self) -> ProfileState:
        """Without parts and queries: the sync is complete."""
        return replace(self, refresh=Refresh(), open={})


def dump_state(state: ProfileState) -> dict[str, Any]:
    """The state as JSON."""
    blob = {
        "last_seen": state.last_seen,
        **state.refresh.dump(),
        "sessions": [_dump_open(part, mark) for part, mark in state.open.items()] or None,
    }
    return sealed(blob, state.origin)


def can_be_saved(walk: Walk) -> bool:
    """Whether a later sync can continue a walk: it has a session id of a known form."""
    return walk.session is not None and _LONGEST.fullmatch(walk.session) is not None


def _dump_open(part: str, mark: OpenWalk) -> dict[str, Any]:
    session = {key: getattr(mark.walk, name) for name, key in _WALK.items()}
    when = {"since": mark.since, "latest": mark.latest, "begun": mark.begun}
    return {"part": part, **when, **session}


def parse_state(blob: Mapping[str, Any]) -> ProfileState:
    """A state of this connector, of version 0.1.0, or of Airbyte's 4.0.2: `{last_seen}`.

    Unknown keys are ignored.

    Raises:
        ValueError: A value is invalid.
        TypeError: A value is of the wrong type.
        KeyError: A session has a missing key.
    """
    sessions = blob.get("sessions") or ([blob["session"]] if blob.get("session") else [])
    return ProfileState(
        last_seen=_moment(blob.get("last_seen")),
        refresh=parse_refresh(blob),
        open=dict(map(_open, sessions)),
        origin=parse_origin(blob),
    )


def _open(blob: Any) -> tuple[str, OpenWalk]:
    if not _LONGEST.fullmatch(blob["id"]):
        raise ValueError("session")
    size, total = blob["page_size"], blob["total"]
    walk = Walk(
        session=blob["id"],
        size=None if size is None else _number(size, 1),
        total=None if total is None else _number(total, 0),
        next_page=_number(blob["next_page"], 1),
    )
    since, latest, begun = blob["since"], blob["latest"], blob.get("begun")
    return str(blob["part"]), OpenWalk(_moment(since), _moment(latest), walk, _moment(begun))


def _number(value: Any, minimum: int) -> int:
    if type(value) is not int or value < minimum:
        raise ValueError(f"session: {value!r}")
    return value


def as_last_seen(moment: datetime) -> str:
    """An instant in UTC as Mixpanel writes `$last_seen`, in whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def _moment(value: Any) -> str | None:
    """A cursor that can be compared with `$last_seen` as text: UTC, without a zone."""
    if value in (None, ""):
        return None
    moment = parse_moment(value)
    if not isinstance(moment, datetime):
        return moment.isoformat()
    text = moment.replace(tzinfo=None).isoformat(
        timespec="auto" if moment.microsecond else "seconds"
    )
    return text.rstrip("0") if moment.microsecond else text
