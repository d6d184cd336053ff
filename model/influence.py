"""Which signals move a model's scores, how far, and which way: shares, partial dependence, a swarm to draw.

A signal's share is its mean |contribution| (SHAP values of log-odds; Lundberg and Lee 2017) among those of
all; a family's is of the sums of its features' contributions, so that two which cancel count for little.
Partial dependence is the mean probability when one signal is set to a value in every row and the others stay
as they are (Friedman 2001): what the model does, not what would happen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from scipy.stats import rankdata

from model.features.families import CATALOGUE, FAMILIES, FAMILY_OF
from model.frame import numbers
from model.trained import TrainedModel, probabilities
from model.wordsmith import write_value

TOP: Final = 12
CURVES: Final = 6
GRID: Final = 11  # deciles
LEVELS: Final = 8  # of a category
ROWS: Final = 2000
CURVE_ROWS: Final = 300
# A rank correlation of value and contribution below this has no one direction. Rule of thumb.
STEADY: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependence:
    """The mean probability when the signal has the value `at` in every row; `label` is the value in words."""

    at: float | str
    label: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One feature: its share of all movement (0–1) and its mean |contribution| in log-odds.

    `direction` is up (more of it raises the score), down or mixed; `curve` is empty but for the first few."""

    feature: str
    about: str
    family: str
    share: float
    mean: float
    direction: str
    curve: tuple[Dependence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyShare:
    """A signal family's share of all movement, 0–1."""

    family: str
    title: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Swarm:
    """rows × signals: contributions in log-odds, and values with NaN for unknown or text."""

    features: tuple[str, ...]
    contributions: np.ndarray
    values: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Influence:
    """The strongest signals and all families, the strongest first, and what a beeswarm is drawn from."""

    signals: tuple[Signal, ...]
    families: tuple[FamilyShare, ...]
    swarm: Swarm


def influence(trained: TrainedModel, rows: pa.Table) -> Influence | None:
    """What moves the model's scores of these rows; None when nothing does."""
    rows = _spread(rows, ROWS)
    parts = trained.contributions(rows)
    means = np.abs(parts).mean(axis=0)
    if not means.sum() > 0:
        return None
    order = [int(place) for place in np.argsort(-means, kind="stable")[:TOP] if means[place] > 0]
    some = _spread(rows, CURVE_ROWS)
    signals = []
    for rank, place in enumerate(order):
        name = trained.features[place]
        signals.append(
            Signal(
                feature=name,
                about=CATALOGUE[name].about,
                family=FAMILY_OF[name],
                share=float(means[place] / means.sum()),
                mean=float(means[place]),
                direction=_direction(rows, name, parts[:, place]),
                curve=_curve(trained, some, name) if rank < CURVES else (),
            )
        )
    names = tuple(signal.feature for signal in signals)
    return Influence(
        signals=tuple(signals),
        families=_families(trained.features, parts),
        swarm=Swarm(
            features=names,
            contributions=parts[:, order],
            values=np.column_stack([_values(rows, name) for name in names]),
        ),
    )


def _families(features: tuple[str, ...], parts: np.ndarray) -> tuple[FamilyShare, ...]:
    of_family = np.array([FAMILY_OF[name] for name in features], str)
    sums = {each.name: parts[:, of_family == each.name].sum(axis=1) for each in FAMILIES}
    moved = {name: float(np.abs(total).mean()) for name, total in sums.items()}
    total = sum(moved.values())
    found = [
        FamilyShare(family=each.name, title=each.title, share=moved[each.name] / total)
        for each in FAMILIES
        if moved[each.name] > 0
    ]
    return tuple(sorted(found, key=lambda family: -family.share))


def _curve(trained: TrainedModel, rows: pa.Table, name: str) -> tuple[Dependence, ...]:
    grid = _grid(rows, name)
    if not grid:
        return ()
    place = rows.column_names.index(name)
    kind = rows.schema.field(place).type
    # all at once: making a pool costs more than scoring it
    tables = [rows.set_column(place, name, pa.array([at] * rows.num_rows, kind)) for at in grid]
    likely = probabilities(trained.margins(pa.concat_tables(tables).combine_chunks()))
    means = likely.reshape(len(grid), rows.num_rows).mean(axis=1)
    return tuple(
        Dependence(at=at, label=_label(at, name), probability=float(mean))
        for at, mean in zip(grid, means, strict=True)
    )


def _label(at: float | str, name: str) -> str:
    return at or "(none)" if isinstance(at, str) else write_value(at, CATALOGUE[name].unit)


def _grid(rows: pa.Table, name: str) -> list[float | str]:
    """The deciles of a number, the commonest levels of a category; none where there are fewer than two."""
    if CATALOGUE[name].categorical:
        texts = [text or "" for text in rows[name].to_pylist()]
        levels, counts = np.unique(np.array(texts, str), return_counts=True)
        commonest = [str(levels[at]) for at in np.argsort(-counts, kind="stable")[:LEVELS]]
        return list(commonest) if len(commonest) > 1 else []
    known = numbers(rows, name)
    known = known[~np.isnan(known)]
    if not known.size:
        return []
    deciles = np.unique(np.quantile(known, np.linspace(0, 1, GRID), method="nearest"))
    return [float(value) for value in deciles] if deciles.size > 1 else []


def _direction(rows: pa.Table, name: str, parts: np.ndarray) -> str:
    if CATALOGUE[name].categorical:
        return "mixed"
    values = numbers(rows, name)
    known = ~np.isnan(values)
    if not known.any() or np.ptp(values[known]) == 0 or np.ptp(parts[known]) == 0:
        return "mixed"
    along = float(np.corrcoef(rankdata(values[known]), rankdata(parts[known]))[0, 1])
    return "up" if along >= STEADY else "down" if along <= -STEADY else "mixed"


def _values(rows: pa.Table, name: str) -> np.ndarray:
    if CATALOGUE[name].categorical:
        return np.full(rows.num_rows, np.nan)
    return numbers(rows, name)


def _spread(rows: pa.Table, most: int) -> pa.Table:
    """At most so many of the rows, evenly spread over them."""
    if rows.num_rows <= most:
        return rows
    return rows.take(pa.array(np.linspace(0, rows.num_rows - 1, most).astype(int))).combine_chunks()
