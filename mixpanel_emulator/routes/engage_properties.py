"""Names and types of profile properties (observed)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from mixpanel_emulator.http import Call, Family, Reply, json_reply
from mixpanel_emulator.profiles import USERS
from mixpanel_emulator.routes.reading import whole
from mixpanel_emulator.routing import READ_OR_POST, Route, params

if TYPE_CHECKING:
    from mixpanel_emulator.world import World

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d.*)?", re.ASCII)


def kind_of(value: Any) -> str:
    """Mixpanel's word for a value's type; dates are strings that look like dates."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, list):
        return "list"
    if isinstance(value, dict):
        return "object"
    moment = isinstance(value, str) and _MOMENT.fullmatch(value)
    return "datetime" if moment else "string"


def properties(call: Call, world: World) -> Reply:
    """The most common properties with their count and most common type."""
    kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for _, held in world.profiles.each(call.text("data_group_id") or USERS):
        for name, value in held.items():
            kinds[name][kind_of(value)] += 1
    ranked = sorted(kinds.items(), key=lambda entry: (-sum(entry[1].values()), entry[0]))
    results = {
        name: {"count": sum(kind.values()), "type": kind.most_common(1)[0][0]}
        for name, kind in ranked[: whole(call, "limit", 255, 1)]
    }
    return json_reply({"status": "ok", "results": results})


ROUTES = (
    Route(
        Family.QUERY,
        "engage/properties",
        properties,
        # Airbyte's connector 4.0.2 sends its `where` here too; no evidence says that it filters.
        params("limit data_group_id where"),
        READ_OR_POST,
    ),
)
