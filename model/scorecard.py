"""The rule scorecard that scores while history is too short for a model.

Points are log-odds added to the base rate's. Each rule speaks for one feature, so a scorecard's score is
explained by the same reasons as a model's. The sizes are rounded from the logistic effects published for
such signals and from the ranking in MODEL-FACTS; they are a starting point, and said to be one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from model.frame import numbers

# Expected when nothing at all is known yet: about one account in eight expands in a quarter.
DEFAULT_BASE_RATE: Final = 0.12
# Below either, rules alone score; up to FULL_EXPANSIONS both, on log-odds (MODEL-FACTS, cold start).
MIN_EXPANSIONS: Final = 20
MIN_HISTORY_DAYS: Final = 365
FULL_EXPANSIONS: Final = 75
BLEND_HALF: Final = 30  # expansions at which both weigh alike (docs/adr/0027-weight-of-the-blend.md)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`points` when the feature is at least (or, `below`, at most) its bound; bound may name a signal."""

    feature: str
    bound: float | str
    points: float
    below: bool = False


RULES: Final = (
    Rule(feature="seat_utilisation", bound="seat_utilisation", points=0.8),
    Rule(feature="seat_utilisation", bound=0.5, points=-0.8, below=True),
    Rule(feature="seat_weeks_above_85", bound=6.0, points=0.4),
    Rule(feature="limit_utilisation", bound="limit_utilisation", points=0.5),
    Rule(feature="overage_months_6", bound=2.0, points=0.3),
    Rule(feature="users_growth_90", bound="users_growth", points=0.4),
    Rule(feature="users_growth_90", bound=-0.08, points=-0.5, below=True),
    Rule(feature="usage_trend", bound=-0.15, points=-0.4, below=True),
    Rule(feature="features_new_90", bound=2.0, points=0.2),
    Rule(feature="departments_new", bound=1.0, points=0.3),
    Rule(feature="champion_days_30", bound=8.0, points=0.3),
    Rule(feature="champion_left_180", bound=1.0, points=-0.4),
    Rule(feature="finance_billing_views_30", bound="finance_page_views", points=0.4),
    Rule(feature="gap_tickets_180", bound="gap_tickets", points=0.3),
    Rule(feature="csat_180", bound="low_csat", points=-0.4, below=True),
    Rule(feature="escalations_open", bound=1.0, points=-0.4),
    Rule(feature="nps", bound="nps_promoter", points=0.2),
    Rule(feature="nps", bound="low_nps", points=-0.4, below=True),
    Rule(feature="qbr_outcome", bound=1.0, points=0.2),
    Rule(feature="qbr_outcome", bound=-1.0, points=-0.4, below=True),
    Rule(feature="months_to_fiscal_year_end", bound=1.0, points=0.2, below=True),
    Rule(feature="days_to_renewal", bound=90.0, points=0.2, below=True),
    Rule(feature="triggers_90", bound=1.0, points=0.3),
)


def rule_points(table: pa.Table, signals: Mapping[str, float], features: tuple[str, ...]) -> np.ndarray:
    """Points of each row and feature (rows × features, log-odds); unknown features earn none."""
    points = np.zeros((table.num_rows, len(features)))
    for rule in RULES:
        if rule.feature not in features:
            continue
        bound = signals[rule.bound] if isinstance(rule.bound, str) else rule.bound
        values = numbers(table, rule.feature)
        holds = values <= bound if rule.below else values >= bound
        points[:, features.index(rule.feature)] += np.where(holds, rule.points, 0.0)
    return points


def basis_of(expansions: int, history_days: int) -> tuple[str, float]:
    """Who scores (scorecard, blend, model) with that much history, and the model's weight on log-odds."""
    if expansions < MIN_EXPANSIONS or history_days < MIN_HISTORY_DAYS:
        return "scorecard", 0.0
    if expansions <= FULL_EXPANSIONS:
        return "blend", expansions / (expansions + BLEND_HALF)
    return "model", 1.0
