"""Active users and sessions: level, growth, acceleration over 7 to 180 days (S3)."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from model.days import day_table
from model.features.feature import Family, Feature, Inputs, bad, good
from model.timeline import distinct_active, total_events

NEEDS = {"events": ("account_id", "user_id", "session_id", "at", "known_from")}
LAGS = (0, 7, 30, 60, 90, 180)

FEATURES = (
    Feature("users_1", "count", "events", "Users active on the as-of day"),
    Feature("users_7", "count", "events", "Users active in the last 7 days"),
    Feature("users_30", "count", "events", "Users active in the last 30 days"),
    Feature("users_90", "count", "events", "Users active in the last 90 days"),
    Feature("users_growth_7", "change", "events", "Weekly active users against a week earlier"),
    Feature(
        "users_growth_30",
        "change",
        "events",
        "Monthly active users against 30 days earlier",
        (good("USERS_GROWING", "Active users up {users_growth_30:size} in 30 days", at_least=0.08),),
    ),
    Feature("users_growth_60", "change", "events", "Monthly active users against 60 days earlier"),
    Feature(
        "users_growth_90",
        "change",
        "events",
        "Monthly active users against 90 days earlier",
        (
            good("USERS_GROWING", "Active users up {users_growth_90:size} in 90 days", at_least=0.1),
            bad("USERS_SHRINKING", "Active users down {users_growth_90:size} in 90 days", at_most=-0.08),
        ),
    ),
    Feature("users_growth_180", "change", "events", "Monthly active users against 180 days earlier"),
    Feature("users_acceleration", "change", "events", "30-day growth less the growth of the 30 days before"),
    Feature(
        "users_acceleration_90", "change", "events", "90-day growth less the growth of the 90 days before"
    ),
    Feature("stickiness", "share", "events", "Weekly over monthly active users"),
    Feature("sessions_per_user", "ratio", "events", "Sessions per active user in 30 days"),
    Feature("events_per_user", "ratio", "events", "Events per active user in 30 days"),
    Feature("events_per_user_change", "change", "events", "Events per user against 90 days earlier"),
    Feature("events_30", "count", "events", "Events in the last 30 days"),
    Feature(
        "usage_trend",
        "change",
        "events",
        "Events of the last 90 days against the 90 before",
        (
            good("USAGE_RISING", "Usage up {usage_trend:size} on the three months before", at_least=0.1),
            bad("USAGE_FALLING", "Usage down {usage_trend:size} on the three months before", at_most=-0.1),
        ),
    ),
    Feature("usage_trend_30", "change", "events", "Events of the last 30 days against the 30 before"),
)


def build(inputs: Inputs) -> ir.Table:
    """Usage features of every row whose account had any event by then."""
    days = {day - lag for day in inputs.days for lag in LAGS}
    user_day = inputs.timeline.user_day
    keep = inputs.space.keep
    users = keep(distinct_active(user_day, windows=(1, 7, 30, 90), days=days, name="users"))
    events = keep(total_events(user_day, "events", windows=(30, 90), days=days))
    sessions = keep(total_events(user_day, "sessions", windows=(30,), days=inputs.days))
    rows = inputs.rows.cross_join(day_table(LAGS).rename(lag="day")).mutate(then=ibis._.day - ibis._.lag)
    seen = rows.join(users, [rows.account_id == users.account_id, rows.then == users.day], rname="at_{name}")
    seen = seen.join(
        events, [seen.account_id == events.account_id, seen.then == events.day], rname="of_{name}"
    )
    wide = {
        f"{name}_{lag}": seen[name].max(where=seen.lag == lag)
        for name in ("users_1", "users_7", "users_30", "users_90", "events_30", "events_90")
        for lag in LAGS
    }
    figures = seen.group_by("row", "account_id", "day").agg(**wide)
    figures = figures.join(sessions, ["account_id", "day"])
    # whoever was last active half a year ago has no usage to speak of, but a usage to have lost
    f = figures.filter((figures.users_90_0 > 0) | (figures.users_30_90 > 0) | (figures.users_30_180 > 0))

    def users_30(lag: int) -> ir.IntegerColumn:
        return f[f"users_30_{lag}"]

    def per_user(lag: int) -> ir.FloatingColumn:
        return _over(f[f"events_30_{lag}"], users_30(lag))

    growth_30 = _growth(users_30(0), users_30(30))
    growth_90 = _growth(users_30(0), users_30(90))
    return f.select(
        "row",
        users_1=f.users_1_0,
        users_7=f.users_7_0,
        users_30=users_30(0),
        users_90=f.users_90_0,
        users_growth_7=_growth(f.users_7_0, f.users_7_7),
        users_growth_30=growth_30,
        users_growth_60=_growth(users_30(0), users_30(60)),
        users_growth_90=growth_90,
        users_growth_180=_growth(users_30(0), users_30(180)),
        users_acceleration=growth_30 - _growth(users_30(30), users_30(60)),
        users_acceleration_90=growth_90 - _growth(users_30(90), users_30(180)),
        stickiness=_over(f.users_7_0, users_30(0)),
        sessions_per_user=_over(f.sessions_30, users_30(0)),
        events_per_user=per_user(0),
        events_per_user_change=per_user(0) / per_user(90).nullif(0) - 1,
        events_30=f.events_30_0,
        usage_trend=_growth(f.events_90_0, f.events_90_90),
        usage_trend_30=_growth(f.events_30_0, f.events_30_30),
    )


def _over(top: ir.NumericColumn, bottom: ir.NumericColumn) -> ir.FloatingColumn:
    return (bottom > 0).ifelse(top / bottom, ibis.null("float64"))


def _growth(now: ir.NumericColumn, before: ir.NumericColumn) -> ir.FloatingColumn:
    """Relative growth, damped for small teams (one user more is no 100 %); unknown from nothing."""
    return (now - before) / (before.nullif(0) + 2.0)


FAMILY = Family(name="usage", title="Usage", needs=NEEDS, features=FEATURES, build=build)
