"""The key of an event, which is the same whenever it is read. Pure.

Mixpanel identifies an event by its name, its time, its `$insert_id` and the `distinct_id` that it
was sent with (API docs: event deduplication). When identities are merged, Mixpanel gives the event
another `distinct_id`, and keeps the first one as `$distinct_id_before_identity`.

The key is the MD5 of these lines, each text after its length (-1 for none):

    time in milliseconds since 1970, UTC, or nothing
    length of $insert_id
    $insert_id
    length of the first distinct_id
    the first distinct_id
    name of the event

An event without `$insert_id` has instead, with length -1, all properties as JSON with sorted names,
without those that Mixpanel may change later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from source_mixpanel.columns.naming import digest
from source_mixpanel.texts.json_lines import as_text, dump

FIRST_ID = "$distinct_id_before_identity"
INSERT_ID = "$insert_id"

_UNSTABLE = frozenset(
    {
        "time",
        "distinct_id",
        FIRST_ID,
        INSERT_ID,
        "$is_reshuffled",
        "$preshuffle_distinct_id",
        "mp_original_distinct_id",
        "mp_processing_time_ms",
    }
)
"""Properties that a merge or a new processing may change, or that are in the key already."""


def event_key(name: str, ms: int | None, properties: Mapping[str, Any]) -> str:
    """The key of an event, as above.

    Args:
        name: Its name.
        ms: Its true time, in UTC milliseconds; None if it is not readable.
        properties: As Mixpanel sends them.
    """
    insert_id = properties.get(INSERT_ID)
    who = properties.get(FIRST_ID)
    if who is None:
        who = properties.get("distinct_id")
    if type(insert_id) is not str or type(who) is not str:
        insert_id, who = as_text(insert_id), as_text(who)
    size = -1 if who is None else len(who)
    when = "" if ms is None else ms
    if insert_id:
        return digest(f"{when}\n{len(insert_id)}\n{insert_id}\n{size}\n{who or ''}\n{name}")
    return digest(f"{when}\n-1\n{_content(properties)}\n{size}\n{who or ''}\n{name}")


def _content(properties: Mapping[str, Any]) -> str:
    """The JSON text of the properties that never change, with sorted names."""
    stable = {name: value for name, value in properties.items() if name not in _UNSTABLE}
    try:
        return orjson.dumps(stable, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:
        return dump(_sorted(stable)).decode()


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
