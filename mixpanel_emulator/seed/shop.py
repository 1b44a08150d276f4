"""The events of a believable shop: people come, look, buy, and their devices report late."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, Any

from mixpanel_emulator.dates import DAY_MS, HOUR_MS
from mixpanel_emulator.events import NewEvent
from mixpanel_emulator.seed import nasty

if TYPE_CHECKING:
    from collections.abc import Iterator

# From each event, the likely next ones; a session walks this until it leaves.
_NEXT: dict[str, tuple[str, ...]] = {
    "App Open": ("Page View", "Log In", "Search", "Page View", "Newsletter Opened"),
    "Sign Up": ("Page View", "Onboarding Finished", "Search"),
    "Log In": ("Page View", "Search", "View Item", "Settings Changed"),
    "Page View": ("Page View", "Search", "View Item", "View Item", "Video Played", "Leave"),
    "Search": ("View Item", "View Item", "Search", "Leave"),
    "View Item": ("View Item", "Add to Cart", "Share", "Page View", "Rate Item", "Leave"),
    "Add to Cart": ("Begin Checkout", "View Item", "Remove from Cart", "Leave"),
    "Remove from Cart": ("Page View", "Leave"),
    "Begin Checkout": ("Purchase", "Purchase", "Coupon Applied", "Leave"),
    "Coupon Applied": ("Purchase", "Leave"),
    "Purchase": ("Page View", "Share", "Support Ticket", "Leave"),
    "Share": ("Page View", "Leave"),
    "Rate Item": ("Page View", "Leave"),
    "Support Ticket": ("Refund", "Leave"),
    "Refund": ("Leave",),
    "Newsletter Opened": ("View Item", "Leave"),
    "Video Played": ("Page View", "Leave"),
    "Onboarding Finished": ("Page View", "Leave"),
    "Settings Changed": ("Page View", "Leave"),
}
EVENT_NAMES = tuple(_NEXT)
_STARTS = ("App Open", "App Open", "Page View", "Log In", "Sign Up")
_LEAVE = "Leave"
_HOURS = (2, 1, 1, 1, 1, 2, 4, 7, 9, 10, 11, 12, 13, 12, 11, 10, 10, 11, 13, 15, 16, 13, 8, 4)
_HOUR_WEIGHTS = tuple(accumulate(_HOURS))
_PLACES = (
    ("FR", "Île-de-France", "Paris"),
    ("US", "California", "San Francisco"),
    ("DE", "Bayern", "München"),
    ("JP", "Tokyo", "千代田区"),
    ("BR", "São Paulo", "São Paulo"),
    ("IN", "Karnataka", "Bengaluru"),
)
# The same properties are numbers in one SDK and text in another.
_BROWSERS: tuple[tuple[str, str, str, Any], ...] = (
    ("web", "Chrome", "Mac OS X", 124),
    ("web", "Firefox", "Windows", "125.0"),
)
_PHONES: tuple[tuple[str, str, str, Any], ...] = (
    ("android", "Android", "15", 402),
    ("iphone", "iOS", "18.1", "4.2.0.1"),
    ("swift", "iOS", "17.6", "4020"),
)
_ITEMS = ("Lamp", "Chair", "Desk", "Rug", "Shelf", "Clock", "Vase", "Sofa")
_PLANS = ("free", "basic", "pro", "enterprise")
_SEARCHES = ("lamp", "blue chair", "tapis d'été", "", "läuft", "sofa 3m", "照明")
_PROCESSING_MS = 2_000
_WEB_SHARE = 0.6
_HALF = 0.5
# How many of a hundred prices are not decimal numbers.
_UNUSUAL_PRICES = 10
# Of four hundred draws, those below the first bound make an event without $insert_id, those up
# to the next ones without a person, without mp_processing_time_ms, and with a number for an id.
_NO_INSERT_ID, _NO_PERSON, _NO_PROCESSING_TIME, _NUMBER_FOR_ID = 4, 6, 8, 12
# Of every so many milliseconds, one is a moment that an SDK sent with its fraction.
_FLOAT_TIMES = 13
_LATE_PER_MILLE = 25
_DAYS_LATE_PER_MILLE = 8


@dataclass(frozen=True)
class Plan:
    """How much to make, and up to when."""

    seed: int
    events: int
    days: int
    people: int
    now_ms: int


def person_id(number: int) -> str:
    """The distinct_id of the n-th person."""
    return f"user-{number:06d}"


def _device(rng: Random) -> dict[str, Any]:
    country, region, city = rng.choice(_PLACES)
    place: dict[str, Any] = {"mp_country_code": country, "$region": region, "$city": city}
    if rng.random() < _WEB_SHARE:
        lib, browser, system, version = rng.choice(_BROWSERS)
        return {
            **place,
            "mp_lib": lib,
            "$lib_version": "2.50.0",
            "$browser": browser,
            "$browser_version": version,
            "$os": system,
            "$screen_height": 1080,
            "$screen_width": 1920,
            "$current_url": "https://shop.example/",
            "$initial_referrer": "$direct",
        }
    lib, system, release, build = rng.choice(_PHONES)
    return {
        **place,
        "mp_lib": lib,
        "$lib_version": "8.0.1",
        "$os": system,
        "$os_version": release,
        "$app_version_string": "4.2.0",
        "$app_build_number": build,
        "$wifi": rng.random() < _HALF,
        "$carrier": "Example Mobile",
    }


def _details(rng: Random, name: str) -> dict[str, Any]:
    """The properties an event has of its own; `price` is of mixed types on purpose."""
    if name in ("View Item", "Add to Cart", "Remove from Cart", "Rate Item", "Share"):
        price = round(rng.random() * 200, 2)
        kept = rng.randrange(100)
        mixed: Any = price
        if kept < _UNUSUAL_PRICES:
            mixed = int(price) if kept else f"{price} EUR"
        return {"item": rng.choice(_ITEMS), "sku": f"{rng.randrange(400):05d}", "price": mixed}
    if name in ("Purchase", "Refund"):
        cart = [
            {"sku": f"{rng.randrange(400):05d}", "qty": rng.randint(1, 3)}
            for _ in range(rng.randint(1, 3))
        ]
        return {"amount": round(rng.random() * 500, 2), "currency": "EUR", "cart": cart}
    if name == "Search":
        return {"query": rng.choice(_SEARCHES), "results": rng.randrange(50)}
    if name == "Video Played":
        return {"$duration": round(rng.random() * 300, 3), "finished": rng.random() < _HALF}
    return {"plan": rng.choice(_PLANS)}


class _Shop:
    """Walks sessions until there are enough events."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._rng = Random(f"events:{plan.seed}")  # noqa: S311 - reproducible, not secret
        self._last = plan.now_ms - 5_000
        self._first_day = plan.now_ms // DAY_MS - plan.days + 1

    def events(self) -> Iterator[NewEvent]:
        """Exactly as many events as planned."""
        left = self._plan.events
        for event in self._all():
            if left <= 0:
                return
            yield event
            left -= 1

    def _all(self) -> Iterator[NewEvent]:
        for number, extra in enumerate(nasty.PROPERTY_SETS):
            name = nasty.EVENT_NAMES[number % len(nasty.EVENT_NAMES)]
            yield self._event(name, self._start(), {**self._common("user-nasty"), **extra})
        while True:
            yield from self._session()

    def _start(self) -> int:
        rng = self._rng
        day = self._first_day + rng.randrange(self._plan.days)
        hour = rng.choices(range(24), cum_weights=_HOUR_WEIGHTS)[0]
        moment = day * DAY_MS + hour * HOUR_MS + rng.randrange(HOUR_MS)
        return moment if moment < self._last else self._last - rng.randrange(DAY_MS // 4)

    def _common(self, person: str) -> dict[str, Any]:
        return {
            "distinct_id": person,
            "$device_id": f"device-{self._rng.getrandbits(48):012x}",
            "$user_id": person,
            **_device(self._rng),
        }

    def _session(self) -> Iterator[NewEvent]:
        rng = self._rng
        common = self._common(person_id(rng.randrange(max(self._plan.people, 1))))
        if rng.randrange(12) == 0:
            device = common["$device_id"]
            del common["$user_id"]
            # Older SDKs take the device's id as it is.
            plain = int(device[-1], 16) % 2
            common["distinct_id"] = device if plain else f"$device:{device}"
        moment = self._start()
        name = rng.choice(_STARTS)
        while name != _LEAVE:
            event = self._event(name, moment, {**common, **_details(rng, name)})
            yield event
            if rng.randrange(300) == 0:
                yield self._again(event)
            moment = min(moment + rng.randrange(1_000, 180_000), self._last)
            name = rng.choice(_NEXT[name])

    def _event(self, name: str, moment: int, properties: dict[str, Any]) -> NewEvent:
        rng = self._rng
        received = min(moment + self._lateness(), self._last + 1_000)
        processed = received + rng.randrange(100, _PROCESSING_MS)
        properties.update(
            {
                "$insert_id": f"{rng.getrandbits(144):036x}",
                "$mp_api_endpoint": "api.mixpanel.com",
                "$mp_api_timestamp_ms": received,
                "mp_processing_time_ms": processed,
            }
        )
        oddity = rng.randrange(400)
        if oddity < _NO_INSERT_ID:
            del properties["$insert_id"]
        elif oddity < _NO_PERSON:
            properties["distinct_id"] = None
        elif oddity < _NO_PROCESSING_TIME:
            del properties["mp_processing_time_ms"]
        elif oddity < _NUMBER_FOR_ID:
            properties["distinct_id"] = properties["$user_id"] = 4_000_000 + oddity
        fraction = moment % _FLOAT_TIMES == 0 and "$insert_id" in properties
        return NewEvent(name, moment, properties, processed, fraction)

    def _lateness(self) -> int:
        """How late an event comes in: mostly seconds, sometimes hours, rarely days."""
        rng = self._rng
        draw = rng.randrange(1000)
        if draw >= _LATE_PER_MILLE:
            return rng.randrange(200, 3_000)
        if draw >= _DAYS_LATE_PER_MILLE:
            return rng.randrange(HOUR_MS, 20 * HOUR_MS)
        return rng.randrange(DAY_MS, 4 * DAY_MS)

    def _again(self, event: NewEvent) -> NewEvent:
        """A duplicate as retries make them: the same event, processed once more."""
        if self._rng.randrange(2):
            return event
        later = min(event.visible_at_ms + self._rng.randrange(5_000), self._plan.now_ms)
        properties = {**event.properties}
        if "mp_processing_time_ms" in properties:
            properties["mp_processing_time_ms"] = later
        return event._replace(properties=properties, visible_at_ms=later)


def shop_events(plan: Plan) -> Iterator[NewEvent]:
    """The planned number of events, none later than the plan's present."""
    return _Shop(plan).events()
