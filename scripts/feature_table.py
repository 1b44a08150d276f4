"""Writes the README's table of streams from the catalogue (`--check` only compares).

Nothing is asked of Mixpanel: the streams themselves tell their keys, modes and endpoints.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from source_mixpanel.source import SourceMixpanel  # noqa: E402
from source_mixpanel.streams.base import MixpanelStream  # noqa: E402
from source_mixpanel.streams.reports import ReportStream  # noqa: E402

README = ROOT / "README.md"
_BEGIN, _END = "<!-- streams -->", "<!-- /streams -->"
_REPORTS = {
    "segmentation": {"event": "Sign Up"},
    "retention": {"born_event": "Sign Up"},
    "funnel": {"funnel_id": 1},
    "frequency": {"unit": "day", "addiction_unit": "hour"},
}
_ANYBODY = {
    "credentials": {"username": "u", "secret": "s", "project_id": 1},
    "reports": [
        {"name": kind, "kind": kind, "parameters": parameters}
        for kind, parameters in _REPORTS.items()
    ],
}
_PREFIX = re.compile(r"^/api/(query|app|2\.0)/(projects/\{project\}/)?|^/")


def path_of(stream: MixpanelStream) -> str:
    """Where a stream's rows come from, without what all paths of its API begin with."""
    return _PREFIX.sub("", stream.paths[0])


def row(stream: MixpanelStream) -> str:
    """A stream's line."""
    keys = ", ".join(f"`{key}`" for key in stream.primary_key)
    modes = "full refresh"
    if stream.supports_incremental:
        modes += f", incremental by `{stream.cursor_field}`"
    source = f"{stream.lane.value}: `{path_of(stream)}`"
    known = "yes" if stream.documented else "no"
    name = f"`{stream.name}`"
    if isinstance(stream, ReportStream):
        name = f"`report_<name>` ({stream.kind})"
    return f"| {name} | {keys} | {modes} | {source} | {known} |"


def table() -> str:
    """The whole table."""
    head = "| stream | primary key | sync modes | read from | documented by Mixpanel |"
    streams = SourceMixpanel().streams(_ANYBODY)
    rows = [row(stream) for stream in streams if isinstance(stream, MixpanelStream)]
    return "\n".join([head, "|---|---|---|---|---|", *rows])


def filled(text: str) -> str:
    """A README with the table between its marks.

    Raises:
        ValueError: The marks are not there.
    """
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"README.md has no {_BEGIN} with an {_END} after it")
    return f"{before}{begin}\n{table()}\n{end}{after}"


def main() -> int:
    """Write the table, or say whether it is up to date."""
    text = README.read_text(encoding="utf-8")
    wanted = filled(text)
    if "--check" in sys.argv[1:]:
        return int(text != wanted)
    README.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
