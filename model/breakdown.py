"""One row's score taken apart by signal family, and the change between two such scores, piece by piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from model.features.families import FAMILIES, FAMILY_OF
from model.trained import TrainedModel

_ALMOST_EQUAL = 1e-6  # log-odds so close that the slope between them is the curve's own
_NOTHING = (
    1e-9  # log-odds; what is left of sums that cancel is less, and all families' are no point's millionth
)
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
    log_odds: float
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


def steps_between(
    before: Breakdown, after: Breakdown, *, said_before: float, said_now: float
) -> tuple[Step, ...]:
    """Why the probability went from `said_before` to `said_now`, the largest piece first.

    The change of log-odds is split by family; a model that was trained anew moves the base. What is left,
    because a day's data went on arriving after it was scored, is a step of its own. Points are the pieces
    of log-odds times the slope from one probability to the other, so that they sum exactly: to the change
    between the scores before they were rounded, since rounding is no cause.
    """
    said_before, said_now = _unrounded(said_before, before), _unrounded(said_now, after)
    first, last = _log_odds(said_before), _log_odds(said_now)
    middle = (said_before + said_now) / 2
    span = last - first
    slope = (said_now - said_before) / span if abs(span) > _ALMOST_EQUAL else middle * (1 - middle)
    held: Mapping[str, float] = {part.family: part.log_odds for part in before.parts}
    moves = {part.title: part.log_odds - held.get(part.family, 0.0) for part in after.parts}
    moves["the model"] = after.base - before.base
    moves["what became known later"] = span - (after.log_odds - before.log_odds)
    steps = [
        Step(cause=cause, log_odds=move, points=100 * move * slope)
        for cause, move in moves.items()
        if abs(move) > _NOTHING
    ]
    return tuple(sorted(steps, key=lambda step: -abs(step.points)))


def _is_known(value: object) -> bool:
    return value is not None and not (isinstance(value, float) and np.isnan(value))


def _unrounded(said: float, breakdown: Breakdown) -> float:
    """The probability behind what was said, where it is the same but for the rounding."""
    exact = float(1 / (1 + np.exp(-breakdown.log_odds)))
    return exact if abs(exact - said) <= _ROUNDING else said


def _log_odds(probability: float) -> float:
    bounded = float(np.clip(probability, 1e-9, 1 - 1e-9))
    return float(np.log(bounded / (1 - bounded)))
