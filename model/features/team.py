"""The team that works in the product, without its leads: the seats it fills, how it grows, and its habits.

A sponsor or a finance admin looks in now and then, and whether that fell into the last 30 days is chance. In
a small account it moves the use of the seats more than anything that happened; the team alone says how full
they are. A week and two months stand beside the month: whoever was there in a week is there now, and two
months miss nobody.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from model.features import habits
from model.features.by_day import over
from model.features.feature import Family, Feature, Inputs, bad, directed, good
from model.features.seats import ever_used, licence, seats_held
from model.features.usage import growth
from model.rolling import rolling_distinct

NEEDS = {
    "events": ("account_id", "user_id", "at", "known_from"),
    "users": ("account_id", "user_id", "role"),
}
# Days before the as-of day on which the team of the last W days is counted, by W.
LAGS = {7: (0,), 30: (0, 30, 90), 60: (0,)}

FEATURES = (
    Feature(
        "team_utilisation_7",
        "share",
        "events",
        "Users active in the last 7 days, without champions, sponsors and finance admins, over seats",
    ),
    Feature(
        "team_utilisation_30",
        "share",
        "events",
        "The same in the last 30 days",
        (
            good(
                "TEAM_FILLS_SEATS", "The team alone fills {team_utilisation_30} of the seats", at_least=0.75
            ),
            bad("TEAM_SMALL", "The team fills only {team_utilisation_30} of the seats", at_most=0.5),
        ),
    ),
    Feature("team_utilisation_60", "share", "events", "The same in the last 60 days"),
    Feature("team_growth_30", "change", "events", "The team of 30 days against 30 days earlier"),
    Feature(
        "team_growth_90",
        "change",
        "events",
        "The team of 30 days against 90 days earlier",
        (
            good("TEAM_GROWING", "The team is up {team_growth_90:size} in 90 days", at_least=0.1),
            bad("TEAM_SHRINKING", "The team is down {team_growth_90:size} in 90 days", at_most=-0.08),
        ),
    ),
)
_DAYS = {**{f"team_utilisation_{days}": days for days in LAGS}, "team_growth_30": 60, "team_growth_90": 120}
TRACES = {
    **{name: licence(days) for name, days in _DAYS.items()},
    **habits.TRACES,
}


def build(inputs: Inputs) -> pa.Table:
    """The team's features of every row whose account was known by then to have used the product."""
    team = inputs.space.keep(habits.team_of(inputs))
    active = inputs.timeline.active_day.semi_join(team, "user")
    asked = {width: [day - lag for day in inputs.days for lag in lags] for width, lags in LAGS.items()}
    people = rolling_distinct(active, "user", asked)
    seats = seats_held(inputs, inputs.account.astype(np.int64), inputs.day)

    def count(width: int, lag: int = 0) -> np.ndarray:
        return people[width].at(inputs.account, inputs.day - lag)

    figures = {
        **{f"team_utilisation_{width}": over(count(width), seats) for width in LAGS},
        "team_growth_30": growth(count(30), count(30, 30)),
        "team_growth_90": growth(count(30), count(30, 90)),
    }
    own = habits.habits(inputs, team)
    for feature in habits.FEATURES:
        values = np.full(len(inputs.day), np.nan)
        values[own["row"].to_numpy()] = own[feature.name].to_numpy()
        figures[feature.name] = values
    known = np.flatnonzero(ever_used(inputs))
    return pa.table({"row": known} | {name: values[known] for name, values in figures.items()})


FAMILY = Family(
    name="team",
    title="The working team",
    needs=NEEDS,
    features=directed(
        (*FEATURES, *habits.FEATURES), up=("team_utilisation_7", "team_utilisation_60", "team_growth_30")
    ),
    build=build,
    traces=TRACES,
)
