"""The state of streams of profiles: read in every shape it ever had, written. Pure."""

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
    """A query that was broken off between two pages.

    Attributes:
        since: The cursor it began with; None if it reads all.
        begun: When it was begun, by Mixpanel's clock; None in states that do not tell.
    """

    since: str | None
    latest: str | None
    walk: Walk
    begun: str | None = None


@dataclass(frozen=True)
class ProfileState:
    """What a sync of profiles has to remember.

    Attributes:
        last_seen: The latest `$last_seen` of the last whole sync, as Mixpanel wrote it.
        refresh: In the middle of a sync: the parts that have been read whole.
        open: In the middle of parts: where, by their keys.
    """

    last_seen: str | None = None
    refresh: Refresh = field(default_factory=Refresh)
    open: Mapping[str, OpenWalk] = field(default_factory=dict)
    origin: Origin = field(default_factory=Origin)

    def begun(self, now: Origin, now_ms: int, since: str | None) -> ProfileState:
        """The state at the beginning of a sync.

        What an earlier attempt has read counts if it was of the same project and data view, by the
        same cursor, and is not too old to be tried again.
        """
        if since is None and not self.origin.holds_for(now):
            return ProfileState(origin=now)
        origin = now if since is None else self.origin.after(now)
        if not self.origin.holds_for(now) or self.refresh.is_over(now_ms):
            return ProfileState(self.last_seen, origin=origin)
        going = {key: walk for key, walk in self.open.items() if walk.since == since}
        return replace(
            self, open=going, refresh=replace(self.refresh, ended_ms=None), origin=origin
        )

    def at(self, part: str, mark: OpenWalk) -> ProfileState:
        """With a part read up to a page."""
        return replace(self, open={**self.open, part: mark})

    def only(self, parts: Iterable[str]) -> ProfileState:
        """Without parts that are no more."""
        known = set(parts)
        return replace(self, open={key: walk for key, walk in self.open.items() if key in known})

    def finished(self, part: str) -> ProfileState:
        """With a part read whole."""
        going = {key: walk for key, walk in self.open.items() if key != part}
        return replace(self, open=going, refresh=self.refresh.with_part(part))

    def ended(self, now_ms: int, *, passes: bool) -> ProfileState:
        """When all parts were tried and some are lacking; what does not pass is begun anew."""
        refresh = self.refresh.ended(now_ms, passes=passes)
        return replace(self, refresh=refresh, open=self.open if passes else {})

    def over(self) -> ProfileState:
        """With nothing on its way."""
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
    """Whether a later sync can go on with a walk: it has a session, of a form that is known."""
    return walk.session is not None and _LONGEST.fullmatch(walk.session) is not None


def _dump_open(part: str, mark: OpenWalk) -> dict[str, Any]:
    told = {key: getattr(mark.walk, name) for name, key in _WALK.items()}
    when = {"since": mark.since, "latest": mark.latest, "begun": mark.begun}
    return {"part": part, **when, **told}


def parse_state(blob: Mapping[str, Any]) -> ProfileState:
    """A state of this connector, of version 0.1.0, or of Airbyte's 4.0.2: `{last_seen}`.

    Keys that are not known are passed over.

    Raises:
        ValueError: A value cannot be what its key says.
        TypeError: The same.
        KeyError: A session lacks one.
    """
    sessions = blob.get("sessions") or ([blob["session"]] if blob.get("session") else [])
    return ProfileState(
        last_seen=_moment(blob.get("last_seen")),
        refresh=parse_refresh(blob),
        open=dict(map(_open, sessions)),
        origin=parse_origin(blob),
    )


def _open(told: Any) -> tuple[str, OpenWalk]:
    if not _LONGEST.fullmatch(told["id"]):
        raise ValueError("session")
    size, total = told["page_size"], told["total"]
    walk = Walk(
        session=told["id"],
        size=None if size is None else _number(size, 1),
        total=None if total is None else _number(total, 0),
        next_page=_number(told["next_page"], 1),
    )
    since, latest, begun = told["since"], told["latest"], told.get("begun")
    return str(told["part"]), OpenWalk(_moment(since), _moment(latest), walk, _moment(begun))


def _number(value: Any, least: int) -> int:
    if type(value) is not int or value < least:
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
