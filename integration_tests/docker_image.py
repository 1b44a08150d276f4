"""The connector's image, called as Airbyte's platform calls it."""

from __future__ import annotations

import json
import os
import subprocess
import time
import uuid
from pathlib import Path
from typing import Any

from unit_tests.harness import Output

IMAGE = os.environ.get("IMAGE", "source-mixpanel:dev")
UID_OF_THE_BASE = 1000
_LIMITS = ("--read-only", "--tmpfs=/tmp", "--memory=512m", "--memory-swap=512m", "--cap-drop=ALL")


def docker(*args: str) -> str:
    """What a docker command prints.

    Raises:
        RuntimeError: It failed.
    """
    done = subprocess.run(["docker", *args], capture_output=True, text=True, check=False)  # noqa: S603, S607
    if done.returncode:
        raise RuntimeError(f"docker {args[0]} failed: {done.stderr.strip()}")
    return done.stdout


class Container:
    """One run of the image: settings under /secrets, catalog and state under /data.

    Args:
        verb: Airbyte's.
        folder: Where its files are written.
        files: `config`, `catalog`, `state`, as JSON.
    """

    def __init__(self, verb: str, folder: Path, **files: Any) -> None:
        self.name = f"source-mixpanel-test-{uuid.uuid4().hex[:12]}"
        self._output = folder / f"{self.name}.out"
        command = ["docker", "run", "--rm", f"--name={self.name}", "--network=host", *_LIMITS]
        args = []
        for kind in ("config", "catalog", "state"):
            place = "secrets" if kind == "config" else "data"
            (folder / place).mkdir(exist_ok=True)
            if kind in files:
                path = folder / place / f"{kind}.json"
                path.write_text(json.dumps(files[kind]))
                args += [f"--{kind}", f"/{place}/{kind}.json"]
        for place in ("secrets", "data"):
            # The image's user reads what another user has written.
            (folder / place).chmod(0o755)
            command.append(f"--volume={folder / place}:/{place}:ro")
        with self._output.open("wb") as out:
            self._process = subprocess.Popen(  # noqa: S603 - docker, with our own arguments
                [*command, IMAGE, verb, *args], stdout=out, stderr=subprocess.PIPE
            )

    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def so_far(self) -> bytes:
        """Standard output until now."""
        return self._output.read_bytes()

    def terminate(self) -> float:
        """Stop it as the platform does, by SIGTERM; the seconds until it has ended."""
        began = time.monotonic()
        docker("kill", "--signal=TERM", self.name)
        self._process.wait(timeout=30)
        return time.monotonic() - began

    def end(self) -> Output:
        """Wait for the end, and read what came out."""
        _, said = self._process.communicate(timeout=120)
        raw = self.so_far()
        messages = [json.loads(line) for line in raw.split(b"\n")[:-1] if line]
        return Output(self._process.returncode, messages, said.decode(), raw)
