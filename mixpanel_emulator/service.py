"""One request through the doors in their order: path, credentials, plan, quota, endpoint."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mixpanel_emulator.auth import Scheme, authenticate
from mixpanel_emulator.http import ApiError, Call, Family, Reply, error_reply, json_reply
from mixpanel_emulator.quota import counts_as_query
from mixpanel_emulator.routing import Router, check_params, relative

if TYPE_CHECKING:
    from collections.abc import Callable

    from mixpanel_emulator.routing import Route
    from mixpanel_emulator.world import World

PAYWALL = "Your plan does not allow API calls. Upgrade at mixpanel.com/pricing"


@dataclass(frozen=True)
class Answer:
    """A reply and what to call once its last byte is out.

    Attributes:
        reply: The response.
        family: The API that answers.
        done: Frees the place among concurrent requests.
    """

    reply: Reply
    family: Family
    done: Callable[[], None]


def _nothing() -> None:
    return


def _forbidden(call: Call, world: World) -> Reply | None:
    for entry in world.settings.forbidden:
        if call.path.startswith(entry["path_prefix"]):
            body = entry.get("body", {"status": "error", "error": "Forbidden"})
            status = int(entry.get("status", 403))
            if isinstance(body, str):
                return Reply(status, body.encode("utf-8", "backslashreplace"), "text/html")
            return json_reply(body, status)
    return None


def _admit(route: Route, call: Call, world: World) -> Callable[[], None]:
    if route.family is Family.EXPORT:
        return world.quotas.admit_export(world.settings)
    if route.family is Family.QUERY:
        below = relative(call.path)[1]
        counted = counts_as_query(below, call)
        return world.quotas.admit_query(call, world.settings, counted=counted)
    if route.family is Family.APP and "/schemas" in route.path:
        return world.quotas.admit_lexicon(world.settings)
    return _nothing


def _enter(route: Route, call: Call, world: World) -> Callable[[], None]:
    if route.family is Family.INGEST:
        # Ingestion authenticates by token or by batch; its routes do it themselves.
        return _nothing
    scheme = authenticate(route.family, call, world.settings)
    if route.family is Family.QUERY and world.settings.plan == "free":
        raise ApiError(402, PAYWALL, body={"error": PAYWALL})
    if scheme is Scheme.NONE:
        raise ApiError(401, "Unable to authenticate request")
    return _admit(route, call, world)


def answer(router: Router, call: Call, world: World) -> Answer:
    """Answer one request; refusals are answers too."""
    family = relative(call.path)[0]
    refused = _forbidden(call, world)
    if refused is not None:
        return Answer(refused, family, _nothing)
    done: Callable[[], None] = _nothing
    try:
        route, args = router.find(call)
        call = replace(call, args=args)
        done = _enter(route, call, world)
        check_params(route, call)
        reply = route.handler(call, world)
        if route.family is Family.QUERY and world.settings.policy_headers:
            told = world.quotas.told(world.settings)
            reply = replace(reply, headers={**told, **reply.headers})
        return Answer(reply, family, done)
    except ApiError as error:
        return Answer(error_reply(family, call, error), family, done)
    except BaseException:
        done()
        raise
