"""Facts about churn and contraction: what is learnt, what is stated, and what it does to health."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from model.frame import numbers
from model.health import Risk, judge_health
from model.losses import CHURNED, CONTRACTED, KEPT
from model.panel import Panel, rows_on
from model.risk import RiskModel, default_risk, train_risk
from model.signals import resolve_signals

FEATURES = ("days_to_renewal", "seat_utilisation", "nps")
SIGNALS = resolve_signals(None)


def watched(*, accounts: int = 360, dates: int = 18, told: bool, seed: int = 1) -> pa.Table:
    """Rows of accounts that leave or shrink at renewals, by their seats in use if it is `told` by them."""
    rng = np.random.default_rng(seed)
    n = accounts * dates
    renewal, seats = rng.integers(0, 365, n).astype(float), rng.uniform(0.1, 1.0, n)
    pull = 3 * (0.45 - seats) if told else np.zeros(n)
    lost = (renewal <= 90) & (rng.random(n) < 1 / (1 + np.exp(1.6 - 2 * pull)))
    kind = np.where(lost, np.where(rng.random(n) < 0.5, CHURNED, CONTRACTED), KEPT)
    return pa.table(
        {
            "as_of": pa.array(np.repeat(20_000 + 28 * np.arange(dates), accounts).astype(np.int32)).cast(
                pa.date32()
            ),
            "days_to_renewal": renewal,
            "seat_utilisation": seats,
            "nps": rng.uniform(6, 10, n),
            "loss": kind,
            "lost_share": np.select([kind == CHURNED, kind == CONTRACTED], [1.0, 0.3], 0.0),
        }
    )


def trained(table: pa.Table) -> tuple[RiskModel, dict[str, float]]:
    """What is learnt of it."""
    return train_risk(
        table, features=FEATURES, categorical=(), signals=SIGNALS, horizon_days=90, seed=1, threads=2
    )


def test_trees_are_kept_where_they_beat_the_rates_on_later_rows() -> None:
    """And sum up to about as many losses as there were, of both kinds."""
    table = watched(told=True)
    model, metrics = trained(table)
    assert model.booster is not None
    assert metrics["log_loss"] < metrics["log_loss_rates"]
    said = model.predict(table, FEATURES, (), SIGNALS).sum(axis=0)
    loss = numbers(table, "loss")
    assert said == pytest.approx([(loss == CHURNED).sum(), (loss == CONTRACTED).sum()], rel=0.1)
    assert model.lost_share == pytest.approx(0.3, abs=0.02)


def test_trees_that_learnt_nothing_give_way_to_rates_by_renewal() -> None:
    """Chance is no reason: accounts due to renew then share one rate, the others a lower one."""
    model, metrics = trained(watched(told=False))
    assert model.booster is None
    assert metrics["log_loss"] >= metrics["log_loss_rates"]
    assert model.rates["due"][0] > 5 * model.rates["not_due"][0]


def test_with_hardly_any_history_the_stated_defaults_hold() -> None:
    """A handful of rows moves them little, and no trees are tried."""
    model, metrics = trained(watched(accounts=3, dates=4, told=True))
    assert (model.booster, metrics) == (None, {})
    default = default_risk(90)
    assert model.rates["due"] == pytest.approx(default.rates["due"], rel=0.25)


def test_signs_of_trouble_double_the_chance_and_both_kinds_stay_below_one() -> None:
    """Three signs and no more; a renewal within the horizon counts for most."""
    table = pa.table(
        {"days_to_renewal": [30.0, 30.0, 300.0], "nps": [9.0, 2.0, 9.0], "csat_180": [5.0, 1.0, 5.0]}
    )
    found = default_risk(90).predict(table, (), (), SIGNALS)
    assert found[1, 0] / found[0, 0] == pytest.approx(4, rel=0.3)
    assert found[2, 0] < found[0, 0] / 10
    assert (found.sum(axis=1) < 1).all()


def test_a_model_comes_back_from_json_the_same() -> None:
    """All but its trees, which are a file of their own."""
    model = default_risk(90)
    assert RiskModel.from_json(model.as_json(), None) == model


def test_losses_are_known_only_when_no_invoice_can_come_any_more(panel: Panel) -> None:
    """A horizon and the grace after the as-of date; rows for scoring have no losses at all."""
    days = panel.table["as_of"].to_numpy().astype("datetime64[D]").astype(int)
    loss = numbers(panel.table, "loss")
    known = ~np.isnan(loss)
    assert known.any()
    assert days[known].max() <= days.max() - 90 - 45
    assert set(loss[known].tolist()) == {KEPT}  # nobody leaves the small company
    assert "loss" not in rows_on(panel, panel.table["as_of"][-1].as_py()).table.column_names


def risk_of(*lost: float) -> Risk:
    """Chances to churn, of accounts of which a usual one loses ARR with 4 %."""
    return Risk(churn=np.array(lost), contraction=np.zeros(len(lost)), usual=0.04, horizon_days=90)


def test_an_account_likely_to_leave_is_red_and_says_with_which_number() -> None:
    """Whatever its signs say; several times the usual alone is not enough, it must be likely in itself."""
    table = pa.table({"nps": [9.0, 9.0, 9.0], "as_of": pa.array([date(2026, 11, 2)] * 3)})
    flags, reasons = judge_health(table, SIGNALS, risk_of(0.41, 0.20, 0.12))
    assert flags == ["red", "yellow", "green"]
    (said,) = reasons[0]
    assert said.startswith("41 % likely to lose ARR within 90 days (churn 41 %, contraction 0 %), 10.2 times")
    assert said.endswith("(risk model, 2 Nov)")
    assert reasons[2] == []


def test_a_low_risk_never_makes_a_troubled_account_healthy() -> None:
    """Stated rules hold beside the model."""
    signs = {"nps": [2.0], "csat_180": [1.0], "qbr_outcome": [-1.0]}
    table = pa.table(signs | {"as_of": pa.array([date(2026, 11, 2)])})
    assert judge_health(table, SIGNALS, risk_of(0.0))[0] == judge_health(table, SIGNALS)[0] == ["red"]
