"""Eligibility expressions let in exactly the rows that they say, and refuse what they can't read."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.eligibility import Compares, Eligibility, Is, Known, Not, Owns, Test, Together
from model.eligibility_text import parse_eligibility
from model.errors import ModelError
from model.panel import build_panel, build_rows, data_hash
from model.product import Product, rank_products
from model.signals import resolve_signals
from model.target import Target

NUMBERS, TEXTS, PRODUCTS = ("arr", "seats", "days_since_expansion"), ("segment", "plan_tier"), ("UP", "ADD")
WORDS = ("Enterprise", "SMB", "Mid-Market", "ünïcode", "don't")
number = st.sampled_from([-1.5, 0.0, 0.8, 1.0, 60.0, 1e6])
text = st.sampled_from(WORDS)


def read(expression: str, *names: str) -> Eligibility:
    return parse_eligibility(expression, what="[target] eligible", names=names)


def leaf() -> st.SearchStrategy[Test]:
    """A single test of a number, a text or what is owned."""
    return st.one_of(
        st.builds(
            lambda n, v: Is(name=n, values=tuple(v)),
            st.sampled_from(NUMBERS),
            st.lists(number, min_size=1, max_size=3),
        ),
        st.builds(
            lambda n, v: Is(name=n, values=tuple(v)),
            st.sampled_from(TEXTS),
            st.lists(text, min_size=1, max_size=3),
        ),
        st.builds(
            lambda n, s, b: Compares(name=n, sign=s, bound=b),
            st.sampled_from(NUMBERS),
            st.sampled_from(["<", "<=", ">", ">="]),
            number,
        ),
        st.builds(lambda n: Known(name=n), st.sampled_from((*NUMBERS, *TEXTS))),
        st.builds(lambda p: Owns(product=p), st.sampled_from(PRODUCTS)),
    )


def deeper(inner: st.SearchStrategy[Test]) -> st.SearchStrategy[Test]:
    """Tests put together; a double negation is written as none."""
    return st.one_of(
        inner.map(lambda test: test.test if isinstance(test, Not) else Not(test=test)),
        st.builds(
            lambda word, tests: Together(word=word, tests=tuple(tests)),
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=2, max_size=3),
        ),
    )


tests = st.recursive(leaf(), deeper, max_leaves=8)
row = st.fixed_dictionaries(
    {name: st.one_of(st.none(), number) for name in NUMBERS}
    | {name: st.one_of(st.none(), text, text.map(str.upper)) for name in TEXTS}
    | {"owned": st.lists(st.sampled_from(PRODUCTS), unique=True)}
)


def table_of(rows: list[dict[str, Any]]) -> pa.Table:
    columns: dict[str, Any] = {
        name: pa.array([np.nan if r[name] is None else r[name] for r in rows], pa.float64())
        for name in NUMBERS
    }
    columns |= {name: pa.array([r[name] for r in rows], pa.string()) for name in TEXTS}
    return pa.table(columns | {"owned": pa.array([r["owned"] for r in rows], pa.list_(pa.string()))})


def lets_in(test: Test, row: dict[str, Any]) -> bool:
    """The same by the words of the documentation, a row at a time."""
    match test:
        case Not(test=inner):
            return not lets_in(inner, row)
        case Together(word=word, tests=parts):
            return (all if word == "and" else any)([lets_in(part, row) for part in parts])
        case Owns(product=product):
            return product in row["owned"]
        case Known(name=name):
            return row[name] is not None
    value = row[test.name]
    if value is None and test.name.startswith("days_since_"):
        value = float("inf")
    if value is None:
        return False
    if isinstance(test, Is):
        return any(
            value.casefold() == v.casefold() if isinstance(v, str) else value == v for v in test.values
        )
    return bool(
        {"<": value < test.bound, "<=": value <= test.bound, ">": value > test.bound}.get(
            test.sign, value >= test.bound
        )
    )


@settings(max_examples=200, deadline=None)
@given(test=tests, rows=st.lists(row, min_size=1, max_size=8))
def test_an_expression_lets_in_what_its_words_say(test: Test, rows: list[dict[str, Any]]) -> None:
    """On any rows, written and read again."""
    written = read(str(Eligibility(test=test)), *NUMBERS, *TEXTS)
    assert written.holds(table_of(rows)).tolist() == [lets_in(test, each) for each in rows]


@settings(max_examples=200, deadline=None)
@given(test=tests)
def test_what_is_written_reads_as_the_same(test: Test) -> None:
    """Tidied text is stable: it stands in manifests and is compared there."""
    once = str(read(str(Eligibility(test=test))))
    assert str(read(once)) == once


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from(" ()'\"=<>!%,.-+eE019aZüand notinisr\n\0"), max_size=40))
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    """Nothing else than a ModelError comes out of the reader."""
    told = ""
    try:
        told = str(read(text))
    except ModelError as error:
        told = error.message
    assert told


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("segmen = 'SMB'", "Did you mean segment?"),
        ("segment = ", "character 11"),
        ("segment > 'SMB'", "a number"),
        ("arr in (1, 'two')", "same kind"),
        ("(arr > 1", "where [)] is wanted"),
        ("arr > 1 arr < 2", "and, or, or the end"),
        ("arr = 1e999", "number"),
        ("(" * 60 + "arr > 1" + ")" * 60, "at most 50"),
        ("owns UP", "in quotes"),
    ],
)
def test_a_slip_is_told_with_what_is_wanted(wrong: str, told: str) -> None:
    """The message names the place, or the name that was meant."""
    with pytest.raises(ModelError, match=told):
        read(wrong, *NUMBERS, *TEXTS)


def test_a_number_is_not_compared_with_text(as_of: date) -> None:
    """'arr = "big"' is refused, and so is a text column against a number."""
    rows = table_of(
        [
            {
                "arr": 1.0,
                "seats": 1.0,
                "days_since_expansion": None,
                "segment": "SMB",
                "plan_tier": None,
                "owned": [],
            }
        ]
    )
    for wrong in ("arr = 'big'", "segment = 3", "segment > 3"):
        with pytest.raises(ModelError, match=r"is text|is a number"):
            read(wrong).holds(rows)


def test_only_eligible_rows_are_learnt_from_and_scored(
    tiny: Any, as_of: date, catalogue: tuple[Product, ...]
) -> None:
    """By what was known on each row's day; the others' features do not change."""
    plain = {"as_of": as_of, "products": catalogue}
    everyone = build_panel(tiny.tables(), target=Target(), months=6, **plain).table
    target = Target(eligible="seat_utilisation >= 60 %")
    panel = build_panel(tiny.tables(), target=target, months=6, **plain)
    some = panel.table
    expected = everyone.filter(pa.array(everyone["seat_utilisation"].to_numpy() >= 0.6))
    assert 0 < expected.num_rows < everyone.num_rows
    assert data_hash(some) == data_hash(expected.combine_chunks())
    assert set(some["account_id"].to_pylist()) < set(everyone["account_id"].to_pylist())
    assert panel.expansions < build_panel(tiny.tables(), target=Target(), months=6, **plain).expansions
    scored = build_rows(tiny.tables(), target=target, **plain).table
    assert scored["account_id"].to_pylist() == [
        account
        for account, day in zip(some["account_id"].to_pylist(), some["as_of"].to_pylist(), strict=True)
        if day == as_of
    ]


@pytest.mark.parametrize(
    ("eligible", "told"),
    [("segmet = 'SMB'", "segment"), ("arr < 0", "lets in none of"), ("sea", "character 4")],
)
def test_an_expression_that_can_not_be_meant_stops_before_anything_is_learnt(
    eligible: str, told: str, tiny: Any, as_of: date, catalogue: tuple[Product, ...]
) -> None:
    """An unknown name, nobody let in, or no sentence at all."""
    with pytest.raises(ModelError, match=told):
        build_rows(tiny.tables(), as_of=as_of, target=Target(eligible=eligible), products=catalogue)


def test_a_product_is_offered_only_to_whom_its_expression_lets_in() -> None:
    """Beside the rule that nobody is offered what they own."""
    seat = Product(id="SEAT", name="Seats", type="seat", eligible="segment != 'SMB'")
    rest = Product(id="ADD", name="Support", type="addon")
    rows = table_of(
        [
            {
                "arr": 1.0,
                "seats": 1.0,
                "days_since_expansion": None,
                "segment": segment,
                "plan_tier": None,
                "owned": [],
            }
            for segment in ("SMB", "Enterprise")
        ]
    )
    first, second = rank_products(rows, (seat, rest), {"SEAT": 0.9, "ADD": 0.1}, resolve_signals(None), {})
    assert first == ["ADD", "SEAT"]
    assert second == [None, "ADD"]


def test_targets_that_mean_the_same_have_one_fingerprint() -> None:
    """However types are written and blanks are set; another meaning has another."""
    one = Target(opportunity_types=("Upsell", "Add-on"), eligible="segment != 'SMB'  and arr>5")
    same = Target(opportunity_types=("add-on", "upsell "), eligible="(segment <> 'SMB') and (arr > 5.0)")
    assert one.fingerprint == same.fingerprint
    others = [Target(), Target(eligible="arr > 5"), Target(pipelines=("x",)), Target(count_seat_changes=True)]
    assert len({target.fingerprint for target in (one, *others)}) == 5


def test_the_sentence_says_everything_that_is_stated() -> None:
    """Types, pipeline, stage, amount, billing and who is let in."""
    stated = Target(
        opportunity_types=("Upsell", "Add-on"),
        pipelines=("Growth",),
        stages=("Signed",),
        min_amount=1000,
        eligible="segment != 'Enterprise'",
        count_seat_changes=True,
    ).sentence("EUR")
    for part in (
        "90 days",
        "Upsell or Add-on",
        "Growth",
        "Signed",
        "1,000 EUR",
        "ARR rises",
        "seats",
        "segment != 'Enterprise'",
    ):
        assert part in stated
    assert stated.endswith(".")
