"""The Prediction table: what is known about each account's next expansion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa

from model.errors import ModelError
from model.frame import numbers
from model.health import judge_health
from model.milestones import from_json, milestone_column
from model.movement import part_column
from model.offers import offers
from model.panel import Rows
from model.product import Product, product_chances, recommended
from model.reasons import explain, family_totals
from model.timing import URGENCY, choose_timing
from model.trained import NO_SIGNAL, TrainedModel, probabilities

DEFAULT_TIERS: Final[Mapping[str, float]] = {"very_high": 0.6, "high": 0.35, "medium": 0.15}
# How likely a conversation is to be welcome; red accounts get retention, not an offer.
WINNABILITY: Final[Mapping[str, float]] = {"green": 1.0, "unknown": 0.8, "yellow": 0.6, "red": 0.1}


def predict(
    trained: TrainedModel, rows: Rows, *, tiers: Mapping[str, float], products: tuple[Product, ...]
) -> pa.Table:
    """One Prediction a row, in the rows' order: the columns of `predict_range`, and priority.

    Raises ModelError when the rows lack a feature of the model.
    """
    return rank(predict_range(trained, rows, tiers=tiers, products=products))


def predict_range(
    trained: TrainedModel, rows: Rows, *, tiers: Mapping[str, float], products: tuple[Product, ...]
) -> pa.Table:
    """What can be said of each row alone, whichever rows stand beside it, to the last bit.

    Columns: account_id, as_of, probability (0–1), tier, arr_if_expands, arr_low, arr_high (P10, P90 given
    expansion), expected_arr (all ARR in the account's currency per year), product, product_2 (the two most
    likely, the one with more expected ARR first), products (as `model.offers` has them), chance_soon and
    chance_later (within one and two thirds of the horizon), timing, health, health_reasons, churn and
    contraction (0–1 within the horizon, or null), reasons, against, reason_codes, parts (log-odds by signal
    family, and base), milestones (of the two products), data_completeness (0–1), basis, is_pipeline,
    model_version. Where the data tell nothing (basis no_signal) every account has the rate of all, the tier
    not_enough_data and no reasons. Raises ModelError when the rows lack a feature of the model.
    """
    cuts = _cut_offs(tiers)
    table, tells = rows.table, trained.basis != NO_SIGNAL
    margins, contributions = trained.margins(table), trained.contributions(table)
    probability, curve = probabilities(margins), trained.curve(table, margins)
    ids = [each.id for each in products]
    chances = product_chances(table, products, trained.product_shares, rows.signals, trained.product_pull)
    value, of_products = (
        trained.value.of_accounts(table, ids, chances),
        trained.value.of_products(table, ids),
    )
    risk = trained.risks(table)
    health, health_reasons = judge_health(table, rows.signals, risk, through=rows.through)
    typical = 1 / 3 if trained.hazard is None else trained.hazard.typical
    timing = ["hold"] * table.num_rows
    if tells:
        timing = choose_timing(table, curve, typical=typical, health=health, tiers=cuts, signals=rows.signals)
    product, second = recommended(chances, of_products[..., 0], products)
    reasons = explain(table, contributions, trained.features, rows.through)
    completeness = numbers(table, "data_completeness")
    enough = rows.signals["min_completeness"] if tells else np.inf
    likely, mean = np.round(probability, 6), np.round(value[:, 0], 2)
    return pa.table(
        {
            "account_id": table["account_id"],
            "as_of": table["as_of"],
            "probability": likely,
            "tier": _tiers(probability, completeness, cuts, enough),
            "arr_if_expands": mean,
            "arr_low": np.round(value[:, 1], 2),
            "arr_high": np.round(value[:, 2], 2),
            "expected_arr": np.round(_expected(likely, mean), 2),
            "product": pa.array(product, pa.string()),
            "product_2": pa.array(second, pa.string()),
            "products": offers(probability, chances, of_products, ids),
            "chance_soon": np.round(curve[:, 0], 6),
            "chance_later": np.round(curve[:, 1], 6),
            "timing": timing,
            "health": health,
            "health_reasons": pa.array(health_reasons, pa.list_(pa.string())),
            "churn": _chance(None if risk is None else risk.churn, table.num_rows),
            "contraction": _chance(None if risk is None else risk.contraction, table.num_rows),
            "reasons": reasons.supporting,
            "against": reasons.opposing,
            "reason_codes": reasons.codes,
            "parts": part_column(margins, family_totals(contributions, trained.features)),
            "milestones": milestone_column(
                table, from_json(trained.facts.get("milestones")), (product, second)
            ),
            "data_completeness": completeness,
            "basis": [trained.basis] * table.num_rows,
            "is_pipeline": table["is_pipeline"],
            "model_version": [trained.version] * table.num_rows,
        }
    )


def rank(predictions: pa.Table) -> pa.Table:
    """The predictions with `priority` after health_reasons: 1 is first, and it depends on all the rows.

    By expected ARR × urgency × winnability; deals already in the pipeline come after all others. It is null
    where the data tell nothing: a ranking by size would be taken for one by likelihood."""
    columns = {name: predictions[name].to_pylist() for name in ("account_id", "timing", "health")}
    expected = _expected(predictions["probability"].to_numpy(), predictions["arr_if_expands"].to_numpy())
    urgency = np.array([URGENCY[timing] for timing in columns["timing"]])
    worth = expected * urgency * np.array([WINNABILITY[health] for health in columns["health"]])
    pipeline, ids = predictions["is_pipeline"].to_pylist(), columns["account_id"]
    # ties by id, so that a rank does not hang on the order of the rows
    order = sorted(range(len(ids)), key=lambda i: (pipeline[i], -worth[i], ids[i]))
    priority = np.empty(len(ids), np.int64)
    priority[order] = np.arange(1, len(ids) + 1)
    unranked = np.array([basis == NO_SIGNAL for basis in predictions["basis"].to_pylist()], bool)
    return predictions.add_column(
        predictions.column_names.index("health_reasons") + 1, "priority", pa.array(priority, mask=unranked)
    )


def _cut_offs(tiers: Mapping[str, float]) -> Mapping[str, float]:
    cuts = {**DEFAULT_TIERS, **tiers}
    if not 0 <= cuts["medium"] <= cuts["high"] <= cuts["very_high"] <= 1:
        raise ModelError(
            f"[tiers] {cuts} do not fall from very_high to medium within 0–1.",
            fix="Set very_high ≥ high ≥ medium.",
        )
    return cuts


def _tiers(
    probability: np.ndarray, completeness: np.ndarray, cuts: Mapping[str, float], enough: float
) -> list[str]:
    names = np.select(
        [completeness < enough, *(probability >= cuts[name] for name in ("very_high", "high", "medium"))],
        ["not_enough_data", "very_high", "high", "medium"],
        "low",
    )
    return [str(name) for name in names]


def _chance(values: np.ndarray | None, rows: int) -> pa.Array:
    return pa.nulls(rows, pa.float64()) if values is None else pa.array(np.round(values, 6))


def _expected(probability: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Expected ARR of the figures as they are shown, so that whoever multiplies them gets this one."""
    expected: np.ndarray = probability * mean
    return expected
