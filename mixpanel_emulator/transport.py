"""The connection below HTTP: an HTTP protocol that lends its transport, and how to break it."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def transport_of(scope: Mapping[str, Any]) -> asyncio.Transport:
    """Return the connection a request came on."""
    return cast("asyncio.Transport", scope["state"][_STATE_KEY])


async def drain(transport: asyncio.Transport) -> None:
    """Wait until what was written has left the process, for a bounded time."""
    for _ in range(_DRAIN_STEPS):
        if transport.is_closing() or transport.get_write_buffer_size() == 0:
            return
        await asyncio.sleep(_DRAIN_STEP)


async def _settle() -> None:
    """Let the loop tell the protocol that its connection is gone (TLS takes a turn more)."""
    for _ in range(_SETTLE_TURNS):
        await asyncio.sleep(0)


async def close(transport: asyncio.Transport) -> None:
    """End the connection after what was written, as if the response were complete."""
    await drain(transport)
    transport.close()
    await _settle()


async def reset(transport: asyncio.Transport) -> None:
    """Break the connection with a TCP reset after what was written."""
    await drain(transport)
    connection = transport.get_extra_info("socket")
    if connection is not None:
        # Linger of zero seconds makes closing send RST instead of FIN.
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
    await _settle()
