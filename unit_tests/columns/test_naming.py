"""Which column a property goes to."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from source_mixpanel.columns.names import claims, is_reserved
from source_mixpanel.columns.naming import ColumnNames, Core, digest
from source_mixpanel.events.rows import EVENT_CORE

_quick = settings(max_examples=50)

# Few letters, so that names collide often.
letters = "$_ -aAbB1\u00df\u017fsS\u0130i\u00e9\u65e5\u672c"
names = st.text(alphabet=letters, max_size=4) | st.sampled_from(
    ["event", "Event", "$event", "$time", "TIME", "insert_id", "$distinct_id", "Distinct_Id", "",
     "_airbyte_raw_id", "_ab_cdc_deleted_at", "ctid", "event_key", "x" * 70, "x" * 71]
)  # fmt: skip
batches = st.lists(st.lists(names, max_size=6), max_size=6)


def columns(*raws: str, core: Core = EVENT_CORE, given: dict[str, str] | None = None) -> list[str]:
    """The columns of these properties."""
    made = ColumnNames(core, given)
    made.add(raws)
    return [made.columns[raw] for raw in raws]


def pyairbyte(column: str) -> str:
    """As PyAirbyte cleans it."""
    lower = re.sub(r"[^a-z0-9]", "_", column.lower())
    return f"_{lower}" if lower[:1].isdigit() else lower


def postgres(column: str) -> str:
    """As older destinations clean it: without accents, in 63 bytes."""
    plain = "".join(
        c for c in unicodedata.normalize("NFKD", column) if not unicodedata.combining(c)
    )
    return pyairbyte(plain)[:63]


@pytest.mark.parametrize(
    ("raw", "column"),
    [
        ("plan", "plan"),
        ("$city", "city"),
        ("$$twice", "$twice"),
        ("mp_lib", "mp_lib"),
        ("time", "time"),
        ("distinct_id", "distinct_id"),
        ("$insert_id", "insert_id"),
        ("insert_id", "_insert_id"),
        ("insertId", "_insertId"),
        ("event", "_event"),
        ("EVENT", "_EVENT"),
        ("$time", "_time"),
        ("$distinct_id", "_distinct_id"),
        ("event_key", "_event_key"),
        ("rescued_properties", "_rescued_properties"),
        ("_airbyte_raw_id", "__airbyte_raw_id"),
        ("-AIRBYTE-meta", "_-AIRBYTE-meta"),
        ("_ab_cdc_deleted_at", "__ab_cdc_deleted_at"),
        ("xmin", "_xmin"),
        ("_TABLE_x", "__TABLE_x"),
        ("größe", "größe"),
    ],
)
def test_a_lone_property_gets_its_name_without_a_dollar_unless_that_is_taken(
    raw: str, column: str
) -> None:
    assert columns(raw) == [column]


@pytest.mark.parametrize(
    "raw", ["", "$", "_", "---", "\u65e5\u672c", "$\u65e5\u672c", "\u0438\u043c\u044f"]
)
def test_a_name_of_which_a_destination_keeps_nothing_ends_with_digits_of_its_hash(raw: str) -> None:
    [column] = columns(raw)
    assert re.fullmatch(re.escape(raw.removeprefix("$")) + "_[0-9a-f]{8}", column)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("größe", "fdbb3a56280acfa9031707622c599ccb"),
        ("\ud800", "546d3dc8de10fbf8b448f678a47901e4"),
    ],
)
def test_the_digits_of_a_text_are_the_same_for_ever_and_half_a_character_has_some(
    text: str, expected: str
) -> None:
    assert digest(text) == expected


@pytest.mark.parametrize(
    ("raws", "expected"),
    [
        # Mixpanel's own first, then who is spelled like the column, then tidy names.
        (["city", "$city"], ["_city", "city"]),
        (["score", "$score"], ["score", "_score"]),
        (["Plan", "plan"], ["_Plan", "plan"]),
        (["Plan", "plan", "$plan"], ["_Plan", "plan", "__plan"]),
        (
            ["Plan Type", "plan-type", "plan_type", "planType"],
            ["_Plan Type", "__plan-type", "plan_type", "___planType"],
        ),
        (["plan", "_plan", "Plan"], ["plan", "_plan", "__Plan"]),
        (["1st", "_1st"], ["1st", "__1st"]),
        (["a\u00e9", "ae"], ["_a\u00e9", "ae"]),
    ],
)
def test_of_rivals_one_keeps_the_name_and_the_others_get_underscores(
    raws: list[str], expected: list[str]
) -> None:
    assert columns(*raws) == expected


@pytest.mark.parametrize(
    "raws",
    [
        ["\u00e9" * 100, "\u00e9" * 99 + "\u00e8"],
        ["\u00e9" * 70 + "abc", "\u00e9" * 70 + "abd"],
        ["x" * 63 + f"{n:02d}" for n in range(70)],
        [f"{'Aa'[n % 2]}{'-_ .'[n % 4]}{'?' * (n // 4)}" for n in range(70)],
    ],
)
def test_names_get_columns_however_long_and_alike_they_are(raws: list[str]) -> None:
    made = columns(*raws)
    for clean in (pyairbyte, postgres):
        assert len({clean(column) for column in made}) == len(raws)
        assert all(clean(column).strip("_") for column in made)


def test_a_column_is_free_even_when_twenty_and_that_with_a_hash_are_taken() -> None:
    taken = {f"rival {n}": f"{'_' * n}plan" for n in range(20)}
    [hashed] = columns("plan", given=taken)
    assert re.fullmatch(r"plan_[0-9a-f]{8}", hashed)
    assert columns("plan", given={**taken, "one more": hashed}) == [f"_{hashed}"]


@given(batches)
@_quick
def test_no_destination_takes_two_columns_for_one(seen: list[list[str]]) -> None:
    made = ColumnNames(EVENT_CORE)
    for raws in seen:
        made.add(raws)
    every = [*EVENT_CORE.others, *made.columns.values()]
    for clean in (pyairbyte, postgres, str.casefold, str.upper):
        assert len({clean(column) for column in every}) == len(every)
    assert all(pyairbyte(column).strip("_") for column in every)
    assert not any(postgres(column).startswith(("_airbyte_", "_ab_")) for column in every)


@given(st.lists(names, max_size=8), st.randoms())
@_quick
def test_columns_depend_on_the_names_alone(raws: list[str], chance: object) -> None:
    mixed = list(raws)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    one, other = ColumnNames(EVENT_CORE), ColumnNames(EVENT_CORE)
    one.add(raws)
    other.add(mixed)
    assert one.columns == other.columns


@given(batches)
@_quick
def test_a_name_once_given_never_changes(seen: list[list[str]]) -> None:
    made = ColumnNames(EVENT_CORE)
    first: dict[str, str] = {}
    for raws in seen:
        made.add(raws)
        for raw in raws:
            assert first.setdefault(raw, made.columns[raw]) == made.columns[raw]


def test_a_pinned_column_is_kept_and_its_rivals_step_aside() -> None:
    assert columns("Plan", "plan", given={"Plan": "plan"}) == ["plan", "_plan"]


def test_names_are_added_if_they_get_their_plain_names() -> None:
    made = ColumnNames(EVENT_CORE)
    made.add(["City"])
    made.add_if_free(["$city", "$region", "$event"])
    assert made.columns.keys() - EVENT_CORE.properties.keys() == {"City", "$region"}


def test_of_rivals_that_are_added_if_free_one_gets_the_name_whatever_their_order() -> None:
    for raws in (["$score", "score"], ["score", "$score"]):
        made = ColumnNames(EVENT_CORE)
        made.add_if_free(raws)
        assert made.columns.keys() - EVENT_CORE.properties.keys() == {"score"}


@pytest.mark.parametrize(
    "name", ["row_number", "_Airbyte_x", "$_airbyte_x".removeprefix("$"), "CTID"]
)
def test_reserved_names_are_known_in_any_spelling(name: str) -> None:
    assert is_reserved(name)
    assert not is_reserved(f"_{name}")


def test_claims_see_through_every_letter_case_there_is() -> None:
    different = [
        hex(code)
        for code in range(0x20000)
        if {*claims(f"a{chr(code)}")}.isdisjoint(claims(f"a{chr(code).upper()}"))
        or {*claims(f"a{chr(code)}")}.isdisjoint(claims(f"a{chr(code).lower()}"))
    ]
    assert different == []
