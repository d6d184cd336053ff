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


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedDays:
    """The partials (`model/partials.py`) with whole numbers for accounts, users and features.

    * `people`: account, user, account_id, user_id; the user of events of nobody is null, and a line too
    * `user_day`, `feature_day`, `session_day`: as the partials, by account and user or feature
    """

    people: ir.Table
    user_day: ir.Table
    feature_day: ir.Table
    session_day: ir.Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The use of the product per day. Days are day numbers; `known` is the day from which a line may be seen.

    Codes are of one build only. A user-day has a line in `user_day` for each day on which some of its events
    became known, and one in `active_day`, as of the first of these.

    * `accounts`: account, account_id and `used`, the day on which its first use was known
    * `people`: user, account, account_id, user_id
    * `user_day`: account, user, at, known, events, billing_views; user is null for events of nobody
    * `active_day`: account, user, at, known
    * `feature_day`: account, feature, at, known, events
    * `session_day`: account, user, session_id, at, known; a session comes once for each source that has it
    * `users`: distinct active users of the last 1, 7, 30, 60, 90 and 180 days, on the days of USER_LAGS
    """

    accounts: ir.Table
    people: ir.Table
    user_day: ir.Table
    active_day: ir.Table
    feature_day: ir.Table
    session_day: ir.Table
    users: Mapping[int, Grid]


def read_timeline(coded: CodedDays, days: Iterable[int], space: Workspace) -> Timeline:
    """The timeline for the as-of `days`, materialised in the engine."""
    as_of = sorted(set(days))
    people = coded.people
    active_day = space.keep(_first_lines(coded.user_day))
    used = active_day.group_by("account").agg(used=active_day.known.min())
    accounts = people.select("account", "account_id").distinct()
    accounts = space.keep(accounts.left_join(used, "account").select("account", "account_id", "used"))
    asked = {width: [day - lag for day in as_of for lag in lags] for width, lags in USER_LAGS.items()}
    return Timeline(
        accounts=accounts,
        people=people.filter(people.user_id.notnull()),
        user_day=coded.user_day,
        active_day=active_day,
        feature_day=coded.feature_day,
        session_day=coded.session_day,
        users=rolling_users(active_day, asked),
    )


def code_days(partials: Mapping[str, ir.Table], space: Workspace) -> CodedDays:
    """The partials of `account_id` with codes in place of names, and the people that the codes stand for.

    Grouping and joining by whole numbers costs a third of doing so by text.
    """
    given = partials["user_day"]
    by_person = ibis.window(order_by=["account_id", "user_id"])
    people = given.select("account_id", "user_id").distinct()
    people = people.mutate(
        account=ibis.dense_rank().over(order_by="account_id").cast("int32"),
        user=ibis.row_number().over(by_person).cast("int32"),
    )
    people = space.keep(people.mutate(user=people.user_id.notnull().ifelse(people.user, ibis.null("int32"))))
    accounts = people.select("account_id", "account").distinct()
    used = partials["feature_day"]
    features = used.select("feature").distinct()
    features = space.keep(
        features.select(name="feature", code=ibis.row_number().over(order_by="feature").cast("int32"))
    )

    def by_person_code(table: ir.Table) -> ir.Table:
        same = [table.account_id == people.account_id, table.user_id.identical_to(people.user_id)]
        joined = table.join(people, same, rname="person_{name}")
        kept = [name for name in table.columns if name not in {"account_id", "user_id"}]
        return joined.select("account", "user", *kept)

    of_account = used.join(accounts, "account_id")
    of_account = of_account.join(features, of_account.feature == features.name)
    columns = [name for name in PARTIALS["feature_day"] if name != "feature"]
    return CodedDays(
        people=people,
        user_day=space.keep(by_person_code(given)),
        feature_day=space.keep(of_account.select("account", *columns, feature="code")),
        session_day=by_person_code(partials["session_day"]),
    )


def _first_lines(user_day: ir.Table) -> ir.Table:
    """Of each user-day the line that was known first; a user is of one account."""
    named = user_day.filter(user_day.user.notnull())
    first = named.group_by("user", "at").agg(account=named.account.min(), known=named.known.min())
    return first.select("account", "user", "at", "known")


def first_known(subject_days: ir.Table, *subject: str) -> ir.Table:
    """Each subject's first use as it came to be known: the subject, `at` and `known`, one line each."""
    # of the lines that were known first the earliest: both in one number, which costs half of two figures
    order = subject_days.known.cast("int64") * 2**20 + subject_days["at"]
    first = subject_days.group_by(*subject).agg(order=order.min(), known=subject_days.known.min())
    return first.select(*subject, "known", at=(first.order - first.known.cast("int64") * 2**20).cast("int32"))


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
