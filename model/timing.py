"""When to talk, by stated rules: now, d30, d90 or hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa

from model.frame import numbers

TIMINGS: Final = ("now", "d30", "d90", "hold")
URGENCY: Final[Mapping[str, float]] = {"now": 1.0, "d30": 0.8, "d90": 0.5, "hold": 0.1}
# Right after an expansion the next ask is premature.
QUIET_DAYS = 45


def choose_timing(
    table: pa.Table,
    probability: np.ndarray,
    health: list[str],
    tiers: Mapping[str, float],
    signals: Mapping[str, float],
) -> list[str]:
    """The window of each row.

    Hold: red health, a probability below medium, or an expansion in the last 45 days. Now: at least high,
    and something that won't wait (seats gone within 30 days, overage, finance on billing pages, renewal
    within 60 days). 30 days: at least high, or at least medium and one of these. 90 days: the rest.
    """
    urgent = (
        (numbers(table, "seat_days_to_limit") <= 30)
        | (numbers(table, "overage_months_6") >= 3)
        | (numbers(table, "finance_billing_views_30") >= signals["finance_page_views"])
        | (numbers(table, "days_to_renewal") <= 60)
    )
    red = np.array([flag == "red" for flag in health], bool)
    hold = red | (probability < tiers["medium"]) | (numbers(table, "days_since_expansion") < QUIET_DAYS)
    high = probability >= tiers["high"]
    chosen = np.select([hold, high & urgent, high | urgent], ["hold", "now", "d30"], "d90")
    return [str(timing) for timing in chosen]
