"""Thresholds that a team may set under [signals], with their defaults and where they are used."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from model.errors import ModelError

DEFAULTS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "seat_utilisation": 0.85,  # scorecard, product, timing: the licence is full
        "limit_utilisation": 0.85,  # the same for metered limits
        "overage_days": 60.0,  # window of overage_recent
        "new_department_days": 90.0,  # window of departments_new
        "finance_page_views": 4.0,  # scorecard, timing: billing pages opened by finance in 30 days
        "low_csat": 3.0,  # health
        "low_nps": 5.0,  # health
        "nps_promoter": 9.0,  # scorecard
        "users_growth": 0.10,  # scorecard: active users against 90 days earlier
        "usage_decline": -0.15,  # health: events of 90 days against the 90 before
        "gap_tickets": 2.0,  # scorecard, product: requests for what the plan lacks in 180 days
        "min_completeness": 0.35,  # below this share of families with data, the tier is not_enough_data
    }
)


def resolve_signals(given: Mapping[str, float] | None) -> Mapping[str, float]:
    """The defaults with the given ones on top. Raises ModelError for a name that does not exist."""
    given = given or {}
    unknown = sorted(set(given) - set(DEFAULTS))
    if unknown:
        raise ModelError(
            f"[signals] has {', '.join(unknown)}, which no rule uses.",
            fix=f"Use one of {', '.join(DEFAULTS)}.",
        )
    return MappingProxyType({**DEFAULTS, **{name: float(value) for name, value in given.items()}})
