"""The envelope that every state has: whose it is, and of which refresh. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from source_mixpanel.errors import ConfigError
from source_mixpanel.streams.coverage import parse_mark
from source_mixpanel.times.dates import parse_zone, same_zone

T = TypeVar("T")

KEY = "origin"
"""The key of a state under which this stands."""
VERSION = 2
"""Of the form of states. Those of Airbyte's 4.0.2 and of 0.1.0 have none."""

NOTHING: Mapping[str, Any] = {"__ab_no_cursor_state_message": True}
"""What Airbyte takes for: there is nothing to remember.

The CDK takes an empty state for none, and would leave the one before in its place.
"""

RETRIED_WITHIN_MS = 30 * 60 * 1000
"""How soon the platform tries again what failed in a way that passes."""


@dataclass(frozen=True)
class Origin:
    """Where records that a state stands for came from; None or nothing where it does not tell.

    Attributes:
        project_id: The project's number; a project secret does not tell it.
        workspace_ids: The data views that were read through; None stands for all data.
        project_timezone: The name of the project's time zone, by which days were counted.
        filters: Marks of the filters that events were read by.
    """

    project_id: int | None = None
    region: str | None = None
    workspace_ids: tuple[int | None, ...] = ()
    project_timezone: str | None = None
    filters: tuple[str, ...] = ()

    def after(self, now: Origin) -> Origin:
        """What a state stands for when records of `now` are added to it."""
        return Origin(
            now.project_id or self.project_id,
            now.region or self.region,
            _with(self.workspace_ids, now.workspace_ids),
            now.project_timezone or self.project_timezone,
            _with(self.filters, now.filters),
        )

    @property
    def zone(self) -> ZoneInfo | None:
        """The project's zone, if the state tells one that is known here."""
        try:
            return parse_zone(self.project_timezone) if self.project_timezone else None
        except ValueError:
            return None

    def is_of_project(self, now: Origin) -> bool:
        """Whether a state may be of the project and region that are read now."""
        return not any(self._of_others(now))

    def _of_others(self, now: Origin) -> Iterator[tuple[str, object, object]]:
        """What is of somebody else than what is read now: what it is, whose it is, whose now."""
        for what, then, current in (
            ("project", self.project_id, now.project_id),
            ("region", self.region, now.region),
        ):
            if then is not None and current is not None and then != current:
                yield what, then, current

    def holds_for(self, now: Origin) -> bool:
        """Whether all that a state stands for, as far as it tells, is what is read now."""
        views = set(self.workspace_ids) <= set(now.workspace_ids)
        return self.is_of_project(now) and views and set(self.filters) <= set(now.filters)

    def refuse_another_project(self, now: Origin, stream: str) -> None:
        """Raise unless a state may be of the project that is read now.

        Raises:
            ConfigError: It is another's.
        """
        for what, then, current in self._of_others(now):
            raise ConfigError(
                f"The saved state of stream {stream!r} is of {what} {then}, and the settings "
                f"name {what} {current}: what is read of the one is not read of the other. "
                f"Reset the stream to read {what} {current} from its start, or correct the "
                f"settings."
            )

    def warnings(self, now: Origin, stream: str) -> list[str]:
        """A sentence for each thing that was not what it is now when earlier records were read."""
        told = []
        if set(self.workspace_ids) - set(now.workspace_ids):
            views = ", ".join(map(_view, self.workspace_ids))
            told.append(
                f"Stream {stream!r}: earlier syncs read through {views}, this one reads through "
                f"{', '.join(map(_view, now.workspace_ids))} (workspace_id). Records of earlier "
                f"syncs stay as they are. Reset or refresh the stream to have all of them alike."
            )
        if set(self.filters) - set(now.filters):
            told.append(
                f"Stream {stream!r}: export_events or export_where is not what it was in earlier "
                f"syncs. The new one counts for what is read from now on; records of earlier syncs "
                f"stay as the old one chose them. Reset or refresh the stream to have all of them "
                f"by the new one."
            )
        return told

    def other_days(self, now: Origin) -> str | None:
        """What to say if days were counted by another zone than now."""
        then, current = self.project_timezone, now.project_timezone
        if then is None or current is None or same_zone(parse_zone(then), parse_zone(current)):
            return None
        return (
            f"The project's time zone was {then} at the last sync and is {current} now, so that "
            f"days begin and end at other times"
        )


def _with(then: tuple[T, ...], now: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*then, *now)))


def _view(number: int | None) -> str:
    return "all data" if number is None else f"data view {number}"


def sealed(blob: Mapping[str, Any], origin: Origin) -> dict[str, Any]:
    """A state as it leaves: what it says, and of what; `NOTHING` if it says nothing."""
    said = {key: value for key, value in blob.items() if value is not None}
    if not said:
        return dict(NOTHING)
    told = {key: value for key, value in asdict(origin).items() if value not in (None, ())}
    lists = {key: list(value) for key, value in told.items() if isinstance(value, tuple)}
    return {**said, KEY: {"version": VERSION, **told, **lists}}


def opened(saved: Mapping[str, Any], stream: str, parse: Callable[[Mapping[str, Any]], T]) -> T:
    """A saved state, parsed.

    Raises:
        ConfigError: A value cannot be what its key says, or a later version wrote it.
    """
    blob = {} if saved == NOTHING else saved
    envelope = blob.get(KEY)
    version = envelope.get("version") if isinstance(envelope, Mapping) else None
    if isinstance(version, int) and version > VERSION:
        raise ConfigError(
            f"The saved state of stream {stream!r} was written by a later version of the "
            f"connector. Use that version again, or reset the stream to read it anew."
        )
    try:
        return parse(blob)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise ConfigError(
            f"The saved state of stream {stream!r} cannot be read. Reset the stream to read it "
            f"again from its start, or restore a state that an earlier sync printed.",
            detail=f"{type(error).__name__}: {error}",
        ) from error


def parse_origin(blob: Mapping[str, Any]) -> Origin:
    """The origin in a state; what version 0.1.0 told of it stands beside the rest.

    Raises:
        TypeError: A value cannot be what its key says.
    """
    told = blob.get(KEY)
    if told is None:
        mark = _of(str, blob.get("filter"))
        zone = _of(str, blob.get("project_timezone"))
        return Origin(project_timezone=zone, filters=() if mark is None else (mark,))
    return Origin(
        project_id=_of(int, told.get("project_id")),
        region=_of(str, told.get("region")),
        workspace_ids=tuple(_of(int, view) for view in _of(list, told.get("workspace_ids")) or []),
        project_timezone=_of(str, told.get("project_timezone")),
        filters=tuple(str(_of(str, mark)) for mark in _of(list, told.get("filters")) or []),
    )


def _of(kind: type[T], value: Any) -> T | None:
    if value is not None and type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


# -- a full refresh in several attempts ----------------------------------------------------


@dataclass(frozen=True)
class Refresh:
    """How far a full refresh is.

    Attributes:
        ended_ms: When it came to its end without some parts that may be had soon, UTC; None while
            it is on its way, and where there is none.
    """

    finished: tuple[str, ...] = ()
    ended_ms: int | None = None

    def is_over(self, now_ms: int) -> bool:
        """Whether nobody is to finish it any more: whoever comes now wants a new one."""
        return self.ended_ms is not None and now_ms - self.ended_ms > RETRIED_WITHIN_MS

    def ended(self, now_ms: int, *, passes: bool) -> Refresh:
        """When all parts were tried and some are lacking.

        What passes may be tried again soon, with what has been read; after a refusal all parts are
        read again the next time: it may last, and the others change meanwhile.
        """
        return replace(self, ended_ms=now_ms) if passes else Refresh()

    def with_part(self, key: str) -> Refresh:
        """With a part read whole."""
        return replace(self, finished=(*self.finished, key))

    def dump(self) -> dict[str, Any]:
        """As JSON, to be told beside what else the state says; None for what says nothing."""
        return {"finished": list(self.finished) or None, "ended_ms": self.ended_ms}


def parse_refresh(blob: Mapping[str, Any]) -> Refresh:
    """The refresh in a state.

    Raises:
        TypeError: Its parts are no list of texts.
        ValueError: Its end is no instant.
    """
    finished = blob.get("finished") or []
    if not isinstance(finished, list) or not all(isinstance(key, str) for key in finished):
        raise TypeError("finished")
    return Refresh(tuple(finished), parse_mark(blob.get("ended_ms")))
