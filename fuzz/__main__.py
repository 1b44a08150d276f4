"""Fuzz one target: `python -m fuzz decode --seconds 60`. Needs atheris (Python 3.11)."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["source_mixpanel", "mixpanel_emulator", "fuzz", "json"]):
    from fuzz.targets import TARGETS


def main() -> None:
    """Fuzz for a while; ends with an error at the first input that a check does not pass."""
    parser = argparse.ArgumentParser(prog="python -m fuzz")
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=60)
    given = parser.parse_args()
    target = TARGETS[given.target]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        for number, seed in enumerate(target.seeds):
            (Path(folder) / f"seed-{number}").write_bytes(seed)
        options = [
            f"-max_total_time={given.seconds}",
            "-timeout=20",
            "-max_len=4096",
            "-print_final_stats=1",
            f"-artifact_prefix={given.target}-",
        ]
        atheris.Setup([sys.argv[0], *options, folder], target.check)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
