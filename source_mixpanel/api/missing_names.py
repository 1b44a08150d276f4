"""Events and funnels that the settings name and the project does not have. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from source_mixpanel.texts.spelling import did_you_mean

_MOST_SHOWN = 10


@dataclass(frozen=True)
class Named:
    """Events and funnels that the settings name.

    Attributes:
        events: Names of events by the stream that they are for.
        funnels: Numbers of saved funnels by the stream that they are for.
    """

    events: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    funnels: Mapping[str, int] = field(default_factory=dict)

    def of(self, streams: Collection[str]) -> Named:
        """Those that are named for these streams."""
        return Named(
            {stream: names for stream, names in self.events.items() if stream in streams},
            {stream: number for stream, number in self.funnels.items() if stream in streams},
        )


def missing_events(wanted: Mapping[str, Iterable[str]], existing: Collection[str]) -> Iterator[str]:
    """A sentence for each event that does not exist, with names that are spelled alike.

    Args:
        wanted: Names of events by the stream that they are for.
        existing: The project's events. Mixpanel's own (`$...`) may be missing.
    """
    for stream, events in wanted.items():
        for event in events:
            if event not in existing and not event.startswith("$"):
                yield (
                    f"The settings of stream {stream!r} name the event {event!r}, but the project "
                    f"has had no event of that name since the start.{did_you_mean(event, existing)}"
                )


def missing_funnels(wanted: Mapping[str, int], existing: Mapping[int, str]) -> Iterator[str]:
    """A sentence for each report of a funnel that does not exist.

    Args:
        wanted: Numbers of funnels by the stream that they are for.
        existing: Names of the project's funnels by number.
    """
    by_text = {str(number): name for number, name in existing.items()}
    for stream, number in wanted.items():
        if number not in existing:
            near = get_close_matches(str(number), by_text, n=3, cutoff=0.5) or list(by_text)
            nearest = ", ".join(f"{n} ({by_text[n]})" for n in near[:_MOST_SHOWN])
            known = f" There are: {nearest}." if nearest else " It has none."
            yield (
                f"The settings of stream {stream!r} name funnel {number}, which the project lacks."
                f"{known}"
            )
