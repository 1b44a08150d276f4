"""What the settings name and the project does not have. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches

_MOST_SHOWN = 10


@dataclass(frozen=True)
class Named:
    """What the settings name by its name or number in Mixpanel.

    Attributes:
        events: Of `export_events`.
        funnels: Numbers of saved funnels by the report's name.
        since: The first day that is read, None for the usual one.
    """

    events: tuple[str, ...] = ()
    funnels: Mapping[str, int] = field(default_factory=dict)
    since: date | None = None


def missing_events(wanted: Iterable[str], there: Iterable[str]) -> Iterator[str]:
    """A sentence for each event that there is not, with names that are spelt alike."""
    names = list(there)
    for event in wanted:
        if event not in names and not event.startswith("$"):
            yield (
                f"export_events names {event!r}, but the project has had no event of that name "
                f"since the start.{_meant(event, names)}"
            )


def missing_funnels(wanted: Mapping[str, int], there: Mapping[int, str]) -> Iterator[str]:
    """A sentence for each report of a funnel that there is not.

    Args:
        wanted: Numbers of funnels by the report's name.
        there: Names of the project's funnels by number.
    """
    by_text = {str(number): name for number, name in there.items()}
    for report, number in wanted.items():
        if number not in there:
            near = get_close_matches(str(number), by_text, n=3, cutoff=0.5) or list(by_text)
            some = ", ".join(f"{n} ({by_text[n]})" for n in near[:_MOST_SHOWN])
            known = f" There are: {some}." if some else " It has none."
            yield f"Report {report!r} names funnel {number}, which the project lacks.{known}"


def _meant(event: str, names: list[str]) -> str:
    folded = {name.casefold(): name for name in names}
    near = get_close_matches(event.casefold(), folded, n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(repr(folded[n]) for n in near)}?" if near else ""
