"""Power users: how many, how their number grows, and how much of the usage they carry (S6)."""

from __future__ import annotations

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from model.features.by_day import Figures, account_count, over, rows_of_days
from model.features.feature import Family, Feature, Inputs, Trace, bad, directed, good
from model.rolling import rolling_totals

NEEDS = {"events": ("account_id", "user_id", "at", "known_from")}
# Active on 10 of the last 30 days is every other working day.
POWER_DAYS = 10

FEATURES = (
    Feature(
        "power_users",
        "count",
        "events",
        "Users active on 10 or more of the last 30 days",
    ),
    Feature(
        "power_user_share",
        "share",
        "events",
        "Power users over active users",
        (
            good(
                "POWER_USERS",
                "Power users are {power_user_share} of all active users",
                at_least=0.25,
            ),
            bad("FEW_POWER_USERS", "None of the active users is a power user", at_most=0.0),
            bad("FEW_POWER_USERS", "Only {power_user_share} of active users are power users", at_most=0.08),
        ),
    ),
    Feature(
        "power_users_growth_90",
        "change",
        "events",
        "Power users against 90 days earlier",
        (
            good(
                "POWER_USERS_GROWING", "Power users up {power_users_growth_90:size} in 90 days", at_least=0.15
            ),
        ),
    ),
    Feature("usage_gini", "ratio", "events", "Gini coefficient of events over users, 30 days"),
    Feature("usage_top10_share", "share", "events", "Share of events by the busiest tenth of users, 30 days"),
    Feature("days_per_user", "ratio", "events", "Active days per active user in 30 days"),
    Feature("days_per_user_change", "change", "events", "Active days per user against 90 days earlier"),
)

_DAYS = {
    **dict.fromkeys(
        ("power_users", "power_user_share", "usage_gini", "usage_top10_share", "days_per_user"), 30
    ),
    **dict.fromkeys(("power_users_growth_90", "days_per_user_change"), 120),
}
TRACES = {name: (Trace(table="events", days=days),) for name, days in _DAYS.items()}


def build(inputs: Inputs) -> pa.Table:
    """Power-user features of every row with an active user in the last 30 days."""
    timeline = inputs.timeline
    named = timeline.user_day.filter(lambda t: t.user.notnull())
    active = timeline.active_day.mutate(days=ibis.literal(1, "int32"))
    # 90 and 120 days tell of the 30 that ended 90 days earlier, as far as these are known on the as-of day
    days = rolling_totals(active, "days", dict.fromkeys((30, 90, 120), inputs.days), by="user")
    events = rolling_totals(named, "events", {30: inputs.days}, by="user")[30]
    people = timeline.people.select("user", "account").to_pyarrow()
    users = 1 + int(pc.max(people["user"]).as_py() or 0)
    account = np.zeros(users, np.int64)
    account[people["user"].to_numpy()] = people["account"].to_numpy()
    accounts = account_count(inputs, account)

    def figures(day: int) -> Figures:
        now, quarter, before = (days[width].on(day, users) for width in (30, 90, 120))
        return _of_day(account, accounts, now, before - quarter, events.on(day, users))

    return rows_of_days(inputs, figures, known="users").drop_columns("users")


def _of_day(
    account: np.ndarray, accounts: int, now: np.ndarray, before: np.ndarray, events: np.ndarray
) -> Figures:
    """The figures of one day, of each user's account, days now and before, and events."""

    def total(weights: np.ndarray, of: np.ndarray) -> np.ndarray:
        sums: np.ndarray = np.bincount(of, weights=weights, minlength=accounts)
        return sums

    active = np.flatnonzero(now > 0)
    # account and events in one number, which sorts faster than two columns
    active = active[np.argsort(account[active].astype(np.int64) << 32 | events[active].astype(np.int64))]
    mine, amount = account[active], events[active]
    users = np.bincount(mine, minlength=accounts)
    rank = np.arange(len(active)) + 1 - (np.cumsum(users) - users)[mine]
    top = rank > users[mine] - np.maximum(users[mine] // 10, 1)
    power, power_before = total(now >= POWER_DAYS, account), total(before >= POWER_DAYS, account)
    all_events, per_user = total(amount, mine), over(total(now, account), users)
    users_before = total(before > 0, account)
    growth = np.where(users_before > 0, (power - power_before) / (power_before + 2.0), np.nan)
    return {
        "users": users,
        "power_users": power,
        "power_user_share": over(power, users),
        "power_users_growth_90": growth,
        # G = 2 Σ i·x(i) / (n Σ x) − (n + 1) / n, x sorted ascending
        "usage_gini": 2 * over(total(rank * amount, mine), users * all_events) - over(users + 1, users),
        "usage_top10_share": over(total(amount * top, mine), all_events),
        "days_per_user": per_user,
        "days_per_user_change": over(per_user, over(total(before, account), users_before)) - 1,
    }


FAMILY = Family(
    name="power_users",
    title="Power users",
    needs=NEEDS,
    features=directed(
        FEATURES,
        up=(
            "power_users",
            "days_per_user",
            "days_per_user_change",
        ),
    ),
    build=build,
    traces=TRACES,
)
