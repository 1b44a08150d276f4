"""Downloads that nobody wants any more."""

from __future__ import annotations

import threading

import pytest

from source_mixpanel.api.auth import service_account
from source_mixpanel.api.client import Access, MixpanelClient
from source_mixpanel.api.disk import DiskBudget, DroppedError
from source_mixpanel.api.ledger import Ledger
from source_mixpanel.api.patience import Patience
from source_mixpanel.api.quota import export_quota
from source_mixpanel.api.request import Api, ApiRequest
from source_mixpanel.times.clock import ServerTime, SystemClock

PATIENCE_S = 20.0


def test_one_that_was_not_sent_yet_costs_no_quota() -> None:
    clock = SystemClock()
    ledger = Ledger(export_quota(), clock, print)
    client = MixpanelClient(
        Access({Api.EXPORT: "http://127.0.0.1:9"}, service_account("a", "b"), 1),
        ledgers={Api.EXPORT: ledger},
        clock=clock,
        time=ServerTime(clock),
        log=print,
        patience=Patience(),
    )

    def sent() -> None:
        raise DroppedError

    with pytest.raises(DroppedError):
        client.spool(ApiRequest(Api.EXPORT, "/api/2.0/export", "export"), sent=sent)
    assert (ledger.used, ledger.left_this_hour()) == (0, 60)


def test_one_that_waits_for_disk_is_let_go() -> None:
    disk = DiskBudget(100)
    full, share = disk.share(), disk.share()
    full.take(50, "It")
    raised: list[BaseException] = []

    def take() -> None:
        try:
            share.take(1, "It")
        except DroppedError as error:
            raised.append(error)

    thread = threading.Thread(target=take)
    thread.start()
    thread.join(0.05)
    assert thread.is_alive()
    share.drop()
    thread.join(PATIENCE_S)
    assert len(raised) == 1
    assert disk.waiting == 50


def test_what_is_emitted_next_never_waits_for_disk() -> None:
    disk = DiskBudget(100)
    full, share = disk.share(), disk.share()
    full.take(50, "It")
    share.is_next()
    share.take(1_000, "It")
    assert disk.waiting == 50
    share.give_back()
    full.give_back()
    assert disk.waiting == 0
