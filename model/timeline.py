"""Exact rolling activity of every account, for any number of days at the price of reading events once.

The coverage rule: a user active on day d, known from day s and last active on day p, is among "active in
the last W days" on the days [max(s, p + W), d + W): +1 on the first, -1 on the last. The running sum per
account is the exact number of distinct users. The same holds for features and departments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np

from model.days import day_table
from model.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Events, once reduced to subject-days: each has account_id, its subject, `at` and `known` (day numbers).

    `user_day` carries `events` and `sessions`; `feature_day` carries `events`; `billing_day` are the days
    on which a user opened billing or plan pages.
    """

    user_day: ir.Table
    feature_day: ir.Table
    department_day: ir.Table
    billing_day: ir.Table


# Pages on which people look at plans, prices and invoices; matched inside `event` and `feature`, lower case.
BILLING_PAGES = "billing|invoice|pricing|plan_page|plans_page|upgrade_page|subscription"


def read_timeline(sources: Mapping[str, ir.Table], space: Workspace) -> Timeline:
    """The subject-days of all events, materialised in the engine. Reads the events once per subject."""
    events, users = sources["events"], sources["users"]
    user_day = space.keep(
        events.filter(events.user_id.notnull())
        .group_by("account_id", "user_id", "at")
        .agg(
            known=lambda t: t.known.min(),
            events=lambda t: t.count(),
            sessions=lambda t: t.session_id.nunique(),
        )
    )
    feature_day = space.keep(
        events.filter(events.feature.notnull())
        .group_by("account_id", "feature", "at")
        .agg(known=lambda t: t.known.min(), events=lambda t: t.count())
    )
    placed = users.filter(users.department.notnull()).select("account_id", "user_id", "department").distinct()
    department_day = space.keep(
        user_day.join(placed, ["account_id", "user_id"])
        .group_by("account_id", "department", "at")
        .agg(known=lambda t: t.known.min(), users=lambda t: t.count())
    )
    name = ibis.coalesce(events.event, "") + " " + ibis.coalesce(events.feature, "")
    billing_day = space.keep(
        events.filter(name.lower().re_search(BILLING_PAGES))
        .group_by("account_id", "user_id", "at")
        .agg(known=lambda t: t.known.min(), events=lambda t: t.count())
    )
    return Timeline(
        user_day=user_day, feature_day=feature_day, department_day=department_day, billing_day=billing_day
    )


def distinct_active(
    subject_days: ir.Table, subject: str, *, windows: Iterable[int], days: Iterable[int], name: str
) -> ir.Table:
    """Distinct active subjects per account: account_id, day and `{name}_{W}` for each window, W days long.

    One row for every account that ever had a subject-day and every day asked for. A late row (known after
    its day) counts from the day it was known, exactly.
    """
    stretches = subject_days.mutate(start=ibis.greatest(subject_days.at, subject_days.known))
    earlier = ibis.window(group_by=["account_id", subject], order_by=["start", "at"], preceding=(None, 1))
    stretches = stretches.mutate(previous=stretches.at.max().over(earlier))
    # a stretch that ends no later than one that began before it adds nothing
    stretches = stretches.filter(stretches.previous.isnull() | (stretches.at > stretches.previous))
    steps = []
    for width in windows:
        open_ = stretches.filter(stretches.start < stretches.at + width)
        begins = ibis.greatest(open_.start, ibis.coalesce(open_.previous + width, open_.start))
        steps.append(_Step(f"{name}_{width}", open_, begins, ibis.literal(1)))
        steps.append(_Step(f"{name}_{width}", open_, open_.at + width, ibis.literal(-1)))
    return _running(subject_days, steps, days)


def total_events(
    subject_days: ir.Table, column: str, *, windows: Iterable[int], days: Iterable[int]
) -> ir.Table:
    """Sum of `column` over the last W days per account: account_id, day and `{column}_{W}`."""
    steps = []
    for width in windows:
        begins = ibis.greatest(subject_days.at, subject_days.known)
        open_ = subject_days.filter(begins < subject_days.at + width)
        begins = ibis.greatest(open_.at, open_.known)
        amount = open_[column].cast("int64")
        steps.append(_Step(f"{column}_{width}", open_, begins, amount))
        steps.append(_Step(f"{column}_{width}", open_, open_.at + width, -amount))
    return _running(subject_days, steps, days)


class _Step(NamedTuple):
    """A change of the figure `name` by `amount` on day `at`, for each row of `table`."""

    name: str
    table: ir.Table
    at: ir.IntegerColumn
    amount: ir.IntegerColumn


def _running(subject_days: ir.Table, steps: list[_Step], days: Iterable[int]) -> ir.Table:
    """Running sums of the steps on each day asked for, for every account of `subject_days`."""
    asked = sorted(set(days))
    names = list(dict.fromkeys(step.name for step in steps))
    calendar = _next_asked(asked)
    moved = []
    for step in steps:
        at = ibis.greatest(step.at, asked[0])  # whatever began earlier is there on the first day
        daily = step.table.select("account_id", at=at, amount=step.amount).group_by("account_id", "at")
        daily = daily.agg(amount=ibis._.amount.sum())
        due = daily.join(calendar, "at").group_by("account_id", "day").agg(amount=ibis._.amount.sum())
        moved.append(due.mutate(name=ibis.literal(step.name)))
    stepped = (
        reduce(lambda a, b: a.union(b), moved)
        .group_by("account_id", "day")
        .agg(**{n: ibis._.amount.sum(where=ibis._.name == n) for n in names})
    )
    grid = subject_days.select("account_id").distinct().cross_join(day_table(asked))
    dense = grid.left_join(stepped, ["account_id", "day"]).select(
        grid.account_id, grid.day, **{n: ibis.coalesce(stepped[n], 0) for n in names}
    )
    window = ibis.cumulative_window(group_by="account_id", order_by="day")
    return dense.select("account_id", "day", **{n: dense[n].sum().over(window).cast("int64") for n in names})


def _next_asked(asked: list[int]) -> ir.Table:
    """Each day `at` between the first and the last asked one with the next asked `day`, itself included."""
    at = np.arange(asked[0], asked[-1] + 1)
    day = np.asarray(asked)[np.searchsorted(asked, at)]
    return ibis.memtable({"at": at, "day": day}, schema={"at": "int64", "day": "int64"})
