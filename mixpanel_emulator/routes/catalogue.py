"""All endpoints of the local Mixpanel."""

from __future__ import annotations

from mixpanel_emulator.routes import export

ROUTES = (*export.ROUTES,)
