"""When to talk: now, d30, d90 or hold, by the hazard, fiscal timing, health and stated rules."""

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
# Budgets are spent in the last two months of the customer's fiscal year, and new ones in the first two.
BUDGET_MONTHS = 2


def choose_timing(
    table: pa.Table,
    curve: np.ndarray,
    *,
    typical: float,
    health: list[str],
    tiers: Mapping[str, float],
    signals: Mapping[str, float],
) -> list[str]:
    """The window of each row, whose `curve` is the chance of an expansion within each third of the horizon.

    Hold: red health, a probability below medium, or an expansion in the last 45 days. Soon: the chance of the
    first third is that of an account at the cut-off high, of whose chance `typical` falls into it. Pressing:
    seats gone within 30 days, overage, finance on billing pages, renewal within 60 days, or the turn of the
    customer's fiscal year. Now: soon and pressing. 30 days: either of them. 90 days: the rest.
    """
    probability = curve[:, -1]
    pressing = (
        (numbers(table, "seat_days_to_limit") <= 30)
        | (numbers(table, "overage_months_6") >= 3)
        | (numbers(table, "finance_billing_views_30") >= signals["finance_page_views"])
        | (numbers(table, "days_to_renewal") <= 60)
        | (numbers(table, "months_to_fiscal_year_end") < BUDGET_MONTHS)
        | (numbers(table, "fiscal_month") <= BUDGET_MONTHS)
    )
    red = np.array([flag == "red" for flag in health], bool)
    hold = red | (probability < tiers["medium"]) | (numbers(table, "days_since_expansion") < QUIET_DAYS)
    soon = curve[:, 0] >= tiers["high"] * typical
    chosen = np.select([hold, soon & pressing, soon | pressing], ["hold", "now", "d30"], "d90")
    return [str(timing) for timing in chosen]
