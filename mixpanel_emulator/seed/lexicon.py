"""Lexicon schemas for a part of the shop's events (OpenAPI: lexicon-schemas)."""

from __future__ import annotations

from typing import Any

_DESCRIBED = ("Sign Up", "Purchase", "View Item", "Add to Cart", "Search")
_TYPES = {
    "price": "number",
    "amount": "number",
    "currency": "string",
    "cart": "array",
    "item": "string",
    "sku": "string",
    "plan": "string",
    "query": "string",
    "results": "integer",
}
_OWN = {
    "Sign Up": ("plan",),
    "Purchase": ("amount", "currency", "cart"),
    "View Item": ("item", "sku", "price"),
    "Add to Cart": ("item", "sku", "price"),
    "Search": ("query", "results"),
}


def _property(name: str) -> dict[str, Any]:
    shown = {"displayName": name.title(), "hidden": False, "dropped": False}
    return {
        "type": _TYPES[name],
        "description": f"The {name}.",
        "metadata": {"com.mixpanel": shown},
    }


def _schema(name: str, number: int) -> dict[str, Any]:
    metadata = {
        "$source": "api",
        "displayName": name,
        "tags": ["core"] if number % 2 else [],
        "hidden": False,
        "dropped": False,
        "contacts": ["owner@shop.example"],
        "teamContacts": ["Growth"],
    }
    return {
        "entityType": "event",
        "name": name,
        "schemaJson": {
            "description": f"Somebody did: {name}.",
            "properties": {key: _property(key) for key in _OWN[name]},
            "metadata": {"com.mixpanel": metadata},
        },
    }


def _user_schema() -> dict[str, Any]:
    types = {"plan": "string", "orders": "number", "opted_in": "boolean", "tags": "array"}
    return {
        "entityType": "profile",
        "name": "$user",
        "schemaJson": {
            "description": "A customer.",
            "properties": {name: {"type": kind} for name, kind in types.items()},
            "metadata": {"com.mixpanel": {"$source": "api"}},
        },
    }


def schemas() -> list[dict[str, Any]]:
    """The schemas: five events and the customer."""
    events = [_schema(name, number) for number, name in enumerate(_DESCRIBED)]
    return [*events, _user_schema()]
