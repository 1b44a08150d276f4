"""The HTTP client: carries requests out within the quotas, and tries again where it may help."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3

from source_mixpanel.api.auth import MixpanelAuth
from source_mixpanel.api.bodies import is_gzipped, judge, parsed, raw_chunks
from source_mixpanel.api.document import Document, document_body
from source_mixpanel.api.failures import Action, Backoff
from source_mixpanel.api.ledger import Ledger
from source_mixpanel.api.outcome import error_for
from source_mixpanel.api.quota import Quota, http_date, retry_after
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.api.session import MixpanelSession
from source_mixpanel.api.spool import Spool, spool_body
from source_mixpanel.api.unreachable import error_of
from source_mixpanel.clock import Clock, ServerTime
from source_mixpanel.errors import (
    ConfigError,
    CutError,
    DataError,
    SourceError,
    TooLargeError,
    TransientError,
)

T = TypeVar("T")

_TOO_MANY = 429
_NETWORK_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)


@dataclass(frozen=True)
class Timeouts:
    """Seconds of silence on the wire until a connection counts as dead.

    A large export may take minutes to its first byte [clients in use wait 300 to 3600 s].
    """

    connect: float = 20.0
    read: float = 600.0


@dataclass(frozen=True)
class Patience:
    """How long to wait for an answer, and how often to ask again."""

    backoff: Backoff = field(default_factory=Backoff)
    timeouts: Timeouts = field(default_factory=Timeouts)


@dataclass(frozen=True)
class Access:
    """Where to ask, as whom, and about which project.

    Attributes:
        urls: Base URL of each API, without a trailing slash.
        auth: Signs every request.
        project_id: None with a project secret, which names its project itself.
        workspace_id: A data view.
    """

    urls: Mapping[Api, str]
    auth: MixpanelAuth
    project_id: int | None
    workspace_id: int | None = None


@dataclass(frozen=True)
class _Again:
    """An attempt failed in a way that a further one may not.

    Attributes:
        error: What to raise if no attempt is left.
        cause: What was raised beneath it.
        retry_after_s: Seconds that Mixpanel asked to wait.
        is_wait: The quota said no; that is waiting, not failing.
    """

    error: SourceError
    cause: BaseException | None = None
    retry_after_s: float | None = None
    is_wait: bool = False


class MixpanelClient:
    """Asks Mixpanel's APIs for one project. Thread safe.

    Args:
        access: Where, as whom, about what.
        ledgers: The quota of each API.
        clock: Measures pauses between attempts.
        time: Learns Mixpanel's own time from its answers.
        log: Where a sentence about each further attempt goes.
        patience: How often and how long to try.
    """

    def __init__(
        self,
        access: Access,
        *,
        ledgers: Mapping[Api, Ledger],
        clock: Clock,
        time: ServerTime,
        log: Callable[[str], None],
        patience: Patience,
    ) -> None:
        self.access = access
        self._ledgers = ledgers
        self._clock = clock
        self._time = time
        self._log = log
        self._patience = patience
        self._session = MixpanelSession()

    def quota(self, api: Api) -> Quota:
        """What limits requests to an API."""
        return self._ledgers[api].quota

    def quotas(self) -> list[Ledger]:
        """The book of each quota, once each."""
        return list(dict.fromkeys(self._ledgers.values()))

    def json(self, request: ApiRequest) -> Any:
        """The parsed body of a good answer.

        Raises:
            SourceError: One of its kinds, after the attempts that may have helped.
        """
        return self._carry_out(request, lambda response: parsed(request, response))

    def spool(
        self, request: ApiRequest, *, tries: int | None = None, most: int | None = None
    ) -> Spool:
        """A body of JSON Lines, on disk and proven whole.

        Args:
            request: What to ask.
            tries: Attempts in all, if not as many as usual.
            most: Bytes on disk that it may take.

        Raises:
            TooLargeError: It takes more.
            StrainError: It was cut, or broke, in every attempt.
            SourceError: As for `json`.
        """

        def read(response: requests.Response) -> Spool:
            what = f"The {request.answer}"
            chunks, gzipped = raw_chunks(response), is_gzipped(response)
            return spool_body(chunks, gzipped=gzipped, what=what, most=most)

        return self._carry_out(request, read, tries)

    def document(self, request: ApiRequest) -> Document:
        """A body that is one JSON object, on disk, for answers too large to hold.

        Raises:
            StrainError: It was cut, or broke, in every attempt.
            SourceError: As for `json`.
        """

        def read(response: requests.Response) -> Document:
            chunks, gzipped = raw_chunks(response), is_gzipped(response)
            return document_body(chunks, gzipped=gzipped, request=request)

        return self._carry_out(request, read)

    def _carry_out(
        self,
        request: ApiRequest,
        read: Callable[[requests.Response], T],
        tries: int | None = None,
    ) -> T:
        """Attempts, with the pauses between them, until one gives an answer or none is left."""
        failures = refusals = 0
        tries = tries or self._patience.backoff.tries
        while True:
            outcome = self._attempt(request, read, refusals)
            if not isinstance(outcome, _Again):
                return outcome
            if outcome.is_wait:
                refusals += 1
                continue
            failures += 1
            if failures >= tries:
                raise outcome.error from outcome.cause
            luck = random.random()  # noqa: S311 - spreads retries, guards nothing
            pause = self._patience.backoff.pause(failures, luck, outcome.retry_after_s)
            attempt = f"attempt {failures + 1} of {tries}"
            self._log(f"{outcome.error} Trying again in {pause:.0f} s ({attempt}).")
            self._clock.wait(pause)

    def _attempt(
        self, request: ApiRequest, read: Callable[[requests.Response], T], refusals: int
    ) -> T | _Again:
        """One exchange, within the quota from the first byte to the last."""
        ledger = self._ledgers[request.api]
        with ledger.slot(request.stream, counted=request.counted) as receipt:
            try:
                with self._send(request) as response:
                    self._learn_time(response)
                    action, text = judge(response)
                    waits = action is Action.WAIT
                    status = _TOO_MANY if waits else response.status_code
                    ledger.settle(receipt, status, response.headers)
                    if waits:
                        ledger.refused(response.headers, refusals, text=text)
                    if action is not None:
                        return self._failed(request, response, action, text)
                    return read(response)
            except TooLargeError:
                raise
            except _NETWORK_ERRORS as error:
                return self._broken(request, error)
            except (CutError, DataError, TransientError) as error:
                return _Again(error)

    def _failed(
        self, request: ApiRequest, response: requests.Response, action: Action, text: str
    ) -> _Again:
        """Another attempt, if the table sees sense in one.

        Raises:
            SourceError: It does not.
        """
        error = error_for(action, request, self.access.auth, status=response.status_code, text=text)
        if action is Action.WAIT:
            return _Again(error, is_wait=True)
        if action is Action.RETRY:
            asked = retry_after(response.headers, self._clock.now())
            return _Again(error, retry_after_s=asked)
        raise error

    def _broken(self, request: ApiRequest, error: Exception) -> _Again:
        """Another attempt after an exchange without an answer, if one can help.

        Raises:
            ConfigError: None can.
        """
        host = urlsplit(self.access.urls[request.api]).hostname or "Mixpanel"
        found = error_of(request, host, error)
        if isinstance(found, ConfigError):
            raise found from error
        return _Again(found, cause=error)

    def _send(self, request: ApiRequest) -> requests.Response:
        timeouts = self._patience.timeouts
        return self._session.request(
            request.method,
            self.access.urls[request.api] + request.path,
            params=self._params(request),
            data=request.form,
            auth=self.access.auth,
            timeout=(timeouts.connect, timeouts.read),
            headers={"Accept-Encoding": "gzip", "User-Agent": "source-mixpanel"},
            stream=True,
        )

    def _params(self, request: ApiRequest) -> dict[str, str]:
        """The app API carries the project in its path; the others as a parameter."""
        params = dict(request.params)
        if request.api in (Api.APP, Api.LEXICON):
            return params
        if self.access.project_id is not None:
            params["project_id"] = str(self.access.project_id)
        if self.access.workspace_id is not None and request.api is not Api.INGESTION:
            params["workspace_id"] = str(self.access.workspace_id)
        return params

    def _learn_time(self, response: requests.Response) -> None:
        served = http_date(response.headers.get("Date", ""))
        if served is not None:
            self._time.observe(served)
