"""Errors for bad answers: a sentence that says what happened, in which stream, and what to do."""

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
_TOO_LONG_STATUSES = (413, 414)
_BAD_REQUEST = 400
_LONG_URL = 4_000
"""Characters; servers commonly take 8 KB, some less."""
_SENTENCE_ENDS = (".", "!", "?")


def error_for(
    action: Action, request: ApiRequest, auth: MixpanelAuth, *, status: int, text: str
) -> SourceError:
    """The error to raise now, or after the last attempt.

    Args:
        action: What the failure table says.
        request: The request.
        auth: The credentials it was signed with.
        status: HTTP status of the answer.
        text: Its error text, if any.
    """
    stream = request.requester
    quote, detail = _quote(text), f"{request} answered {status}: {text}"
    if action is Action.RENEW:
        return ConfigError(
            f"Mixpanel did not accept the {auth.kind} for {stream}. Check that it is right, has "
            f"not expired and belongs to this project (renew it in Mixpanel under "
            f"{auth.where_to_renew}), and that the region is the project's own: US, EU or IN."
            f"{quote}",
            detail,
        )
    if action is Action.UPGRADE:
        return PlanError(
            f"The project's Mixpanel plan does not include the {request.api.value}, so {stream} "
            f"cannot be read. Leave it out or upgrade the plan.{quote}",
            detail,
        )
    if action is Action.ASK_FOR_ACCESS:
        return ForbiddenError(
            f"Mixpanel does not let this {auth.kind} read {stream}: its role, or the plan's "
            f"history limit, does not reach so far.{quote}",
            detail,
        )
    sentence = f"Mixpanel answered {status} to {request} for {stream}.{quote}"
    if action is Action.REFUSE and _is_too_long(request, status, text):
        sentence += " Its URL may be too long: shorten export_events or export_where."
    error = _error_of_answer(action, sentence, detail)
    return error or RefusedError(sentence, status=status, text=text, detail=detail)


def _is_too_long(request: ApiRequest, status: int, text: str) -> bool:
    """Whether a refusal may be due to the length of the URL, which the user's filters make."""
    if request.api is not Api.EXPORT:
        return False
    length = len(urlencode(request.params))
    return status in _TOO_LONG_STATUSES or (
        status == _BAD_REQUEST and not text and length > _LONG_URL
    )


def _error_of_answer(action: Action, sentence: str, detail: str) -> SourceError | None:
    """The error for an answer that is not about the account; None for a plain refusal."""
    if action is Action.ELSEWHERE:
        return ConfigError(
            f"{sentence} That points to another address, which is not followed: neither data nor "
            f"credentials belong there. Check region and api_url, and whether a proxy or a "
            f"sign-in page stands between.",
            detail,
        )
    if action is Action.STRAIN:
        return StrainError(sentence, detail)
    if action in (Action.OUTLAST, Action.RETRY, Action.WAIT):
        return TransientError(sentence, detail)
    return None


def _quote(text: str) -> str:
    """Mixpanel's error text as a sentence with a space before it; empty without a text."""
    quote = text[:_EXCERPT].rstrip()
    if not quote:
        return ""
    return (
        f" Mixpanel said: {quote}"
        if quote.endswith(_SENTENCE_ENDS)
        else f" Mixpanel said: {quote}."
    )
