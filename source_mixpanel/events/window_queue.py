"""Which windows of `export` are asked for, and what each answer teaches. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

from source_mixpanel.errors import DataError, SourceError, StrainError, TooLargeError
from source_mixpanel.events.window import GROWTH, Pace, Strain, Window, last_window
from source_mixpanel.streams.coverage import Only, Span

ALL, LATE = "all", "late"
"""The kinds of requests that a server manages unlike: all events of some days, or late ones."""

_KINDS = {Only.ALL: ALL, Only.AGAIN: ALL, Only.PROCESSED_SINCE: LATE}
_OTHER = {ALL: LATE, LATE: ALL}

_AHEAD_DAYS = 60
"""The most days of a window that is asked for before the ones in front of it have come."""
_UNSEEN_DAYS = 366
"""Days that are asked for in windows longer than any that has come."""
_TRUSTED = 1000
"""Windows that may be asked for in front of others; after a failure none, and one more with each
that comes."""
_FAR_TOO_MANY = 2
"""How many times the days that fit one request make it worth asking anew."""
_TRIES_IN_TROUBLE = 2
_IN_A_ROW = 3
"""Windows that fail one after the other: the days before them are left for this time."""
_MOST_MISSING = 10
_FEW = 6
_AT_LEAST = 2
"""Requests of a sync after which, and windows besides after which, days whose turn comes about once
a day are left to the next one, where the server manages few in one request."""


@dataclass(frozen=True)
class Missing:
    """Days that could not be had.

    Attributes:
        part: The smallest window that was asked for.
    """

    span: Span
    part: Window
    error: SourceError

    def __str__(self) -> str:
        days = str(Window(self.span))
        return f"{days} (in {self.part})" if self.part.is_of_a_day else days


@dataclass(eq=False)
class _Entry:
    """A window in the queue; one that is not asked for yet is bitten off when its turn comes."""

    window: Window
    is_later: bool = False
    is_asked: bool = False


class WindowQueue:
    """The windows of one sync, chosen one by one; it is told what became of each.

    `next` may choose several before anything is known of the first; `had` and `failed` tell of them
    in the same order. Windows of days are as long as the pace has it, or would have it if those
    that are under way are light. One that fails is asked for in smaller ones; if the smallest
    fails, its day is set aside, the days beside it are read, and it is asked for once more at the
    end. After a failure there is one at a time, and one more with each that comes.

    Args:
        most_days: In one window, as the user wants it.
        target_bytes: Compressed bytes that one should not exceed by much.
        strains: What the server did not manage in earlier syncs.
        now_ms: When the sync began, UTC.

    Attributes:
        strains: What the server did not manage, by kind of request.
        missing: What could not be had, when it was asked for once more.
        left_days: Days that were left to the next sync.
    """

    def __init__(
        self, *, most_days: int, target_bytes: int, strains: Mapping[str, Strain], now_ms: int
    ) -> None:
        self.strains = dict(strains)
        self.missing: list[Missing] = []
        self.left_days = 0
        self._most_days = most_days
        self._earlier = dict(strains)
        self._now_ms = now_ms
        self._paces = {only: Pace(most_days, most_days, target_bytes) for only in Only}
        self._paces[Only.ALL] = Pace(1, most_days, target_bytes)
        self._spans: deque[Span] = deque()
        self._later: deque[Span] = deque()
        self._entries: deque[_Entry] = deque()
        self._aside: list[Missing] = []
        self._is_last_try = False
        self._is_in_vain = False
        self._sent = 0
        self._had = 0
        self._asked_later = 0
        self._failed_in_a_row = 0
        self._in_trouble = False
        self._is_refused = False
        self._trusted = _TRUSTED

    def begin(self, spans: Iterable[Span], later: Iterable[Span] = ()) -> None:
        """Read these spans in their order, and after that others, if they are not too much.

        Nothing is read any more where nothing could be had.
        """
        if self._is_in_vain:
            return
        self._is_last_try = False
        self._spans.extend(spans)
        self._later.extend(later)

    def insert(self, span: Span) -> None:
        """Read this span before all that is not asked for yet."""
        entries = self._entries
        place = next((n for n, e in enumerate(entries) if not e.is_asked), len(entries))
        # The parts of a day stay together.
        while place < len(entries) and entries[place].window.since_s is not None:
            place += 1
        entries.insert(place, _Entry(Window(span)))

    def end_at(self, day: date) -> None:
        """Read no later day than this one: there is none. What goes beyond is asked for anew."""
        kept = [entry for entry in self._entries if entry.window.span.first <= day]
        for entry in kept:
            span = entry.window.span
            if span.last > day:
                entry.window = replace(entry.window, span=replace(span, last=day))
                entry.is_asked = False
        self._entries = deque(kept)
        self._spans, self._later = (
            deque(replace(s, last=min(s.last, day)) for s in spans if s.first <= day)
            for spans in (self._spans, self._later)
        )

    @property
    def asked(self) -> list[Window]:
        """The windows that are asked for, in the order in which they are to come."""
        return [entry.window for entry in self._entries if entry.is_asked]

    @property
    def waits_in_front(self) -> bool:
        """Whether what is to come next is not asked for."""
        return bool(self._entries) and not self._entries[0].is_asked

    def next(self) -> Window | None:
        """The next window to ask for; None if there is none, or others have to come first."""
        while (place := self._place()) is not None:
            window = self._bite(place)
            if window is not None:
                return window
        return None

    def tries(self, window: Window) -> int | None:
        """How often to ask for a window; None for as often as usual.

        Where less may do, little is gained by asking for the same again.
        """
        if self._in_trouble:
            return _TRIES_IN_TROUBLE
        only = window.span.only
        strain = self._strain(only)
        if strain is not None and window.days > strain.days:
            return 1
        return _TRIES_IN_TROUBLE if window.days > max(1, self._paces[only].managed_days) else None

    def sent(self, requests: int = 1) -> None:
        """So many requests have been sent."""
        self._sent += requests

    def downloaded(
        self, window: Window, stored: int, seconds: float, until_first_s: float = 0.0
    ) -> None:
        """The first of the windows asked for has come, whole, in so many bytes and seconds."""
        self._entries.popleft()
        self._failed_in_a_row, self._in_trouble = 0, False
        self._trusted += 1
        self._had += 1
        only = window.span.only
        if window.is_of_a_day:
            self._paces[only] = self._paces[only].after_part(window, stored)
            return
        pace = self._paces[only] = self._paces[only].after(
            window.days, stored, seconds, until_first_s
        )
        if pace.fitting is not None:
            self._recall(only, _FAR_TOO_MANY * max(1, pace.fitting))
        strain = self._strain(only)
        if strain is not None:
            learned = strain.managed(window.days, self._now_ms)
            if _KINDS[only] in self.strains or learned.at_ms != strain.at_ms:
                self.strains[_KINDS[only]] = learned

    def failed(self, window: Window, error: SourceError, *, refused: bool = False) -> bool:
        """Go on after the first of the windows asked for, which cannot be had.

        Returns:
            Whether it will be asked for in parts; if not, it is set aside.

        Raises:
            SourceError: The error; nothing was had, and others would be refused as well.
        """
        if refused and not self._had:
            raise error
        failed = self._entries.popleft()
        self._trusted = 0
        self._is_refused = self._is_refused or refused
        if refused:
            self._recall(window.span.only, 0)
        parts = window.split()
        if parts is None or not self._may_be_less(window, error, refused=refused):
            self._set_aside(window, error, refused=refused)
            return False
        only = window.span.only
        if isinstance(error, TooLargeError):
            self._paces[only] = self._paces[only].after_too_large(window)
        elif not refused:
            self._in_trouble = True
            if isinstance(error, StrainError):
                self._learn_strain(window)
        if isinstance(error, StrainError):
            self._recall(only, window.days - 1)
        self._divide(0, failed, parts)
        return True

    def _may_be_less(self, window: Window, error: SourceError, *, refused: bool) -> bool:
        """Whether less of a window may be had.

        A refusal may be of the days beyond what the plan's history reaches. What nothing has come
        after is no matter of one window.
        """
        if refused:
            return window.days > 1
        if isinstance(error, TooLargeError):
            return True
        return isinstance(error, (StrainError, DataError)) and not self._failed_in_a_row

    # -- choosing --------------------------------------------------------------------------

    def _place(self) -> int | None:
        """Where in the queue the next window is to be bitten off."""
        if all(entry.is_asked for entry in self._entries) and not self._takes_up_another():
            return None
        place = next(n for n, entry in enumerate(self._entries) if not entry.is_asked)
        is_careful = self._is_refused or self._is_last_try
        if place > (0 if is_careful else self._trusted) or not self._days(place):
            return None
        return place

    def _takes_up_another(self) -> bool:
        """Go on with the next span, and in the end once more with what could not be had."""
        is_later = not self._spans and bool(self._later)
        if is_later:
            self._spans.append(self._later.popleft())
        if not self._spans and not self._entries and self._aside:
            self._is_last_try, self._failed_in_a_row = True, 0
            self._spans.extend(missing.span for missing in self._aside)
            self._aside.clear()
        if not self._spans:
            return False
        span = self._spans.popleft()
        if span.only is not Only.ALL:
            self._paces[span.only] = self._paces[span.only].afresh()
        self._entries.append(_Entry(Window(span), is_later))
        return True

    def _bite(self, place: int) -> Window | None:
        """The window that comes first of what is left of a span; None if it has to be divided."""
        entry = self._entries[place]
        if self._is_enough(entry):
            left = [each for each in self._entries if not each.is_asked]
            self.left_days += sum(each.window.days for each in left)
            self.left_days += sum(span.days for span in self._later)
            self._entries = deque(each for each in self._entries if each.is_asked)
            self._later.clear()
            return None
        only = entry.window.span.only
        if not entry.window.is_of_a_day:
            days = self._days(place)
            entry.window, left_span = last_window(entry.window.span, days)
            if left_span is not None:
                self._entries.insert(place + 1, _Entry(Window(left_span), entry.is_later))
        window, parts = entry.window, entry.window.split()
        if parts is not None and not self._paces[only].allows(window):
            del self._entries[place]
            self._divide(place, entry, parts)
            return None
        entry.is_asked = True
        self._asked_later += entry.is_later
        return window

    def _days(self, place: int) -> int:
        """How many days to ask for: as many as would follow if those in front are light.

        Not too many at once of which it is not known whether Mixpanel manages them; 0 for none
        before others have come.
        """
        *front, here = (entry.window for entry in islice(self._entries, place + 1))
        only = here.span.only
        pace, front = self._paces[only], [w for w in front if w.span.only is only]
        days, longest = pace.days, max((w.days for w in front), default=0)
        if pace.strained_days is None and pace.longest_s is None:
            ahead = min(GROWTH * longest, _AHEAD_DAYS)
            days = max(days, ahead if pace.fitting is None else min(ahead, pace.fitting))
        strain, bound = self._strain(only), self._bound(only)
        if strain is not None and longest > strain.days:
            # One at a time finds out whether more are managed by now.
            bound = min(bound, strain.days)
        days = min(days, bound, here.days)
        unseen = sum(w.days for w in front if w.days > pace.managed_days)
        if only is not Only.ALL or not unseen or unseen + days <= self._most_unseen(pace):
            return days
        return min(days, pace.managed_days) if 2 * pace.managed_days >= days else 0

    @staticmethod
    def _most_unseen(pace: Pace) -> int:
        """Days under way that are more at once than was managed."""
        return max(_UNSEEN_DAYS, 12 * pace.managed_days) if pace.strained_days is None else 0

    def _is_enough(self, entry: _Entry) -> bool:
        """Whether what is left of the later spans has to wait."""
        only = entry.window.span.only
        if not entry.is_later or only is Only.ALL or entry.window.is_of_a_day:
            return False
        is_narrow = self._strain(only) is not None
        sent = self._sent + len(self.asked)
        return is_narrow and sent >= _FEW and self._asked_later >= _AT_LEAST

    def _strain(self, only: Only) -> Strain | None:
        """What the server did not manage of such requests, else of others."""
        kind = _KINDS[only]
        return self.strains.get(kind) or self.strains.get(_OTHER[kind])

    def _bound(self, only: Only) -> int:
        """The most days to ask for, by what other syncs and requests have taught."""
        strain = self._strain(only)
        if strain is None or self._paces[only].strained_days is not None:
            return self._most_days
        return min(self._most_days, strain.bound(self._now_ms))

    # -- what cannot be had ----------------------------------------------------------------

    def _recall(self, only: Only, days: int) -> None:
        """Ask anew, by what is known now, for windows of more than so many days."""
        kept: deque[_Entry] = deque()
        for entry in self._entries:
            span = entry.window.span
            if span.only is only and span.days > days and not entry.window.is_of_a_day:
                self._asked_later -= entry.is_asked and entry.is_later
                entry.is_asked = False
            before = kept[-1] if kept else entry
            both_wait = not entry.is_asked and not before.is_asked
            are_days = not before.window.is_of_a_day and not entry.window.is_of_a_day
            if both_wait and are_days and before.window.span.joins(span):
                before.window = Window(replace(before.window.span, first=span.first))
            else:
                kept.append(entry)
        self._entries = kept

    def _divide(self, place: int, entry: _Entry, parts: tuple[Window, Window]) -> None:
        """Put the parts of a day in its place, in their order; of days, all that it was."""
        window = entry.window
        if window.days > 1:
            pace = self._paces[window.span.only]
            self._paces[window.span.only] = replace(pace, days=min(pace.days, window.days // 2))
        for part in (window,) if window.days > 1 else reversed(parts):
            self._entries.insert(place, _Entry(part, entry.is_later))

    def _learn_strain(self, window: Window) -> None:
        only, kind = window.span.only, _KINDS[window.span.only]
        known, pace = self._strain(only), self._paces[only]
        if known is not None and pace.strained_days is None and window.days > known.days:
            # It has not recovered: what it managed then is asked for on.
            self.strains[kind] = known.again(known.days, self._now_ms)
            return
        pace = self._paces[only] = pace.after_split(window.days)
        if pace.bound is None:
            # Not even a day is managed: that is no matter of days.
            self.strains.pop(kind, None)
            if kind in self._earlier:
                self.strains[kind] = self._earlier[kind]
            return
        strain = known or Strain(pace.bound, self._now_ms)
        self.strains[kind] = strain.again(pace.bound, self._now_ms)

    def _set_aside(self, window: Window, error: SourceError, *, refused: bool) -> None:
        """Go on beside the days of a window; before them, where those would fail as well."""
        span = window.span
        while self._entries and self._entries[0].window.span == span:
            self._entries.popleft()
        self._failed_in_a_row += 1
        if refused or self._failed_in_a_row >= _IN_A_ROW:
            while self._entries and self._goes_on(span, self._entries[0]):
                span = replace(span, first=self._entries.popleft().window.span.first)
        aside = self.missing if self._is_last_try else self._aside
        aside.append(Missing(span, window, error))
        self._is_in_vain = not self._had and self._failed_in_a_row >= _IN_A_ROW
        if self._is_in_vain or len(self._aside) + len(self.missing) >= _MOST_MISSING:
            self.missing += self._aside
            for left in (self._aside, self._entries, self._spans, self._later):
                left.clear()

    @staticmethod
    def _goes_on(span: Span, entry: _Entry) -> bool:
        """Whether an entry is of the days before, which have not been asked for."""
        return not entry.is_asked and span.joins(entry.window.span)
