"""Settings: the model, the spec made from it, and the shapes of earlier connectors."""

from source_mixpanel.config.credentials import OAuthToken, ProjectSecret, ServiceAccount
from source_mixpanel.config.migrations import corrections, migrate
from source_mixpanel.config.model import Config, parse_config, unknown_keys
from source_mixpanel.config.period import cautions, refuse_empty, since
from source_mixpanel.config.spec import connection_specification
from source_mixpanel.config.values import (
    EventTimestamps,
    LateEvents,
    PropertyLayout,
    PropertyTypes,
)

__all__ = [
    "Config",
    "EventTimestamps",
    "LateEvents",
    "OAuthToken",
    "ProjectSecret",
    "PropertyLayout",
    "PropertyTypes",
    "ServiceAccount",
    "cautions",
    "connection_specification",
    "corrections",
    "migrate",
    "parse_config",
    "refuse_empty",
    "since",
    "unknown_keys",
]
