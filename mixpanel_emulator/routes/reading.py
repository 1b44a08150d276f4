"""Reading parameters, the same way everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mixpanel_emulator import json_text
from mixpanel_emulator.dates import parse_day
from mixpanel_emulator.http import ApiError, Call

if TYPE_CHECKING:
    from datetime import date

    from mixpanel_emulator.world import World

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def required(call: Call, name: str) -> str:
    """A parameter that must be there.

    Raises:
        ApiError: 400 if it is missing or empty.
    """
    text = call.text(name)
    if not text:
        raise ApiError(400, f"Missing required parameter: {name}")
    return text


def choice(call: Call, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
    """A parameter that must be one of a few words; without a default it is required."""
    text = required(call, name) if default is None else call.text(name) or default
    if text not in allowed:
        raise ApiError(400, f"Invalid parameter: {name} must be one of {', '.join(allowed)}")
    return text


def whole(call: Call, name: str, default: int, low: int = 0, high: int = 1 << 62) -> int:
    """An integer parameter within bounds."""
    text = call.text(name)
    if text is None:
        return default
    if not text.lstrip("-").isdigit() or not low <= int(text) <= high:
        raise ApiError(400, f"Invalid parameter: {name} must be an integer from {low} to {high}")
    return int(text)


def flag(call: Call, name: str, *, default: bool = False) -> bool:
    """A boolean parameter: true, false, 1 or 0."""
    text = call.text(name)
    if text is None:
        return default
    if text.lower() not in _BOOLEANS:
        raise ApiError(400, f"Invalid parameter: {name} must be true or false")
    return _BOOLEANS[text.lower()]


def json_value(call: Call, name: str) -> Any:
    """A parameter that is JSON text (or a value of a JSON body); None if absent."""
    value = call.params.get(name)
    if not isinstance(value, str):
        return value
    try:
        return json_text.loads(value)
    except ValueError:
        raise ApiError(400, f"Invalid parameter: {name} must be JSON") from None


def names(call: Call, name: str) -> tuple[str, ...] | None:
    """A parameter that is a JSON array of strings; None if absent."""
    value = json_value(call, name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ApiError(400, f"Invalid parameter: {name} must be a JSON array of strings")
    return tuple(value)


def days(call: Call, now: date, world: World) -> tuple[date, date]:
    """The inclusive range from_date..to_date.

    Raises:
        ApiError: 400 if to_date is later than `now`; 403 if the plan's history is shorter (the
            wording of both is observed); 400 if the range is reversed.
    """
    start = parse_day("from_date", call.text("from_date"))
    end = parse_day("to_date", call.text("to_date"))
    if end > now:
        raise ApiError(400, "to_date cannot be later than today")
    if start > end:
        raise ApiError(400, "from_date cannot be later than to_date")
    history = world.settings.history_days
    if history is not None and (now - start).days > history:
        raise ApiError(403, f"Date range exceeds {history} days into the past")
    return start, end
