"""One answer over one connection, sound or damaged, and how a connection is broken."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

from mixpanel_emulator import wire
from mixpanel_emulator.faults import GZIP
from mixpanel_emulator.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.types import Receive, Scope, Send

    from mixpanel_emulator.faults import Fault
    from mixpanel_emulator.http import Reply

_STATE_KEY = "transport"
_DRAIN_STEP = 0.01
_DRAIN_STEPS = 200
_SETTLE_TURNS = 5


class LendingProtocol(H11Protocol):
    """HTTP/1.1 whose requests find their transport in the ASGI scope's state."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note the transport of a new connection."""
        super().connection_made(cast("asyncio.Transport", transport))
        self.app_state = {**self.app_state, _STATE_KEY: transport}


def _transport_of(scope: Mapping[str, Any]) -> asyncio.Transport:
    """The connection a request came on."""
    return cast("asyncio.Transport", scope["state"][_STATE_KEY])


async def _drain(transport: asyncio.Transport) -> None:
    """Wait until what was written has left the process, for a bounded time."""
    for _ in range(_DRAIN_STEPS):
        if transport.is_closing() or transport.get_write_buffer_size() == 0:
            return
        await asyncio.sleep(_DRAIN_STEP)


async def _settle() -> None:
    """Let the loop tell the protocol that its connection is gone (TLS takes a turn more)."""
    for _ in range(_SETTLE_TURNS):
        await asyncio.sleep(0)


async def _close(transport: asyncio.Transport) -> None:
    """End the connection after what was written, as if the response were complete."""
    await _drain(transport)
    transport.close()
    await _settle()


async def _reset(transport: asyncio.Transport) -> None:
    """Break the connection with a TCP reset after what was written."""
    await _drain(transport)
    connection = transport.get_extra_info("socket")
    if connection is not None:
        # Linger of zero seconds makes closing send RST instead of FIN.
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
    await _settle()


@dataclass
class Exchange:
    """One request being answered on one connection."""

    scope: Scope
    receive: Receive
    send: Send

    async def deliver(
        self,
        reply: Reply,
        fault: Fault | None = None,
        *,
        may_zip: bool = False,
        bandwidth: float | None = None,
    ) -> None:
        """Send a reply with the damage a fault does to it.

        Args:
            reply: The answer.
            fault: What was scripted for it, if anything.
            may_zip: The client takes gzip; used for bodies over 1400 bytes (OpenAPI: export).
            bandwidth: Bytes of the body a second; None is no limit.
        """
        damage = wire.Damage(fault)
        body = reply.body
        if isinstance(body, bytes) and fault is None and not (may_zip and _big(body)):
            await self._start(reply, {"content-length": str(len(body))})
            await self._chunk(body, more=False)
            return
        blocks = damage.text(iter([body]) if isinstance(body, bytes) else body)
        first, big = wire.peek(blocks, wire.GZIP_THRESHOLD)
        encoded = _chain(first, blocks)
        extra = {}
        if may_zip and big:
            extra = {"content-encoding": "gzip", "vary": "Accept-Encoding"}
            encoded = wire.compress(encoded, damage.packing)
        elif fault is not None and fault.kind in GZIP:
            # A plain answer has no gzip stream to break.
            damage = wire.Damage()
        if fault is not None and fault.kind == "length_cut":
            content = b"".join(encoded)
            extra["content-length"] = str(len(content))
            encoded = iter([content])
        await self._start(reply, extra)
        await self._stream(damage.wire(encoded), bandwidth)
        await self._end(damage.ending, fault.seconds if fault else 0)

    async def vanish(self, fault: Fault) -> None:
        """Give no answer at all: hang for a while, then drop; or reset at once."""
        if fault.kind == "hang":
            await self._client_gone(fault.seconds)
            await _close(_transport_of(self.scope))
        else:
            await _reset(_transport_of(self.scope))

    async def _stream(self, blocks: Iterator[bytes], bandwidth: float | None) -> None:
        clock = asyncio.get_running_loop().time
        pace = Pace(bandwidth, clock())
        for chunk in pace.chunks(blocks):
            # Other requests get their turn between pieces.
            await asyncio.sleep(pace.wait(len(chunk), clock()))
            if _transport_of(self.scope).is_closing():
                return
            if chunk:
                await self._chunk(chunk, more=True)

    async def _start(self, reply: Reply, extra: dict[str, str]) -> None:
        headers = {"content-type": reply.content_type, **reply.headers, **extra}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": reply.status, "headers": pairs})

    async def _chunk(self, data: bytes, *, more: bool) -> None:
        await self.send({"type": "http.response.body", "body": data, "more_body": more})

    async def _end(self, ending: wire.Ending, seconds: float) -> None:
        line = _transport_of(self.scope)
        if ending is wire.Ending.CLEAN:
            await self._chunk(b"", more=False)
            return
        if ending is wire.Ending.HANG:
            await self._client_gone(seconds)
        if ending is wire.Ending.RESET:
            await _reset(line)
        else:
            await _close(line)

    async def _client_gone(self, seconds: float) -> None:
        """Wait until the client hangs up, or for so many seconds."""
        try:
            await asyncio.wait_for(self._disconnected(), seconds)
        except asyncio.TimeoutError:
            return

    async def _disconnected(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass


def _big(body: bytes) -> bool:
    return len(body) > wire.GZIP_THRESHOLD


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
