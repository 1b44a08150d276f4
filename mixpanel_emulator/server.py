"""The emulator in a thread, with a ready signal."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, ClassVar

import uvicorn

from mixpanel_emulator.app import App, Watcher
from mixpanel_emulator.connection import LendingProtocol
from mixpanel_emulator.control_client import ControlClient
from mixpanel_emulator.options import EmulatorOptions
from mixpanel_emulator.seed.project import plant
from mixpanel_emulator.world import World

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_START_SECONDS = 30.0
_BACKLOG = 2048
_FAREWELL_SECONDS = 0.02


class _Server(uvicorn.Server):
    """A server that sets an event when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; drop clients that do not hang up, and let their transports leave the loop."""
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            if isinstance(connection, LendingProtocol):
                connection.transport.abort()
        await asyncio.sleep(_FAREWELL_SECONDS)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle off only for sockets that name TCP as their protocol.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(_BACKLOG)
    return listener


class EmulatorServer:
    """A running local Mixpanel; use it as a context manager.

    Attributes:
        options: What it was started with.
        watcher: Called with the traffic of every server of this process.
    """

    watcher: ClassVar[Watcher | None] = None

    def __init__(self, options: EmulatorOptions | None = None) -> None:
        self.options = options or EmulatorOptions()
        self._world: World | None = None
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._listener: socket.socket | None = None

    @property
    def base_url(self) -> str:
        """The one URL that stands for all of Mixpanel's hosts.

        Raises:
            RuntimeError: If the server is not running.
        """
        if self._listener is None:
            raise RuntimeError("the emulator is not running")
        scheme = "https" if self.options.tls_cert else "http"
        host, port = self._listener.getsockname()[:2]
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def control(self) -> ControlClient:
        """A client of the control plane."""
        return ControlClient(self.base_url)

    def start(self) -> None:
        """Make the world and listen.

        Raises:
            RuntimeError: If the server does not come up.
        """
        self._world = World(self.options)
        if not self.options.empty and not self._world.is_seeded():
            plant(self._world, self.options.seed)
        self._listener = _listen(self.options.host, self.options.port)
        config = uvicorn.Config(
            App(self._world, type(self).watcher),
            http=LendingProtocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_level="critical",
            access_log=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
            server_header=False,
            date_header=False,
            ssl_certfile=self.options.tls_cert,
            ssl_keyfile=self.options.tls_key,
        )
        self._server = _Server(config)
        listeners = {"sockets": [self._listener]}
        self._thread = threading.Thread(target=self._server.run, kwargs=listeners, daemon=True)
        self._thread.start()
        if not self._server.ready.wait(_START_SECONDS):
            raise RuntimeError("the emulator did not come up")

    def stop(self) -> None:
        """Stop listening, end open exchanges, close the world."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
        if self._listener is not None:
            self._listener.close()
        if self._world is not None:
            self._world.close()
        self._server = self._thread = self._listener = self._world = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()
