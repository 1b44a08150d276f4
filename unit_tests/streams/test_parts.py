"""Streams that consist of parts: which are read, tried again, given up, and how that is told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.api.disk import DiskBudget
from source_mixpanel.api.endpoints import Listing
from source_mixpanel.api.request import Api
from source_mixpanel.columns.privacy import Privacy
from source_mixpanel.errors import (
    ConfigError,
    CutError,
    DataError,
    ForbiddenError,
    PlanError,
    QuotaError,
    RefusedError,
    SourceError,
    TransientError,
    UnreachableError,
)
from source_mixpanel.streams.base import Checkpoint, Item, Lines, MixpanelStream, StreamContext
from source_mixpanel.streams.parts import (
    Each,
    Part,
    PartRun,
    ends_refresh,
    missing_parts_error,
)

_quick = settings(max_examples=50)

LIST = Listing(Api.QUERY, "/api/query/funnels/list")


def refused(text: str = "no such funnel", status: int = 400) -> RefusedError:
    return RefusedError(f"Mixpanel said: {text}.", status=status, text=text)


def numbered(count: int) -> list[Part]:
    return [Part(str(number), f"funnel {number} 'F{number}'") for number in range(1, count + 1)]


class FakeLists:
    """A list that can change between two looks."""

    def __init__(self, items: list[Mapping[str, Any]], now: set[str] | SourceError) -> None:
        self._items = items
        self._now = now
        self.looks = 0

    def keyed(self, listing: Listing, stream: str, key: str) -> list[Mapping[str, Any]]:
        assert (listing, stream) == (LIST, "funnels")
        return [item for item in self._items if key in item]

    def keys_now(self, listing: Listing, stream: str, key: str) -> set[str]:
        assert (listing, stream, key) == (LIST, "funnels", "funnel_id")
        self.looks += 1
        if isinstance(self._now, SourceError):
            raise self._now
        return self._now


EACH = Each(
    LIST,
    "funnel_id",
    unit="funnels",
    noun="funnel",
    params=lambda funnel: {"funnel_id": str(funnel["funnel_id"])},
    columns=lambda funnel: {"funnel_id": funnel["funnel_id"]},
)


class World:
    """A stream whose parts fail as they are told to.

    Args:
        parts: Of the stream.
        faults: By part, the errors of its first attempts, in order.
        there: The keys that are listed by now; without, there is no list.
        late: Whether a fault comes after the first row instead of before it.
        workers: Parts begun at a time.
    """

    def __init__(
        self,
        parts: list[Part],
        faults: Mapping[str, list[SourceError]] | None = None,
        *,
        there: set[str] | SourceError | None = None,
        late: bool = False,
        workers: int = 3,
    ) -> None:
        self.faults = {key: list(errors) for key, errors in (faults or {}).items()}
        self.late = late
        self.begun: list[str] = []
        self.dropped: list[str] = []
        self.lists = FakeLists([], there if there is not None else set())
        self._lock = threading.Lock()
        context = SimpleNamespace(lists=self.lists, disk=DiskBudget())
        stream = SimpleNamespace(
            name="funnels", logger=logging.getLogger("airbyte"), context=context
        )
        self.run: PartRun[str] = PartRun(
            cast("MixpanelStream", stream),
            parts,
            each=None if there is None else EACH,
            begin=self._begin,
            read=self._read,
            workers=workers,
            discard=self.dropped.append,
        )

    def _begin(self, part: Part) -> str:
        with self._lock:
            self.begun.append(part.key)
            if not self.late:
                self._fail(part)
        return part.key

    def _fail(self, part: Part) -> None:
        errors = self.faults.get(part.key)
        if errors:
            raise errors.pop(0)

    def _read(self, part: Part, begun: str) -> Iterator[Item]:
        assert begun == part.key
        yield [{"part": part.key, "row": 1}]
        self._fail(part)
        yield [{"part": part.key, "row": 2}]
        yield Checkpoint({"done": part.key})

    def rows(self) -> list[tuple[str, int]]:
        """Part and number of each row, in their order."""
        return [
            (row["part"], row["row"])
            for item in self.run.items()
            if not isinstance(item, (Checkpoint, Lines))
            for row in item
        ]

    def whole(self) -> list[str]:
        """The parts of which every row came, in their order."""
        return [part for part, number in self.rows() if number == 2]


# -- what is read ----------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 3, 50])
def test_parts_are_read_in_their_order(workers: int) -> None:
    world = World(numbered(7), workers=workers)
    assert world.whole() == [str(number) for number in range(1, 8)]
    assert (world.run.done, world.run.total, world.run.over) == (7, 7, True)
    assert world.run.error() is None
    assert sorted(world.begun) == sorted(map(str, range(1, 8)))


def test_no_parts_are_no_error() -> None:
    world = World([])
    assert world.rows() == []
    assert world.run.over
    assert world.run.error() is None


def test_one_part_alone_is_begun_until_it_is_known_that_they_can_be_had() -> None:
    world = World(numbered(9), workers=4)
    items = world.run.items()
    next(items)
    assert world.begun == ["1"]
    while world.run.done == 0:
        next(items)
    assert set(world.begun) == {"1", "2", "3", "4", "5"}
    cast("Any", items).close()


def test_what_was_begun_and_is_not_read_is_dropped() -> None:
    world = World(numbered(9), {"2": [ConfigError("No.")]}, workers=4)
    with pytest.raises(ConfigError, match="No"):
        world.rows()
    for thread in threading.enumerate():
        if thread.name == "task":
            thread.join(5)
    assert sorted([*world.dropped, "1", "2"]) == sorted(world.begun)


@pytest.mark.parametrize("late", ["before", "after"])
@pytest.mark.parametrize(
    "error",
    [
        refused(),
        DataError("Odd."),
        ForbiddenError("Closed."),
        TransientError("Down."),
        CutError("?"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_part_that_fails_once_is_had_at_the_end(late: str, error: SourceError) -> None:
    world = World(numbered(4), {"2": [error]}, late=late == "after")
    assert world.whole() == ["1", "3", "4", "2"]
    assert world.run.error() is None
    assert world.run.done == 4


@pytest.mark.parametrize("late", ["before", "after"])
def test_a_part_that_fails_twice_is_named_and_the_others_are_had(
    late: str, caplog: pytest.LogCaptureFixture
) -> None:
    faults: dict[str, list[SourceError]] = {"2": [refused(), refused()]}
    world = World(numbered(4), faults, late=late == "after")
    assert world.whole() == ["1", "3", "4"]
    error = world.run.error()
    assert isinstance(error, ConfigError)
    assert str(error) == (
        "Stream 'funnels' lacks 1 of 4 parts. funnel 2 'F2': Mixpanel said: no such funnel. "
        "If this stays so, correct or delete what is refused in Mixpanel."
    )
    assert "goes on without funnel 2 'F2': Mixpanel said: no such funnel." in caplog.text
    assert (world.run.done, world.run.over) == (3, True)


def test_of_a_whole_run_what_is_lacking_is_told_after_the_others() -> None:
    world = World(numbered(3), {"2": [refused(), refused()]})
    had: list[Item] = []
    with pytest.raises(ConfigError, match="lacks 1 of 3 parts"):
        had.extend(world.run.whole())
    assert [item.state for item in had if isinstance(item, Checkpoint)] == [
        {"done": "1"},
        {"done": "3"},
    ]
    assert world.run.over


def test_the_last_reason_of_a_part_counts() -> None:
    world = World(numbered(3), {"2": [refused(), TransientError("Down.")]})
    world.rows()
    error = world.run.error()
    assert isinstance(error, TransientError)
    assert "funnel 2 'F2': Down." in str(error)


# -- what is everybody's ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        ConfigError("No."),
        PlanError("Pay."),
        UnreachableError("Nobody there."),
        QuotaError("Used up.", until=5.0),
        SourceError("Disk."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_no_parts_own_ends_the_stream_at_once(error: SourceError) -> None:
    world = World(numbered(5), {"2": [error]}, workers=1)
    with pytest.raises(type(error)) as caught:
        world.rows()
    assert caught.value is error
    assert not world.run.over
    assert "4" not in world.begun


def test_the_only_part_tells_its_own_error() -> None:
    error = refused()
    with pytest.raises(RefusedError) as caught:
        World(numbered(1), {"1": [error]}).rows()
    assert caught.value is error


def test_the_only_one_of_a_list_may_be_deleted_too() -> None:
    world = World(numbered(1), {"1": [refused()]}, there=set())
    assert world.rows() == []
    assert world.run.error() is None
    assert world.lists.looks == 1


@pytest.mark.parametrize(
    ("error", "enough", "kind"),
    [
        (refused(), 10, ConfigError),
        (TransientError("Down."), 10, TransientError),
        (DataError("Odd."), 10, DataError),
        (ForbiddenError("Closed."), 5, ConfigError),
    ],
    ids=["refused", "transient", "data", "forbidden"],
)
def test_so_many_failures_in_a_row_are_everybodys(
    error: SourceError, enough: int, kind: type[SourceError]
) -> None:
    many = {str(number): [error] for number in range(1, 31)}
    world = World(numbered(30), many)
    with pytest.raises(kind, match=f"lacks {enough} of 30 parts"):
        world.rows()
    assert len(world.begun) == enough
    assert world.run.over


def test_failures_of_several_kinds_are_a_roles_only_if_all_are() -> None:
    many: dict[str, list[SourceError]] = {str(n): [ForbiddenError("Closed.")] for n in range(1, 7)}
    many["3"] = [DataError("Odd.")]
    world = World(numbered(9), many)
    assert len(world.whole()) == 9
    assert world.run.error() is None


@pytest.mark.parametrize("count", [2, 4, 5])
def test_of_few_parts_all_are_tried_and_tried_again(count: int) -> None:
    faults: dict[str, list[SourceError]] = {
        str(n): [ForbiddenError("Closed.")] * 2 for n in range(1, count + 1)
    }
    world = World(numbered(count), faults)
    assert world.rows() == []
    assert world.run.over
    assert f"lacks {count} of {count} parts" in str(world.run.error())
    assert len(world.begun) == 2 * count


def test_after_one_that_was_had_no_number_of_failures_ends_it() -> None:
    faults = {str(n): [refused()] * 2 for n in range(2, 31)}
    world = World(numbered(30), cast("dict[str, list[SourceError]]", faults))
    assert world.whole() == ["1"]
    assert "lacks 29 of 30 parts" in str(world.run.error())


# -- what is gone ----------------------------------------------------------------------------


def test_a_part_that_was_deleted_meanwhile_lacks_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = World(numbered(3), {"2": [refused()]}, there={"1", "3"})
    assert world.whole() == ["1", "3"]
    assert world.run.error() is None
    assert world.begun.count("2") == 1
    assert "funnel 2 'F2' was deleted in Mixpanel meanwhile" in caplog.text
    assert world.run.unit == "funnels"


@pytest.mark.parametrize(
    "error", [TransientError("Down."), ForbiddenError("Closed."), DataError("Odd.")]
)
def test_only_a_refusal_can_mean_that_a_part_is_gone(error: SourceError) -> None:
    world = World(numbered(3), {"2": [error, error]}, there={"1", "3"})
    world.rows()
    assert "lacks 1 of 3 funnels" in str(world.run.error())
    assert world.lists.looks == 0


def test_a_list_that_does_not_answer_proves_nothing() -> None:
    world = World(numbered(3), {"2": [refused()] * 2}, there=TransientError("Down."))
    world.rows()
    assert "lacks 1 of 3 funnels" in str(world.run.error())


def test_mixpanels_own_words_for_a_group_key_that_is_gone_are_enough() -> None:
    world = World(numbered(3), {"2": [refused("Missing Datagroup 7")]})
    assert world.whole() == ["1", "3"]
    assert world.run.error() is None


# -- the error -------------------------------------------------------------------------------


def test_parts_of_one_reason_are_named_together() -> None:
    one, two, three = numbered(3)
    same = {one: refused("a"), two: refused("b"), three: refused("a")}
    error = missing_parts_error("funnels", "funnels", 7, cast("dict[Part, SourceError]", same))
    assert "lacks 3 of 7 funnels." in str(error)
    assert "funnel 1 'F1', funnel 3 'F3': Mixpanel said: a." in str(error)
    assert "funnel 2 'F2': Mixpanel said: b." in str(error)


def test_only_so_many_names_are_told() -> None:
    down = TransientError("Down.")
    failed: dict[Part, SourceError] = dict.fromkeys(numbered(103), down)
    error = str(missing_parts_error("funnels", "funnels", 200, failed))
    assert "funnel 100 'F100' and 3 more, which the log names: Down." in error
    assert "'F101'" not in error


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        ([TransientError("a")], TransientError),
        ([refused()], ConfigError),
        ([ForbiddenError("a")], ConfigError),
        ([DataError("a")], DataError),
        ([CutError("a")], TransientError),
        ([TransientError("a"), refused()], ConfigError),
        ([refused(), DataError("a")], DataError),
        ([TransientError("a"), ForbiddenError("a"), DataError("b")], DataError),
    ],
)
def test_the_error_is_of_the_class_that_a_later_sync_helps_least(
    errors: list[SourceError], kind: type[SourceError]
) -> None:
    failed = dict(zip(numbered(len(errors)), errors, strict=True))
    assert type(missing_parts_error("funnels", "funnels", 9, failed)) is kind
    assert missing_parts_error("funnels", "funnels", 9, {}) is None


@pytest.mark.parametrize(
    ("error", "over", "ends"),
    [
        (refused(), False, True),
        (ForbiddenError("a"), False, True),
        (DataError("a"), False, True),
        (TransientError("a"), False, False),
        (TransientError("a"), True, True),
        (ConfigError("a"), False, False),
    ],
)
def test_a_refresh_ends_when_all_was_tried_or_waiting_does_not_help(
    error: SourceError,
    over: bool,  # noqa: FBT001 - one of the cases' values
    ends: bool,  # noqa: FBT001
) -> None:
    run = World([]).run
    run.over = over
    assert ends_refresh(error, run) == ends


# -- parts of a list -------------------------------------------------------------------------


def test_a_part_is_made_of_each_item_that_is_wanted() -> None:
    items: list[Mapping[str, Any]] = [
        {"funnel_id": 7, "name": "A"},
        {"funnel_id": "x"},
        {"other": 1},
    ]
    context = cast(
        "StreamContext", SimpleNamespace(lists=FakeLists(items, {"7"}), privacy=Privacy())
    )
    one, two = EACH.parts(context, "funnels")
    assert (one.key, one.label, one.params) == ("7", "funnel 7 'A'", {"funnel_id": "7"})
    assert (two.key, two.label, two.columns) == ("x", "funnel x None", {"funnel_id": "x"})
    assert EACH.listed(context, "funnels") == {"7"}
    none = Each(LIST, "funnel_id", "funnels", "funnel", EACH.params, EACH.columns, lambda _: False)
    assert none.parts(context, "funnels") == []


# -- any faults ------------------------------------------------------------------------------

ERRORS: list[Callable[[], SourceError]] = [
    refused,
    lambda: DataError("Odd."),
    lambda: TransientError("Down."),
]


@given(
    st.lists(st.lists(st.sampled_from(ERRORS), max_size=3), min_size=2, max_size=9),
    st.integers(1, 4),
    st.sampled_from(["before", "after"]),
)
@_quick
def test_each_part_is_had_once_or_lacking_whatever_fails(
    plan: list[list[Callable[[], SourceError]]], workers: int, late: str
) -> None:
    faults = {str(n): [make() for make in made] for n, made in enumerate(plan, 1)}
    world = World(numbered(len(plan)), faults, late=late == "after", workers=workers)
    whole = world.whole()
    expected = [str(n) for n, made in enumerate(plan, 1) if not made]
    expected += [str(n) for n, made in enumerate(plan, 1) if len(made) == 1]
    assert whole == expected
    assert world.run.done == len(expected)
    lacking = len(plan) - len(expected)
    error = world.run.error()
    assert (error is None) == (lacking == 0)
    if error is not None:
        assert f"lacks {lacking} of {len(plan)} parts" in str(error)
