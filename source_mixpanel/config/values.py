"""How single settings are read: dates, zones, lists of names, expressions, URLs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from enum import Enum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

from source_mixpanel.texts.expressions import check_expression
from source_mixpanel.texts.spelling import did_you_mean
from source_mixpanel.times.dates import parse_moment, parse_zone

_EARLIEST_YEAR = 1900
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class EventTimestamps(str, Enum):
    """What the `time` of a raw event means (Mixpanel: projects before and since 2023)."""

    AUTO = "auto"
    UTC = "utc"
    PROJECT_TIME = "project_time"


class LateEvents(str, Enum):
    """How an incremental export finds events that arrived after their day was read."""

    BY_PROCESSING_TIME = "by_processing_time"
    REREAD_WINDOW = "reread_window"


class PropertyLayout(str, Enum):
    """One column a property, or one `properties` object."""

    COLUMNS = "columns"
    OBJECT = "object"


class PropertyTypes(str, Enum):
    """JSON values as they are, or custom properties as text."""

    NATIVE = "native"
    STRING = "string"


_ABBREVIATED = 0.5
"""How much a choice has to have in common with what was given, which may say it at length."""


def any_case(choices: type[Enum]) -> BeforeValidator:
    """Takes choices in any letter case; of others it says what there are."""
    values = {str(choice.value).casefold(): str(choice.value) for choice in choices}

    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        if value.strip().casefold() not in values:
            *some, last = values.values()
            meant = did_you_mean(value, values.values(), _ABBREVIATED)
            raise ValueError(f"it has to be {', '.join(some)} or {last}.{meant}")
        return values[value.strip().casefold()]

    return BeforeValidator(read)


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


LOWER = BeforeValidator(_lower)
"""For choices of Mixpanel's, which are written small."""


def _moment(value: object) -> object:
    """Only text: a number would be taken for seconds since 1970, 20260131 included."""
    moment = parse_moment(value) if isinstance(value, str) else value
    if not isinstance(moment, date):
        example = "2026-01-31 or 2026-01-31T00:00:00Z"
        raise ValueError(f"it has to be a text such as {example}")  # noqa: TRY004 - pydantic's kind
    if moment.year < _EARLIEST_YEAR:
        raise ValueError(f"it lies before {_EARLIEST_YEAR}")
    return moment


def _last_moment(value: object) -> object:
    """A moment; midnight by UTC stands for its day, which date-time pickers can't say otherwise."""
    moment = _moment(value)
    if isinstance(moment, datetime) and moment.time() == time.min:
        return moment.date()
    return moment


def _zone(value: object) -> object:
    return parse_zone(value.strip()).key if isinstance(value, str) else value


def _names(of: str) -> Callable[[object], object]:
    """A list of names, of which none is empty."""

    def read(value: object) -> object:
        if isinstance(value, (list, tuple)) and not all(isinstance(v, str) and v for v in value):
            raise ValueError(f"every entry has to be the name of {of}")
        return value

    return read


def _sendable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("it holds half of a character, which cannot be sent") from None
    return text


def _all_sendable(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(_sendable, names))


def _expression(value: object) -> object:
    if isinstance(value, str):
        check_expression(_sendable(value))
    return value or None


def _api_url(value: object) -> object:
    if not isinstance(value, str):
        return value
    url = urlsplit(value)
    encrypted = url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK)
    if encrypted and url.hostname and "@" not in url.netloc and not url.query:
        return value
    raise ValueError(
        "it has to be an https URL without credentials or a query (plain http only for loopback)"
    )


Moment = Annotated[date | datetime, BeforeValidator(_moment)]
LastMoment = Annotated[date | datetime, BeforeValidator(_last_moment)]
ZoneName = Annotated[str, BeforeValidator(_zone)]
EventName = Annotated[str, AfterValidator(_sendable)]
EventNames = Annotated[
    tuple[str, ...], BeforeValidator(_names("an event")), AfterValidator(_all_sendable)
]
PropertyNames = Annotated[tuple[str, ...], BeforeValidator(_names("a property"))]
Expression = Annotated[str, BeforeValidator(_expression)]
ApiUrl = Annotated[str, BeforeValidator(_api_url)]
