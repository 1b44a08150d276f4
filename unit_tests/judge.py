"""What a run of tests said, held against Mixpanel's descriptions and the list in FIDELITY.md."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable
from fnmatch import fnmatchcase

from openapi_core.datatypes import RequestParameters
from werkzeug.datastructures import Headers, ImmutableMultiDict

from mixpanel_emulator.http import ApiError, Call, Reply
from mixpanel_emulator.routes.catalogue import ROUTES
from mixpanel_emulator.routing import Router, relative
from unit_tests.descriptions import (
    PREFIXES,
    ROOT,
    Asked,
    Deviation,
    Given,
    Operation,
    capped,
    fragment,
    of_answer,
    of_request,
    operations,
)

FIDELITY = ROOT / "mixpanel_emulator" / "FIDELITY.md"
HEADING = "## Where it differs from the descriptions"
_REFUSED = 400


def known() -> list[Deviation]:
    """The table of FIDELITY.md, as patterns."""
    section = FIDELITY.read_text(encoding="utf-8").partition(HEADING)[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([^`]+)` \| (\w+) \| `([^`]+)` \|", section, re.MULTILINE)
    return [Deviation(*row) for row in rows]


def fits(deviation: Deviation, pattern: Deviation) -> bool:
    """Whether a row of the table is about a deviation; `*` and `?` stand for anything."""
    pairs = zip(deviation, pattern, strict=True)
    # Brackets are part of a place: they mean every item of a list.
    return all(fnmatchcase(said, meant.replace("[", "[[]")) for said, meant in pairs)


class Judge:
    """Counts requests and answers by operation, and keeps what differs from the descriptions."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.found: Counter[Deviation] = Counter()
        self.fresh: set[Deviation] = set()
        self._router = Router(ROUTES)
        self._known = known()
        self._verdicts: dict[int, frozenset[Deviation]] = {}

    def watch(self, call: Call, reply: Reply | None) -> None:
        """Judge a request and, unless a test wrote it, its answer."""
        found = self._of(call)
        if found is None:
            return
        name, operation, asked = found
        self.counts[name, "requests"] += 1
        self.counts[name, "answers"] += reply is not None
        if operation is None:
            self._note(Deviation(name, "operation", "not described"))
            return
        told = self._request(name, operation, asked, call, reply.status if reply else None)
        if reply is not None:
            told |= self._answer(name, operation, asked, reply)
        for deviation in told:
            self._note(deviation)

    def _note(self, deviation: Deviation) -> None:
        self.found[deviation] += 1
        if not any(fits(deviation, pattern) for pattern in self._known):
            self.fresh.add(deviation)

    def stale(self) -> list[Deviation]:
        """Rows of the table that nothing was found for."""
        return [row for row in self._known if not any(fits(seen, row) for seen in self.found)]

    def _of(self, call: Call) -> tuple[str, Operation | None, Asked] | None:
        """The operation's name and the request; None where there is no such route."""
        family, below = relative(call.path)
        try:
            route, _ = self._router.find(call)
        except ApiError:
            return None
        prefix = PREFIXES[family]
        path = f"{prefix}/{below}{fragment(family, below, call)}"
        query = ImmutableMultiDict(dict(call.query))
        parameters = RequestParameters(query=query, header=Headers(dict(call.headers)))
        kind = call.headers.get("content-type", "").partition(";")[0]
        asked = Asked(call.method.lower(), path, parameters, call.body or None, kind)
        for operation in operations()[family]:
            verb = operation.name.partition(" ")[0]
            if verb == call.method and operation.pattern.fullmatch(path):
                return operation.name, operation, asked
        return f"{call.method} {prefix}/{route.path}", None, asked

    def _request(
        self, name: str, operation: Operation, asked: Asked, call: Call, status: int | None
    ) -> frozenset[Deviation]:
        """What differs in a request that was not refused; a refusal agrees with the description."""
        if status is None or status >= _REFUSED:
            return frozenset()
        key = (name, call.target, call.body, call.headers.get("authorization"), asked.content_type)
        return self._cached(key, lambda: of_request(operation, asked))

    def _answer(
        self, name: str, operation: Operation, asked: Asked, reply: Reply
    ) -> frozenset[Deviation]:
        body = capped(reply.body) if isinstance(reply.body, bytes) else b"{}\n"
        given = Given(reply.status, body, reply.content_type)
        key = (name, reply.status, reply.content_type, body)
        return self._cached(key, lambda: of_answer(operation, asked, given))

    def _cached(
        self, key: Hashable, verdict: Callable[[], frozenset[Deviation]]
    ) -> frozenset[Deviation]:
        """A verdict; the same words get the same one."""
        place = hash(key)
        if place not in self._verdicts:
            self._verdicts[place] = verdict()
        return self._verdicts[place]
