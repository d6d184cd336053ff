"""The use of the product by day: who was active, with which features, known since when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from model.partials import PARTIALS
from model.rolling import Grid, rolling_users
from model.workspace import Workspace

WEEKS = 26
# How many days before an as-of day the families ask for the users of the last W days, by W.
USER_LAGS: Mapping[int, tuple[int, ...]] = {
    1: (0,),
    7: (0, 7),
    30: tuple(sorted({*range(0, 7 * WEEKS + 1, 7), 30, 60, 90, 180})),
    60: (0,),
    90: (0,),
    180: (0,),
}


# The families look no further back than this, but for first uses: on 30 days that end 26 weeks earlier.
REACH = 30 + 7 * WEEKS


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedDays:
    """Whole numbers for the accounts, users and features of the partials (`model/partials.py`), which they
    hold too. A first use is dated as `first_known` does; `began` is the earliest day of all.

    * `people`: account, user, account_id, user_id, at, known, began; the user of events of nobody is null,
      and a line too
    * `uses`: account, feature, use, account_id, name, at, known; the use of a feature by an account
    """

    people: ir.Table
    uses: ir.Table
    partials: Mapping[str, ir.Table]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The use of the product per day. Days are day numbers; `known` is the day from which a line may be seen.

    Codes are of one build only. First uses are there from all time, days from REACH days before the earliest
    as-of day. A user-day has a line in `user_day` for each day on which some of its events became known, and
    one in `active_day`, as of the first of these.

    * `accounts`: account, account_id and `used`, the day on which its first use was known
    * `people`: user, account, account_id, user_id, and the first use: at, known; `everybody` has the users of
      events of nobody too
    * `uses`: use, account, feature (codes from 0, as all), and the first use: at, known
    * `user_day`: account, user, at, known, events, billing_views, gate_events; user is null for events of
      nobody
    * `active_day`: account, user, at, known
    * `all_days`: the `user_day` of all time, with names for codes (`by_person` codes what is wanted of it)
    * `feature_day`: account, feature, use, at, known, events
    * `session_day`: account, at, known; a line for each session
    * `users`: distinct active users of the last 1, 7, 30, 60, 90 and 180 days, on the days of USER_LAGS
    """

    accounts: ir.Table
    people: ir.Table
    everybody: ir.Table
    uses: ir.Table
    user_day: ir.Table
    active_day: ir.Table
    all_days: ir.Table
    feature_day: ir.Table
    session_day: ir.Table
    users: Mapping[int, Grid]


def read_timeline(coded: CodedDays, days: Iterable[int], space: Workspace) -> Timeline:
    """The timeline for the as-of `days`, materialised in the engine."""
    as_of = sorted(set(days))
    recent = {name: table.filter(table["at"] > as_of[0] - REACH) for name, table in coded.partials.items()}
    people = coded.people.filter(coded.people.user_id.notnull())
    used = people.group_by("account").agg(used=people.known.min())
    accounts = coded.people.select("account", "account_id").distinct()
    accounts = space.keep(accounts.left_join(used, "account").select("account", "account_id", "used"))
    sessions = _once(recent["session_day"]).join(accounts, "account_id")
    user_day = space.keep(by_person(recent["user_day"], coded.people))
    active_day = space.keep(first_lines(user_day))
    asked = {width: [day - lag for day in as_of for lag in lags] for width, lags in USER_LAGS.items()}
    return Timeline(
        accounts=accounts,
        people=people,
        everybody=coded.people,
        uses=coded.uses,
        user_day=user_day,
        active_day=active_day,
        all_days=coded.partials["user_day"],
        feature_day=space.keep(_by_use(recent["feature_day"], coded.uses)),
        session_day=sessions.select("account", "at", "known"),
        users=rolling_users(active_day, asked),
    )


def code_days(partials: Mapping[str, ir.Table], space: Workspace) -> CodedDays:
    """Codes for all that the partials of `account_id` name, and when it was first used.

    Grouping and joining by whole numbers costs a third of doing so by text.
    """
    by_person = ibis.window(order_by=["account_id", "user_id"])
    people = first_known(partials["user_day"], "account_id", "user_id").mutate(
        account=(ibis.dense_rank().over(order_by="account_id")).cast("int32"),
        user=ibis.row_number().over(by_person).cast("int32"),
    )
    people = space.keep(people.mutate(user=people.user_id.notnull().ifelse(people.user, ibis.null("int32"))))
    accounts = people.select("account_id", "account").distinct()
    uses = first_known(partials["feature_day"], "account_id", "feature").join(accounts, "account_id")
    by_use = ibis.window(order_by=["account", "name"])
    uses = uses.rename(name="feature").mutate(
        feature=ibis.dense_rank().over(order_by="name").cast("int32"),
        use=ibis.row_number().over(by_use).cast("int32"),
    )
    return CodedDays(people=people, uses=space.keep(uses), partials=partials)


def by_person(user_day: ir.Table, people: ir.Table) -> ir.Table:
    """The lines of a partial that are of these people, with their codes."""
    people = people.select("account", "user", "account_id", "user_id").distinct()
    same = [user_day.account_id == people.account_id, user_day.user_id.identical_to(people.user_id)]
    joined = user_day.join(
        people.select("account", "user", "account_id", "user_id"), same, rname="person_{name}"
    )
    return joined.select("account", "user", *(name for name in PARTIALS["user_day"] if name != "user_id"))


def _by_use(feature_day: ir.Table, uses: ir.Table) -> ir.Table:
    same = [feature_day.account_id == uses.account_id, feature_day.feature == uses.name]
    joined = feature_day.join(uses.select("account", "use", "account_id", "name", code="feature"), same)
    return joined.select("account", "use", "at", "known", "events", feature="code")


def _once(session_day: ir.Table) -> ir.Table:
    """Each session of a user's day once, known since the first line of it, in whichever files it lies."""
    once = session_day.group_by("account_id", "user_id", "session_id", "at")
    return once.agg(known=session_day.known.min())


def first_lines(user_day: ir.Table) -> ir.Table:
    """Of each user-day the line that was known first; a user is of one account."""
    named = user_day.filter(user_day.user.notnull())
    first = named.group_by("user", "at").agg(account=named.account.min(), known=named.known.min())
    return first.select("account", "user", "at", "known")


def first_known(subject_days: ir.Table, *subject: str) -> ir.Table:
    """Each subject's first use as it came to be known: the subject, `at` and `known`, one line each; `began`
    is the earliest day of its use, whenever it became known."""
    # of the lines that were known first the earliest: both in one number, which costs half of two figures
    order = subject_days.known.cast("int64") * 2**20 + subject_days["at"]
    first = subject_days.group_by(*subject).agg(
        order=order.min(), known=subject_days.known.min(), began=subject_days["at"].min()
    )
    at = (first.order - first.known.cast("int64") * 2**20).cast("int32")
    return first.select(*subject, "known", "began", at=at)


def in_windows(
    subject_days: ir.Table, days: Iterable[int], widths: Mapping[int, int], space: Workspace
) -> ir.Table:
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
    calendar = space.hold(pa.table({name: pa.array(values, pa.int32()) for name, values in columns}))
    seen = subject_days.join(calendar, "at")
    seen = seen.filter(seen.known <= seen.day)
    return seen.mutate(age=seen.day - seen["at"])
