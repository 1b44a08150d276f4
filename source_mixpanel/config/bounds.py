"""Which days the settings ask for, where that is not what they say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from source_mixpanel.config.model import Config
from source_mixpanel.errors import ConfigError
from source_mixpanel.times.dates import DEFAULT_START, EARLIEST

_ONE_DAY = timedelta(days=1)
"""By how much the project's date may differ from that in UTC."""


def since(config: Config) -> date | datetime | None:
    """The first day or instant to read: none before the earliest day that Mixpanel takes."""
    start = config.start_date
    return EARLIEST if start is not None and _day(start) <= EARLIEST else start


def cautions(config: Config, now: datetime) -> Iterator[str]:
    """Sentences on dates that do not say what is read."""
    if sentence := _empty(config, now):
        yield sentence
    start = config.start_date
    if start is None:
        return
    if _day(start) < EARLIEST:
        yield (
            f"start_date is {start}; the connector reads from {EARLIEST} on, the earliest day that "
            f"Mixpanel takes."
        )
    if _day(start) > now.date() + _ONE_DAY:
        yield f"start_date ({start}) has not come yet: dated streams have nothing to read."


def refuse_empty(config: Config, now: datetime) -> None:
    """Do nothing if there may be days between the start, be it the default one, and the end.

    For whoever sets a connection up. A sync has streams to read that know no dates, and others
    that go on from a state.

    Raises:
        ConfigError: There are none.
    """
    if sentence := _empty(config, now):
        raise ConfigError(f"The configuration is not valid. {sentence}")


def _empty(config: Config, now: datetime) -> str | None:
    end = config.end_date
    if end is None:
        return None
    if _day(end) < EARLIEST:
        return f"end_date ({end}) lies before {EARLIEST}, the earliest day that Mixpanel takes."
    if config.start_date is None and _day(end) < (now - DEFAULT_START - _ONE_DAY).date():
        return (
            f"end_date ({end}) lies before the start, which is one year ago unless start_date is "
            f"set. Set start_date, too."
        )
    return None


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
