"""One row's score taken apart by signal family, and the change between two such scores, piece by piece."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from model.features.families import FAMILIES, FAMILY_OF
from model.movement import BASE, points_between
from model.trained import TrainedModel

_NOTHING = 1e-7  # points; what is left of sums that cancel is less
_ROUNDING = 0.5e-6 + 1e-12  # scores are said with six digits


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyPart:
    """What one family adds to the log-odds, its signed share of all movement, and how much of it is known."""

    family: str
    title: str
    log_odds: float
    share: float
    known: int
    features: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """A score's log-odds as `base` and the parts of the families: they sum to it."""

    log_odds: float
    base: float
    parts: tuple[FamilyPart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One piece of a change of the probability; `points` of 100, and all steps sum to the whole change."""

    cause: str  # a family's title, "the model", or "what became known later"
    points: float


def break_down(trained: TrainedModel, row: pa.Table) -> Breakdown:
    """The score of a table of one row, by family. Raises ModelError when the row lacks a feature."""
    values = row.to_pylist()[0]
    log_odds = float(trained.margins(row)[0])
    contributions = trained.contributions(row)[0]
    totals: dict[str, float] = {family.name: 0.0 for family in FAMILIES}
    for name, contribution in zip(trained.features, contributions, strict=True):
        totals[FAMILY_OF[name]] += float(contribution)
    size = sum(abs(total) for total in totals.values()) or 1.0
    parts = tuple(
        FamilyPart(
            family=family.name,
            title=family.title,
            log_odds=totals[family.name],
            share=totals[family.name] / size,
            known=sum(_is_known(values.get(feature.name)) for feature in family.features),
            features=len(family.features),
        )
        for family in FAMILIES
    )
    return Breakdown(log_odds=log_odds, base=log_odds - float(contributions.sum()), parts=parts)


def as_kept(parts: Mapping[str, float]) -> Breakdown:
    """The breakdown of a score by the parts that were kept with it; what was known then is not told."""
    log_odds, size = sum(parts.values()), sum(abs(parts[name]) for name in parts if name != BASE) or 1.0
    families = tuple(
        FamilyPart(
            family=family.name,
            title=family.title,
            log_odds=parts.get(family.name, 0.0),
            share=parts.get(family.name, 0.0) / size,
            known=0,
            features=0,
        )
        for family in FAMILIES
    )
    return Breakdown(log_odds=log_odds, base=parts.get(BASE, 0.0), parts=families)


def steps_between(
    before: Breakdown, after: Breakdown, *, said_before: float, said_now: float
) -> tuple[Step, ...]:
    """Why the probability went from `said_before` to `said_now`, the largest piece first.

    The change of log-odds is split by family; a model that was trained anew moves the base. What is left,
    because a day's data went on arriving after it was scored, is a step of its own. The points sum exactly:
    to the change between the scores before they were rounded, since rounding is no cause.
    """
    said_before, said_now = _unrounded(said_before, before), _unrounded(said_now, after)
    titles = list(dict.fromkeys(part.title for part in (*after.parts, *before.parts)))
    points, rest = points_between(
        np.array([[*_by_title(before, titles), before.base]]),
        np.array([[*_by_title(after, titles), after.base]]),
        np.array([said_before]),
        np.array([said_now]),
    )
    causes = (*titles, "the model", "what became known later")
    steps = [
        Step(cause=cause, points=float(moved))
        for cause, moved in zip(causes, (*points[0], *rest), strict=True)
        if abs(moved) > _NOTHING
    ]
    return tuple(sorted(steps, key=lambda step: -abs(step.points)))


def _by_title(breakdown: Breakdown, titles: Sequence[str]) -> list[float]:
    held = {part.title: part.log_odds for part in breakdown.parts}
    return [held.get(title, 0.0) for title in titles]


def _is_known(value: object) -> bool:
    return value is not None and not (isinstance(value, float) and np.isnan(value))


def _unrounded(said: float, breakdown: Breakdown) -> float:
    """The probability behind what was said, where it is the same but for the rounding."""
    exact = float(1 / (1 + np.exp(-breakdown.log_odds)))
    return exact if abs(exact - said) <= _ROUNDING else said
