"""Training: early stopping on a later slice, judgement on a still later one, refit on all that matured."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.additive import AdditiveModel, fit_additive
from model.boosting import best_trees, fit_probability
from model.days import day_number
from model.evaluate import auc, scores
from model.frame import feature_frame, in_order_of_content, numbers, pool
from model.milestones import as_json, learn_milestones
from model.panel import Panel
from model.product import Product, base_shares, fit_pull, product_scores, rank_products
from model.risk import train_risk
from model.scorecard import DEFAULT_BASE_RATE, basis_of, rule_points
from model.similar import judged as judged_bands
from model.split import Split, purged_split
from model.suspects import find_suspects, made_of
from model.target import Target
from model.trained import TrainedModel, model_margins, probabilities
from model.value import train_value

# Expansions that the scorecard's default base rate is worth when it meets the account base's own.
_BASE_WEIGHT = 100.0

Progress = Callable[[str], None]


def train(
    panel: Panel,
    *,
    target: Target,
    products: tuple[Product, ...],
    seed: int = 0,
    threads: int = 2,
    allow: Collection[str] = (),
    progress: Progress | None = None,
) -> TrainedModel:
    """A model from the panel's matured rows, with its measured quality; same panel and seed, same bits.

    With too little history it is the scorecard or a blend, and `basis` says so. Features that look
    written after the expansion are left out and named in `facts["suspects"]`, with why in
    `facts["suspicions"]`; so are those that are made of them. Those in `allow` are used all the same, and are
    named in `facts["allowed"]`.
    """
    say = progress or (lambda _: None)
    rows = _training_rows(panel)
    y = numbers(rows, "label")
    days = np.array([day_number(day) for day in rows["as_of"].to_pylist()], np.int64)
    split = purged_split(days, target.horizon_days) if rows.num_rows else None
    basis, weight = basis_of(panel.expansions, panel.history_days)
    if split is None or not 0 < y.sum() < y.size:
        basis, weight = "scorecard", 0.0
    suspicious = {suspect.name: suspect.why for suspect in find_suspects(panel, rows, split)}
    suspects = {name: why for name, why in suspicious.items() if name not in allow}
    left_out = {*suspects, *made_of(suspects), *_dates_in_disguise(rows, panel)}
    features = tuple(name for name in panel.features if name not in left_out)
    categorical = tuple(name for name in panel.categorical if name not in left_out)
    booster: Any = None
    additive: AdditiveModel | None = None
    frame = feature_frame(rows, features, categorical)
    value, value_metrics = train_value(
        rows,
        frame,
        categorical,
        days,
        horizon=target.horizon_days,
        seed=seed,
        threads=threads,
    )
    intercept = _intercept(rows, panel.signals, features, y)
    metrics: dict[str, dict[str, float]] = {"value": value_metrics} if value_metrics else {}
    trees, bands = 0, None
    if split is not None and weight > 0:

        def slice_of(index: np.ndarray) -> Any:
            return pool(frame.iloc[index], categorical, y[index])

        say("finding the number of trees")
        first = fit_probability(
            slice_of(split.train), seed=seed, threads=threads, valid=slice_of(split.valid)
        )
        trees = best_trees(first)
        say("judging on the latest matured slice")
        judged = fit_probability(slice_of(split.before_test), seed=seed, threads=threads, trees=trees)
        known = split.before_test
        curves = fit_additive(frame.iloc[known], categorical, y[known])
        raw = model_margins(judged, curves, frame.iloc[split.test], categorical)
        points = rule_points(rows, panel.signals, features).sum(axis=1)
        metrics |= _judge(rows, y, split, raw=raw, points=points, weight=weight)
        served = weight * raw + (1 - weight) * (intercept + points[split.test])
        bands = judged_bands(rows, split.test, served).as_json()
        say("fitting on everything that matured")
        booster = fit_probability(slice_of(np.arange(y.size)), seed=seed, threads=threads, trees=trees)
        additive = fit_additive(frame, categorical, y)
    if split is not None and (right := _judge_products(rows, panel, split, products)):
        metrics["product"] = right
    shares, pull = _product_model(rows, panel, products)
    say("learning who leaves or shrinks")
    risk, risk_metrics = train_risk(
        panel.table,
        features=features,
        categorical=categorical,
        signals=panel.signals,
        horizon_days=target.horizon_days,
        seed=seed,
        threads=threads,
    )
    if risk_metrics:
        metrics["risk"] = risk_metrics
    return TrainedModel(
        version="unsaved",
        features=features,
        categorical=categorical,
        booster=booster,
        additive=additive,
        value=value,
        basis=basis,
        weight=weight,
        intercept=intercept,
        product_shares=shares,
        product_pull=pull,
        signals=panel.signals,
        target=target,
        data_hash=panel.data_hash,
        metrics=metrics,
        facts={
            "rows": int(rows.num_rows),
            "expansions": panel.expansions,
            "history_days": panel.history_days,
            "trees": trees,
            "seed": seed,
            "suspects": list(suspects),
            "suspicions": suspects,
            "allowed": {name: why for name, why in suspicious.items() if name in allow},
            "has_signal": _has_signal(metrics),
            "first_as_of": str(rows["as_of"][0].as_py()) if rows.num_rows else None,
            "last_as_of": str(pc.max(rows["as_of"]).as_py()) if rows.num_rows else None,
            "bands": bands,
            "milestones": as_json(learn_milestones(rows, features, products)),
        },
        risk=risk,
    )


def _training_rows(panel: Panel) -> pa.Table:
    """Rows whose outcome is known, without those whose expansion was already being negotiated.

    They are sorted by date, then by what they say: boosting depends on the order of its rows, and the ids by
    which a panel is sorted are of a CRM's making. By them a company would score differently in another CRM.
    """
    label = panel.table["label"]
    usable = pc.and_(pc.invert(pc.is_nan(label)), pc.invert(panel.table["is_pipeline"]))
    return in_order_of_content(panel.table.filter(usable), (*panel.features, "label", "added_arr", "bought"))


def _judge(
    rows: pa.Table, y: np.ndarray, split: Split, *, raw: np.ndarray, points: np.ndarray, weight: float
) -> dict[str, dict[str, float]]:
    """Scores on the test slice: what is `served`, the model, the scorecard, base rate and seat rule."""
    test = split.test
    past = y[split.before_test].mean()
    base = float(np.log(past / (1 - past)))
    rules = base - points[split.before_test].mean() + points
    served = weight * raw + (1 - weight) * rules[test]
    seat = np.nan_to_num(numbers(rows, "seat_utilisation"), nan=0.0)
    full = seat > 0.8
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


def _has_signal(metrics: dict[str, dict[str, float]]) -> bool | None:
    """Whether the model beat the base rate out of time by more than chance would; None when not judged."""
    if "model" not in metrics:
        return None
    better = metrics["model"]["log_loss"] < metrics["base_rate"]["log_loss"]
    positives = metrics["model"]["rows"] * metrics["model"]["base_rate"]
    # two standard errors of an AUC of one half with that many positives (Hanley and McNeil 1982, large n)
    noise = 2 * np.sqrt(1 / (12 * max(positives, 1.0)))
    return bool(better and metrics["model"]["auc"] > 0.5 + noise)


def _dates_in_disguise(rows: pa.Table, panel: Panel) -> set[str]:
    """Numeric features that are the same for all accounts of a date, and differ between dates.

    Two dozen dates are learnt by heart, not as a pattern: the season of a single year, or the mood of one
    quarter, would be carried into the next.
    """
    if not rows.num_rows:
        return set()
    dates, order = np.unique(rows["as_of"].to_numpy(), return_inverse=True)
    if dates.size < 2:
        return set()
    found = set()
    for name in panel.features:
        if name in panel.categorical:
            continue
        values = numbers(rows, name)
        known = ~np.isnan(values)
        low, high = np.full(dates.size, np.inf), np.full(dates.size, -np.inf)
        np.minimum.at(low, order[known], values[known])
        np.maximum.at(high, order[known], values[known])
        seen = low <= high
        if seen.sum() > 1 and (low[seen] == high[seen]).all() and np.ptp(low[seen]) > 0:
            found.add(name)
    return found


def _intercept(
    rows: pa.Table, signals: Mapping[str, float], features: tuple[str, ...], y: np.ndarray
) -> float:
    """Log-odds at which the scorecard's mean over the training rows meets the (drawn-in) base rate."""
    rate = (y.sum() + _BASE_WEIGHT * DEFAULT_BASE_RATE) / (y.size + _BASE_WEIGHT)
    points = rule_points(rows, signals, features).sum(axis=1)
    return float(np.log(rate / (1 - rate)) - (points.mean() if points.size else 0.0))


def _product_model(
    rows: pa.Table, panel: Panel, products: tuple[Product, ...]
) -> tuple[dict[str, float], dict[str, float]]:
    """Each product's share of the rows' expansions, and the trust in each type's rules."""
    grown = rows.filter(pc.equal(rows["label"], 1.0))
    bought = grown["bought"].to_pylist()
    shares = base_shares(bought, products)
    return shares, fit_pull(grown, bought, products, shares, panel.signals)


def _judge_products(
    rows: pa.Table, panel: Panel, split: Split, products: tuple[Product, ...]
) -> dict[str, float]:
    """How often the product was right on the test slice's expansions, by what was known before it."""
    shares, pull = _product_model(rows.take(pa.array(split.before_test)), panel, products)
    later = rows.take(pa.array(split.test))
    later = later.filter(pc.equal(later["label"], 1.0))
    first, second = rank_products(later, products, shares, panel.signals, pull)
    ids = {product.id for product in products}
    return product_scores(first, second, [pid if pid in ids else None for pid in later["bought"].to_pylist()])
