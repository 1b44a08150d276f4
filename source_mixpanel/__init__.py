"""An Airbyte source that moves everything a Mixpanel project holds into a warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from source_mixpanel.source import SourceMixpanel

__all__ = ["SourceMixpanel"]


def __getattr__(name: str) -> Any:
    """The source, loaded when it is asked for: the core needs no CDK."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from source_mixpanel.source import SourceMixpanel  # noqa: PLC0415 - as said

    return SourceMixpanel
