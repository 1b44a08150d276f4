"""A stream that the configured catalog names, and that there is not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from source_mixpanel.errors import ConfigError
from source_mixpanel.streams.base import Item, MixpanelStream, Workshop


class UnknownStream(MixpanelStream):
    """Ends with a sentence, so that the others are read.

    Args:
        workshop: What streams work with.
        name: What the catalog calls it.
        known: The streams that there are.
    """

    def __init__(self, workshop: Workshop, name: str, known: Iterable[str]) -> None:
        super().__init__(workshop)
        self.name = name
        self._known = sorted(known)

    def requests_planned(self) -> int | None:
        """None are made."""
        return 0

    def schema(self) -> Mapping[str, Any]:
        """No columns."""
        return {}

    def sync(self, saved: Mapping[str, Any], *, full: bool) -> Iterator[Item]:  # noqa: ARG002 - there is none
        """Say that there is no such stream.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(
            f"The configured catalog asks for stream {self.name!r}, which Mixpanel does not have "
            f"(any more). Refresh the connection's schema, or take the stream out. There are: "
            f"{', '.join(self._known)}."
        )
