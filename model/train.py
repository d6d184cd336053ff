"""Training: early stopping on a later slice, judgement on a still later one, refit on all that matured."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.additive import AdditiveModel
from model.days import day_number
from model.frame import feature_frame, in_order_of_content, numbers
from model.hazard import HazardModel, fit_hazard
from model.judging import has_signal, judge_probability, judge_products, judge_time, product_model
from model.lesson import Lesson
from model.milestones import as_json, learn_milestones
from model.panel import OUTCOMES, Panel
from model.product import Product, product_chances
from model.risk import train_risk
from model.scorecard import DEFAULT_BASE_RATE, basis_of, rule_points
from model.similar import judged as judged_bands
from model.split import Split, purged_split
from model.suspects import find_suspects, made_of
from model.target import Target
from model.trained import NO_SIGNAL, TrainedModel
from model.value import train_value

# Expansions that the scorecard's default base rate is worth when it meets the account base's own.
_BASE_WEIGHT = 100.0
# Fewer rows to learn from are a handful of accounts, which trees learn by heart. Rule of thumb.
MIN_ROWS = 50

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
    if split is None or not _can_be_learnt(y, split):
        basis, weight = "scorecard", 0.0
    suspicious = {suspect.name: suspect.why for suspect in find_suspects(panel, rows, split)}
    suspects = {name: why for name, why in suspicious.items() if name not in allow}
    left_out = {*suspects, *made_of(suspects), *_dates_in_disguise(rows, panel)}
    features = tuple(name for name in panel.features if name not in left_out)
    categorical = tuple(name for name in panel.categorical if name not in left_out)
    booster: Any = None
    additive: AdditiveModel | None = None
    frame = feature_frame(rows, features, categorical)
    shares, pull = product_model(rows, panel, products)
    value, value_metrics = train_value(
        rows,
        features,
        days,
        products=[product.id for product in products],
        chances=product_chances(rows, products, shares, panel.signals, pull),
        horizon=target.horizon_days,
    )
    intercept, flat = _intercept(rows, panel.signals, features, y)
    metrics: dict[str, dict[str, float]] = {"value": value_metrics} if value_metrics else {}
    trees, bands, signal = 0, None, None
    if split is not None and weight > 0:
        lesson = Lesson(frame=frame, categorical=categorical, y=y, seed=seed, threads=threads)
        trees, said = lesson.out_of_time(split, say)
        points = rule_points(rows, panel.signals, features).sum(axis=1)
        metrics |= judge_probability(rows, y, split, raw=said[split.test], points=points, weight=weight)
        metrics |= judge_time(rows, said, split, features, target.horizon_days)
        signal = has_signal(rows, y, split, said[split.test])
        if signal is False and basis == "model":
            basis, weight = NO_SIGNAL, 0.0
        else:
            served = weight * said[split.test] + (1 - weight) * (intercept + points[split.test])
            bands = judged_bands(rows, split.test, served).as_json()
            say("fitting on everything that matured")
            booster, additive = lesson.on_everything(trees)
    if split is not None and (right := judge_products(rows, panel, split, products)):
        metrics["product"] = right
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
    trained = TrainedModel(
        version="unsaved",
        features=features,
        categorical=categorical,
        booster=booster,
        additive=additive,
        value=value,
        hazard=None,  # it looks at the model's own score
        basis=basis,
        weight=weight,
        intercept=intercept,
        flat=flat,
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
            "has_signal": signal,
            "first_as_of": str(rows["as_of"][0].as_py()) if rows.num_rows else None,
            "last_as_of": str(pc.max(rows["as_of"]).as_py()) if rows.num_rows else None,
            "bands": bands,
            "milestones": as_json(learn_milestones(rows, features, products)),
        },
        risk=risk,
    )
    return replace(trained, hazard=_hazard(trained, panel))


def _can_be_learnt(y: np.ndarray, split: Split) -> bool:
    """Whether the rows to learn from are enough for trees and know both outcomes: expansions may be recorded
    only since lately."""
    slices = (split.train, split.before_test)
    return split.train.size >= MIN_ROWS and all(0 < y[rows].sum() < rows.size for rows in slices)


def _hazard(trained: TrainedModel, panel: Panel) -> HazardModel | None:
    """The hazard on the model's own score, from all rows of which something has been observed."""
    if trained.basis == NO_SIGNAL or "observed" not in panel.table.column_names:
        return None
    usable = pc.and_(pc.greater(panel.table["observed"], 0), pc.invert(panel.table["is_pipeline"]))
    rows = in_order_of_content(panel.table.filter(usable), (*panel.features, *_told(panel)))
    if not rows.num_rows:
        return None
    horizon = trained.target.horizon_days
    return fit_hazard(rows, trained.margins(rows), trained.features, horizon=horizon)


def _told(panel: Panel) -> tuple[str, ...]:
    """The columns of outcomes that the panel's table has."""
    return tuple(name for name in OUTCOMES if name in panel.table.column_names)


def _training_rows(panel: Panel) -> pa.Table:
    """Rows whose outcome is known, without those whose expansion was already being negotiated.

    They are sorted by date, then by what they say: boosting depends on the order of its rows, and the ids by
    which a panel is sorted are of a CRM's making. By them a company would score differently in another CRM.
    """
    label = panel.table["label"]
    usable = pc.and_(pc.invert(pc.is_nan(label)), pc.invert(panel.table["is_pipeline"]))
    return in_order_of_content(panel.table.filter(usable), (*panel.features, *_told(panel)))


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
) -> tuple[float, float]:
    """Log-odds at which the scorecard's mean over the training rows meets the (drawn-in) base rate, and that
    rate's own."""
    rate = (y.sum() + _BASE_WEIGHT * DEFAULT_BASE_RATE) / (y.size + _BASE_WEIGHT)
    points = rule_points(rows, signals, features).sum(axis=1)
    flat = float(np.log(rate / (1 - rate)))
    return flat - (float(points.mean()) if points.size else 0.0), flat
