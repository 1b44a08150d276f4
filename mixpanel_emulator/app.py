"""The ASGI application: bytes in, one request through the world, bytes out."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Callable
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from mixpanel_emulator import control, faults, json_text
from mixpanel_emulator.connection import Exchange
from mixpanel_emulator.http import JSON_TYPE, TEXT_TYPE, Call, Family, Reply
from mixpanel_emulator.http import json_reply as as_json
from mixpanel_emulator.routes.catalogue import ROUTES
from mixpanel_emulator.routing import Router, answer
from mixpanel_emulator.world import JournalEntry, World

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

FORM_TYPE = "application/x-www-form-urlencoded"
_SECRET_HEADERS = frozenset(("authorization", "cookie"))


def body_fields(body: bytes, content_type: str) -> dict[str, Any]:
    """The named fields of a form or JSON body; anything else has none."""
    if content_type.startswith(FORM_TYPE):
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    if content_type.startswith(JSON_TYPE):
        try:
            value = json_text.loads(body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}
    return {}


def _unpack(body: bytes, encoding: str | None) -> bytes | None:
    if encoding != "gzip":
        return body
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return None


def _scripted(fault: faults.Fault) -> Reply:
    """The answer a fault gives instead of the service."""
    if fault.kind == "maintenance":
        page, headers = (
            b"<html>Down for maintenance</html>",
            {"Retry-After": str(max(1, fault.left_s))},
        )
        return Reply(503, page, "text/html", headers)
    if fault.kind == "empty_200":
        return Reply(200, b"", fault.content_type or TEXT_TYPE)
    if fault.kind == "json_error_200" and not fault.body:
        return as_json({"error": "internal error"})
    status = 200 if fault.kind == "json_error_200" else fault.status
    if isinstance(fault.body, str):
        kind = fault.content_type or ("text/html" if fault.body.startswith("<") else TEXT_TYPE)
        return Reply(status, fault.body.encode("utf-8", "backslashreplace"), kind, fault.headers)
    return as_json(fault.body, status, fault.headers)


def _vanishes(fault: faults.Fault) -> bool:
    return fault.kind in ("hang", "reset") and not fault.is_placed


Watcher = Callable[[Call, Reply | None], None]
"""Called with every request and its answer before that is sent; None for a scripted answer."""


class App:
    """The emulator as an ASGI application; one world, one event loop, no threads."""

    def __init__(self, world: World, watcher: Watcher | None = None) -> None:
        self._world = world
        self._watch = watcher or (lambda _call, _reply: None)
        self._router = Router(ROUTES)

    def _dated(self, send: Send) -> Send:
        """Set the answer's `Date` to the world's time, by which clients set their clocks."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = formatdate(self._world.clock.now_ms() / 1000, usegmt=True)
                message["headers"] = [*message["headers"], (b"date", date.encode())]
            await send(message)

        return dated

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (or take part in the server's start and stop)."""
        if scope["type"] == "lifespan":
            return
        exchange = Exchange(scope, receive, self._dated(send))
        try:
            request = Request(scope, receive)
            body = await request.body()
        except ClientDisconnect:
            return
        call, fields = self._read(request, body)
        if call.path.startswith(control.PREFIX):
            reply = control.handle(call, self._world)
            await exchange.deliver(reply)
            return
        await self._serve(exchange, call, fields)

    def _read(self, request: Request, body: bytes) -> tuple[Call, dict[str, Any]]:
        headers = dict(request.headers)
        unpacked = _unpack(body, headers.get("content-encoding"))
        fields = body_fields(unpacked or b"", headers.get("content-type", ""))
        query = dict(request.query_params)
        path, text = request.url.path, request.url.query
        call = Call(
            method=request.method,
            path=request.scope["path"],
            target=f"{path}?{text}" if text else path,
            headers=headers,
            query=query,
            body=b"" if unpacked is None else unpacked,
            params={**query, **fields},
        )
        return call, fields

    async def _serve(self, exchange: Exchange, call: Call, fields: dict[str, Any]) -> None:
        entry = self._note(call, fields)
        fault = faults.pick(self._world.script.faults, call)
        if fault is not None and fault.kind == "slow_first_byte":
            await asyncio.sleep(fault.seconds)
            fault = None
        if fault is not None and fault.kind in faults.INSTEAD:
            reply = _scripted(fault)
            self._watch(call, None)
            entry.status = reply.status
            await exchange.deliver(reply)
            return
        await self._answer(exchange, call, entry, fault)

    async def _answer(
        self, exchange: Exchange, call: Call, entry: JournalEntry, fault: faults.Fault | None
    ) -> None:
        result = answer(self._router, call, self._world)
        self._watch(call, None if result.scripted else result.reply)
        try:
            await asyncio.sleep(self._latency(result.family))
            if fault is not None and _vanishes(fault):
                await exchange.vanish(fault)
                return
            entry.status = result.reply.status
            wanted = "gzip" in call.headers.get("accept-encoding", "")
            zips = wanted and self._world.settings.gzip
            exports = result.family is Family.EXPORT
            bandwidth = self._world.settings.export_bandwidth if exports else None
            if fault is not None and fault.kind == "trickle":
                bandwidth = fault.bandwidth
            await exchange.deliver(result.reply, fault, may_zip=zips, bandwidth=bandwidth)
        finally:
            result.done()

    def _latency(self, family: Family) -> float:
        settings = self._world.settings
        latencies = {Family.QUERY: settings.query_latency, Family.EXPORT: settings.export_latency}
        return latencies.get(family, 0.0)

    def _note(self, call: Call, fields: dict[str, Any]) -> JournalEntry:
        shown = {name: text for name, text in call.headers.items() if name not in _SECRET_HEADERS}
        scheme = call.headers.get("authorization", "").partition(" ")[0]
        entry = JournalEntry(
            method=call.method,
            path=call.path,
            query=dict(call.query),
            body=fields,
            at_ms=self._world.clock.now_ms(),
            headers={**shown, "authorization": scheme} if scheme else shown,
            session_id=call.text("session_id"),
        )
        self._world.script.journal.append(entry)
        return entry
