"""All errors, by who can fix them. Every message is a sentence for the user.

SourceError                 the base class
├── ConfigError             the user can fix it: settings, credentials, role
│   └── ForbiddenError      the account may not read this stream; others continue (403)
│       └── PlanError       ... because the Mixpanel plan does not include it (402)
├── TransientError          it passes: the next sync continues from the last state
│   ├── QuotaError          the wait for a quota would be longer than allowed
│   ├── UnreachableError    no connection to Mixpanel
│   └── StrainError         a request timed out or broke; a smaller one may succeed
│       ├── CutError        a response is incomplete
│       └── TooLargeError   a response needs more disk than it may use
├── RefusedError            Mixpanel refuses this one request (400, 404); the caller knows why
└── DataError               Mixpanel sent something that is not what its API promises
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal, TypeAlias

FailureKind: TypeAlias = Literal["config_error", "transient_error", "system_error"]
"""The failure types of the Airbyte protocol."""


class SourceError(Exception):
    """Base of the connector's errors.

    Args:
        message: One sentence that says what happened and what to do.
        detail: For engineers: the request, the text of the response. Never a secret.
    """

    failure_type: ClassVar[FailureKind] = "system_error"

    def __init__(self, message: str, detail: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.internal_message = detail or message


class ConfigError(SourceError):
    """The user can fix it in the settings or in Mixpanel."""

    failure_type = "config_error"


class ForbiddenError(ConfigError):
    """The account may not read this; other streams may still be open (403)."""


class PlanError(ForbiddenError):
    """The project's Mixpanel plan does not include this API (402)."""


class TransientError(SourceError):
    """A later sync can succeed without any change of settings."""

    failure_type = "transient_error"


class QuotaError(TransientError):
    """A request would have to wait for its quota for longer than it may.

    Attributes:
        until: When the quota has calls left again, in seconds since the epoch.
    """

    def __init__(self, message: str, *, until: float) -> None:
        super().__init__(message)
        self.until = until


class UnreachableError(TransientError):
    """No connection was made: unknown host name, no listener, or a proxy's failure."""


class StrainError(TransientError):
    """A time-out or an incomplete response; a request for less data may succeed."""


class CutError(StrainError):
    """A response that is incomplete."""


class TooLargeError(StrainError):
    """A response that needs more disk than it may use; a retry would not help."""


class RefusedError(SourceError):
    """Mixpanel refused one request.

    Attributes:
        status: HTTP status.
        text: Mixpanel's error text, shortened, without secrets.
    """

    def __init__(self, message: str, *, status: int, text: str, detail: str | None = None) -> None:
        super().__init__(message, detail)
        self.status = status
        self.text = text


class DataError(SourceError):
    """Mixpanel sent something unexpected, which is not dropped silently."""


def worst(kinds: Iterable[FailureKind]) -> FailureKind:
    """The failure type of several failures: transient only if all of them are."""
    order: tuple[FailureKind, ...] = ("transient_error", "config_error", "system_error")
    return max(kinds, key=order.index, default=order[0])
