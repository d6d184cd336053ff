"""How good probabilities are on rows that they were not made from."""

from __future__ import annotations

import numpy as np

from model.errors import ModelError

FloatArray = np.ndarray


def scores(y: FloatArray, p: FloatArray) -> dict[str, float]:
    """auc, pr_auc, log_loss, brier, ece (10 equal-mass bins) and lift_20 of probabilities for outcomes.

    AUC and PR-AUC are NaN when all outcomes are the same. Raises ModelError for no rows, unequal lengths,
    or probabilities outside 0–1.
    """
    y = np.asarray(y, float)
    p = np.asarray(p, float)
    if y.size == 0 or y.shape != p.shape:
        raise ModelError(
            f"There are {y.size} outcomes and {p.size} probabilities.",
            fix="Give one probability per outcome.",
        )
    if not np.all((p >= 0) & (p <= 1)):
        raise ModelError("A probability lies outside 0–1 or is not a number.", fix="Give probabilities.")
    return {
        "auc": auc(y, p),
        "pr_auc": _average_precision(y, p),
        "log_loss": float(log_losses(y, p).mean()),
        "brier": float(np.mean((p - y) ** 2)),
        "ece": _calibration_error(y, p),
        "lift_20": _lift(y, p, 0.2),
        "base_rate": float(y.mean()),
        "rows": float(y.size),
    }


def log_losses(y: FloatArray, p: FloatArray) -> FloatArray:
    """The log loss of each row; probabilities of nought and one are drawn in by a billionth."""
    held = np.clip(p, 1e-9, 1 - 1e-9)
    losses: FloatArray = -(y * np.log(held) + (1 - y) * np.log1p(-held))
    return losses


def auc(y: FloatArray, score: FloatArray) -> float:
    """Area under the ROC curve of any ranking; ties count half; NaN when all outcomes are the same."""
    positive = np.asarray(y) > 0
    n, m = int(positive.sum()), int((~positive).sum())
    if n == 0 or m == 0:
        return float("nan")
    # `scipy.stats.rankdata` gives the same, and takes 0.6 s to import: a fifth of a worker's start
    _, place, equal = np.unique(np.nan_to_num(score, nan=-np.inf), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(equal) - (equal - 1) / 2)[place]
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * m))


def _average_precision(y: FloatArray, p: FloatArray) -> float:
    if y.sum() == 0:
        return float("nan")
    order = np.argsort(-p, kind="stable")
    hits, ranked = np.cumsum(y[order]), p[order]
    # rows with the same probability are taken together, or their order would count
    last = np.r_[np.flatnonzero(np.diff(ranked)), y.size - 1]
    precision = hits[last] / (last + 1)
    return float(np.sum(np.diff(np.r_[0.0, hits[last]]) * precision) / y.sum())


def _calibration_error(y: FloatArray, p: FloatArray, bins: int = 10) -> float:
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, bins) if part.size]
    return float(sum(part.size * abs(y[part].mean() - p[part].mean()) for part in parts) / y.size)


def _lift(y: FloatArray, p: FloatArray, share: float) -> float:
    if y.sum() == 0:
        return float("nan")
    size = max(1, round(share * y.size))
    last = np.sort(p)[-size]
    above, equal = p > last, p == last
    # of rows with the same probability as the last one taken, as many expand as on average: their order says
    # nothing, and by it the base rate for all came to a lift of 1.6 on one company
    found = y[above].sum() + (size - above.sum()) * y[equal].mean()
    return float(found / size / y.mean())
