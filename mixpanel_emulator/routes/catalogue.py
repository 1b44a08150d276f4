"""All endpoints of the local Mixpanel."""

from __future__ import annotations

from mixpanel_emulator.routes import (
    account,
    discovery,
    export,
    ingest,
    ingest_profiles,
    lexicon,
)

ROUTES = (
    *account.ROUTES,
    *discovery.ROUTES,
    *export.ROUTES,
    *ingest.ROUTES,
    *ingest_profiles.ROUTES,
    *lexicon.ROUTES,
)
