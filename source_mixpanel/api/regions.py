"""Which host answers which of Mixpanel's APIs, by region of data residency."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Region(str, Enum):
    """Where the project's data lives (Mixpanel: data residency)."""

    US = "US"
    EU = "EU"
    IN = "IN"


@dataclass(frozen=True)
class Hosts:
    """Base URLs, without a trailing slash (API overview: regions)."""

    query: str
    export: str
    app: str
    ingestion: str


_PREFIXES = {Region.US: ("", "data", "api"), Region.EU: ("eu.", "data-eu", "api-eu")}
_PREFIXES[Region.IN] = ("in.", "data-in", "api-in")


def hosts(region: Region, api_url: str | None = None) -> Hosts:
    """The base URLs for a region, or one base for all (a proxy, a local Mixpanel)."""
    if api_url:
        base = api_url.rstrip("/")
        return Hosts(query=base, export=base, app=base, ingestion=base)
    main, data, ingest = _PREFIXES[region]
    return Hosts(
        query=f"https://{main}mixpanel.com",
        export=f"https://{data}.mixpanel.com",
        app=f"https://{main}mixpanel.com",
        ingestion=f"https://{ingest}.mixpanel.com",
    )
