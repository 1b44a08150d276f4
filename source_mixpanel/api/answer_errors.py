"""The error for a bad answer, in a sentence that says what happened, to whom, and what to do."""

from __future__ import annotations

from urllib.parse import urlencode

from source_mixpanel.api.auth import MixpanelAuth
from source_mixpanel.api.failures import Action
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.errors import (
    ConfigError,
    ForbiddenError,
    PlanError,
    RefusedError,
    SourceError,
    StrainError,
    TransientError,
)

_EXCERPT = 300
_TOO_LONG = (413, 414)
_UNEXPLAINED = 400
_LONG_URL = 4_000
"""Characters; servers commonly take 8 KB, some less."""
_ENDS = (".", "!", "?")


def error_for(
    action: Action, request: ApiRequest, auth: MixpanelAuth, *, status: int, text: str
) -> SourceError:
    """The error to raise, or to raise once no further attempt is left.

    Args:
        action: What the failure table says.
        request: What was asked.
        auth: Who asked.
        status: HTTP status of the answer.
        text: Its error text, if any.
    """
    stream = request.whom
    said, detail = _said(text), f"{request} answered {status}: {text}"
    if action is Action.RENEW:
        return ConfigError(
            f"Mixpanel did not accept the {auth.kind} for {stream}. Check that it is right, has "
            f"not expired and belongs to this project (renew it in Mixpanel under "
            f"{auth.where_to_renew}), and that the region is the project's own: US, EU or IN."
            f"{said}",
            detail,
        )
    if action is Action.UPGRADE:
        return PlanError(
            f"The project's Mixpanel plan does not include the {request.api.value}, so {stream} "
            f"cannot be read. Leave it out or upgrade the plan.{said}",
            detail,
        )
    if action is Action.ASK_FOR_ACCESS:
        return ForbiddenError(
            f"Mixpanel does not let this {auth.kind} read {stream}: its role, or the plan's "
            f"history limit, does not reach so far.{said}",
            detail,
        )
    answered = f"Mixpanel answered {status} to {request} for {stream}.{said}"
    if action is Action.REFUSE and _is_too_long(request, status, text):
        answered += " Its URL may be too long: shorten export_events or export_where."
    error = _error_of_answer(action, answered, detail)
    return error or RefusedError(answered, status=status, text=text, detail=detail)


def _is_too_long(request: ApiRequest, status: int, text: str) -> bool:
    """Whether a refusal can be about a URL that holds what the user has set."""
    if request.api is not Api.EXPORT:
        return False
    length = len(urlencode(request.params))
    return status in _TOO_LONG or (status == _UNEXPLAINED and not text and length > _LONG_URL)


def _error_of_answer(action: Action, answered: str, detail: str) -> SourceError | None:
    """The error for an answer that says nothing of the account, None for a plain refusal."""
    if action is Action.ELSEWHERE:
        return ConfigError(
            f"{answered} That points to another address, which is not followed: neither data nor "
            f"credentials belong there. Check region and api_url, and whether a proxy or a "
            f"sign-in page stands between.",
            detail,
        )
    if action is Action.STRAIN:
        return StrainError(answered, detail)
    if action in (Action.OUTLAST, Action.RETRY, Action.WAIT):
        return TransientError(answered, detail)
    return None


def _said(text: str) -> str:
    said = text[:_EXCERPT].rstrip()
    if not said:
        return ""
    return f" Mixpanel said: {said}" if said.endswith(_ENDS) else f" Mixpanel said: {said}."
