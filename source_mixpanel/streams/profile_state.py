"""The state of streams of profiles: read in every shape it ever had, written. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from source_mixpanel.api.paging import Walk
from source_mixpanel.dates import parse_moment
from source_mixpanel.streams.finished_state import NOTHING, parts_in, unreadable

_WALK = {"session": "id", "size": "page_size", "total": "total", "next_page": "next_page"}
_LONGEST = re.compile(r"[ -~]{1,64}")


@dataclass(frozen=True)
class OpenWalk:
    """A query that was broken off between two pages.

    Attributes:
        part: The part of the stream it reads.
        since: The cursor it began with; None if it reads all.
        latest: The latest `$last_seen` so far.
        walk: Where it stands.
        begun: When it was begun, by Mixpanel's clock; None in states that do not tell.
    """

    part: str
    since: str | None
    latest: str | None
    walk: Walk
    begun: str | None = None


@dataclass(frozen=True)
class ProfileState:
    """What a sync of profiles has to remember.

    Attributes:
        last_seen: The latest `$last_seen` of the last whole sync, as Mixpanel wrote it.
        finished: In the middle of a sync: the parts that have been read whole.
        open: In the middle of a part: where.
        columns: The columns of properties that were emitted.
    """

    last_seen: str | None = None
    finished: tuple[str, ...] = ()
    open: OpenWalk | None = None
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def in_progress(self) -> bool:
        """Whether this is the middle of a sync."""
        return bool(self.finished) or self.open is not None

    def restarted(self) -> ProfileState:
        """The same with nothing read."""
        return replace(self, finished=(), open=None)


def dump_state(state: ProfileState) -> dict[str, Any]:
    """The state as JSON."""
    blob = {
        "last_seen": state.last_seen,
        "finished": list(state.finished) or None,
        "session": None if state.open is None else _dump_open(state.open),
        "columns": dict(state.columns) or None,
    }
    return {key: value for key, value in blob.items() if value is not None} or dict(NOTHING)


def _dump_open(mark: OpenWalk) -> dict[str, Any]:
    told = {key: getattr(mark.walk, name) for name, key in _WALK.items()}
    when = {"since": mark.since, "latest": mark.latest, "begun": mark.begun}
    return {"part": mark.part, **when, **told}


def parse_state(blob: Mapping[str, Any], stream: str) -> ProfileState:
    """A state of this connector, or one of Airbyte's 4.0.2: `{last_seen}`, or by partition.

    Keys that are not known are passed over.

    Raises:
        ConfigError: A value cannot be what its key says.
    """
    try:
        columns = blob.get("columns") or {}
        texts = [*columns, *columns.values()]
        if not isinstance(columns, Mapping) or not all(isinstance(text, str) for text in texts):
            raise TypeError("columns")
        return ProfileState(
            last_seen=_moment(blob.get("last_seen")),
            finished=parts_in(blob),
            open=_open(blob.get("session")),
            columns=columns,
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise unreadable(stream, error) from error


def _open(told: Any) -> OpenWalk | None:
    if told is None:
        return None
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
    return OpenWalk(told["part"], _moment(since), _moment(latest), walk, _moment(begun))


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
