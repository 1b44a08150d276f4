"""A PostgreSQL server of the test's own, on loopback, from Debian's packages."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER, DATABASE, PASSWORD = "postgres", "postgres", "made-up-for-the-test-1"


def _program(name: str) -> str:
    """Debian keeps servers' programs off the path, a folder for each version."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = str(versions[-1]) if versions else shutil.which(name)
    if not found:
        raise RuntimeError(f"PostgreSQL's {name} is not installed (apt-get install postgresql)")
    return found


def _as_its_user(*command: str) -> None:
    """PostgreSQL refuses to run as root."""
    by = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run(  # noqa: S603 - its own programs
        [*by, *command], capture_output=True, text=True, check=False, cwd="/"
    )
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed: {done.stdout}{done.stderr}")


@dataclass(frozen=True)
class Postgres:
    """Where it listens."""

    host: str
    port: int

    def run(self, sql: str) -> str:
        """What psql prints, a row on each line."""
        command = ["psql", "-h", self.host, "-p", str(self.port), "-U", USER, "-At", "-c", sql]
        environment = {**os.environ, "PGPASSWORD": PASSWORD}
        done = subprocess.run(  # noqa: S603 - psql
            command, capture_output=True, text=True, check=True, env=environment
        )
        return done.stdout.strip()


@contextmanager
def running() -> Iterator[Postgres]:
    """The server, from an empty folder; ended and removed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="mixpanel-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data = str(folder / "data")
    control = [_program("pg_ctl"), "-D", data, "-w"]
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    try:
        _as_its_user(_program("initdb"), "-D", data, "-U", USER, "-A", "trust", "--no-sync")
        _as_its_user(*control, "-l", str(folder / "log"), "-o", options, "start")
        yield Postgres("127.0.0.1", port)
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            _as_its_user(*control, "-m", "immediate", "stop")
        shutil.rmtree(folder)
