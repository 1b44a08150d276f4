"""How a signal ends a process."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "source_mixpanel" / "process"
PROGRAM = """
import signal, sys, time
sys.path.append({package!r})  # the module alone: all of the package takes seconds
from signals import stopped_by

with stopped_by(signal.SIGTERM, signal.SIGINT):
    print("before", flush=True)
    try:
        time.sleep(60)
    finally:
        print("in between", flush=True)
        {closing}
"""


def run(closing: str, *numbers: signal.Signals) -> tuple[int, str]:
    """Exit code and output of a process that gets signals, the next one when it asks for it."""
    program = [sys.executable, "-c", PROGRAM.format(package=str(PACKAGE), closing=closing)]
    with subprocess.Popen(  # noqa: S603 - our own program
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        said = process.stdout.readline()
        for number in numbers:
            process.send_signal(number)
            process.stderr.readline()
        return process.wait(), said + process.stdout.read()


def test_nothing_is_said_after_a_signal_whatever_closing_comes_to() -> None:
    assert run("pass", signal.SIGTERM) == (-signal.SIGTERM, "before\n")
    assert run("raise OSError(9, 'closed already')", signal.SIGINT) == (-signal.SIGINT, "before\n")


def test_a_second_signal_does_not_wait_for_the_closing() -> None:
    slow = "print('closing', file=sys.stderr, flush=True); time.sleep(60)"
    code, said = run(slow, signal.SIGTERM, signal.SIGTERM)
    assert (code, said) == (-signal.SIGTERM, "before\n")


def test_an_error_without_a_signal_stays_one() -> None:
    program = PROGRAM.format(package=str(PACKAGE), closing="pass")
    program = program.replace("time.sleep(60)", "raise OSError('full')")
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "before\nin between\n")
    assert "OSError: full" in done.stderr
