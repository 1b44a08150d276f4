"""What can go wrong, sorted by who can mend it. Every message is a sentence for the user.

SourceError                 anything below; `traced` makes it Airbyte's
├── ConfigError             the user mends it: settings, credentials, role
│   └── ForbiddenError      this stream is closed to the account; others may go on
│       └── PlanError       ... because the Mixpanel plan does not include it (402)
├── TransientError          time mends it: the next sync goes on from the last state
│   ├── QuotaError          the quota stays used up for longer than may be waited
│   ├── UnreachableError    nothing of Mixpanel could be reached
│   └── StrainError         Mixpanel or the wire gave up; a smaller request may pass
│       ├── CutError        a response ended before its end
│       └── TooLargeError   a response takes more disk than it may
├── RefusedError            Mixpanel refuses this one request (400, 404); the caller knows why
└── DataError               Mixpanel sent something that is not what its API promises
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal, TypeAlias

FailureKind: TypeAlias = Literal["config_error", "transient_error", "system_error"]
"""What a failure is to the platform, as the Airbyte protocol names it."""


class SourceError(Exception):
    """Base of the connector's errors.

    Args:
        message: One sentence that says what happened and what to do.
        detail: For the engineer: the request, the response's own text. Never a secret.
    """

    failure_type: ClassVar[FailureKind] = "system_error"

    def __init__(self, message: str, detail: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.internal_message = detail or message


class ConfigError(SourceError):
    """The user can mend it in the settings or in Mixpanel."""

    failure_type = "config_error"


class ForbiddenError(ConfigError):
    """The account may not read this; other streams may still be open (403)."""


class PlanError(ForbiddenError):
    """The project's Mixpanel plan does not include this API (402)."""


class TransientError(SourceError):
    """A later sync can succeed without any change of settings."""

    failure_type = "transient_error"


class QuotaError(TransientError):
    """A quota keeps a request waiting for longer than may be waited.

    Attributes:
        until: When the quota has room again, in seconds since the epoch.
    """

    def __init__(self, message: str, *, until: float) -> None:
        super().__init__(message)
        self.until = until


class UnreachableError(TransientError):
    """No connection came about: no name, no listener, no way through a proxy."""


class StrainError(TransientError):
    """A fault that a request for less may not meet: time-outs, answers that break off."""


class CutError(StrainError):
    """A response that is provably not whole."""


class TooLargeError(StrainError):
    """A response that takes more disk than it may; another try would, too."""


class RefusedError(SourceError):
    """Mixpanel refused one request.

    Attributes:
        status: HTTP status.
        text: What Mixpanel said, shortened, without secrets.
    """

    def __init__(self, message: str, *, status: int, text: str, detail: str | None = None) -> None:
        super().__init__(message, detail)
        self.status = status
        self.text = text


class DataError(SourceError):
    """Mixpanel sent what its API does not promise; nothing of it is dropped in silence."""


def worst(kinds: Iterable[FailureKind]) -> FailureKind:
    """What several failures are together: a retry helps only if it helps all."""
    order: tuple[FailureKind, ...] = ("transient_error", "config_error", "system_error")
    return max(kinds, key=order.index, default=order[0])
