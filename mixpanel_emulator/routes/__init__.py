"""Endpoints of the local Mixpanel, one module a subject."""
