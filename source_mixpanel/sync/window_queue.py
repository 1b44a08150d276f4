"""Which window of `export` is asked for next, and what each answer teaches. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from source_mixpanel.errors import DataError, SourceError, StrainError, TooLargeError
from source_mixpanel.sync.coverage import Only, Span
from source_mixpanel.sync.window import Pace, Strain, Window, last_window

ALL, LATE = "all", "late"
"""The kinds of requests that a server manages unlike: all events of some days, or late ones."""

_KINDS = {Only.ALL: ALL, Only.AGAIN: ALL, Only.PROCESSED_SINCE: LATE}
_OTHER = {ALL: LATE, LATE: ALL}

_TRIES_IN_TROUBLE = 2
_IN_A_ROW = 3
"""Windows that fail one after the other: the days before them are left for this time."""
_MOST_LACKING = 10
_FEW = 6
_AT_LEAST = 2
"""Requests of a sync after which, and windows besides after which, days whose turn comes about once
a day are left to the next one, where the server manages few in one request."""


@dataclass(frozen=True)
class Lack:
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


class WindowQueue:
    """The windows of one sync, chosen one by one; it is told what became of each.

    Windows of days are as long as the pace has it. One that fails is asked for in smaller ones; if
    the smallest fails, its day is set aside, the days beside it are read, and it is asked for
    once more at the end.

    Args:
        most_days: In one window, as the user wants it.
        target_bytes: Compressed bytes that one should not exceed by much.
        strains: What the server did not manage in earlier syncs.
        now_ms: When the sync began, UTC.

    Attributes:
        strains: What the server did not manage, by kind of request.
        lacking: What could not be had, when it was asked for once more.
        left_days: Days that were left to the next sync.
    """

    def __init__(
        self, *, most_days: int, target_bytes: int, strains: Mapping[str, Strain], now_ms: int
    ) -> None:
        self.strains = dict(strains)
        self.lacking: list[Lack] = []
        self.left_days = 0
        self._most_days = most_days
        self._earlier = dict(strains)
        self._now_ms = now_ms
        self._paces = {only: Pace(most_days, most_days, target_bytes) for only in Only}
        self._paces[Only.ALL] = Pace(1, most_days, target_bytes)
        self._spans: deque[Span] = deque()
        self._later: deque[Span] = deque()
        self._todo: deque[Window] = deque()
        self._aside: list[Lack] = []
        self._is_later = False
        self._is_last_try = False
        self._is_in_vain = False
        self._sent = 0
        self._had = 0
        self._had_later = 0
        self._failed_in_a_row = 0
        self._in_trouble = False

    def begin(self, spans: Iterable[Span], later: Iterable[Span] = ()) -> None:
        """Read these spans in their order, and after that others, if they are not too much.

        Nothing is read any more where nothing could be had.
        """
        if self._is_in_vain:
            return
        self._is_later = self._is_last_try = False
        self._spans.extend(spans)
        self._later.extend(later)

    def insert(self, span: Span) -> None:
        """Read this span next."""
        self._todo.appendleft(Window(span))

    def end_at(self, day: date) -> None:
        """Read no later day than this one: there is none."""
        kept = [window for window in self._todo if window.span.first <= day]
        self._todo = deque(
            replace(window, span=replace(window.span, last=min(window.span.last, day)))
            for window in kept
        )
        self._spans, self._later = (
            deque(replace(s, last=min(s.last, day)) for s in spans if s.first <= day)
            for spans in (self._spans, self._later)
        )

    def next(self) -> Window | None:
        """The window to ask for now; None if there is none left."""
        while self._todo or self._takes_up_another():
            window = self._bite(self._todo.popleft())
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

    def sent(self) -> None:
        """A request has been sent."""
        self._sent += 1

    def had(self, window: Window, stored: int, seconds: float) -> None:
        """A window has come, whole, in so many bytes and seconds."""
        self._failed_in_a_row, self._in_trouble = 0, False
        self._had += 1
        self._had_later += self._is_later
        only = window.span.only
        if window.is_of_a_day:
            self._paces[only] = self._paces[only].after_part(window, stored)
            return
        self._paces[only] = self._paces[only].after(window.days, stored, seconds)
        strain = self._strain(only)
        if strain is not None:
            learned = strain.managed(window.days, self._now_ms)
            if _KINDS[only] in self.strains or learned.at_ms != strain.at_ms:
                self.strains[_KINDS[only]] = learned

    def failed(self, window: Window, error: SourceError, *, refused: bool = False) -> bool:
        """Go on after a window that cannot be had: with less of it, or beside it.

        Returns:
            Whether it will be asked for in parts; if not, it is set aside.

        Raises:
            SourceError: The error; nothing was had, and others would be refused as well.
        """
        if refused and not self._had:
            raise error
        parts = window.split()
        if parts is None or not self._may_be_less(window, error, refused=refused):
            self._set_aside(window, error, refused=refused)
            return False
        if isinstance(error, TooLargeError):
            only = window.span.only
            self._paces[only] = self._paces[only].after_too_large(window)
        elif not refused:
            self._in_trouble = True
            if isinstance(error, StrainError):
                self._learn_strain(window)
        self._divide(window, parts)
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

    def _takes_up_another(self) -> bool:
        """Go on with the next span, and in the end once more with what could not be had."""
        if not self._spans and self._later:
            self._is_later = True
            self._spans.append(self._later.popleft())
        if not self._spans and self._aside:
            self._is_last_try, self._is_later, self._failed_in_a_row = True, False, 0
            self._spans.extend(lack.span for lack in self._aside)
            self._aside.clear()
        if not self._spans:
            return False
        span = self._spans.popleft()
        if span.only is not Only.ALL:
            self._paces[span.only] = self._paces[span.only].afresh()
        self._todo.append(Window(span))
        return True

    def _bite(self, rest: Window) -> Window | None:
        """The window that comes first of what is left of a span; None if it has to be divided."""
        if self._is_enough(rest):
            left_spans = [rest.span, *(window.span for window in self._todo), *self._later]
            self.left_days += sum(span.days for span in left_spans)
            self._todo.clear()
            self._later.clear()
            return None
        window, only = rest, rest.span.only
        if not rest.is_of_a_day:
            days = min(self._paces[only].days, self._bound(only))
            window, left = last_window(rest.span, days)
            if left is not None:
                self._todo.appendleft(Window(left))
        parts = window.split()
        if parts is None or self._paces[only].allows(window):
            return window
        self._divide(window, parts)
        return None

    def _is_enough(self, rest: Window) -> bool:
        """Whether what is left of the later spans has to wait."""
        only = rest.span.only
        if not self._is_later or only is Only.ALL or rest.is_of_a_day:
            return False
        is_narrow = self._strain(only) is not None
        return is_narrow and self._sent >= _FEW and self._had_later >= _AT_LEAST

    def _strain(self, only: Only) -> Strain | None:
        """What the server did not manage of such requests, else of others."""
        kind = _KINDS[only]
        return self.strains.get(kind) or self.strains.get(_OTHER[kind])

    def _bound(self, only: Only) -> int:
        """The most days to ask for, by what other syncs and requests have taught."""
        strain = self._strain(only)
        if strain is None or self._paces[only].strained_days is not None:
            return self._most_days
        return strain.bound(self._now_ms)

    # -- what cannot be had ----------------------------------------------------------------

    def _divide(self, window: Window, parts: tuple[Window, Window]) -> None:
        """Put the parts of a day in its place, in their order; of days, all that it was."""
        if window.days > 1:
            pace = self._paces[window.span.only]
            self._paces[window.span.only] = replace(pace, days=min(pace.days, window.days // 2))
            self._todo.appendleft(window)
        else:
            self._todo.extendleft(reversed(parts))

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
        while self._todo and self._todo[0].span == span:
            self._todo.popleft()
        self._failed_in_a_row += 1
        if refused or self._failed_in_a_row >= _IN_A_ROW:
            while self._todo and span.joins(self._todo[0].span):
                span = replace(span, first=self._todo.popleft().span.first)
        aside = self.lacking if self._is_last_try else self._aside
        aside.append(Lack(span, window, error))
        self._is_in_vain = not self._had and self._failed_in_a_row >= _IN_A_ROW
        if self._is_in_vain or len(self._aside) + len(self.lacking) >= _MOST_LACKING:
            self.lacking += self._aside
            for left in (self._aside, self._todo, self._spans, self._later):
                left.clear()
