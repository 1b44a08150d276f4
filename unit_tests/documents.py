"""Blocks of code in documents: tests take them by where they stand, and run them as they are."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent


class Place(NamedTuple):
    """Where blocks stand.

    Attributes:
        page: A path from the root.
        heading: The nearest above them.
        language: What they are written in.
    """

    page: str
    heading: str
    language: str


def every_block(page: str) -> Iterator[tuple[Place, str]]:
    """The blocks of a page, in order."""
    heading = ""
    pattern = r"^#+ (.+)$|^```(.*)\n((?s:.*?))^```$"
    for found in re.finditer(pattern, (ROOT / page).read_text("utf-8"), re.MULTILINE):
        heading = found[1] or heading
        if not found[1]:
            yield Place(page, heading, found[2]), found[3]


def blocks(page: str, heading: str, language: str) -> list[str]:
    """Those of one place. A test that calls this with plain words is who runs them."""
    place = Place(page, heading, language)
    return [block for found, block in every_block(page) if found == place]


def shell(
    script: str, folder: Path, commands: Path, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a block in a folder as a person would, with the commands of another at hand."""
    return subprocess.run(  # noqa: S603 - our own document
        ["/bin/bash", "-euc", script],
        cwd=folder,
        env={**os.environ, **env, "PATH": f"{commands}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
