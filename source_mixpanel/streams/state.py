"""The envelope of every state: what was read, and how far a full refresh is. Pure."""

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
"""The key of the envelope in a state."""
VERSION = 2
"""The version of the format of states. Those of Airbyte's 4.0.2 and of 0.1.0 have none."""

NOTHING: Mapping[str, Any] = {"__ab_no_cursor_state_message": True}
"""Airbyte's state for a stream that has none.

The CDK does not save an empty state, and would keep the previous one.
"""

RETRIED_WITHIN_MS = 30 * 60 * 1000
"""For how long the platform retries a transient failure, at most."""


@dataclass(frozen=True)
class Origin:
    """Where the records of a state came from; None or empty if it is not known.

    Attributes:
        project_id: The project's number; not known with a project secret.
        workspace_ids: The data views that were read; None stands for all data.
        project_timezone: The name of the project's time zone, which bounds its days.
        filters: Hashes of the filters of events.
    """

    project_id: int | None = None
    region: str | None = None
    workspace_ids: tuple[int | None, ...] = ()
    project_timezone: str | None = None
    filters: tuple[str, ...] = ()

    def after(self, now: Origin) -> Origin:
        """The origin of a state after a sync of `now` has added to it."""
        return Origin(
            now.project_id or self.project_id,
            now.region or self.region,
            _with(self.workspace_ids, now.workspace_ids),
            now.project_timezone or self.project_timezone,
            _with(self.filters, now.filters),
        )

    @property
    def zone(self) -> ZoneInfo | None:
        """The project's zone; None if the state names none, or an unknown one."""
        try:
            return parse_zone(self.project_timezone) if self.project_timezone else None
        except ValueError:
            return None

    def is_of_project(self, now: Origin) -> bool:
        """Whether project and region are, as far as known, those of `now`."""
        return not any(self._differences(now))

    def _differences(self, now: Origin) -> Iterator[tuple[str, object, object]]:
        """Differences in project or region: the name, the earlier value and the current one."""
        for what, then, current in (
            ("project", self.project_id, now.project_id),
            ("region", self.region, now.region),
        ):
            if then is not None and current is not None and then != current:
                yield what, then, current

    def holds_for(self, now: Origin) -> bool:
        """Whether all records of a state are, as far as known, among those that `now` reads."""
        views = set(self.workspace_ids) <= set(now.workspace_ids)
        return self.is_of_project(now) and views and set(self.filters) <= set(now.filters)

    def refuse_another_project(self, now: Origin, stream: str) -> None:
        """Raise unless a state may be of the project and region of `now`.

        Raises:
            ConfigError: It is of another project or region.
        """
        for what, then, current in self._differences(now):
            raise ConfigError(
                f"The saved state of stream {stream!r} is of {what} {then}, and the settings "
                f"name {what} {current}: what is read of the one is not read of the other. "
                f"Reset the stream to read {what} {current} from its start, or correct the "
                f"settings."
            )

    def warnings(self, now: Origin, stream: str) -> list[str]:
        """A sentence for each setting that was different when earlier records were read."""
        sentences = []
        if set(self.workspace_ids) - set(now.workspace_ids):
            views = ", ".join(map(_view, self.workspace_ids))
            sentences.append(
                f"Stream {stream!r}: earlier syncs read through {views}, this one reads through "
                f"{', '.join(map(_view, now.workspace_ids))} (workspace_id). Records of earlier "
                f"syncs stay as they are. Reset or refresh the stream to have all of them alike."
            )
        if set(self.filters) - set(now.filters):
            sentences.append(
                f"Stream {stream!r}: export_events or export_where is not what it was in earlier "
                f"syncs. The new one counts for what is read from now on; records of earlier syncs "
                f"stay as the old one chose them. Reset or refresh the stream to have all of them "
                f"by the new one."
            )
        return sentences

    def other_days(self, now: Origin) -> str | None:
        """The first half of a sentence if the project's time zone has changed; else None."""
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
    """A state as it is emitted: its content without nulls, and its origin; `NOTHING` if empty."""
    content = {key: value for key, value in blob.items() if value is not None}
    if not content:
        return dict(NOTHING)
    known = {key: value for key, value in asdict(origin).items() if value not in (None, ())}
    lists = {key: list(value) for key, value in known.items() if isinstance(value, tuple)}
    return {**content, KEY: {"version": VERSION, **known, **lists}}


def opened(saved: Mapping[str, Any], stream: str, parse: Callable[[Mapping[str, Any]], T]) -> T:
    """A saved state, parsed.

    Raises:
        ConfigError: A value is invalid, or a later version wrote the state.
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
    """The origin in a state, also of version 0.1.0, which has its values beside the others.

    Raises:
        TypeError: A value is of the wrong type.
    """
    fields = blob.get(KEY)
    if fields is None:
        mark = _typed(str, blob.get("filter"))
        zone = _typed(str, blob.get("project_timezone"))
        return Origin(project_timezone=zone, filters=() if mark is None else (mark,))
    return Origin(
        project_id=_typed(int, fields.get("project_id")),
        region=_typed(str, fields.get("region")),
        workspace_ids=tuple(
            _typed(int, view) for view in _typed(list, fields.get("workspace_ids")) or []
        ),
        project_timezone=_typed(str, fields.get("project_timezone")),
        filters=tuple(str(_typed(str, mark)) for mark in _typed(list, fields.get("filters")) or []),
    )


def _typed(kind: type[T], value: Any) -> T | None:
    if value is not None and type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


# -- a full refresh in several attempts ----------------------------------------------------


@dataclass(frozen=True)
class Refresh:
    """How far a full refresh is.

    Attributes:
        finished: The keys of the parts that have been read.
        ended_ms: When it ended without some parts that may be read soon, UTC; None while it is
            running, and if there is none.
    """

    finished: tuple[str, ...] = ()
    ended_ms: int | None = None

    def is_over(self, now_ms: int) -> bool:
        """Whether it ended too long ago to be continued: the next sync starts a new one."""
        return self.ended_ms is not None and now_ms - self.ended_ms > RETRIED_WITHIN_MS

    def ended(self, now_ms: int, *, passes: bool) -> Refresh:
        """After all parts have been tried and some are missing.

        After a transient failure the next attempt reads only the missing parts; after a refusal,
        which may last, it reads all parts again: the others change in between.
        """
        return replace(self, ended_ms=now_ms) if passes else Refresh()

    def with_part(self, key: str) -> Refresh:
        """With a part that has been read."""
        return replace(self, finished=(*self.finished, key))

    def dump(self) -> dict[str, Any]:
        """As JSON members of a state; None for empty ones."""
        return {"finished": list(self.finished) or None, "ended_ms": self.ended_ms}


def parse_refresh(blob: Mapping[str, Any]) -> Refresh:
    """The refresh in a state.

    Raises:
        TypeError: `finished` is not a list of texts.
        ValueError: `ended_ms` is out of range.
    """
    finished = blob.get("finished") or []
    if not isinstance(finished, list) or not all(isinstance(key, str) for key in finished):
        raise TypeError("finished")
    return Refresh(tuple(finished), parse_mark(blob.get("ended_ms")))
