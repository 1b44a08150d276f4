"""Where a time can be read in two ways: as UTC, and by the project's own clock. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from source_mixpanel.sync.coverage import Span
from source_mixpanel.sync.days import ONE_DAY

_NOON = time(12)
_YEAR = 366
_MONTH = 30


def may_differ(zone: ZoneInfo | None, span: Span) -> bool:
    """Whether times of these days may mean two instants, by the two kinds of project.

    London's do in summer, Tokyo's always, and UTC's never. Those of a zone that is not known may.
    """
    if zone is None:
        return True
    return any(_differs(zone, span.first + ONE_DAY * n) for n in range(span.days))


def telling_days(zone: ZoneInfo | None, today: date) -> Span | None:
    """The latest days, a month at most, whose events can tell the kind of a project.

    None if the project's clock has shown UTC for a year.
    """
    if zone is None:
        return Span(today - timedelta(days=_MONTH), today)
    back = (today - ONE_DAY * n for n in range(_YEAR))
    last = next((day for day in back if _differs(zone, day)), None)
    if last is None:
        return None
    first = last
    while (last - first).days < _MONTH and _differs(zone, first - ONE_DAY):
        first -= ONE_DAY
    return Span(first, last)


def _differs(zone: ZoneInfo, day: date) -> bool:
    return bool(datetime.combine(day, _NOON, tzinfo=zone).utcoffset())
