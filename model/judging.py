"""What a training measures on its latest matured slice: the model beside every baseline, products, time."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.evaluate import auc, scores
from model.evidence import edge
from model.frame import numbers
from model.hazard import fit_hazard
from model.panel import Panel
from model.product import Product, base_shares, fit_pull, product_scores, rank_products
from model.split import Split
from model.trained import probabilities

SEAT_RULE = 0.8
# Fewer later expansions than this can't show a signal that is there, so its absence says nothing.
MIN_POSITIVES = 40


def judge_probability(
    rows: pa.Table, y: np.ndarray, split: Split, *, raw: np.ndarray, points: np.ndarray, weight: float
) -> dict[str, dict[str, float]]:
    """Scores on the test slice: what is `served`, the model, the scorecard, base rate and seat rule."""
    test = split.test
    past = y[split.before_test].mean()
    base = float(np.log(past / (1 - past)))
    rules = base - points[split.before_test].mean() + points
    served = weight * raw + (1 - weight) * rules[test]
    seat = np.nan_to_num(numbers(rows, "seat_utilisation"), nan=0.0)
    full = seat > SEAT_RULE
    known, before = y[split.before_test], full[split.before_test]
    rates = [known[before == side].mean() if (before == side).any() else past for side in (False, True)]
    return {
        "served": scores(y[test], probabilities(served)),
        "model": scores(y[test], probabilities(raw)),
        "scorecard": scores(y[test], probabilities(rules[test])),
        "base_rate": scores(y[test], np.full(test.size, past)),
        # the rule's probabilities are its two past rates; its ranking is by utilisation itself
        "seat_rule": scores(y[test], np.where(full[test], rates[1], rates[0]))
        | {"auc": auc(y[test], seat[test])},
    }


def has_signal(rows: pa.Table, y: np.ndarray, split: Split, raw: np.ndarray) -> bool | None:
    """Whether the model beat the base rate out of time by more than chance would; None where too few expanded
    to tell.

    Its log loss is better by two standard errors; or better at all, and its AUC two standard errors above one
    half (Hanley and McNeil 1982, large n), which a small company's model can show sooner. An account counts
    once in either, however many of its rows are judged."""
    outcome = y[split.test]
    if outcome.sum() < MIN_POSITIVES:
        return None
    accounts = np.array(rows["account_id"].take(pa.array(split.test)).to_pylist())
    past = np.full(outcome.size, y[split.before_test].mean())
    found = edge(outcome, probabilities(raw), past, accounts)
    noise = 2 * np.sqrt(1 / (12 * np.unique(accounts[outcome > 0]).size))
    return found.is_sure or bool(found.gain > 0 and auc(outcome, raw) > 0.5 + noise)


def product_model(
    rows: pa.Table, panel: Panel, products: tuple[Product, ...]
) -> tuple[dict[str, float], dict[str, float]]:
    """Each product's share of the rows' expansions, and the trust in each type's rules."""
    grown = rows.filter(pc.equal(rows["label"], 1.0))
    bought = grown["bought"].to_pylist()
    shares = base_shares(bought, products)
    return shares, fit_pull(grown, bought, products, shares, panel.signals)


def judge_products(
    rows: pa.Table, panel: Panel, split: Split, products: tuple[Product, ...]
) -> dict[str, float]:
    """How often the product was right on the test slice's expansions, by what was known before it."""
    shares, pull = product_model(rows.take(pa.array(split.before_test)), panel, products)
    later = rows.take(pa.array(split.test))
    later = later.filter(pc.equal(later["label"], 1.0))
    first, second = rank_products(later, products, shares, panel.signals, pull)
    ids = {product.id for product in products}
    return product_scores(first, second, [pid if pid in ids else None for pid in later["bought"].to_pylist()])


def judge_time(
    rows: pa.Table, margins: np.ndarray, split: Split, features: Collection[str], horizon: int
) -> dict[str, dict[str, float]]:
    """Under `time`: how well a hazard of what was known before tells which rows of the test slice expand in
    the first third of the horizon; empty where it can't be said.

    `soon_auc` is by the curve, `soon_auc_by_probability` by the probability alone; `when_auc` is among those
    that expanded, of the first third's share of the curve."""
    past, later = (rows.take(pa.array(part)) for part in (split.before_test, split.test))
    hazard = fit_hazard(past, margins[split.before_test], features, horizon=horizon)
    said = margins[split.test]
    if hazard is None:
        return {}
    curve = hazard.curve(later, said)
    grown = numbers(later, "label") > 0
    soon = grown & (numbers(later, "days_to") <= horizon / 3)
    if not soon.any() or not (grown & ~soon).any():
        return {}
    share = curve[:, 0] / np.maximum(curve[:, -1], 1e-12)
    told = {
        "rows": float(later.num_rows),
        "soon": float(soon.mean()),
        "soon_said": float(curve[:, 0].mean()),
        "soon_auc": auc(soon.astype(float), curve[:, 0]),
        "soon_auc_by_probability": auc(soon.astype(float), said),
        "when_auc": auc(soon[grown].astype(float), share[grown]),
    }
    return {"time": told}
