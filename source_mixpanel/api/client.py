"""The HTTP client: sends requests within the quotas, and retries where that may help."""

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
from source_mixpanel.api.bodies import RateLimitedError, check_framing, classify, is_gzipped, parsed
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
_RETRIED_ACTIONS = frozenset({Action.WAIT, Action.OUTLAST, Action.STRAIN, Action.RETRY})


@dataclass(frozen=True)
class Access:
    """The addresses, the credentials and the project.

    Attributes:
        urls: Base URL of each API, without a trailing slash.
        auth: The credentials of every request.
        project_id: None with a project secret, which belongs to one project.
        workspace_id: The data view to read; None for all data.
    """

    urls: Mapping[Api, str]
    auth: MixpanelAuth
    project_id: int | None
    workspace_id: int | None = None


class MixpanelClient:
    """Sends requests for one project to Mixpanel's APIs. Thread safe.

    Args:
        access: Addresses, credentials, project.
        ledgers: The quota of each API.
        clock: Measures pauses between attempts.
        time: Mixpanel's own time, updated from the `Date` of each answer.
        log: Gets a sentence for each retry and each long answer.
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
        """A client of the same quotas that retries and waits only briefly."""
        other = copy(self)
        other.patience = self.patience.hurried()
        return other

    def quota(self, api: Api) -> Quota:
        """The limits of an API."""
        return self._ledgers[api].quota

    def quotas(self) -> list[Ledger]:
        """The ledger of each quota, without duplicates."""
        return list(dict.fromkeys(self._ledgers.values()))

    def json(self, request: ApiRequest) -> Any:
        """The parsed body of a good answer.

        Raises:
            SourceError: No attempt succeeded; the class says why.
        """
        return self._execute(request, lambda response, body: parsed(request, response, body))

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
            request: The request.
            share: The disk space that it may use; None for a small body.
            tries: Attempts at most; None for the number in `patience`.
            sent: Called just before each attempt is sent, after all waits for quota. It may raise
                `DroppedError`.

        Raises:
            TooLargeError: The body is larger than its share.
            StrainError: It was cut, or broke, in every attempt.
            SourceError: As for `json`.
        """
        disk_share = share or DiskBudget().share()
        # The download that is emitted next needs a slot, or no disk space ever becomes free.
        disk_share.meanwhile = self._ledgers[request.api].slot_released

        def read(response: requests.Response, body: Iterator[bytes]) -> Spool:
            what = f"The {request.answer}"
            body_chunks, gzipped = check_framing(response, body), is_gzipped(response)
            return spool_body(body_chunks, gzipped=gzipped, what=what, share=disk_share)

        return self._execute(request, read, tries, sent)

    def document(self, request: ApiRequest, share: Share) -> Document:
        """A body that is one JSON object, on disk, for answers too large for memory.

        Raises:
            StrainError: It was cut, or broke, in every attempt.
            SourceError: As for `json`.
        """

        def read(response: requests.Response, body: Iterator[bytes]) -> Document:
            body_chunks, gzipped = check_framing(response, body), is_gzipped(response)
            return document_body(body_chunks, gzipped=gzipped, request=request, share=share)

        return self._execute(request, read)

    def digest(self, request: ApiRequest, make: Callable[[Document], T]) -> T:
        """The result of `make` for a body that is one JSON object or list, too large for memory.

        `CutError` and `DataError` raised by `make` are retried with a new request.

        Raises:
            SourceError: As for `json`.
        """

        def read(response: requests.Response, body: Iterator[bytes]) -> T:
            body_chunks, gzipped = check_framing(response, body), is_gzipped(response)
            share = DiskBudget().share()
            body_on_disk = document_body(
                body_chunks, gzipped=gzipped, request=request, share=share, listed=True
            )
            with closing(body_on_disk) as document:
                return make(document)

        return self._execute(request, read)

    def _execute(
        self,
        request: ApiRequest,
        read: Reader[T],
        tries: int | None = None,
        sent: Callable[[], None] = lambda: None,
    ) -> T:
        """Attempts, with pauses between them, until one succeeds or none is left."""
        trial, ledger = Trial(self.patience, tries), self._ledgers[request.api]
        while True:
            try:
                outcome = self._attempt(request, read, trial, sent)
            except QuotaError as error:
                # It would wait for the end of an outage: that is the error to report.
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
        """One request and its whole answer, within the quota."""
        ledger = self._ledgers[request.api]
        with ledger.slot(request.stream, counted=request.counted, ask=trial.ask()) as receipt:
            trial.waited(receipt.waited_s)
            if trial.passing is not None and ledger.is_given_up(trial.failed_at):
                # Other requests have tried for as long as anybody may wait.
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
                return self._failure_without_answer(request, receipt, error)
            with response:
                return self._outcome_of_answer(request, receipt, response, read)

    def _outcome_of_answer(
        self, request: ApiRequest, receipt: Receipt, response: requests.Response, read: Reader[T]
    ) -> T | Failure:
        """The result of an answer, or a failure that may be retried."""
        ledger = self._ledgers[request.api]
        self._learn_time(response)
        try:
            action, text = classify(response)
            ledger.settle(receipt, Answer(response.status_code, response.headers, action, text))
            if action is not None:
                return self._failure_of_status(request, response, action, text)
            return read(response, self._arrival.chunks(response, request))
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

    def _failure_of_status(
        self, request: ApiRequest, response: requests.Response, action: Action, text: str
    ) -> Failure:
        """The failure of an answer with an error status.

        Raises:
            SourceError: The table says that a retry cannot help.
        """
        error = error_for(action, request, self.access.auth, status=response.status_code, text=text)
        if action not in _RETRIED_ACTIONS:
            raise error
        asked = retry_after(response.headers, self._clock.now())
        return Failure(_FAULTS.get(action, Fault.OTHER), error, asked_s=asked)

    def _failure_without_answer(
        self, request: ApiRequest, receipt: Receipt, error: Exception
    ) -> Failure:
        """The failure of a request that got no answer.

        Raises:
            ConfigError: A retry cannot help.
        """
        ledger = self._ledgers[request.api]
        classified = self._error_of(request, error, answered=False)
        if isinstance(classified, (ConfigError, UnreachableError)):
            ledger.give_back(receipt)
        if isinstance(classified, ConfigError):
            raise classified from error
        is_redirect_loop = isinstance(error, requests.TooManyRedirects)
        if (
            is_redirect_loop
            or isinstance(classified, StrainError)
            or not isinstance(classified, TransientError)
        ):
            return Failure(Fault.OTHER, classified, error)
        ledger.fault(receipt)
        return Failure(Fault.PASSING, classified, error)

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
