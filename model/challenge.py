"""A new model against the one in use, on the same later rows: is the difference more than noise?

Both are judged on the latest dates whose outcomes are known. The model in use is judged as it is when it was
trained before these dates; else its recipe is, as the new one's: the same features, trained on what was known
one horizon before. The difference of the log losses is bootstrapped in pairs, by account and not by row,
because an account's rows of three neighbouring dates say much the same (Efron and Tibshirani 1993, chapter 8,
on resampling what is independent).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

import numpy as np

from model.backtest import TEST_DATES, matured_rows, rows_on_dates
from model.errors import ModelError
from model.evaluate import log_losses, scores
from model.frame import numbers
from model.panel import Panel
from model.product import Product
from model.train import train
from model.trained import TrainedModel, probabilities

RESAMPLES: Final = 2000
LEVEL: Final = 0.95
FIGURES: Final = ("log_loss", "auc", "pr_auc", "ece", "lift_20")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`outcome` is better, worse or same. `gain` is the champion's mean log loss less the challenger's, with
    its 95 % interval from `low` to `high`; above 0 the challenger is better. `champion_saved` says whether
    the champion itself was judged, else its recipe."""

    champion: str
    challenger: str
    outcome: str
    gain: float
    low: float
    high: float
    champion_saved: bool
    first_day: date
    last_day: date
    rows: int
    accounts: int
    expanded: int
    figures: Mapping[str, Mapping[str, float]]

    def facts(self) -> dict[str, Any]:
        """The verdict as plain values; days as ISO text."""
        return asdict(self) | {"first_day": str(self.first_day), "last_day": str(self.last_day)}

    def sentence(self) -> str:
        """The verdict in one sentence."""
        word = {"better": "better than", "worse": "worse than", "same": "no different from"}[self.outcome]
        rows = f"{self.rows:,} later rows ({self.first_day} to {self.last_day}, {self.expanded:,} expanded)"
        gain, low, high = (f"{each:+.4f}".replace("-", "−") for each in (self.gain, self.low, self.high))
        return (
            f"On {rows} it is {word} {self.champion}: log loss {gain} in its favour, "
            f"95 % between {low} and {high}."
        )


def challenge(
    champion: TrainedModel,
    challenger: TrainedModel,
    panel: Panel,
    *,
    trained_on: date,
    products: tuple[Product, ...],
) -> Verdict:
    """The verdict; the champion was trained on what was known on the day `trained_on`.

    Raises ModelError when their targets differ, or too few dates have matured, or all outcomes there are the
    same: then nothing can be compared."""
    if champion.target.fingerprint != challenger.target.fingerprint:
        raise ModelError(
            f"Models {champion.version} and {challenger.version} were trained for different targets.",
            fix="Compare models of one target; promote the one whose target you want.",
        )
    matured = matured_rows(panel.table)
    dates = sorted(set(matured["as_of"].to_pylist()))
    tested = dates[-TEST_DATES:]
    horizon = timedelta(days=challenger.target.horizon_days)
    past = rows_on_dates(matured, [day for day in dates if tested and day <= tested[0] - horizon])
    rows = rows_on_dates(matured, tested)
    outcome, learnt = numbers(rows, "label"), numbers(past, "label")
    if past.num_rows == 0 or not 0 < outcome.sum() < outcome.size or not 0 < learnt.sum() < learnt.size:
        raise ModelError(
            f"There are {len(dates)} dates whose outcomes are known, too few to compare on later ones.",
            fix="Compare again when a horizon has passed.",
        )

    def by_recipe(model: TrainedModel) -> np.ndarray:
        known = replace(_only(panel, model), table=past, data_hash=f"{panel.data_hash}:before:{tested[0]}")
        fitted = train(
            known,
            target=model.target,
            products=products,
            seed=int(model.facts.get("seed", 0)),
            allow=model.facts.get("allowed", ()),
        )
        return probabilities(fitted.margins(rows))

    new = by_recipe(challenger)
    saved = trained_on <= tested[0]
    if saved:
        old = probabilities(champion.margins(rows))
    elif _recipe(champion) == _recipe(challenger):
        old = new
    else:
        old = by_recipe(champion)
    gain, low, high = paired_gain(outcome, old, new, rows["account_id"].to_pylist())
    return Verdict(
        champion=champion.version,
        challenger=challenger.version,
        outcome="better" if low > 0 else "worse" if high < 0 else "same",
        gain=gain,
        low=low,
        high=high,
        champion_saved=saved,
        first_day=tested[0],
        last_day=tested[-1],
        rows=int(outcome.size),
        accounts=len(set(rows["account_id"].to_pylist())),
        expanded=int(outcome.sum()),
        figures={
            name: {figure: found[figure] for figure in FIGURES}
            for name, found in (("champion", scores(outcome, old)), ("challenger", scores(outcome, new)))
        },
    )


def paired_gain(
    outcome: np.ndarray, old: np.ndarray, new: np.ndarray, accounts: list[str], seed: int = 0
) -> tuple[float, float, float]:
    """By how much the mean log loss of `new` is below that of `old`, and its 95 % interval (percentiles of
    2,000 resamples of accounts)."""
    loss = log_losses(outcome, old) - log_losses(outcome, new)
    _, place = np.unique(np.asarray(accounts), return_inverse=True)
    sums = np.bincount(place, weights=loss)
    sizes = np.bincount(place).astype(float)
    rng = np.random.default_rng(seed)
    draws = np.empty(RESAMPLES)
    for at in range(RESAMPLES):
        picked = rng.integers(0, sums.size, sums.size)
        draws[at] = sums[picked].sum() / sizes[picked].sum()
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(loss.mean()), float(low), float(high)


def _recipe(model: TrainedModel) -> tuple[Any, ...]:
    """What two models must share to come out the same from the same rows."""
    return (
        model.features,
        model.categorical,
        tuple(model.facts.get("suspects", ())),
        tuple(model.facts.get("allowed", ())),
        model.facts.get("seed", 0),
        dict(model.signals),
    )


def _only(panel: Panel, model: TrainedModel) -> Panel:
    """The panel with the features that the model was offered, whether it took them or suspected them."""
    offered = {*model.features, *model.facts.get("suspects", ())}
    return replace(
        panel,
        features=tuple(name for name in panel.features if name in offered),
        categorical=tuple(name for name in panel.categorical if name in offered),
    )
