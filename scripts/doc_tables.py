"""Writes what the code knows of the documentation: two tables, a figure (`--check` only compares).

Nothing is asked of Mixpanel: the streams themselves tell their keys, modes and endpoints, the
rules of columns tell their types, and the contract of imports tells the layers.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from importlinter.api import read_configuration

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from source_mixpanel.columns.reserved import (  # noqa: E402
    EVENT_PROPERTIES,
    FURTHER_EVENT_PROPERTIES,
    PROFILE_PROPERTIES,
)
from source_mixpanel.columns.types import column_schema, common_type, json_type_of  # noqa: E402
from source_mixpanel.events.schema import CORE  # noqa: E402
from source_mixpanel.events.stream import Export  # noqa: E402
from source_mixpanel.profiles.schema import LAST_SEEN_SCHEMA  # noqa: E402
from source_mixpanel.profiles.stream import ProfileStream  # noqa: E402
from source_mixpanel.reports.kinds import ReportStream  # noqa: E402
from source_mixpanel.reports.results import ReportResults  # noqa: E402
from source_mixpanel.reports.stream import DatedStream  # noqa: E402
from source_mixpanel.source import SourceMixpanel  # noqa: E402
from source_mixpanel.streams.base import MixpanelStream  # noqa: E402

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
    return f"| {title(stream)} | {keys} | {modes} | {source} | {known} |"


def title(stream: MixpanelStream) -> str:
    """What a stream is called; a report of the settings by its kind."""
    if isinstance(stream, ReportStream):
        return f"`report_<name>` ({stream.kind})"
    return f"`{stream.name}`"


def every_stream() -> list[MixpanelStream]:
    """The catalogue, with a report of each kind."""
    streams = SourceMixpanel().streams(_ANYBODY)
    return [stream for stream in streams if isinstance(stream, MixpanelStream)]


def streams_table() -> str:
    """Every stream."""
    head = "| stream | primary key | sync modes | read from | documented by Mixpanel |"
    return "\n".join([head, "|---|---|---|---|---|", *map(row, every_stream())])


# -- what syncs bring ----------------------------------------------------------------------


def brought(stream: MixpanelStream) -> tuple[str, str]:
    """What an incremental sync brings, and what becomes of rows that Mixpanel has no longer."""
    if isinstance(stream, Export):
        return "what Mixpanel processed since the last sync, on days of any age", "stay"
    if not stream.exact:
        return "what was seen since; nothing that changed unseen", "stay until a full refresh"
    if isinstance(stream, DatedStream):
        unsettled = ", and what can still change" if isinstance(stream, ReportStream) else ""
        return f"new days, the `attribution_window` before them{unsettled}", "stay"
    return "no such mode: always in full", "are not in the next sync"


def parted_by(stream: MixpanelStream) -> str:
    """What can fail alone, without keeping out the rest of a stream."""
    if isinstance(stream, Export):
        return "day"
    if isinstance(stream, ReportResults):
        return "report"
    each = stream.declared.each if isinstance(stream, (DatedStream, ProfileStream)) else None
    if each is not None:
        return each.noun
    return "data view" if "{workspace}" in stream.paths[0] else ""


def goes_on(stream: MixpanelStream) -> str:
    """Where a sync that broke off is taken up."""
    whole = isinstance(stream, DatedStream) and stream.whole
    return "where it was" if stream.is_resumable and not whole else "from the start"


def syncs_table() -> str:
    """What syncs bring; streams that are alike share a line."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for stream in every_stream():
        line = (*brought(stream), goes_on(stream), parted_by(stream))
        alike.setdefault(line, []).append(title(stream))
    head = (
        "| stream | an incremental sync brings | rows that Mixpanel has no longer"
        " | broken off, it goes on | what can fail alone |"
    )
    rows = [f"| {', '.join(names)} | {' | '.join(line)} |" for line, names in alike.items()]
    return "\n".join([head, "|---|---|---|---|---|", *rows])


# -- types ---------------------------------------------------------------------------------

_VALUES: Mapping[str, tuple[tuple[Any, ...], str]] = {
    "string": (("text",), "every character as it was"),
    "date": (("2026-01-31T10:00:00",), "as Mixpanel writes it"),
    "number": ((7, 2.5), "integers of any size stay exact in the record"),
    "whole numbers": ((7,), "the next may have a fraction"),
    "whole numbers beyond 2^53": ((2**53 + 1,), "those that a double would round: ids, mostly"),
    "whole numbers beyond 64 bits": ((2**63,), "no warehouse has integers for them"),
    "boolean": ((True,), ""),
    "list": (([1, "text"],), "without `items`, which a list may mix"),
    "object": (({},), ""),
    "numbers, strings one time in ten": ((2.5,) * 9 + ("text",), "nine in ten decide of any types"),
    "numbers, strings more often": ((2.5,) * 8 + ("text",) * 2, "which can hold all"),
    "nothing known": ((), "nothing below tells"),
}
"""Values of a property by what they are called, and what is to be said of them."""

_OWN: Mapping[str, str] = {
    "number or string": "from some SDKs a number, from others a string; text in most destinations",
    "integer": "counts and milliseconds",
    "array of strings": "its items are named",
}
"""Types that only Mixpanel's own properties have."""


def airbyte_type(schema: Mapping[str, Any]) -> str:
    """The type of a column as Airbyte calls it."""
    if "airbyte_type" in schema:
        return f"`{schema['airbyte_type']}`"
    kinds = " and ".join(f"`{kind}`" for kind in schema["type"] if kind != "null")
    return f"{kinds} of `{schema['items']['type']}`" if "items" in schema else kinds


def type_rows() -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """What Mixpanel holds, the schema of its column, and a note."""
    yield "`time` of an event", CORE["time"], "the true instant in UTC, to the millisecond"
    yield "`$last_seen` of a profile", LAST_SEEN_SCHEMA, "in UTC, as Mixpanel writes it"
    for name, (values, note) in _VALUES.items():
        found = Counter(map(json_type_of, values))
        yield name, column_schema(common_type(found)), note
    own = {**EVENT_PROPERTIES, **FURTHER_EVENT_PROPERTIES, **PROFILE_PROPERTIES}
    for kind, note in _OWN.items():
        names = sorted(name for name, json_type in own.items() if json_type == kind)
        yield ", ".join(f"`{name}`" for name in names), column_schema(kind), note


def types_table() -> str:
    """Every type."""
    rows = [f"| {what} | {airbyte_type(schema)} | {note} |" for what, schema, note in type_rows()]
    return "\n".join(["| Mixpanel | Airbyte | note |", "|---|---|---|", *rows])


# -- layers --------------------------------------------------------------------------------


def first_line(module: Path) -> str:
    """What a module says that it is for."""
    told = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return told.splitlines()[0]


def box(modules: str) -> str:
    """The text of a layer: what each of its packages is for, and the names of its modules."""
    lines, names = [], []
    for name in modules.split(" | "):
        package = ROOT / "source_mixpanel" / name / "__init__.py"
        if package.exists():
            lines.append(f"<b>{name}</b>: {first_line(package)}")
        else:
            names.append(name)
    return "<br>".join([*lines, ", ".join(names)] if names else lines)


def layers() -> list[str]:
    """The layers of the contract of imports, from above, as it writes them."""
    contracts = read_configuration(str(ROOT / "pyproject.toml"))["contracts_options"]
    [found] = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    return [str(layer) for layer in found]


def layers_figure() -> str:
    """Who calls whom, for Mermaid."""
    found = layers()
    [talks] = [n for n, layer in enumerate(found) if "api" in layer.split(" | ")]
    return "\n".join(
        [
            "```mermaid",
            "flowchart TD",
            '  caller(["Airbyte, PyAirbyte, Docker, a person"]) -->|Airbyte\'s protocol| layer0',
            *(f'  layer{n}["{box(layer)}"]' for n, layer in enumerate(found)),
            f"  {' --> '.join(f'layer{n}' for n in range(len(found)))}",
            f'  layer{talks} -->|HTTP| mixpanel(["Mixpanel"])',
            f'  layer{talks} -->|HTTP, in tests and the demo| local(["mixpanel_emulator"])',
            "```",
        ]
    )


# -- files ---------------------------------------------------------------------------------

WRITTEN: Mapping[Path, Mapping[str, Callable[[], str]]] = {
    ROOT / "README.md": {"streams": streams_table, "layers": layers_figure},
    ROOT / "BEHAVIOR.md": {"syncs": syncs_table},
    ROOT / "docs" / "integration.md": {"types": types_table},
}
"""What stands between which marks of a page."""


def filled(path: Path, text: str) -> str:
    """The text of a page with what is written between its marks.

    Raises:
        ValueError: The marks are not there.
    """
    for mark, written in WRITTEN[path].items():
        before, begin, rest = text.partition(f"<!-- {mark} -->")
        _, end, after = rest.partition(f"<!-- /{mark} -->")
        if not begin or not end:
            raise ValueError(f"{path.name} has no <!-- {mark} --> with its end after it")
        text = f"{before}{begin}\n{written()}\n{end}{after}"
    return text


def main() -> int:
    """Write them, or say whether they are up to date."""
    texts = {path: path.read_text(encoding="utf-8") for path in WRITTEN}
    wanted = {path: filled(path, text) for path, text in texts.items()}
    if "--check" in sys.argv[1:]:
        return int(texts != wanted)
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
