"""Building the context of streams out of the settings: client, quotas, project."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from source_mixpanel.api.auth import MixpanelAuth, oauth_token, project_secret, service_account
from source_mixpanel.api.cache import Cache
from source_mixpanel.api.client import Access, MixpanelClient
from source_mixpanel.api.disk import DiskBudget
from source_mixpanel.api.failures import Backoff
from source_mixpanel.api.ledger import Ledger
from source_mixpanel.api.lists import ListReader
from source_mixpanel.api.missing_names import Named
from source_mixpanel.api.patience import Patience
from source_mixpanel.api.project import ProjectFacts
from source_mixpanel.api.quota import HOUR, app_quota, export_quota, lexicon_quota, query_quota
from source_mixpanel.api.regions import hosts
from source_mixpanel.api.request import Api
from source_mixpanel.api.waits import Wait
from source_mixpanel.columns.privacy import Privacy
from source_mixpanel.config.bounds import cautions, since
from source_mixpanel.config.credentials import OAuthToken, ProjectSecret, ServiceAccount
from source_mixpanel.config.model import Config
from source_mixpanel.config.reports import FunnelReport
from source_mixpanel.process.progress import Progress, Watcher
from source_mixpanel.streams.base import StreamContext
from source_mixpanel.streams.period import Period
from source_mixpanel.streams.state import Origin
from source_mixpanel.texts.masking import hide
from source_mixpanel.times.clock import Clock, ServerTime

_log = logging.getLogger("airbyte")
_MB = 1_000_000

_EVENT_KEYS = ("event", "born_event")
"""Parameters of reports that name an event."""


def build_auth(config: Config) -> MixpanelAuth:
    """The credentials of every request."""
    credentials = config.credentials
    if isinstance(credentials, ServiceAccount):
        return service_account(credentials.username, credentials.secret.get_secret_value())
    if isinstance(credentials, OAuthToken):
        return oauth_token(credentials.access_token.get_secret_value())
    return project_secret(credentials.api_secret.get_secret_value())


def build_access(config: Config, auth: MixpanelAuth) -> Access:
    """Addresses, credentials and project of all requests."""
    base = hosts(config.region, config.api_url)
    urls = {
        Api.QUERY: base.query,
        Api.EXPORT: base.export,
        Api.APP: base.app,
        Api.LEXICON: base.app,
        Api.INGESTION: base.ingestion,
    }
    return Access(urls, auth, config.project_id, config.workspace_id)


def build_origin(config: Config) -> Origin:
    """The project and data view in the settings."""
    return Origin(config.project_id, config.region.value, (config.workspace_id,))


def build_ledgers(
    config: Config, clock: Clock, announce: Callable[[Wait], None], backoff: Backoff
) -> dict[Api, Ledger]:
    """A ledger for each quota of Mixpanel; the ingestion host shares that of the app API."""
    limits, set_by_user = config.rate_limits, config.rate_limits.model_fields_set
    query = query_quota(limits.query_per_hour, fixed="query_per_hour" in set_by_user)
    export = export_quota(limits.export_per_hour, fixed="export_per_hour" in set_by_user)
    app = Ledger(app_quota(), clock, announce, backoff)
    return {
        Api.QUERY: Ledger(query, clock, announce, backoff),
        Api.EXPORT: Ledger(export, clock, announce, backoff),
        Api.LEXICON: Ledger(lexicon_quota(), clock, announce, backoff),
        Api.APP: app,
        Api.INGESTION: app,
    }


def build_privacy(config: Config) -> Privacy:
    """The properties to exclude and to hash."""
    salt = config.hash_salt.get_secret_value() if config.hash_salt else ""
    key = salt.encode("utf-8", "surrogatepass")
    return Privacy(config.exclude_properties, frozenset(config.hash_properties), key)


def build_context(
    config: Config,
    *,
    clock: Clock,
    patience: Patience,
    announce: Callable[[Wait], None],
    batched: bool,
    watcher: Watcher,
) -> StreamContext:
    """The context of all streams."""
    time = ServerTime(clock)
    patience = patience.within(config.longest_wait_hours * HOUR)
    ledgers = build_ledgers(config, clock, announce, patience.backoff)
    auth = build_auth(config)
    # The header has the secret in another spelling, which has to be masked as well.
    hide([auth.header, auth.header.partition(" ")[2]])
    access, log = build_access(config, auth), _log.info
    client = MixpanelClient(
        access, ledgers=ledgers, clock=clock, time=time, log=log, patience=patience
    )
    zone = ZoneInfo(config.project_timezone) if config.project_timezone else None
    cache = Cache()
    facts = ProjectFacts(client, zone, _log.info)
    return StreamContext(
        client=client,
        ledgers=ledgers,
        disk=DiskBudget(config.download_ahead_mb * _MB, clock.monotonic),
        cache=cache,
        lists=ListReader(client, facts.workspaces, cache, _log.warning),
        project=facts,
        origin=build_origin(config),
        time=time,
        clock=clock,
        batched=batched,
        progress=Progress(_log.info, clock.monotonic, watcher),
        privacy=build_privacy(config),
    )


def named_in(config: Config) -> Named:
    """The events and funnels that the settings name."""
    events = {"export": config.export_events or ()}
    funnels: dict[str, int] = {}
    for report in config.reports:
        stream, params = f"report_{report.name}", report.parameters
        events[stream] = tuple(filter(None, (getattr(params, key, None) for key in _EVENT_KEYS)))
        if isinstance(report, FunnelReport):
            funnels[stream] = report.parameters.funnel_id
    return Named({stream: names for stream, names in events.items() if names}, funnels)


def dated(config: Config) -> Period:
    """The wanted time of dated streams, without look-back."""
    return Period(start=since(config), end=config.end_date)


def warnings_on(config: Config, now: datetime) -> Iterator[str]:
    """Sentences on settings that may not do what is meant, or that Mixpanel will retire."""
    yield from cautions(config, now)
    if readable := build_privacy(config).readable_ids():
        yield (
            f"hash_properties has distinct_id, but other properties hold ids as well, and come out "
            f"readable: {', '.join(readable)}. Hash them too, or leave them out "
            f"(exclude_properties), unless that is what you want."
        )
    if isinstance(config.credentials, ProjectSecret):
        yield (
            "The configuration uses a project secret, which Mixpanel retires on 3 March 2027. "
            "Create a service account (Organization Settings > Service Accounts) and use it "
            "instead."
        )
