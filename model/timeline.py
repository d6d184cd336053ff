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
import pyarrow as pa

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
    """The subject-days of all events, materialised in the engine."""
    events, users = sources["events"], sources["users"]
    # sessions first, then their days: half the cost of counting distinct sessions
    user_day = (
        events.filter(events.user_id.notnull())
        .group_by("account_id", "user_id", "at", "session_id")
        .agg(known=ibis._.known.min(), events=ibis._.count())
        .group_by("account_id", "user_id", "at")
        .agg(known=ibis._.known.min(), events=ibis._.events.sum(), sessions=ibis._.session_id.count())
    )
    user_day = space.keep(_with_stretches(user_day, "user_id"))
    feature_day = (
        events.filter(events.feature.notnull())
        .group_by("account_id", "feature", "at")
        .agg(known=ibis._.known.min(), events=ibis._.count())
    )
    placed = users.filter(users.department.notnull()).select("account_id", "user_id", "department").distinct()
    department_day = (
        user_day.join(placed, ["account_id", "user_id"])
        .group_by("account_id", "department", "at")
        .agg(known=ibis._.known.min(), users=ibis._.count())
    )
    # the few distinct names are searched, not every event
    names = events.select("event", "feature").distinct()
    text = ibis.coalesce(names.event, "") + " " + ibis.coalesce(names.feature, "")
    pages = space.keep(names.filter(text.lower().re_search(BILLING_PAGES)))
    same = [events.event.identical_to(pages.event), events.feature.identical_to(pages.feature)]
    billing_day = (
        events.semi_join(pages, same)
        .group_by("account_id", "user_id", "at")
        .agg(known=ibis._.known.min(), events=ibis._.count())
    )
    return Timeline(
        user_day=user_day,
        feature_day=space.keep(_with_stretches(feature_day, "feature")),
        department_day=space.keep(department_day),
        billing_day=space.keep(billing_day),
    )


def _with_stretches(subject_days: ir.Table, subject: str) -> ir.Table:
    """Subject-days with `start` (when it counts from) and `previous` (the latest of earlier starts)."""
    days = subject_days.mutate(start=ibis.greatest(subject_days["at"], subject_days.known))
    earlier = ibis.window(group_by=["account_id", subject], order_by=["start", "at"], preceding=(None, 1))
    return days.mutate(previous=days["at"].max().over(earlier))


def distinct_active(
    subject_days: ir.Table, *, windows: Iterable[int], days: Iterable[int], name: str
) -> ir.Table:
    """Distinct active subjects per account: account_id, day and `{name}_{W}` for each window, W days long.

    One row for every account with any subject-day and every day asked for. A late row (known after
    its day) counts from the day it was known, exactly.
    """
    # a stretch that ends no later than one that began before it adds nothing
    stretches = subject_days.filter(
        subject_days.previous.isnull() | (subject_days["at"] > subject_days.previous)
    )
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
        due = step.table.select("account_id", at=at, amount=step.amount).join(calendar, "at")
        due = due.group_by("account_id", "day").agg(amount=ibis._.amount.sum())
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
    return ibis.memtable(pa.table({"at": at, "day": day}))
