"""Power users: how many, how their number grows, and how much of the usage they carry (S6)."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from model.features.feature import Family, Feature, Inputs, Trace, bad, directed, good
from model.timeline import in_windows

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


def build(inputs: Inputs) -> ir.Table:
    """Power-user features of every row with an active user in the last 30 days."""
    per = inputs.space.keep(_per_user(inputs))
    now = per.filter(per.days > 0)
    order = ibis.window(group_by=["account", "day"], order_by=["events", "user"])
    whole = ibis.window(group_by=["account", "day"])
    now = now.mutate(rank=ibis.row_number().over(order) + 1, users=now.count().over(whole))
    top = now["rank"] > now.users - ibis.greatest((now.users / 10).floor(), 1)
    figures = now.group_by("account", "day").agg(
        power_users=(now.days >= POWER_DAYS).sum(),
        users=now.users.max(),
        user_days=now.days.sum(),
        weighted=(now["rank"] * now.events).sum(),
        events=now.events.sum(),
        top=now.events.sum(where=top),
    )
    then = per.filter(per.days_before > 0)
    then = then.group_by("account", "day").agg(
        power_before=(then.days_before >= POWER_DAYS).sum(),
        users_before=then.count(),
        days_before=then.days_before.sum(),
    )
    f = inputs.rows.join(figures, ["account", "day"]).left_join(then, ["account", "day"])
    per_user = f.user_days / f.users
    return f.select(
        "row",
        "power_users",
        power_user_share=f.power_users / f.users,
        power_users_growth_90=(f.power_users - f.power_before) / (f.power_before + 2),
        # G = 2 Σ i·x(i) / (n Σ x) − (n + 1) / n, x sorted ascending
        usage_gini=2 * f.weighted / (f.users * f.events) - (f.users + 1) / f.users,
        usage_top10_share=f.top / f.events,
        days_per_user=per_user,
        days_per_user_change=per_user / (f.days_before / f.users_before) - 1,
    )


def _per_user(inputs: Inputs) -> ir.Table:
    """Days and events of each user over 30 days, and `days_before` of the 30 that ended 90 days earlier."""
    named = inputs.timeline.user_day.filter(lambda t: t.user.notnull())
    # a user's day has a line here and its events lines of their own, so that days are summed, not told apart
    events = named.select("account", "user", "at", "known", "events", days=ibis.literal(0, "int32"))
    active = inputs.timeline.active_day.select("account", "user", "at", "known")
    active = active.mutate(events=ibis.literal(0, "int32"), days=ibis.literal(1, "int32"))
    seen = in_windows(events.union(active), inputs.days, {0: 30, 90: 30})
    return seen.group_by("account", "user", "day").agg(
        days=ibis.coalesce(seen.days.sum(where=seen.lag == 0), 0),
        events=ibis.coalesce(seen.events.sum(where=seen.lag == 0), 0),
        days_before=ibis.coalesce(seen.days.sum(where=seen.lag == 90), 0),
    )


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
