"""The replay server in a process of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.contenders import PYTHON, ROOT
from benchmarks.measure import RunError


@contextmanager
def serving(cache: Path, folder: Path, profiles: int, *more: str) -> Iterator[tuple[str, Path]]:
    """The way to it, and whom to trust."""
    command = [str(PYTHON), "-m", "benchmarks.replay"]
    command += [str(cache), str(folder), str(profiles), *more]
    with subprocess.Popen(  # noqa: S603 - our own module
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as server:
        try:
            if server.stdout is None or server.stdin is None:
                raise RunError("the replay server has no pipes")
            told = json.loads(server.stdout.readline())
            yield told["proxy"], Path(told["ca"])
            server.stdin.close()
            server.wait(10)
        finally:
            server.kill()
