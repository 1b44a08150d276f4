"""The part that PyAirbyte's caches have in common: one sync into whichever it is."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import airbyte as ab
from airbyte.caches import CacheBase

_HERE = Path(__file__).parent.parent / ".venv" / "bin" / "source-mixpanel"


def sync(config: Path, cache: CacheBase, streams: Sequence[str], *, full: bool) -> None:
    """Read the streams, all if none are named, and print how many rows each table has then."""
    source = ab.get_source(
        "source-mixpanel",
        config=json.loads(config.read_text("utf-8")),
        local_executable=os.environ.get("SOURCE_MIXPANEL")
        or shutil.which("source-mixpanel")
        or str(_HERE),
        install_if_missing=False,
    )
    source.check()
    source.select_streams(list(streams) or "*")
    result = source.read(cache=cache, force_full_refresh=full)
    counts = {name: len(dataset) for name, dataset in result.streams.items()}
    print(json.dumps({"processed": result.processed_records, "rows": counts}))
