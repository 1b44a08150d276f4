"""An Airbyte source that moves everything a Mixpanel project holds into a warehouse."""

from source_mixpanel.source import SourceMixpanel

__all__ = ["SourceMixpanel"]
