"""The additive half of the model: one curve a feature, their heights summed on log-odds.

A ridge logistic regression over piecewise-linear curves. Trees find thresholds and interactions, but spend
their splits on the strongest features; the ridge adds up the many weak ones. The mean of both was better
than either on three synthetic companies, a quarter later (AUC +.005, log loss −.003 against trees alone).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import solve_triangular
from scipy.optimize import minimize

KNOTS = 11
# Curves bend here, as shares of the way from the lowest knot to the highest.
_BENDS = (0.3, 0.7)
_BEND_FROM_KNOTS = 6
_MIN_KNOWN = 50
# In units of rows: a curve needs the evidence of some hundred to stand up. Best of 100–1,500, flat about it.
PENALTY = 300.0
# Knots are spread over the range of a standard normal's middle 90 %, so that one penalty suits all features.
_REACH = 1.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What one feature adds to the log-odds: `heights` at `knots`, straight between them, flat outside.

    For text, `knots` are the texts; an unknown value adds `unknown`.
    """

    knots: tuple[Any, ...]
    heights: tuple[float, ...]
    unknown: float

    def at(self, values: Any) -> np.ndarray:
        """The height at each value."""
        if self.knots and isinstance(self.knots[0], str):
            heights = dict(zip(self.knots, self.heights, strict=True))
            return np.array([heights.get(value, self.unknown) for value in values])
        numeric = np.asarray(values, float)
        height: np.ndarray = np.interp(numeric, self.knots, self.heights)
        return np.where(np.isnan(numeric), self.unknown, height)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdditiveModel:
    """Log-odds as a base and one curve a feature; features without a curve add nothing."""

    base: float
    curves: Mapping[str, Curve]

    def contributions(self, frame: pd.DataFrame) -> np.ndarray:
        """rows × features: the height of each feature's curve. Their mean over the training rows is 0."""
        total = np.zeros(frame.shape)
        for place, name in enumerate(frame.columns):
            if name in self.curves:
                total[:, place] = self.curves[name].at(frame[name].to_numpy())
        return total

    def margins(self, frame: pd.DataFrame) -> np.ndarray:
        """Log-odds, one a row."""
        margin: np.ndarray = self.base + self.contributions(frame).sum(axis=1)
        return margin

    def as_json(self) -> dict[str, Any]:
        """The model as plain JSON values."""
        curves = {
            name: {"knots": list(c.knots), "heights": list(c.heights), "unknown": c.unknown}
            for name, c in self.curves.items()
        }
        return {"base": self.base, "curves": curves}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> AdditiveModel:
        """The model that `as_json` wrote."""
        curves = {
            name: Curve(knots=tuple(c["knots"]), heights=tuple(c["heights"]), unknown=c["unknown"])
            for name, c in values["curves"].items()
        }
        return cls(base=values["base"], curves=curves)


def fit_additive(frame: pd.DataFrame, categorical: Sequence[str], y: np.ndarray) -> AdditiveModel:
    """The curves that explain the outcomes best under the penalty; `y` needs both outcomes."""
    shapes = {}
    for name in frame.columns:
        shape = _texts(frame[name]) if name in categorical else _numbers(frame[name].to_numpy(float))
        if shape is not None:
            shapes[name] = shape
    blocks = [shape.design(frame[name].to_numpy()) for name, shape in shapes.items()]
    design = np.hstack(blocks) if blocks else np.zeros((y.size, 0), np.float32)
    centre = design.mean(axis=0, dtype=np.float64)
    design -= centre.astype(np.float32)
    base, weights = _ridge(design, y)
    curves, start = {}, 0
    for name, shape in shapes.items():
        stop = start + shape.width
        curves[name] = shape.curve(weights[start:stop], centre[start:stop])
        start = stop
    return AdditiveModel(base=round(base, 4), curves=curves)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """The basis of one feature: rows of `basis` are its columns' values at each knot, then when unknown."""

    knots: tuple[Any, ...]
    basis: np.ndarray

    @property
    def width(self) -> int:
        """How many columns it has."""
        return int(self.basis.shape[1])

    def design(self, values: np.ndarray) -> np.ndarray:
        """rows × width, for one column of the frame."""
        unknown = float(self.basis.shape[0] - 1)
        if isinstance(self.knots[0], str):
            places = {knot: float(place) for place, knot in enumerate(self.knots)}
            at = np.array([places.get(value, unknown) for value in values]).astype(int)
            coded: np.ndarray = self.basis[at].astype(np.float32)
            return coded
        numeric = values.astype(float)
        missing = np.isnan(numeric)
        columns = np.empty((values.size, self.width), np.float32)
        for place, column in enumerate(self.basis.T):
            columns[:, place] = np.where(missing, column[-1], np.interp(numeric, self.knots, column[:-1]))
        return columns

    def curve(self, weights: np.ndarray, centre: np.ndarray) -> Curve:
        """The heights under these weights. Four digits: more hang on the order in which sums were added."""
        heights = np.round((self.basis - centre) @ weights, 4) + 0.0
        return Curve(knots=self.knots, heights=tuple(heights[:-1].tolist()), unknown=float(heights[-1]))


def _numbers(values: np.ndarray) -> _Shape | None:
    known = values[~np.isnan(values)]
    if known.size < _MIN_KNOWN:
        return None
    knots = np.unique(np.quantile(known, np.linspace(0, 1, KNOTS)))
    if knots.size < 2:
        return None
    line = np.linspace(-_REACH, _REACH, knots.size)
    columns = [line]
    if knots.size >= _BEND_FROM_KNOTS:
        low, high = (line[round(bend * (knots.size - 1))] for bend in _BENDS)
        columns += [np.minimum(line - low, 0), np.maximum(line - high, 0)]
    # an unknown value takes the middle of the known ones, and a step of its own
    middle = [float(np.interp(np.median(known), knots, column)) for column in columns]
    basis = np.vstack([np.column_stack(columns), middle])
    if known.size < values.size:
        basis = np.column_stack([basis, np.r_[np.zeros(knots.size), 1.0]])
    return _Shape(knots=tuple(knots.tolist()), basis=basis)


def _texts(values: pd.Series[Any]) -> _Shape | None:
    knots = sorted(values.unique().tolist())
    if len(knots) < 2:
        return None
    return _Shape(knots=tuple(knots), basis=np.vstack([np.eye(len(knots)), np.zeros(len(knots))]))


def _ridge(design: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Intercept and weights of the penalised logistic regression.

    The Hessian at the base rate, factored once, makes the problem round; L-BFGS then needs a dozen steps
    of two matrix–vector products each, where Newton's method would pay the Hessian at each of them.
    """
    rate = float(y.mean())
    base = float(np.log(rate / (1 - rate)))
    hessian = rate * (1 - rate) * (design.T @ design).astype(np.float64)
    hessian[np.diag_indices_from(hessian)] += PENALTY
    lower = np.linalg.cholesky(hessian)
    scale = np.sqrt(rate * (1 - rate) * y.size)

    def unfold(point: np.ndarray) -> tuple[float, np.ndarray]:
        return base + point[0] / scale, solve_triangular(lower, point[1:], lower=True, trans=1)

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        shift, weights = unfold(point)
        margin = shift + (design @ weights.astype(np.float32)).astype(np.float64)
        chance = 1 / (1 + np.exp(-margin))
        off = chance - y
        value = float(np.logaddexp(0, margin).sum() - y @ margin + PENALTY / 2 * (weights @ weights))
        slope = (off.astype(np.float32) @ design).astype(np.float64) + PENALTY * weights
        return value, np.r_[off.sum() / scale, solve_triangular(lower, slope, lower=True)]

    best = minimize(loss, np.zeros(design.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 60})
    return unfold(best.x)
