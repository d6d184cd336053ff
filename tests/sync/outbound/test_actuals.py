"""Facts about what is filled into rows later: actuals of forecasts, outcomes of feedback."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.crm import Value
from model.forecast import Span
from sync.actuals import Actuals, ActualsOf, came_in, judged
from sync.feedback_rows import feedback_key, feedback_outcomes, feedback_rows
from sync.forecast_rows import About
from sync.heard import Heard
from sync.lineage import Lineage
from sync.outcomes import Expansion
from sync.own_rows import HeldRow, held_rows
from sync.planned_rows import FORECASTS, PlannedFill, PlannedRow
from sync.row_plan import RowPlan

Q4 = Span(label="FY2027Q4", first=date(2026, 11, 1), last=date(2027, 1, 31))
EARLIER, FIRST, SECOND = date(2026, 8, 3), date(2026, 11, 2), date(2026, 11, 9)


@pytest.fixture
def database() -> str:
    """What is looked up is the same on both databases; `test_apply` runs on both."""
    return "sqlite"


@dataclass(frozen=True, kw_only=True)
class Given:
    """Plans what it is given; nothing of it goes to the CRM."""

    rows: Sequence[PlannedRow] = ()
    fills: Sequence[PlannedFill] = ()

    def plan(self, _org_id: str, _figures: Any) -> RowPlan:
        """All of it."""
        return RowPlan(rows=tuple(self.rows), fills=tuple(self.fills))


def row(account: str, product: str, day: date, amount: float, **more: Value) -> PlannedRow:
    """A row of the quarter, kept in the ledger."""
    about = {"basis": "model_only", "component": "expansion", **more}
    key = f"{account or '*pool'}|{product}|{Q4.label}|{day.isoformat()}|{about['basis']}|{about['component']}"
    values: dict[str, Value] = {
        "key": key, "quarter": Q4.label, "snapshot": day, "amount": amount, "owner": "Ana", "tier": "high",
        **about,
    }  # fmt: skip
    return PlannedRow(
        object=FORECASTS, key=key, account_id=account, record_id="", values=values, in_crm=False
    )


@pytest.fixture
def kept(world: Any, score: Any) -> Any:
    """Write rows and fills through a plan; the actuals that are due for what came."""

    def write(rows: Sequence[PlannedRow] = (), fills: Sequence[PlannedFill] = ()) -> None:
        report = world.apply(world.plan(score(0), rows=Given(rows=rows, fills=fills)))
        assert set(report.row_outcomes) <= {"unchanged"}

    return write


def actuals(world: Any, came: dict[tuple[str, str], int]) -> Actuals:
    """What is to be filled in."""
    made = ActualsOf(
        store=world.store, org_id=world.crm.org().id, crm_object=FORECASTS, field="actual",
        fiscal_year_start=2,
        about={"a9": About(crm_id="0019", owner="Ben", segment="Enterprise")}, names={"seats": "More seats"},
        run_id="run-9", in_crm=False,
    )  # fmt: skip
    return made.plan(Q4, came)


def sums(world: Any) -> dict[date, float]:
    """The sum of actuals by snapshot."""
    found: dict[date, float] = {}
    for held in held_rows(world.store, world.crm.org().id, FORECASTS):
        day = held.values["snapshot"]
        assert isinstance(day, date)
        actual = held.values.get("actual")
        found[day] = round(found.get(day, 0.0) + (float(str(actual)) if actual is not None else 0.0), 2)
    return found


def test_an_actual_stands_once_on_each_judged_snapshot_and_they_sum_to_what_came(
    world: Any, kept: Any
) -> None:
    """On a row of its product, be there several; on a row of nothing where none was forecast; no more."""
    kept(
        [
            row("a1", "seats", EARLIER, 3.0),
            row("a1", "seats", FIRST, 5.0),
            row("a1", "seats", FIRST, 7.0, basis="closed_won"),
            row("a1", "tier", FIRST, 2.0),
            row("a1", "", FIRST, 90.0, component="opening"),
            row("", "seats", FIRST, 1.0),
        ]
    )
    kept([row("a1", "seats", SECOND, 6.0)])
    came = {("a1", "seats"): 1234, ("a9", "seats"): 500}
    found = actuals(world, came)
    assert len(found.fills) == 2
    assert [(each.values["amount"], each.values["actual"], each.values["owner"]) for each in found.rows] == [
        (0.0, 5.0, "Ben")
    ] * 2
    kept(found.rows, found.fills)
    assert sums(world) == {EARLIER: 17.34, FIRST: 17.34, SECOND: 0.0}
    assert actuals(world, came) == Actuals()
    corrected = actuals(world, {("a1", "seats"): 1000})
    kept(corrected.rows, corrected.fills)
    assert sums(world) == {EARLIER: 10.0, FIRST: 10.0, SECOND: 0.0}


def test_what_was_forecast_stays_as_it_was_when_an_actual_comes(world: Any, kept: Any) -> None:
    """Only the actual is another; of an account that had some row, the new one bears its tier of that day."""
    kept([row("a1", "tier", FIRST, 2.0)])
    found = actuals(world, {("a1", "seats"): 100})
    kept(found.rows, found.fills)
    held = {
        each.key.split("|")[1]: each.values for each in held_rows(world.store, world.crm.org().id, FORECASTS)
    }
    assert (held["tier"]["amount"], held["tier"].get("actual")) == (2.0, None)
    assert (held["seats"]["amount"], held["seats"]["actual"], held["seats"]["tier"]) == (0.0, 1.0, "high")


@settings(deadline=None, derandomize=True)
@given(days=st.lists(st.dates(date(2025, 1, 1), date(2027, 12, 31)), max_size=30), start=st.integers(1, 12))
def test_judged_are_the_first_snapshots_of_each_fiscal_quarter(days: list[date], start: int) -> None:
    """One a quarter, none before another of the same quarter."""
    from sync.forecast_periods import fiscal_quarter

    found = judged(days, start)
    assert [str(fiscal_quarter(day, start)) for day in found] == list(
        dict.fromkeys(str(fiscal_quarter(day, start)) for day in sorted(days))
    )
    assert all(
        day == min(d for d in days if fiscal_quarter(d, start) == fiscal_quarter(day, start)) for day in found
    )


def test_what_came_in_a_quarter_is_counted_in_cents_by_account_and_product() -> None:
    """From its first to its last day; an expansion whose ARR nobody knows is nothing."""
    at = Expansion(account_id="a1", day=Q4.first, arr=10.006, source="billing", product_id="seats")
    events = [
        at, replace(at, day=Q4.last, arr=1.0), replace(at, day=Q4.last + timedelta(days=1)),
        replace(at, day=Q4.first - timedelta(days=1)), replace(at, product_id=None, arr=None),
    ]  # fmt: skip
    assert came_in(Q4, events) == {("a1", "seats"): 1101}


def test_feedback_is_a_row_for_each_time_that_something_was_said(world: Any) -> None:
    """What it was, whose account; opt-outs and dates alone are no word on a score."""
    seen = datetime(2026, 11, 3, 9, tzinfo=UTC)
    heard = [
        Heard(
            account_id="a1", record_id="0011", seen_at=seen, said={"feedback": "useful", "csm_call": "agree"}
        ),
        Heard(
            account_id="a2",
            record_id="0012",
            seen_at=seen,
            said={"opt_out": True, "not_before": "2027-01-01"},
        ),
    ]
    (found,) = feedback_rows(world.store, heard, {"a1": "Ana"}, Lineage(), in_crm=True)
    assert found.key == feedback_key("0011", seen) == found.values["key"]
    assert (found.values["feedback"], found.values["csm_call"], found.values["owner"]) == (
        "useful",
        "agree",
        "Ana",
    )


@pytest.mark.parametrize(
    ("days", "expands_after", "outcome"),
    [
        (90, 40, None),
        (91, 40, "expanded"),
        (91, None, None),
        (136, None, "not_expanded"),
        (136, 91, "not_expanded"),
    ],
)
def test_an_outcome_is_filled_in_once_it_can_be_known(
    days: int, expands_after: int | None, outcome: str | None
) -> None:
    """After the horizon; that nothing came only when no invoice can come any more."""
    said = datetime(2026, 11, 3, 9, tzinfo=UTC)
    held = [HeldRow(key="k", account_id="a1", record_id="r", values={"seen_at": said})]
    came = [] if expands_after is None else [said.date() + timedelta(days=expands_after)]
    events = [Expansion(account_id="a1", day=day, arr=1.0, source="billing") for day in came]
    today = said.date() + timedelta(days=days)
    found = list(
        feedback_outcomes(held, events, today=today, horizon_days=90, crm_object="F", field="Outcome__c")
    )
    assert [fill.cells[0].after for fill in found] == ([] if outcome is None else [outcome])
    filled = [replace(held[0], values={**held[0].values, "outcome": "expanded"})]
    assert not list(
        feedback_outcomes(filled, events, today=today, horizon_days=90, crm_object="F", field="Outcome__c")
    )
