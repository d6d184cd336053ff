"""Whether people use the product more than they used to, each against their own usual rate.

Events per user hang on who the users are: one who lives in the product counts for five who look in, and in a
small team that drowns what changes. So the last 30 days are compared with what these very people would have
made in them at the rate of the half year before. A rate known from few days is drawn towards that of all of
the account's people by a gamma prior: (events + weight × mean) / (days + weight), per day.

Champions, sponsors and finance admins are left out: what they do says something of its own (`people`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from model.features.by_day import Figures, account_count, over, rows_of_days
from model.features.feature import Feature, Inputs, Trace, bad, good
from model.features.people import SPONSORS
from model.rolling import rolling_totals
from model.timeline import REACH

APART: Final = ("champion", "finance_admin", *SPONSORS)
"""Roles of whom other features tell."""
WINDOW: Final = 30  # days that are compared with what came before
PRESENT: Final = 60  # whoever did nothing in so many days has left
PERSON_DAYS: Final = 56.0  # what the account's rate is worth against a person's own days
FEW: Final = 2.0  # events added to both sides, so that a handful of them is no doubling

FEATURES = (
    Feature(
        "same_people_30",
        "change",
        "events",
        "Events of the last 30 days against those that the same people would have made at the rate of the "
        "half year before, each at their own; without champions, sponsors and finance admins",
        (
            good(
                "SAME_PEOPLE_MORE",
                "The same people do {same_people_30:size} more than they used to",
                at_least=0.2,
            ),
            bad(
                "SAME_PEOPLE_LESS",
                "The same people do {same_people_30:size} less than they used to",
                at_most=-0.2,
            ),
        ),
    ),
)
# who was there before is told by first uses, however long ago
TRACES = {"same_people_30": (Trace(table="events"),)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _People:
    """People by code, each with the account and the first use; without those that are apart."""

    user: np.ndarray
    account: np.ndarray
    at: np.ndarray


def team_of(inputs: Inputs) -> ir.Table:
    """The people of the timeline, without those in the roles apart."""
    users = inputs.sources["users"]
    apart = users.filter(users.role.lower().replace(" ", "_").isin(list(APART)))
    return inputs.timeline.people.anti_join(apart, ["account_id", "user_id"])


def habits(inputs: Inputs, team: ir.Table) -> pa.Table:
    """The features of every row whose team was there before the last 30 days."""
    named = inputs.timeline.user_day.filter(lambda t: t.user.notnull())
    events = rolling_totals(named, "events", dict.fromkeys((WINDOW, PRESENT, REACH), inputs.days), by="user")
    table = team.select("user", "account", "at").to_pyarrow()
    people = _People(**{name: table[name].to_numpy() for name in table.column_names})
    accounts, codes = account_count(inputs, people.account), 1 + int(people.user.max(initial=0))

    def figures(day: int) -> Figures:
        made = {width: grid.on(day, codes)[people.user] for width, grid in events.items()}
        return _of_day(people, made, accounts, day)

    return rows_of_days(inputs, figures, known="days").drop_columns("days")


def _of_day(people: _People, made: Mapping[int, np.ndarray], accounts: int, day: int) -> Figures:
    """The figures of one day, from the events that each person made in the days before it, by their number.

    `days` are those on which an account's people were there before the window, from their first use on."""
    there = np.flatnonzero(made[PRESENT])
    account = people.account[there]
    now, earlier = made[WINDOW][there], (made[REACH] - made[WINDOW])[there]
    since = np.clip(day - WINDOW + 1 - people.at[there], 0, REACH - WINDOW)

    def total(weights: np.ndarray) -> np.ndarray:
        sums: np.ndarray = np.bincount(account, weights=weights, minlength=accounts)
        return sums

    days = total(since)
    usual = np.nan_to_num(over(total(earlier), days))
    rate = (earlier + PERSON_DAYS * usual[account]) / (since + PERSON_DAYS)
    expected = total(WINDOW * rate)
    return {"days": days, "same_people_30": over(total(now) + FEW, expected + FEW) - 1}
