"""The HTTP client: carries requests out within the quotas, and tries again where it may help."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from copy import copy
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
import urllib3

from source_mixpanel.api.answer_errors import error_for
from source_mixpanel.api.answers import Answer, Receipt
from source_mixpanel.api.arrival import Arrival
from source_mixpanel.api.auth import MixpanelAuth
from source_mixpanel.api.bodies import RateLimitedError, framed, is_gzipped, judge, parsed
from source_mixpanel.api.disk import DiskBudget, DroppedError, Share
from source_mixpanel.api.document import Document, document_body
from source_mixpanel.api.failures import Action
from source_mixpanel.api.ledger import Ledger
from source_mixpanel.api.network_errors import error_of
from source_mixpanel.api.patience import Failure, Fault, Patience, Trial
from source_mixpanel.api.quota import Quota, http_date, retry_after
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.api.session import MixpanelSession
from source_mixpanel.api.spool import Spool, spool_body
from source_mixpanel.errors import (
    ConfigError,
    CutError,
    DataError,
    QuotaError,
    SourceError,
    StrainError,
    TooLargeError,
    TransientError,
    UnreachableError,
)
from source_mixpanel.texts.masking import is_data_shown
from source_mixpanel.times.clock import Clock, ServerTime

T = TypeVar("T")
Reader = Callable[[requests.Response, Iterator[bytes]], T]
"""Makes something of an answer, given its body in pieces."""

_NETWORK_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
_FAULTS = {Action.WAIT: Fault.REFUSED, Action.OUTLAST: Fault.PASSING}
_AGAIN = frozenset({Action.WAIT, Action.OUTLAST, Action.STRAIN, Action.RETRY})


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


class MixpanelClient:
    """Asks Mixpanel's APIs for one project. Thread safe.

    Args:
        access: Where, as whom, about what.
        ledgers: The quota of each API.
        clock: Measures pauses between attempts.
        time: Learns Mixpanel's own time from its answers.
        log: Where a sentence about each further attempt, and each long answer, goes.
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
        self.patience = patience
        self._arrival = Arrival(clock, log, patience.timeouts)
        self._session = MixpanelSession(access.urls.values())

    def hurried(self) -> MixpanelClient:
        """The same, of the same quotas, for what nobody is to wait for."""
        other = copy(self)
        other.patience = self.patience.hurried()
        return other

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
        return self._carry_out(request, lambda response, body: parsed(request, response, body))

    def spool(
        self,
        request: ApiRequest,
        *,
        share: Share | None = None,
        tries: int | None = None,
        sent: Callable[[], None] = lambda: None,
    ) -> Spool:
        """A body of JSON Lines, on disk and proven whole.

        Args:
            request: What to ask.
            share: What it may take of the disk; None for a small one.
            tries: Attempts in all, if not as many as usual.
            sent: Called each time when it is sent, after all waiting for quota; it may raise
                `DroppedError`.

        Raises:
            TooLargeError: It takes more.
            StrainError: It was cut, or broke, in every attempt.
            SourceError: As for `json`.
        """
        part = share or DiskBudget().share()
        # What is emitted next needs a place, or there is never any room.
        part.meanwhile = self._ledgers[request.api].place_given_up

        def read(response: requests.Response, body: Iterator[bytes]) -> Spool:
            what = f"The {request.answer}"
            whole, gzipped = framed(response, body), is_gzipped(response)
            return spool_body(whole, gzipped=gzipped, what=what, share=part)

        return self._carry_out(request, read, tries, sent)

    def document(self, request: ApiRequest, share: Share) -> Document:
        """A body that is one JSON object, on disk, for answers too large to hold.

        Raises:
            StrainError: It was cut, or broke, in every attempt.
            SourceError: As for `json`.
        """

        def read(response: requests.Response, body: Iterator[bytes]) -> Document:
            whole, gzipped = framed(response, body), is_gzipped(response)
            return document_body(whole, gzipped=gzipped, request=request, share=share)

        return self._carry_out(request, read)

    def digest(self, request: ApiRequest, make: Callable[[Document], T]) -> T:
        """What `make` gets out of a body that is one JSON object or list, too large to hold.

        It is called again where what it raises may pass: `CutError` and `DataError`.

        Raises:
            SourceError: As for `json`.
        """

        def read(response: requests.Response, body: Iterator[bytes]) -> T:
            whole, gzipped = framed(response, body), is_gzipped(response)
            share = DiskBudget().share()
            made = document_body(whole, gzipped=gzipped, request=request, share=share, listed=True)
            with closing(made) as document:
                return make(document)

        return self._carry_out(request, read)

    def _carry_out(
        self,
        request: ApiRequest,
        read: Reader[T],
        tries: int | None = None,
        sent: Callable[[], None] = lambda: None,
    ) -> T:
        """Attempts, with the pauses between them, until one gives an answer or none is left."""
        trial, ledger = Trial(self.patience, tries), self._ledgers[request.api]
        while True:
            try:
                outcome = self._attempt(request, read, trial, sent)
            except QuotaError as error:
                # What it would wait for is the end of an outage.
                raise (trial.passing.error if trial.passing else error) from error
            if not isinstance(outcome, Failure):
                return outcome
            luck = random.random()  # noqa: S311 - spreads retries, guards nothing
            given_up = ledger.is_given_up()
            pause = trial.after(outcome, self._clock.monotonic(), luck, given_up=given_up)
            if pause is None:
                raise outcome.error from outcome.cause
            if outcome.fault is not Fault.REFUSED:
                self._log(f"{outcome.error} Asking again in {pause:.0f} s.")

    def _attempt(
        self, request: ApiRequest, read: Reader[T], trial: Trial, sent: Callable[[], None]
    ) -> T | Failure:
        """One exchange, within the quota from the first byte to the last."""
        ledger = self._ledgers[request.api]
        with ledger.slot(request.stream, counted=request.counted, ask=trial.ask()) as receipt:
            trial.waited(receipt.waited_s)
            if trial.passing is not None and ledger.is_given_up(trial.failed_at):
                # Others have asked meanwhile, to the end of all patience.
                ledger.give_back(receipt)
                raise trial.passing.error from trial.passing.cause
            try:
                sent()
            except DroppedError:
                ledger.give_back(receipt)
                raise
            try:
                response = self._send(request)
            except _NETWORK_ERRORS as error:
                return self._unanswered(request, receipt, error)
            with response:
                return self._answered(request, receipt, response, read)

    def _answered(
        self, request: ApiRequest, receipt: Receipt, response: requests.Response, read: Reader[T]
    ) -> T | Failure:
        """What an answer holds, or why another attempt may get one that holds it."""
        ledger = self._ledgers[request.api]
        self._learn_time(response)
        try:
            action, text = judge(response)
            ledger.settle(receipt, Answer(response.status_code, response.headers, action, text))
            if action is not None:
                return self._failed(request, response, action, text)
            return read(response, self._arrival.pieces(response, request))
        except TooLargeError:
            raise
        except RateLimitedError as error:
            ledger.settle(receipt, Answer(response.status_code, {}, Action.WAIT, str(error)))
            return Failure(Fault.REFUSED, error)
        except (CutError, DataError, TransientError) as error:
            return Failure(Fault.OTHER, error)
        except _NETWORK_ERRORS as error:
            cause = error if is_data_shown() else None
            return Failure(Fault.OTHER, self._error_of(request, error, answered=True), cause)

    def _failed(
        self, request: ApiRequest, response: requests.Response, action: Action, text: str
    ) -> Failure:
        """Another attempt, if the table sees sense in one.

        Raises:
            SourceError: It does not.
        """
        error = error_for(action, request, self.access.auth, status=response.status_code, text=text)
        if action not in _AGAIN:
            raise error
        asked = retry_after(response.headers, self._clock.now())
        return Failure(_FAULTS.get(action, Fault.OTHER), error, asked_s=asked)

    def _unanswered(self, request: ApiRequest, receipt: Receipt, error: Exception) -> Failure:
        """Another attempt after an exchange without an answer, if one can help.

        Raises:
            ConfigError: None can.
        """
        ledger = self._ledgers[request.api]
        found = self._error_of(request, error, answered=False)
        if isinstance(found, (ConfigError, UnreachableError)):
            ledger.give_back(receipt)
        if isinstance(found, ConfigError):
            raise found from error
        endless = isinstance(error, requests.TooManyRedirects)
        if endless or isinstance(found, StrainError) or not isinstance(found, TransientError):
            return Failure(Fault.OTHER, found, error)
        ledger.fault(receipt)
        return Failure(Fault.PASSING, found, error)

    def _error_of(self, request: ApiRequest, error: Exception, *, answered: bool) -> SourceError:
        return error_of(request, self.access.urls[request.api], error, answered=answered)

    def _send(self, request: ApiRequest) -> requests.Response:
        timeouts = self.patience.timeouts
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
