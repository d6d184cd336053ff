"""Features of the product: breadth, how fast new ones are taken up, how rare the ones in use are (S4)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from model.features.by_day import Figures, account_count, over, rows_of_days
from model.features.feature import Family, Feature, Inputs, Trace, bad, directed, good
from model.partials import GATES
from model.rolling import rolling_distinct, rolling_totals

NEEDS = {"events": ("account_id", "user_id", "feature", "at", "known_from")}
# A feature that fewer than this share of accounts has ever used is an advanced one, as of that day.
RARE_BELOW = 0.4
# Days before the as-of day with which features in use are compared, as they were known then.
LAGS = (0, 90, 180)
WINDOWS = (7, 30, 60, 90, 180)
FAR = 2**20  # a day after all days

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
        "gate_events_30",
        "count",
        "events",
        "Previews, upgrade prompts and locked features opened in the last 30 days, by anyone",
        (
            good(
                "MEETS_LIMITS_OF_PLAN",
                "Features outside the plan tried {gate_events_30} time(s) in 30 days",
                at_least=6,
            ),
        ),
    ),
    Feature("gate_events_90", "count", "events", "The same in the last 90 days"),
    Feature("gate_events_change", "count", "events", "The same in 30 days, less the 30 days before"),
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
_GATE_DAYS = {"gate_events_30": 30, "gate_events_90": 90, "gate_events_change": 60}
TRACES = {
    **{name: (Trace(table="events", days=days, filled=("feature",)),) for name, days in _DAYS.items()},
    **{name: (Trace(table="events", days=days, pages=GATES),) for name, days in _GATE_DAYS.items()},
}


def build(inputs: Inputs) -> pa.Table:
    """Adoption features of every row whose account had used any feature by then."""
    used = inputs.timeline.feature_day
    table = inputs.timeline.uses.order_by("use").to_pyarrow()
    # ufunc.at takes six times as long (measured) where kinds of numbers are mixed
    uses = _Uses(**{name: table[name].cast(pa.int64()).to_numpy() for name in _Uses.__dataclass_fields__})
    accounts = account_count(inputs, uses.account)
    asked = {
        days: [d - lag for d in inputs.days for lag in (LAGS if days == 30 else (0,))] for days in WINDOWS
    }
    in_use = rolling_distinct(used, "feature", asked)
    events = rolling_totals(used, "events", {90: inputs.days}, by="use")[90]
    gated = inputs.timeline.user_day.filter(lambda t: t.gate_events > 0)
    gates = rolling_totals(gated, "gate_events", dict.fromkeys((30, 60, 90), inputs.days))

    def figures(day: int) -> Figures:
        found = _of_day(uses, accounts, day, events.on(day, len(uses.at)))
        count = {
            (days, lag): in_use[days].on(day - lag, accounts)
            for days, lag in [*((days, 0) for days in WINDOWS), (30, 90), (30, 180)]
        }
        met = {days: grid.on(day, accounts) for days, grid in gates.items()}
        return {
            **found,
            **{f"features_{days}": count[days, 0] for days in WINDOWS},
            "features_change_90": count[30, 0] - count[30, 90],
            "features_change_180": count[30, 0] - count[30, 180],
            "features_unused_share": 1 - over(count[90, 0], found["offered"]),
            "gate_events_30": met[30],
            "gate_events_90": met[90],
            "gate_events_change": 2 * met[30] - met[60],
        }

    return rows_of_days(inputs, figures, known="features_ever").drop_columns("offered")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Uses:
    """The first use of each feature by each account, by codes."""

    account: np.ndarray
    feature: np.ndarray
    at: np.ndarray
    known: np.ndarray


def _of_day(uses: _Uses, accounts: int, day: int, events: np.ndarray) -> Figures:
    """The figures of one day, from what was known by then, and the events of each use in 90 days.

    `usual` is a feature's place in the usual order: mean days since the first use of anything."""
    seen = np.flatnonzero(uses.known <= day)
    account, feature, at = uses.account[seen], uses.feature[seen], uses.at[seen]
    features, age = int(uses.feature.max(initial=0)) + 1, day - at

    def total(weights: np.ndarray) -> np.ndarray:
        sums: np.ndarray = np.bincount(account, weights=weights, minlength=accounts)
        return sums

    ever, users = np.bincount(account, minlength=accounts), np.bincount(feature, minlength=features)
    began, newest, released = np.full(accounts, FAR), np.full(accounts, -FAR), np.full(features, FAR)
    np.minimum.at(began, account, at)
    np.maximum.at(newest, account, at)
    np.minimum.at(released, feature, at)
    usual = over(np.bincount(feature, weights=at - began[account], minlength=features), users).round(6)
    rare = (users < RARE_BELOW * np.count_nonzero(ever))[feature]
    # of two first used on one day, the one that usually comes later
    last = np.flatnonzero(at == newest[account])
    latest = np.full(accounts, np.nan)
    np.fmax.at(latest, account[last], usual[feature[last]])
    before = np.searchsorted(np.sort(usual[users > 0]), latest)
    recent = events[seen]
    return {
        "offered": np.full(accounts, np.count_nonzero(users)),
        "features_ever": ever,
        "features_new_90": total(age < 90),
        "adoption_velocity": total(age < 180) / 6,
        "advanced_new_90": total(rare & (age < 90)),
        "advanced_features_90": total(rare & (recent > 0)),
        "advanced_events_share_90": over(total(rare * recent), total(recent)),
        "feature_uptake_days": over(total(at - released[feature]), ever),
        "days_since_new_feature": day - newest,
        "features_skipped": before - total(usual[feature] < latest[account]),
    }


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
            "gate_events_90",
            "gate_events_change",
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
