"""From a path to its answer: the table of endpoints, and the checks before them in order."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mixpanel_emulator.auth import Scheme, authenticate
from mixpanel_emulator.http import ApiError, Call, Family, Reply, error_reply, json_reply
from mixpanel_emulator.quota import counts_as_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from mixpanel_emulator.world import World

    Handler = Callable[[Call, World], Reply]

# Both prefixes lead to the same Query API (observed).
QUERY_PREFIXES = ("/api/query/", "/api/2.0/")
PAYWALL = "Your plan does not allow API calls. Upgrade at mixpanel.com/pricing"
APP_PREFIX = "/api/app/"


@dataclass(frozen=True)
class Route:
    """One endpoint.

    Attributes:
        family: The API it belongs to.
        path: Path below the family's prefix; `{name}` stands for one segment.
        handler: The endpoint itself.
        params: Parameters it knows besides those that all know; None takes any.
        methods: Verbs it answers.
    """

    family: Family
    path: str
    handler: Handler
    params: frozenset[str] | None = frozenset()
    methods: frozenset[str] = frozenset(("GET",))

    def pattern(self) -> re.Pattern[str]:
        """A pattern of the path that gives its variables."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path.replace(".", r"\.")))


def params(names: str) -> frozenset[str]:
    """A set of parameter names written with spaces between."""
    return frozenset(names.split())


READ = frozenset(("GET",))
READ_OR_POST = frozenset(("GET", "POST"))
POST = frozenset(("POST",))


def relative(path: str) -> tuple[Family, str]:
    """The API a path belongs to and the path below its prefix."""
    if path == "/api/2.0/export":
        return Family.EXPORT, "export"
    for prefix in QUERY_PREFIXES:
        if path.startswith(prefix):
            return Family.QUERY, path.removeprefix(prefix).rstrip("/")
    if path.startswith(APP_PREFIX):
        return Family.APP, path.removeprefix(APP_PREFIX).rstrip("/")
    if path.startswith("/lookup-tables"):
        return Family.LOOKUP, path.strip("/")
    return Family.INGEST, path.strip("/")


class Router:
    """Finds the route of a request."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self._routes = [(route, route.pattern()) for route in routes]

    def find(self, call: Call) -> tuple[Route, dict[str, str]]:
        """The route and the path's variables.

        Raises:
            ApiError: 404 for an unknown path, 405 for the wrong verb.
        """
        family_and_path = relative(call.path)
        known = False
        for route, pattern in self._routes:
            match = (
                pattern.fullmatch(family_and_path[1])
                if family_and_path[0] is route.family
                else None
            )
            if match is None:
                continue
            known = True
            if call.method in route.methods:
                return route, match.groupdict()
        if known:
            raise ApiError(405, f"Method {call.method} not allowed for {call.path}")
        raise ApiError(404, f"Unknown path: {call.path}")


# The official client signs every query and list with `query_origin` (observed).
_EVERYWHERE = frozenset(("project_id", "workspace_id", "query_origin"))


def check_params(route: Route, call: Call) -> None:
    """Refuse parameters the endpoint does not know.

    The service ignores many of them silently; strictness here finds typos (FIDELITY.md).

    Raises:
        ApiError: 400 that names the unknown and the known.
    """
    if route.params is None:
        return
    unknown = sorted(set(call.params) - route.params - _EVERYWHERE)
    if unknown:
        known = sorted(route.params | _EVERYWHERE)
        raise ApiError(400, f"Unknown parameter {unknown[0]!r}; {route.path} takes {known}")


@dataclass(frozen=True)
class Answer:
    """A reply and what to call once its last byte is out.

    Attributes:
        reply: The response.
        family: The API that answers.
        done: Frees the slot among concurrent requests.
        scripted: Whether a test wrote the reply (`forbidden`).
    """

    reply: Reply
    family: Family
    done: Callable[[], None]
    scripted: bool = False


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
    """The answer to a request; refusals are answers too."""
    family = relative(call.path)[0]
    refused = _forbidden(call, world)
    if refused is not None:
        return Answer(refused, family, _nothing, scripted=True)
    done: Callable[[], None] = _nothing
    try:
        route, args = router.find(call)
        call = replace(call, args=args)
        done = _enter(route, call, world)
        check_params(route, call)
        reply = route.handler(call, world)
        if route.family is Family.QUERY and world.settings.policy_headers:
            quota_headers = world.quotas.quota_headers(world.settings)
            reply = replace(reply, headers={**quota_headers, **reply.headers})
        return Answer(reply, family, done)
    except ApiError as error:
        return Answer(error_reply(family, call, error), family, done)
    except BaseException:
        done()
        raise
