"""Facts about rows of the forecast in the CRM: every report's number, summed from them, is the forecast's."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.salesforce.person import person_edit
from sync.config import load
from sync.find_account import read_names
from sync.outcomes import expansions
from worker.loop_home import make_loop

Home = Any  # the conftest's
SAID = (
    {"Expansion_CSM_Call__c": "lower"},
    {"Expansion_CSM_Call__c": "agree", "Expansion_Feedback__c": "useful"},
)

FORECAST, RUN = "Expansion_Forecast__c", "Expansion_Sync_Run__c"
BASES = {"Closed won": "closed_won", "Open opportunity": "open_opportunity", "Model only": "model_only"}
EXPANSION = ("expansion", "expansion_new")
PASSED = ("probability_shift", "score_drift", "closed_share", "score_jump")  # a quarter goes by between runs


def rows_in(home: Home, name: str) -> list[dict[str, Any]]:
    """Every live row of an object of ours in Salesforce."""
    ids = home.sandbox.store.select(f'SELECT Id FROM "{name}" WHERE IsDeleted = 0')
    found = [home.sandbox.store.row(name, str(each)) for (each,) in ids]
    return [row for row in found if row is not None]


def summed(rows: Iterable[dict[str, Any]], *by: str, amount: str = "Amount__c") -> dict[tuple[Any, ...], int]:
    """Cents by the values of these fields, an empty one as the forecast writes it; nothing is left out."""
    sums: dict[tuple[Any, ...], int] = defaultdict(int)
    for row in rows:
        sums[tuple(row[name] or "(none)" for name in by)] += round(100 * (row[amount] or 0.0))
    return {key: cents for key, cents in sums.items() if cents}


def expansion(home: Home) -> list[dict[str, Any]]:
    """Rows of what is to be added."""
    return [row for row in rows_in(home, FORECAST) if row["Component__c"] in EXPANSION]


@pytest.mark.parametrize(
    ("by", "fields"),
    [
        ("product", ("Product__c",)),
        ("owner", ("Owner_Name__c",)),
        ("segment", ("Segment__c",)),
        ("product,owner,segment", ("Product__c", "Owner_Name__c", "Segment__c")),
    ],
)
def test_expected_arr_by_quarter_and_any_grouping_is_the_forecast_s(
    home: Home, by: str, fields: tuple[str, ...]
) -> None:
    """To the cent, basis by basis."""
    told = home.upswell("forecast", "--by", by).data
    shown = {
        (*line["group"].split(" · "), BASES[line["basis"]], line["quarter"]): round(100 * line["arr"])
        for line in told["lines"]
        if round(100 * line["arr"])
    }
    assert summed(expansion(home), *fields, "Basis__c", "Fiscal_Quarter__c") == shown


def test_the_bridge_of_every_coming_quarter_is_the_sum_of_its_rows(home: Home) -> None:
    """Opening, expansion, contraction and churn, and NRR by them; few rows make up the whole of it."""
    rows = rows_in(home, FORECAST)
    sums = summed(rows, "Fiscal_Quarter__c", "Component__c")
    coming = [each for each in home.upswell("forecast").data["retention"] if not each["actual"]]
    assert len(coming) == 4
    for each in coming:
        parts = ("opening", "expansion", "contraction", "churn")
        opening, added, shrunk, left = (sums.get((each["quarter"], part), 0) for part in parts)
        assert (opening, added, shrunk, left) == tuple(round(100 * each[part]) for part in parts)
        assert (opening + added - shrunk - left) / opening == pytest.approx(each["nrr"])
    assert all(row["Amount__c"] for row in rows)
    assert len({row["Key__c"] for row in rows}) == len(rows) < 15 * len(home.accounts())


def test_the_run_s_row_has_the_range_of_the_whole_book(home: Home) -> None:
    """P10, P50 and P90 of four quarters, and what the plan came to."""
    (run,) = rows_in(home, RUN)
    told = home.upswell("forecast").data
    for number, (label, quarter) in enumerate(told["totals"].items(), start=1):
        for point in ("p10", "p50", "p90"):
            assert run[f"Quarter_{number}_{point.upper()}__c"] == pytest.approx(quarter[point], abs=0.006)
        if number == 1:
            assert run["First_Quarter__c"] == label
    first = home.first_run["data"]["plan"]
    assert (run["Accounts_Scored__c"], run["Tasks_Made__c"]) == (first["scored"], first["tasks"])


def test_a_day_has_one_snapshot_and_a_week_too(home: Home) -> None:
    """A second plan brings no rows, asked for or not, and a rollback leaves them and says how many."""
    before = rows_in(home, FORECAST)
    assert home.upswell("plan").data["rows"] is None
    asked = home.upswell("plan", "--snapshot")
    assert (asked.exit_code, "is written already" in asked.errors[0]["message"]) == (2, True)
    back = home.upswell("rollback")
    assert back.exit_code == 0
    assert back.data["rows_kept"] == len(before) + 1
    assert rows_in(home, FORECAST) == before


def test_rows_can_be_had_as_a_file(home: Home, tmp_path: Path) -> None:
    """The same rows, for a CRM that has no place for them."""
    target = tmp_path / "rows.csv"
    assert home.upswell("forecast", "--rows", str(target)).data["rows"] == len(rows_in(home, FORECAST))
    with target.open(encoding="utf-8", newline="") as file:
        kept = {row["key"]: round(100 * float(row["amount"])) for row in csv.DictReader(file)}
    assert kept == {row["Key__c"]: round(100 * row["Amount__c"]) for row in rows_in(home, FORECAST)}


@dataclass(frozen=True, kw_only=True)
class Later:
    """A home in the quarter after its first snapshot; `tiers` and `scores` are by account, as of that one."""

    home: Home
    tiers: dict[str, str]
    scores: dict[str, float]


@pytest.fixture
def later(home: Home) -> Later:
    """The quarter's actuals are written, and what two people said of scores soon after the first run."""
    held = {each: row for each, row in home.accounts().items() if row["Expansion_Tier__c"]}
    for account, call in zip(sorted(held), SAID, strict=False):
        person_edit(home.sandbox.store, "Account", account, call)
    home.upswell("plan")  # hears it
    home.upswell("sandbox", "advance", "--data", str(home.folder), "--weeks", "14")
    for verb in ("pull", "score", "plan"):
        answer = home.upswell(verb, env={"UPSWELL_GUARD__MAX_CHANGED_SHARE": "1"})
        assert answer.exit_code == 0, answer.errors
    applied = home.upswell("apply", *(f"--override={rule}" for rule in PASSED))
    assert applied.exit_code in (0, 3), applied.errors
    assert set(applied.data["row_outcomes"]) == {"applied"}
    return Later(
        home=home,
        tiers={account: row["Expansion_Tier__c"] for account, row in held.items()},
        scores={account: row["Expansion_Score__c"] for account, row in held.items()},
    )


def test_what_came_of_a_quarter_stands_on_the_rows_of_the_snapshot_that_began_it(later: Later) -> None:
    """Each expansion that closed in it once, by product and by tier, whatever had been forecast; and what
    people said of a score stands beside the score of that time."""
    home = later.home
    first, second = sorted({row["Snapshot__c"] for row in rows_in(home, FORECAST)})
    rows = [row for row in expansion(home) if row["Fiscal_Quarter__c"] == "FY2027Q4"]
    assert {row["Snapshot__c"] for row in rows} == {first}
    by_product, by_tier = came_of_the_quarter(later, date.fromisoformat(second))
    assert sum(by_product.values()) > 0
    assert summed(rows, "Product__c", amount="Actual__c") == by_product
    assert summed(rows, "Tier__c", amount="Actual__c") == by_tier
    told = [row for row in rows if row["Actual__c"] is not None]
    assert len({(row["Account__c"], row["Product__c"]) for row in told}) == len(told)
    surprises = [row for row in told if not row["Amount__c"]]
    assert all(row["Basis__c"] == "closed_won" and row["Account__c"] for row in surprises)
    own = [row for row in rows if row["Account__c"] in later.tiers]
    assert {row["Account__c"]: row["Tier__c"] for row in own}.items() <= later.tiers.items()

    calls = {row["Account__c"]: row for row in rows_in(home, "Expansion_Feedback__c")}
    assert [(row["CSM_Call__c"], row["Feedback__c"]) for _, row in sorted(calls.items())] == [
        ("lower", None), ("agree", "useful")
    ]  # fmt: skip
    for account, row in calls.items():
        assert (row["Score__c"], row["Tier__c"]) == (later.scores[account], later.tiers[account])


def came_of_the_quarter(later: Later, today: date) -> tuple[dict[tuple[str], int], dict[tuple[str], int]]:
    """Cents that closed in the quarter by product, and by the account's tier as it began."""
    loop = make_loop(load(later.home.config, {}))
    try:
        tables = loop.tables().tables
        events = expansions(tables, loop.target, through=today)
        names = {product.id: product.name for product in loop.products}
        records = {each.account_id: each.crm_id for each in read_names(tables)}
    finally:
        loop.close()
    by_product: dict[tuple[str], int] = defaultdict(int)
    by_tier: dict[tuple[str], int] = defaultdict(int)
    for event in events:
        if date(2026, 11, 1) <= event.day <= date(2027, 1, 31) and event.arr:
            amount = round(100 * event.arr)
            by_product[(names.get(event.product_id or "", "(none)"),)] += amount
            by_tier[(later.tiers.get(records[event.account_id] or "", "(none)"),)] += amount
    return dict(by_product), dict(by_tier)
