"""The knobs a local Mixpanel starts with, the same for Python and the command line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

PROJECT_KINDS = ("utc", "local")


@dataclass(frozen=True)
class EmulatorOptions:
    """Start options.

    Attributes:
        seed: The integer the whole world grows from.
        events: Events to seed.
        days: Days the seeded events spread over, today included.
        profiles: User profiles to seed.
        database: File that keeps the world over restarts; None keeps it in temporary pages.
        now: ISO 8601 instant the world's clock starts at; None means real time.
        quota: Whether rate limits are enforced.
        project_kind: "utc" (created from 2023 on) or "local" (older).
        timezone: The project's IANA zone.
        visibility_lag: Seconds between ingestion and the first export that shows an event.
        export_latency: Real seconds before each export's first byte.
        export_bandwidth: Bytes a second of an export's body over each connection; None: no limit.
        host: Address to listen on.
        port: Port to listen on; 0 picks a free one.
        tls_cert: Certificate chain file; with `tls_key` the server speaks HTTPS.
        tls_key: Private key file.
        empty: Start without any seeded data.
    """

    seed: int = 7
    events: int = 50_000
    days: int = 30
    profiles: int = 2_000
    database: str | None = None
    now: str | None = None
    quota: bool = True
    project_kind: str = "utc"
    timezone: str = "America/Los_Angeles"
    visibility_lag: float = 0.0
    export_latency: float = 0.0
    export_bandwidth: float | None = None
    host: str = "127.0.0.1"
    port: int = 0
    tls_cert: str | None = None
    tls_key: str | None = None
    empty: bool = False


@dataclass(frozen=True)
class Credentials:
    """Who may talk to the project: made-up, fixed, and safe to print."""

    project_id: int = 12345678
    organization_id: int = 4242
    workspace_id: int = 987001
    username: str = "demo.sa.mp-service-account"
    secret: str = "local-service-account-secret-7"  # noqa: S105 - a made-up secret of a made-up project
    api_secret: str = "local-project-secret-0123456789ab"  # noqa: S105 - same
    token: str = "local-project-token-0123456789abc"  # noqa: S105 - same
    access_token: str = "local-oauth-token-0123456789"  # noqa: S105 - same


CREDENTIALS = Credentials()


def service_account() -> dict[str, Any]:
    """The credentials that Airbyte's connectors take."""
    return {
        "option_title": "Service Account",
        "username": CREDENTIALS.username,
        "secret": CREDENTIALS.secret,
        "project_id": CREDENTIALS.project_id,
    }


def connector_config(url: str, first: date) -> dict[str, Any]:
    """Settings of the connector `source-mixpanel` that read a server from a day on."""
    return {
        "credentials": service_account(),
        "start_date": first.isoformat(),
        "api_url": url,
    }
