"""Names and values that break careless readers; all of them legal JSON.

Names that differ only in case, spaces, odd bytes and line separators inside strings have been
observed; mixed types and nested values are documented (Mixpanel docs: data types).
"""

from __future__ import annotations

from typing import Any

EVENT_NAMES = (
    'Zażółć "gęślą" jaźń 🛒',
    "line\u2028separated & <tagged>",
    " padded name ",
    "$custom_event:12",
    "a/b?c=d#e",
)

PROPERTY_SETS: tuple[dict[str, Any], ...] = (
    {"id": 1, "Id": "one", "ID": 1.5, "iD": None},
    {"$x": "reserved", "x": "own", "mp_reserved_x": "taken", "_x": 0},
    {"event": "a property", "Event": "another", "time_": 1, "Time": "noon", "properties": {"a": 1}},
    {"$distinct_id": "dollar", "Distinct_Id": "case", "distinct id": "space"},
    {"insert_id": "plain", "$Insert_id": "case", "Insert Id": "space", "$insert_id_": ""},
    {"": "empty name", " ": "space name", "\t": "tab name", "\u2028": "separator name"},
    {"brackets[0]": 1, "dots.in.name": 2, "dash-ed": 3, 'quo"ted': 4, "back\\slash": 5, "a/b": 6},
    {"Größe": "XL", "サイズ": "大", "🛒": "cart", "e\u0301": "combining", "\u00e9": "composed"},
    {"separators": "a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg", "newlines": "a\nb\r\nc\rd"},
    {"surrogate": "lone \ud83d high", "low": "\ude00 low", "nul": "a\x00b", "del": "\x7f"},
    {"big": 2**53 + 1, "bigger": 2**70, "negative": -(2**63) - 1, "max64": 2**63 - 1},
    {"float": 0.1, "huge": 1e21, "tiny": 5e-324, "minus zero": -0.0, "whole": 3.0, "zero": 0},
    {"nested": {"a": {"b": {"c": [1, "2", None, True, {"d": []}]}}}, "matrix": [[1, 2], [], [[3]]]},
    {"nothing": None, "yes": True, "no": False, "blank": "", "emptylist": [], "emptyobject": {}},
    {"number text": "00123", "bool text": "true", "null text": "null", "json text": '{"a":1}'},
    {"long": "x" * 20_000, "wide": list(range(500)), "emoji": "👩\u200d👩\u200d👧\u200d👦 🇺🇳"},
    {"date": "2026-02-30", "moment": "2026-01-02T03:04:05", "zoned": "2026-01-02T03:04:05+01:00"},
    {"n" * 255: "long name", "constructor": 1, "__proto__": 2, "select": 3, "table": 4},
)
