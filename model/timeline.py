"""Events, read once and reduced to days: who was active, with which features, known since when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from model.rolling import Grid, rolling_users
from model.workspace import Workspace

# Pages on which people look at plans, prices and invoices; matched inside `event` and `feature`, lower case.
BILLING_PAGES = "billing|invoice|pricing|plan_page|plans_page|upgrade_page|subscription"

WEEKS = 26
# How many days before an as-of day the families ask for the users of the last W days, by W.
USER_LAGS: Mapping[int, tuple[int, ...]] = {
    1: (0,),
    7: (0, 7),
    30: tuple(sorted({*range(0, 7 * WEEKS + 1, 7), 30, 60, 90, 180})),
    90: (0,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Events with whole numbers for accounts, users and features, and what they come to per day.

    Days are day numbers; `known` is the day from which a line may be seen. Codes are of one build only.

    * `accounts`: account, account_id and `used`, the day on which its first use was known
    * `people`: user, account, account_id, user_id
    * `events`: account, user, feature, is_billing (a page about plans or invoices), session_id, at, known
    * `user_day`: account, user, at with known and events
    * `users`: distinct active users of the last 1, 7, 30 and 90 days, on the days of USER_LAGS
    """

    accounts: ir.Table
    people: ir.Table
    events: ir.Table
    user_day: ir.Table
    users: Mapping[int, Grid]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedEvents:
    """The tables `people` and `events` of a Timeline, people without a user id included."""

    people: ir.Table
    events: ir.Table


def read_timeline(coded: CodedEvents, days: Iterable[int], space: Workspace) -> Timeline:
    """The timeline of the events for the as-of `days`, materialised in the engine."""
    as_of = sorted(set(days))
    people, events = coded.people, coded.events
    named = events.filter(events.user.notnull())
    user_day = space.keep(
        named.group_by("account", "user", "at").agg(known=named.known.min(), events=named.count())
    )
    used = user_day.group_by("account").agg(used=user_day.known.min())
    accounts = people.select("account", "account_id").distinct()
    accounts = space.keep(accounts.left_join(used, "account").select("account", "account_id", "used"))
    asked = {width: [day - lag for day in as_of for lag in lags] for width, lags in USER_LAGS.items()}
    return Timeline(
        accounts=accounts,
        people=people.filter(people.user_id.notnull()),
        events=events,
        user_day=user_day,
        users=rolling_users(user_day, asked, space),
    )


def code_events(events: ir.Table, space: Workspace) -> CodedEvents:
    """The events, read once, with codes in place of names, and the people that the codes stand for.

    Grouping millions of events by whole numbers costs a third of grouping them by text.
    """
    by_person = ibis.window(order_by=["account_id", "user_id"])
    people = events.select("account_id", "user_id").distinct()
    people = space.keep(
        people.mutate(
            account=ibis.dense_rank().over(order_by="account_id").cast("int32"),
            user=ibis.row_number().over(by_person).cast("int32"),
        )
    )
    # the few distinct names are searched, not every event
    names = events.select("event", "feature").distinct()
    text = ibis.coalesce(names.event, "") + " " + ibis.coalesce(names.feature, "")
    names = space.keep(
        names.mutate(
            code=ibis.dense_rank().over(order_by="feature").cast("int32"),
            is_billing=text.lower().re_search(BILLING_PAGES),
        )
    )
    same_person = [events.account_id == people.account_id, events.user_id.identical_to(people.user_id)]
    same_name = [events.event.identical_to(names.event), events.feature.identical_to(names.feature)]
    joined = events.join(people, same_person, rname="person_{name}").join(
        names, same_name, rname="name_{name}"
    )
    coded = joined.select(
        "account",
        "is_billing",
        "session_id",
        user=joined.user_id.notnull().ifelse(joined.user, ibis.null("int32")),
        feature=joined.feature.notnull().ifelse(joined.code, ibis.null("int32")),
        at=joined["at"].cast("int32"),
        known=joined.known.cast("int32"),
    )
    return CodedEvents(people=people, events=space.keep(coded))


def first_known(subject_days: ir.Table, *subject: str) -> ir.Table:
    """Each subject's first use as it came to be known: the subject, `at` and `known`, one line each."""
    order = subject_days.known.cast("int64") * 2**20 + subject_days["at"]
    return subject_days.group_by(*subject).agg(
        at=subject_days["at"].argmin(order), known=subject_days.known.min()
    )


def in_windows(subject_days: ir.Table, days: Iterable[int], widths: Mapping[int, int]) -> ir.Table:
    """Subject-days inside windows before as-of days, with `day` (as-of), `lag` and `age`.

    `widths` has the window's length by lag: it ends `lag` days before the as-of day. Only what was known
    on the as-of day is there. A subject-day comes once for each window that holds it. (Joining days with
    a calendar of windows, not accounts with all of their rows, keeps the join as small as its result.)
    """
    spans = [
        (at, day, lag)
        for day in sorted(set(days))
        for lag, width in widths.items()
        for at in range(day - lag - width + 1, day - lag + 1)
    ]
    columns = zip(("at", "day", "lag"), zip(*spans, strict=True), strict=True)
    calendar = ibis.memtable(pa.table({name: pa.array(values, pa.int32()) for name, values in columns}))
    seen = subject_days.join(calendar, "at")
    seen = seen.filter(seen.known <= seen.day)
    return seen.mutate(age=seen.day - seen["at"])
