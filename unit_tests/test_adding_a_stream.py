"""The guide to adding a stream shows the code as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs" / "adding-a-stream.md").read_text()


def test_the_stream_shown_is_the_real_one() -> None:
    [shown] = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    assert shown == (ROOT / "source_mixpanel" / "streams" / "cohorts.py").read_text()
    catalogue = (ROOT / "source_mixpanel" / "catalogue.py").read_text()
    for line in re.findall(r"^\+(.*)$", GUIDE, re.MULTILINE):
        assert f"{line}\n" in catalogue


@pytest.mark.parametrize(("stream", "lines"), re.findall(r"\| `(\w+)` \| [^|]+ \| (\d+)", GUIDE))
def test_the_sizes_told_are_the_real_ones(stream: str, lines: str) -> None:
    module = ROOT / "source_mixpanel" / "streams" / f"{stream}.py"
    assert len(module.read_text().splitlines()) == int(lines)
