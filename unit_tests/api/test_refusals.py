"""No sequence of answers, however hostile, makes the connector hammer at a door that is closed.

Made-up sequences of statuses, headers and texts are played against a ledger on a clock that jumps.
How many is in `SEQUENCES`; a million of them, which takes an hour:

    SEQUENCES=1000000 .venv/bin/python -m pytest -q unit_tests/api/test_refusals.py -k made_up
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.api.answers import Receipt
from source_mixpanel.api.ledger import Ledger
from source_mixpanel.api.quota import Quota, app_quota, export_quota, query_quota, refusal
from source_mixpanel.api.waits import Ask
from source_mixpanel.errors import QuotaError
from unit_tests.api.ledgers import WALL, HastyClock, answered, ledger_of

SEQUENCES = int(os.environ.get("SEQUENCES", "1000"))
STEPS = 24
STATUSES = (200, 200, 200, 401, 402, 403, 404, 429, 429, 429, 500, 502, 503, 503, 504)
WORDS = (
    *("", "0", "1", "-1", "5", "3600", "1e9", "999999999", "9" * 5_000, "soon", "\u00b2", "nan"),
    *(formatdate(WALL + seconds, usegmt=True) for seconds in (-1e9, -1, 0, 30, 1e9)),
    "Mon, 32 Foo 2026 00:00:00 GMT",
)
LIMITS = (
    '"project";r=0;t=3600, "project-concurrency";r=3',
    '"project";r=12, "project-concurrency";r=0;t=10',
    '"project";r=0',
    '"project";r=0;t=0',
    '"project";r=0;t=999999999',
    '"project";r=59;t=1',
    '"project";r=' + "9" * 5_000,
    '"project";r=-1;t=-1, ;;;"',
)
POLICIES = (
    '"project";q=240;w=3600, "project-concurrency";q=5;qu="concurrent-requests"',
    '"project";q=999999999;w=3600',
    '"project";q=0;w=0',
    '"project";q=' + "9" * 5_000 + ";w=3600",
)
TEXTS = (
    "",
    "<html>maintenance</html>",
    "Query rate limit exceeded for project_id: 1.",
    "Query rate limit exceeded. (61/60 queries running in the last hour).",
    "Query rate limit exceeded. (6/5 queries running concurrently).",
    "too many export requests in progress for this project",
    "(99999999999999/1 queries running in the last hour)",
)
QUOTAS: tuple[Callable[[], Quota], ...] = (query_quota, export_quota, app_quota)


@dataclass
class Play:
    """One sequence: requests that start as soon as they may, and what they are answered.

    Attributes:
        starts: When requests started, and whether they count in the hour.
        refusals: When refusals came to be known, and whether only what counts is meant.
    """

    ledger: Ledger
    clock: HastyClock
    chance: random.Random
    running: list[tuple[ExitStack, Receipt]] = field(default_factory=list)
    starts: list[tuple[float, bool]] = field(default_factory=list)
    refusals: list[tuple[float, bool]] = field(default_factory=list)

    def start(self) -> None:
        """The next request starts, after what has to end or go by before it may."""
        counted = self.chance.random() < 0.7
        while True:
            place = ExitStack()
            try:
                slot = self.ledger.slot("x", counted=counted, ask=Ask(within_s=-1))
                receipt = place.enter_context(slot)
            except QuotaError as error:
                if "nobody knows until when" in str(error):
                    self.answer()
                else:
                    self.clock.time = max(self.clock.time + 0.001, error.until - WALL)
            else:
                self.running.append((place, receipt))
                self.starts.append((receipt.started, counted))
                return

    def answer(self) -> None:
        """One of the running requests is answered."""
        place, receipt = self.running.pop(self.chance.randrange(len(self.running)))
        self.clock.time += self.chance.choice((0.0, 0.0, 0.01, 1.0, 20.0))
        headers = {
            name: self.chance.choice(values)
            for name, values in (
                ("Retry-After", WORDS),
                ("RateLimit", LIMITS),
                ("RateLimit-Policy", POLICIES),
            )
            if self.chance.random() < 0.4
        }
        answer = answered(self.chance.choice(STATUSES), headers, self.chance.choice(TEXTS))
        if answer.refuses:
            told = refusal(headers, answer.text, self.clock.now())
            self.refusals.append((self.clock.time, told.hourly and receipt.counted))
        self.ledger.settle(receipt, answer)
        place.close()

    def most_after_a_refusal(self, seconds: float) -> int:
        """Requests in so many seconds after a refusal, the refused one included."""
        return max(
            (
                1
                + sum(at < start <= at + seconds for start, counts in self.starts if counts or all_)
                for at, only_counted in self.refusals
                for all_ in (not only_counted,)
            ),
            default=0,
        )


def played(quota: Quota, chance: random.Random) -> Play:
    """A sequence, played to its end."""
    clock = HastyClock()
    ledger, _ = ledger_of(quota, clock)
    play = Play(ledger, clock, chance)
    for _ in range(STEPS):
        play.start()
        while play.running and chance.random() < 0.6:
            play.answer()
    while play.running:
        play.answer()
    return play


def check(play: Play) -> None:
    assert play.most_after_a_refusal(10) <= 5
    assert play.most_after_a_refusal(60) <= 12


@given(st.sampled_from(QUOTAS), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_five_requests_in_ten_seconds_after_a_refusal_and_twelve_in_a_minute_are_the_most(
    quota: Callable[[], Quota], chance: random.Random
) -> None:
    check(played(quota(), chance))


@pytest.mark.parametrize("quota", QUOTAS)
def test_made_up_sequences_by_the_thousand_never_make_more(quota: Callable[[], Quota]) -> None:
    refused = 0
    for seed in range(-(-SEQUENCES // len(QUOTAS))):
        play = played(quota(), random.Random(seed))  # noqa: S311 - made-up data
        check(play)
        refused += len(play.refusals)
    assert refused > SEQUENCES


@pytest.mark.parametrize(
    ("status", "word"),
    [(429, None), *((status, word) for status in (429, 503) for word in WORDS if word)],
)
def test_a_door_that_stays_closed_is_tried_ever_more_seldom(status: int, word: str | None) -> None:
    headers = {} if word is None else {"Retry-After": word}
    clock = HastyClock()
    ledger, _ = ledger_of(export_quota(), clock)
    starts = []
    for _ in range(12):
        with ledger.slot("export") as receipt:
            starts.append(receipt.started)
            ledger.settle(receipt, answered(status, headers))
    assert sum(start < 10 for start in starts) <= 5
    assert sum(start < 60 for start in starts) <= 6
    assert starts[-1] - starts[-2] >= 100
