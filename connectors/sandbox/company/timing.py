"""Keys and times: which text names an account, and at what minute a deal was created or closed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from connectors.sandbox.company.population import WorldPlan

if TYPE_CHECKING:
    from connectors.sandbox.company.world import Deals


def account_keys(n: int) -> list[str]:
    """The company's own account keys: C-00001 …"""
    return [f"C-{number:05d}" for number in range(1, n + 1)]


def moments(plan: WorldPlan, week: np.ndarray, day: np.ndarray, minute: np.ndarray) -> np.ndarray:
    """UTC times as datetime64[us] from week, day of the week (Monday 0) and minute of the day."""
    first = np.datetime64(plan.epoch.replace(tzinfo=None), "us")
    minutes = (np.asarray(week, np.int64) * 7 + day) * 1440 + minute
    times: np.ndarray = first + minutes.astype("timedelta64[m]").astype("timedelta64[us]")
    return times


def create_times(plan: WorldPlan, deals: Deals) -> np.ndarray:
    """When each deal was created: Monday to Wednesday, in office hours."""
    spread = deals.account * 7919 + deals.created_week * 104729
    return moments(plan, deals.created_week, spread % 3, 560 + spread // 3 % 300)


def close_times(plan: WorldPlan, deals: Deals) -> np.ndarray:
    """When each deal was closed: Thursday or Friday, so never before it was created."""
    spread = deals.account * 6101 + deals.close_week * 50021
    return moments(plan, deals.close_week, 3 + spread % 2, 600 + spread // 2 % 400)


def close_time(plan: WorldPlan, deals: Deals, deal: int) -> datetime:
    """When one deal was closed, as an aware datetime."""
    spread = int(deals.account[deal]) * 6101 + int(deals.close_week[deal]) * 50021
    day, minute = 3 + spread % 2, 600 + spread // 2 % 400
    return plan.epoch + timedelta(weeks=int(deals.close_week[deal]), days=day, minutes=minute)
