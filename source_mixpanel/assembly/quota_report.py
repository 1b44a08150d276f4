"""Log lines on the requests that a sync will make and has made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from source_mixpanel.api.ledger import Ledger
from source_mixpanel.api.quota import Quota
from source_mixpanel.streams.base import MixpanelStream


def tell_plan(streams: Sequence[MixpanelStream], log: Callable[[str], None]) -> None:
    """Log the planned requests of the streams of one lane; nothing without streams."""
    planned = {stream.name: _requests_of(stream) for stream in streams}
    known = {name: count for name, count in planned.items() if count is not None}
    if known:
        log(_plan_sentence(known, streams[0]))
    unknown = " and ".join(name for name, count in planned.items() if count is None)
    if unknown:
        lane = streams[0].lane.value
        log(f"Requests to the {lane} for {unknown}: as many as there is to read.")


def usage_sentence(ledgers: Iterable[Ledger]) -> str:
    """The requests used of each quota, and the longest wait for it."""
    used = [
        f"{ledger.quota.name} {ledger.used}"
        + (
            f" (the longest wait took {ledger.longest_wait_s:.0f} s)"
            if ledger.longest_wait_s >= 1
            else ""
        )
        for ledger in ledgers
        if ledger.used
    ]
    return f"Requests used: {', '.join(used) or 'none'}."


def _requests_of(stream: MixpanelStream) -> int | None:
    try:
        return stream.requests_planned()
    except Exception:  # noqa: BLE001 - a forecast stops no sync
        # The stream meets the same error when it is read, and reports it.
        return None


def _plan_sentence(planned: dict[str, int], stream: MixpanelStream) -> str:
    quota = stream.context.client.quota(stream.lane)
    total = sum(planned.values())
    parts = ", ".join(f"{name} {count}" for name, count in planned.items())
    return f"Requests to the {stream.lane.value} for this sync: {total} ({parts}). " + _duration(
        total, quota
    )


def _duration(total: int, quota: Quota) -> str:
    hourly = quota.hourly
    if hourly is None:
        return "No hourly limit is known for them."
    hours = max(0, total - 1) // hourly
    if not hours:
        return f"They fit into one hour's quota of {hourly}."
    return f"At {hourly} an hour that takes at least {hours} h."
