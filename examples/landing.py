"""The other end of `land.py`: starts it in PyAirbyte's environment, and ends it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv-pyairbyte" / "bin" / "python"
LOG = "pyairbyte.log"
_FAREWELL_SECONDS = 10.0
_GLANCE_SECONDS = 0.05
_LOG_LINES = 25


class LandingError(RuntimeError):
    """PyAirbyte, or the connector it ran, failed."""


class Landing:
    """`land.py` at work in another process; use it as a context manager.

    Args:
        work: Directory for PyAirbyte's temporary files, which may hold secrets.
        keep: Directory for its log.
    """

    def __init__(self, work: Path, keep: Path) -> None:
        self._log_path = keep / LOG
        self._work = work

    def __enter__(self) -> Self:
        """Start the process; it imports PyAirbyte while we go on."""
        env = {
            **os.environ,
            "AIRBYTE_PROJECT_DIR": str(self._work),
            "AIRBYTE_LOGGING_ROOT": str(self._work / "logs"),
            "TMPDIR": str(self._work),
            "PYTHONWARNINGS": "ignore",
        }
        with self._log_path.open("wb") as log:
            # In a session of its own: Ctrl-C reaches us alone, and its children end with it.
            self._process = subprocess.Popen(  # noqa: S603 - our own file
                [PYTHON, ROOT / "examples" / "land.py"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self._work,
                env=env,
                start_new_session=True,
                text=True,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process and its children: politely, unless something has gone wrong."""
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()  # type: ignore[union-attr]
        if error is not None:
            self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_FAREWELL_SECONDS)
        # The connector may need a moment longer than PyAirbyte, which is then no longer there.
        deadline = time.monotonic() + _FAREWELL_SECONDS
        while self._signal(0) and time.monotonic() < deadline:
            time.sleep(_GLANCE_SECONDS)
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: int) -> bool:
        """Send a signal to the process and its children; whether there were any."""
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return False
        return True

    def ask(self, **command: Any) -> dict[str, Any]:
        """Send one command and wait for its answer.

        Raises:
            LandingError: It failed; the text is the connector's reason, else PyAirbyte's.
        """
        try:
            self._process.stdin.write(json.dumps(command) + "\n")  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
            line = self._process.stdout.readline()  # type: ignore[union-attr]
        except BrokenPipeError:
            line = ""
        answer: dict[str, Any] = json.loads(line) if line else {"error": "PyAirbyte has ended."}
        if answer.get("reason"):
            raise LandingError(answer["reason"])
        if "error" in answer:
            last = self._log_path.read_text("utf-8", "replace").splitlines()[-_LOG_LINES:]
            raise LandingError("\n".join([*last, answer["error"]]))
        return answer
