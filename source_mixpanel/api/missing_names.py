"""What the settings name and the project does not have. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from source_mixpanel.texts.spelling import did_you_mean

_MOST_SHOWN = 10


@dataclass(frozen=True)
class Named:
    """What the settings name by its name or number in Mixpanel.

    Attributes:
        events: Names of events by the stream that they are for.
        funnels: Numbers of saved funnels by the stream that they are for.
    """

    events: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    funnels: Mapping[str, int] = field(default_factory=dict)

    def of(self, streams: Collection[str]) -> Named:
        """What is named for these streams."""
        return Named(
            {stream: names for stream, names in self.events.items() if stream in streams},
            {stream: number for stream, number in self.funnels.items() if stream in streams},
        )


def missing_events(wanted: Mapping[str, Iterable[str]], there: Collection[str]) -> Iterator[str]:
    """A sentence for each event that there is not, with names that are spelt alike.

    Args:
        wanted: Names of events by the stream that they are for.
        there: The project's events. Those of Mixpanel's own may be missing.
    """
    for stream, events in wanted.items():
        for event in events:
            if event not in there and not event.startswith("$"):
                yield (
                    f"The settings of stream {stream!r} name the event {event!r}, but the project "
                    f"has had no event of that name since the start.{did_you_mean(event, there)}"
                )


def missing_funnels(wanted: Mapping[str, int], there: Mapping[int, str]) -> Iterator[str]:
    """A sentence for each report of a funnel that there is not.

    Args:
        wanted: Numbers of funnels by the stream that they are for.
        there: Names of the project's funnels by number.
    """
    by_text = {str(number): name for number, name in there.items()}
    for stream, number in wanted.items():
        if number not in there:
            near = get_close_matches(str(number), by_text, n=3, cutoff=0.5) or list(by_text)
            some = ", ".join(f"{n} ({by_text[n]})" for n in near[:_MOST_SHOWN])
            known = f" There are: {some}." if some else " It has none."
            yield (
                f"The settings of stream {stream!r} name funnel {number}, which the project lacks."
                f"{known}"
            )
