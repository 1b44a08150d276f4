"""All endpoints of the local Mixpanel; the first route that fits a path answers."""

from __future__ import annotations

from mixpanel_emulator.routes import (
    account,
    app_items,
    app_lists,
    behaviour,
    counts,
    data_definitions,
    discovery,
    engage,
    engage_properties,
    export,
    funnels,
    ingest,
    ingest_profiles,
    lexicon,
    reports,
)

_MODULES = (
    account,
    app_items,
    app_lists,
    behaviour,
    counts,
    data_definitions,
    discovery,
    engage,
    engage_properties,
    export,
    funnels,
    ingest,
    ingest_profiles,
    lexicon,
    reports,
)
ROUTES = tuple(route for module in _MODULES for route in module.ROUTES)
