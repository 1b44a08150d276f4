"""The command `source-mixpanel`: what needs no CDK is answered before it is loaded."""

from __future__ import annotations

import gc
import io
import signal
import sys

from source_mixpanel.api.patience import Patience
from source_mixpanel.process.command_line import explanation
from source_mixpanel.process.signals import stopped_by
from source_mixpanel.times.clock import Clock


def run(clock: Clock | None = None, patience: Patience | None = None) -> None:
    """Run the command that the process's arguments name."""
    with stopped_by(signal.SIGTERM, signal.SIGINT):
        if isinstance(sys.stdout, io.TextIOWrapper):
            # Whatever the locale: the protocol is JSON in UTF-8.
            sys.stdout.reconfigure(encoding="utf-8")
        # Meltano's wrapper puts two dashes before the command.
        args = sys.argv[2:] if sys.argv[1:2] == ["--"] else sys.argv[1:]
        _explain(args)
        # Nothing of it becomes garbage: looking for some would take a tenth of the start.
        gc.disable()
        from source_mixpanel.entrypoint import main  # noqa: PLC0415 - it loads the CDK

        gc.freeze()
        gc.enable()
        main(args, clock, patience)


def _explain(args: list[str]) -> None:
    """End with an explanation, if the arguments ask for one or need one."""
    explained = explanation(args)
    if explained is None:
        return
    text, code = explained
    (sys.stderr if code or sys.stdout is None else sys.stdout).write(text)
    sys.exit(code)
