"""Features that look written after the expansion are suspected, and chance is not."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.card import write_card
from model.days import day_number
from model.panel import Panel
from model.product import Product
from model.split import purged_split
from model.suspects import find_suspects, made_of
from model.target import Target
from model.train import train

ACCOUNTS, DATES, HORIZON = 200, 12, 90
TEXTS = ("segment", "plan_tier")
RNG = np.random.default_rng(7)
ACCOUNT = np.repeat(np.arange(ACCOUNTS), DATES)
DAY = np.tile(np.arange(DATES), ACCOUNTS)
LABEL = ((RNG.random(ACCOUNTS) < 0.6)[ACCOUNT] & (RNG.random(ACCOUNT.size) < 0.15)).astype(float)
EVER = np.isin(ACCOUNT, ACCOUNT[LABEL == 1])


def panel_with(columns: Mapping[str, np.ndarray], label: np.ndarray = LABEL) -> Panel:
    """200 accounts on 12 dates, of which somewhat more than half expand some day, with these features."""
    first = date(2025, 6, 2)
    table = pa.table(
        {
            "account_id": [f"A{number:03d}" for number in ACCOUNT],
            "as_of": pa.array([first + timedelta(days=28 * int(day)) for day in DAY], pa.date32()),
            "is_pipeline": np.zeros(ACCOUNT.size, bool),
            "label": label,
            **columns,
        }
    )
    return Panel(
        table=table,
        features=tuple(columns),
        categorical=tuple(name for name in columns if name in TEXTS),
        signals={},
        data_hash="",
        history_days=400,
        expansions=int(label.sum()),
    )


def suspected(columns: Mapping[str, np.ndarray], label: np.ndarray = LABEL) -> dict[str, str]:
    """The suspects among these features, with why."""
    panel = panel_with(columns, label)
    days = np.array([day_number(day) for day in panel.table["as_of"].to_pylist()], np.int64)
    found = find_suspects(panel, panel.table, purged_split(days, HORIZON))
    return {suspect.name: suspect.why for suspect in found}


def texts(*choices: tuple[np.ndarray, str]) -> np.ndarray:
    """A text where its condition holds, else nothing."""
    column = np.full(ACCOUNT.size, None, object)
    for where, text in choices:
        column[where] = text
    return column


def test_a_category_whose_levels_tell_the_outcome_is_suspected() -> None:
    """Stage notes with a history of their own: in each row, what came of it."""
    slip = np.random.default_rng(1).random(ACCOUNT.size) < 0.03
    won = (LABEL == 1) ^ slip
    assert "AUC" in suspected({"plan_tier": texts((won, "Signed"), (~won, "Talking"))})["plan_tier"]


def test_a_text_that_is_new_each_month_is_suspected_too() -> None:
    """No level of it was ever seen before; that there is none elsewhere is what tells."""
    notes = np.array([f"won in month {day}" for day in DAY], object)
    notes[LABEL == 0] = "talking"
    assert "AUC" in suspected({"plan_tier": notes})["plan_tier"]


@pytest.mark.parametrize("share", [1.0, 0.6])
def test_a_number_that_is_filled_only_where_an_expansion_followed_is_suspected(share: float) -> None:
    """Its values say nothing, and not every seller fills it in; that it is there gives it away."""
    rng = np.random.default_rng(2)
    filled = (LABEL == 1) & (rng.random(LABEL.size) < share)
    amounts = np.where(filled, rng.normal(size=LABEL.size), np.nan)
    assert "filled almost only" in suspected({"nps": amounts})["nps"]


@pytest.mark.parametrize("share", [1.0, 0.6])
def test_a_record_s_field_that_is_filled_once_an_expansion_is_won_is_suspected(share: float) -> None:
    """Each past row bears today's text, so most rows that have it are no expansion; by account it shows."""
    typed = EVER & (np.random.default_rng(3).random(ACCOUNTS) < share)[ACCOUNT]
    stage = texts((typed & (ACCOUNT % 2 == 0), "Upsold: Seats"), (typed & (ACCOUNT % 2 == 1), "Upsold: Tier"))
    amount = np.where(typed, 1000.0 + ACCOUNT, np.nan)
    assert np.mean(LABEL[typed]) < 0.5
    assert set(suspected({"segment": stage, "employees": amount})) == {"segment", "employees"}
    assert suspected({"plan_tier": stage, "nps": amount}) == {}  # these know each row's own day


def test_a_record_s_field_that_only_the_others_lack_is_suspected() -> None:
    """Filled for everybody who ever expanded and for half of the rest: without it nobody expands."""
    filled = EVER | (ACCOUNT % 2 == 0)
    assert "lack it" in suspected({"employees": np.where(filled, ACCOUNT * 7.0 % 100, np.nan)})["employees"]


def test_a_record_s_field_that_says_not_yet_is_suspected() -> None:
    """Filled for all: the others' text or amount tells as much as none would."""
    columns = {"segment": texts((EVER, "Upsold"), (~EVER, "Not yet")), "employees": EVER * (500.0 + ACCOUNT)}
    assert set(suspected(columns)) == {"segment", "employees"}


def test_an_expansion_before_the_first_row_counts_too() -> None:
    """A field is filled after any expansion, and deals from before the panel are in `expansions_past`."""
    early = ACCOUNT % 2 == 0
    typed = (EVER | early) & (ACCOUNT % 3 > 0)
    columns = {"segment": texts((typed, "Upsold")), "expansions_past": early.astype(float)}
    assert "segment" in suspected(columns)


def test_a_deal_that_was_under_way_counts_too() -> None:
    """Its rows are not trained on, but it fills the field like any other."""
    panel = panel_with({"segment": texts((EVER, "Upsold"))})
    (suspect,) = find_suspects(panel, panel.table.slice(0, 0), None)
    assert suspect.name == "segment"


def test_with_few_expansions_nothing_is_suspected() -> None:
    """Chance could do as well."""
    label = np.zeros(LABEL.size)
    label[np.flatnonzero(LABEL)[:15]] = 1
    assert suspected({"plan_tier": texts((label == 1, "x")), "employees": label}, label) == {}


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    levels=st.sampled_from([2, 5, 40, ACCOUNTS, ACCOUNT.size]),
    gaps=st.sampled_from([0.0, 0.1, 0.5, 0.9]),
    of_account=st.booleans(),
)
def test_noise_is_never_suspected(seed: int, levels: int, gaps: float, of_account: bool) -> None:
    """However many levels it has, up to one a row, and however many cells are empty."""
    rng = np.random.default_rng(seed)
    drawn = (
        rng.integers(0, levels, ACCOUNTS)[ACCOUNT] if of_account else rng.integers(0, levels, ACCOUNT.size)
    )
    empty = rng.random(ACCOUNTS)[ACCOUNT] < gaps if of_account else rng.random(ACCOUNT.size) < gaps
    words = np.where(empty, None, np.array([f"level {number}" for number in drawn], object))
    figures = np.where(empty, np.nan, drawn.astype(float))
    columns = {"segment": words, "plan_tier": words, "employees": figures, "nps": figures}
    assert suspected(columns) == {}


def test_what_is_worked_out_from_a_suspect_is_left_out_with_it(
    panel: Panel, catalogue: tuple[Product, ...]
) -> None:
    """Peers by a back-filled segment are those that expanded; the model's card says what is missing."""
    table = panel.table
    expanded = set(table.filter(pc.equal(table["label"], 1.0))["account_id"].to_pylist())
    texts = ["Upsold" if name in expanded else None for name in table["account_id"].to_pylist()]
    filled = table.set_column(table.column_names.index("segment"), "segment", pa.array(texts, pa.string()))
    leaky = dataclasses.replace(panel, table=filled)
    model = train(leaky, target=Target(), products=catalogue)
    assert model.facts["suspects"] == ["segment"]
    of_segment = {"peer_rate_segment", "peer_rate_alike", "peer_rate_segment_180", "peer_rate_alike_180"}
    of_segment |= {"peer_rate_alike_change", "peer_adoption_90", "peer_adoption_180"}
    of_segment |= {"peer_products_180", "peer_owned_share"}
    assert of_segment == set(made_of(["segment"]))
    assert not {"segment", *made_of(["segment"])} & {*model.features, *model.categorical}
    assert "peer_rate_industry" in model.features
    assert f"- segment: {model.facts['suspicions']['segment']}" in write_card(model)


def test_a_suspect_counts_nowhere_in_a_scorecard(panel: Panel, catalogue: tuple[Product, ...]) -> None:
    """Neither in its points nor in the base from which they are counted: the mean stays the base rate's."""
    table = panel.table
    label = np.nan_to_num(table["label"].to_numpy())
    leaky = table.set_column(table.column_names.index("nps"), "nps", pa.array(label * 9 + 1))
    young = dataclasses.replace(panel, table=leaky, expansions=5)
    model = train(young, target=Target(), products=catalogue)
    assert model.facts["suspects"] == ["nps"]
    known = ~np.isnan(table["label"].to_numpy()) & ~table["is_pipeline"].to_numpy()
    rate = (label[known].sum() + 12) / (known.sum() + 100)
    assert model.margins(leaky.filter(pa.array(known))).mean() == pytest.approx(np.log(rate / (1 - rate)))


def test_what_is_known_of_past_rows_and_not_of_present_ones_is_suspected() -> None:
    """A small difference is none, and a year's growth is known more the longer the history is."""
    rng = np.random.default_rng(4)
    newest = DAY == DATES - 1
    known = rng.random(ACCOUNT.size) < np.where(newest, 0.1, 0.9)
    grown = rng.random(ACCOUNT.size) < np.where(newest, 0.9, 0.1)
    slightly = rng.random(ACCOUNT.size) < np.where(newest, 0.5, 0.7)
    noise = rng.normal(size=ACCOUNT.size)
    columns = {"nps": np.where(known, noise, np.nan), "csat_180": np.where(slightly, noise, np.nan)}
    columns["arr_growth_365"] = np.where(grown, noise, np.nan)
    panel = panel_with(columns)
    learnt = pc.less(panel.table["as_of"], pa.scalar(panel.table["as_of"][DATES - 4].as_py(), pa.date32()))
    rows = panel.table.filter(learnt)
    days = np.array([day_number(day) for day in rows["as_of"].to_pylist()], np.int64)
    suspects = find_suspects(panel, rows, purged_split(days, HORIZON))
    found = {suspect.name: suspect.why for suspect in suspects}
    assert "of those to score" in found["nps"]
    assert found.keys() == {"nps"}


def test_a_suspect_that_is_vouched_for_is_used_and_still_named(
    panel: Panel, catalogue: tuple[Product, ...]
) -> None:
    """Only the one named; the card says so, and the peers that are made of the other stay out."""
    table = panel.table
    label = np.nan_to_num(table["label"].to_numpy())
    for name in ("nps", "csat_180"):
        table = table.set_column(table.column_names.index(name), name, pa.array(label * 9 + 1))
    young = dataclasses.replace(panel, table=table, expansions=5)
    model = train(young, target=Target(), products=catalogue, allow=["nps"])
    assert "nps" in model.features
    assert "csat_180" not in model.features
    assert list(model.facts["allowed"]) == ["nps"]
    assert "csat_180" in model.facts["suspects"]
    assert "nps" not in model.facts["suspects"]
    assert "Vouched for" in write_card(model)
