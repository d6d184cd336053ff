"""Features of the product: breadth, how fast new ones are taken up, how rare the ones in use are (S4)."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from model.days import day_table
from model.features.feature import Family, Feature, Inputs, Trace, bad, directed, good
from model.rolling import rolling_distinct, rolling_totals
from model.timeline import first_known, in_windows
from model.workspace import Workspace

NEEDS = {"events": ("account_id", "user_id", "feature", "at", "known_from")}
# A feature that fewer than this share of accounts has ever used is an advanced one, as of that day.
RARE_BELOW = 0.4
# Days before the as-of day with which features in use are compared, as they were known then.
LAGS = (0, 90, 180)
WINDOWS = (7, 30, 60, 90, 180)

FEATURES = (
    Feature(
        "features_30",
        "count",
        "events",
        "Product features used in the last 30 days",
        (bad("NARROW_USE", "Only {features_30} product feature(s) in use", at_most=6),),
    ),
    Feature("features_7", "count", "events", "Product features used in the last 7 days"),
    Feature("features_60", "count", "events", "Product features used in the last 60 days"),
    Feature("features_180", "count", "events", "Product features used in the last 180 days"),
    Feature("features_90", "count", "events", "Product features used in the last 90 days"),
    Feature("features_change_90", "count", "events", "Features in use now less 90 days earlier"),
    Feature("features_change_180", "count", "events", "Features in use now less 180 days earlier"),
    Feature("features_ever", "count", "events", "Product features ever used"),
    Feature(
        "features_new_90",
        "count",
        "events",
        "Product features used for the first time in the last 90 days",
        (
            good(
                "ADOPTING_FEATURES",
                "{features_new_90} product feature(s) first used in the last 90 days",
                at_least=2,
            ),
        ),
    ),
    Feature("adoption_velocity", "ratio", "events", "New features per month over the last 180 days"),
    Feature(
        "features_unused_share", "share", "events", "Share of features that anyone uses, not used in 90 days"
    ),
    Feature(
        "advanced_features_90",
        "count",
        "events",
        "Features in use that fewer than 40 % of accounts ever used",
        (
            good(
                "ADVANCED_USE",
                "{advanced_features_90} feature(s) in use that most accounts never took up",
                at_least=2,
            ),
        ),
    ),
    Feature("advanced_events_share_90", "share", "events", "Share of events of 90 days on advanced features"),
    Feature("advanced_new_90", "count", "events", "Advanced features first used in the last 90 days"),
    Feature(
        "feature_uptake_days",
        "days",
        "events",
        "Mean days from a feature's release to this account's first use",
    ),
    Feature(
        "features_skipped",
        "count",
        "events",
        "Product features that accounts usually take up before this one's latest, and that it never used",
    ),
    Feature(
        "days_since_new_feature", "days", "events", "Days since a feature was last used for the first time"
    ),
)

_DAYS = {f"features_{days}": days for days in WINDOWS} | {
    "features_change_90": 120,
    "features_change_180": 210,
}
TRACES = {name: (Trace(table="events", days=days, filled=("feature",)),) for name, days in _DAYS.items()}


# Figures that the engine gives as they are.
READY = (
    "features_ever",
    "features_new_90",
    "advanced_new_90",
    "feature_uptake_days",
    "days_since_new_feature",
)


def build(inputs: Inputs) -> pa.Table:
    """Adoption features of every row whose account had used any feature by then."""
    used = inputs.timeline.feature_day
    first = inputs.space.keep(first_known(used, "account", "feature"))
    popular = inputs.space.keep(_popularity(first, inputs.days, inputs.space))
    rows = inputs.rows
    seen = rows.join(first, [rows.account == first.account, first.known <= rows.day])
    seen = seen.mutate(age=seen.day - seen["at"]).join(popular, ["feature", "day"])
    rare = seen.popularity < RARE_BELOW
    ever = seen.group_by("row", "account", "day").agg(
        features_ever=seen.count(),
        features_new_90=(seen.age < 90).sum(),
        new_180=(seen.age < 180).sum(),
        advanced_new_90=(rare & (seen.age < 90)).sum(),
        feature_uptake_days=(seen["at"] - seen.released).mean(),
        days_since_new_feature=seen.age.min(),
        # of two first used on one day, the one that usually comes later
        latest=seen.usual.argmax(seen["at"] * 1e6 + seen.usual),
        offered=seen.offered.max(),
    )
    own = ever.select("row", "day", "latest")
    before = own.join(popular, [own.day == popular.day, popular.usual < own.latest], rname="usual_{name}")
    before = before.group_by("row").agg(usually_before=before.count())
    mine = seen.select("row", "usual").join(own.select("row", "latest"), "row")
    mine = mine.filter(mine.usual < mine["latest"]).group_by("row").agg(done_before=ibis._.count())
    figures = ever.left_join(before, "row").drop("row_right").left_join(mine, "row").drop("row_right")
    figures = figures.left_join(_advanced(inputs, used, popular), ["account", "day"]).to_pyarrow()
    at = figures["row"].to_numpy()
    account, day = inputs.account[at], inputs.day[at]
    asked = {
        days: [d - lag for d in inputs.days for lag in (LAGS if days == 30 else (0,))] for days in WINDOWS
    }
    in_use = rolling_distinct(used, "feature", asked)
    events = rolling_totals(used, "events", {90: inputs.days})[90].at(account, day)
    month, quarter = in_use[30].at(account, day), in_use[90].at(account, day)
    rare = np.nan_to_num(_figures(figures, "advanced_events"))
    return pa.table(
        {name: _figures(figures, name) for name in READY}
        | {
            "row": at,
            **{f"features_{days}": in_use[days].at(account, day) for days in WINDOWS},
            "features_change_90": month - in_use[30].at(account, day - 90),
            "features_change_180": month - in_use[30].at(account, day - 180),
            "features_skipped": _counts(figures, "usually_before") - _counts(figures, "done_before"),
            "adoption_velocity": _figures(figures, "new_180") / 6,
            "features_unused_share": 1 - quarter / _figures(figures, "offered"),
            "advanced_features_90": _counts(figures, "advanced_features"),
            "advanced_events_share_90": np.divide(
                rare, events, out=np.full(rare.shape, np.nan), where=events > 0
            ),
        }
    )


def _figures(table: pa.Table, name: str) -> np.ndarray:
    values: np.ndarray = table[name].cast(pa.float64()).to_numpy()
    return values


def _counts(table: pa.Table, name: str) -> np.ndarray:
    """The column, where nothing is there 0."""
    counts: np.ndarray = np.nan_to_num(_figures(table, name))
    return counts


def _advanced(inputs: Inputs, feature_day: ir.Table, popular: ir.Table) -> ir.Table:
    """Advanced features in use over 90 days, and events on them, per account and as-of day."""
    rare = popular.filter(popular.popularity < RARE_BELOW).select("feature", "day")
    of_rare = feature_day.semi_join(rare, "feature")
    seen = in_windows(of_rare, inputs.days, {0: 90}, inputs.space).join(rare, ["feature", "day"])
    return seen.group_by("account", "day").agg(
        advanced_features=seen.feature.nunique(), advanced_events=seen.events.sum()
    )


def _popularity(first: ir.Table, days: tuple[int, ...], space: Workspace) -> ir.Table:
    """Per feature and as-of day: share of accounts that had used it, its first day anywhere, all offered.

    `usual` is its place in the usual order: mean days from an account's first use of anything to this."""
    asked = day_table(days, space)
    users = asked.join(first, first.known <= asked.day)
    began = users.group_by("day", "account").agg(began=users["at"].min())
    after = users.join(began, ["day", "account"]).mutate(after=lambda t: t["at"] - t.began)
    counted = after.group_by("day", "feature").agg(
        n=after.count(), released=after["at"].min(), usual=after.after.mean().round(6)
    )
    accounts = began.group_by("day").agg(accounts=began.count())
    accounts = accounts.join(counted.group_by("day").agg(offered=counted.count()), "day")
    counted = counted.join(accounts, "day")
    share = counted.n / counted.accounts
    return counted.select("day", "feature", "released", "offered", "usual", popularity=share)


FAMILY = Family(
    name="adoption",
    title="Feature adoption",
    needs=NEEDS,
    features=directed(
        FEATURES,
        up=(
            "features_7",
            "features_60",
            "features_90",
            "features_180",
            "features_change_90",
            "features_change_180",
            "features_ever",
            "adoption_velocity",
            "advanced_events_share_90",
            "advanced_new_90",
        ),
        down=(
            "features_unused_share",
            "feature_uptake_days",
            "days_since_new_feature",
        ),
    ),
    build=build,
    traces=TRACES,
)
