"""Active users and sessions: level, growth, acceleration over 7 to 180 days (S3)."""

from __future__ import annotations

import ibis
import numpy as np
import pyarrow as pa

from model.features.by_day import over
from model.features.feature import Family, Feature, Inputs, Trace, bad, directed, good
from model.rolling import rolling_totals

NEEDS = {"events": ("account_id", "user_id", "session_id", "at", "known_from")}
# Days before the as-of day on which events of the last W days are counted, by W.
EVENT_LAGS = {7: (0,), 30: (0, 30, 90), 90: (0, 90)}

FEATURES = (
    Feature("users_1", "count", "events", "Users active on the as-of day"),
    Feature("users_7", "count", "events", "Users active in the last 7 days"),
    Feature("users_30", "count", "events", "Users active in the last 30 days"),
    Feature("users_60", "count", "events", "Users active in the last 60 days"),
    Feature("users_90", "count", "events", "Users active in the last 90 days"),
    Feature("users_180", "count", "events", "Users active in the last 180 days"),
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
    Feature("sessions_30", "count", "events", "Sessions in the last 30 days; one over midnight counts twice"),
    Feature("sessions_per_user", "ratio", "events", "Sessions per active user in 30 days"),
    Feature("events_per_user", "ratio", "events", "Events per active user in 30 days"),
    Feature("events_per_user_change", "change", "events", "Events per user against 90 days earlier"),
    Feature("events_7", "count", "events", "Events in the last 7 days"),
    Feature("events_30", "count", "events", "Events in the last 30 days"),
    Feature("events_90", "count", "events", "Events in the last 90 days"),
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

_DAYS = {
    "users_1": 1,
    "users_7": 7,
    "users_30": 30,
    "users_60": 60,
    "users_90": 90,
    "users_180": 180,
    "users_growth_7": 14,
    "users_growth_30": 60,
    "users_growth_60": 90,
    "users_growth_90": 120,
    "users_growth_180": 210,
    "users_acceleration": 90,
    "users_acceleration_90": 210,
    "stickiness": 30,
    "sessions_per_user": 30,
    "events_per_user": 30,
    "events_per_user_change": 120,
    "sessions_30": 30,
    "events_7": 7,
    "events_30": 30,
    "events_90": 90,
    "usage_trend": 180,
    "usage_trend_30": 60,
}
TRACES = {name: (Trace(table="events", days=days),) for name, days in _DAYS.items()}


def build(inputs: Inputs) -> pa.Table:
    """Usage features of every row whose account was active in the last 90 days, or half a year ago."""
    named = inputs.timeline.user_day.filter(lambda t: t.user.notnull())
    asked = {width: {day - lag for day in inputs.days for lag in lags} for width, lags in EVENT_LAGS.items()}
    totals = rolling_totals(named, "events", asked)
    met = inputs.timeline.session_day.mutate(sessions=ibis.literal(1, "int32"))
    sessions = rolling_totals(met, "sessions", {30: inputs.days})[30]

    def users(width: int, lag: int = 0) -> np.ndarray:
        return inputs.timeline.users[width].at(inputs.account, inputs.day - lag)

    def total(width: int, lag: int = 0) -> np.ndarray:
        return totals[width].at(inputs.account, inputs.day - lag)

    def per_user(lag: int) -> np.ndarray:
        return over(total(30, lag), users(30, lag))

    growth_30 = growth(users(30), users(30, 30))
    growth_90 = growth(users(30), users(30, 90))
    figures = {
        "users_1": users(1),
        "users_7": users(7),
        "users_30": users(30),
        "users_60": users(60),
        "users_90": users(90),
        "users_180": users(180),
        "users_growth_7": growth(users(7), users(7, 7)),
        "users_growth_30": growth_30,
        "users_growth_60": growth(users(30), users(30, 60)),
        "users_growth_90": growth_90,
        "users_growth_180": growth(users(30), users(30, 180)),
        "users_acceleration": growth_30 - growth(users(30, 30), users(30, 60)),
        "users_acceleration_90": growth_90 - growth(users(30, 90), users(30, 180)),
        "stickiness": over(users(7), users(30)),
        "sessions_30": sessions.at(inputs.account, inputs.day),
        "sessions_per_user": over(sessions.at(inputs.account, inputs.day), users(30)),
        "events_per_user": per_user(0),
        "events_per_user_change": over(per_user(0), per_user(90)) - 1,
        "events_7": total(7),
        "events_30": total(30),
        "events_90": total(90),
        "usage_trend": growth(total(90), total(90, 90)),
        "usage_trend_30": growth(total(30), total(30, 30)),
    }
    # whoever was last active half a year ago has no usage to speak of, but a usage to have lost
    known = np.flatnonzero((users(90) > 0) | (users(30, 90) > 0) | (users(30, 180) > 0))
    return pa.table({"row": known} | {name: values[known] for name, values in figures.items()})


def growth(now: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Relative growth, damped for small teams (one user more is no 100 %); unknown from nothing."""
    return over(now - before, np.where(before > 0, before + 2.0, np.nan))


FAMILY = Family(
    name="usage",
    title="Usage",
    needs=NEEDS,
    features=directed(
        FEATURES,
        up=(
            "users_1",
            "users_7",
            "users_30",
            "users_60",
            "users_90",
            "users_180",
            "sessions_30",
            "events_7",
            "events_90",
            "users_growth_7",
            "users_growth_60",
            "users_growth_180",
            "users_acceleration",
            "users_acceleration_90",
            "stickiness",
            "sessions_per_user",
            "events_per_user",
            "events_per_user_change",
            "events_30",
            "usage_trend_30",
        ),
    ),
    build=build,
    traces=TRACES,
)
