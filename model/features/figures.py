"""Usage that comes as figures per account and period instead of events: level, growth, seats in use (S1–S3).

Each metric is compared with itself, so that calls, reports and gigabytes need no common unit: what counts
something (calls) as a rate per day, what is a level (users, storage) as a mean over days. A period counts
where it ends.
"""

from __future__ import annotations

from typing import Final

import ibis
import ibis.expr.types as ir

from model.customers import invoice_spans
from model.features.feature import Feature, Inputs, Trace, bad, good

# Metrics that count active users, in lower case: what their name must be.
USERS: Final = (
    "active_users",
    "monthly_active_users",
    "mau",
    "users_active",
    "seats_used",
    "used_seats",
    "licenses_used",
)
# What is a level, not a count of things that happened: parts of the metric's name.
LEVELS: Final = ("user", "seat", "mau", "license", "storage", "active")
LATEST_DAYS: Final = 35  # so that a month's figure is never out of sight

FEATURES: Final = (
    Feature("figures_known", "count", "usage", "Usage metrics with a figure in the last 35 days"),
    Feature(
        "figures_trend",
        "change",
        "usage",
        "Usage figures of the last 90 days against the 90 before, mean of the metrics",
        (
            good("FIGURES_RISING", "Usage up {figures_trend:size} on the three months before", at_least=0.1),
            bad(
                "FIGURES_FALLING", "Usage down {figures_trend:size} on the three months before", at_most=-0.1
            ),
        ),
    ),
    Feature(
        "figures_trend_30",
        "change",
        "usage",
        "Usage figures of the last 35 days against the 35 before, mean of the metrics",
    ),
    Feature(
        "figures_trend_max", "change", "usage", "The metric that rose most, 90 days against the 90 before"
    ),
    Feature(
        "figures_trend_min", "change", "usage", "The metric that fell most, 90 days against the 90 before"
    ),
    Feature("figure_users", "count", "usage", "Active users by the newest figures (metric active_users)"),
    Feature("figure_users_growth_90", "change", "usage", "Active users by figures against 90 days earlier"),
    Feature(
        "figure_seat_utilisation",
        "share",
        "usage",
        "Active users by figures over seats on the latest invoice, else as entitled",
        (
            good("FIGURE_SEATS", "{figure_seat_utilisation} of the seats are in use", at_least=0.8),
            bad("FIGURE_SEATS_FREE", "Only {figure_seat_utilisation} of the seats are in use", at_most=0.6),
        ),
    ),
)
UP: Final = (
    *("figures_known", "figures_trend_30", "figures_trend_max", "figures_trend_min"),
    *("figure_users", "figure_users_growth_90"),
)

_USERS: Final = Trace(table="usage", days=LATEST_DAYS, where={"metric": USERS})
TRACES: Final = {
    "figures_known": (Trace(table="usage", days=LATEST_DAYS),),
    "figures_trend_30": (Trace(table="usage", days=2 * LATEST_DAYS),),
    **{f"figures_{name}": (Trace(table="usage", days=180),) for name in ("trend", "trend_max", "trend_min")},
    "figure_users": (_USERS,),
    "figure_users_growth_90": (Trace(table="usage", days=90 + LATEST_DAYS, where={"metric": USERS}),),
    "figure_seat_utilisation": (_USERS, Trace(table="billing", filled=("seats",), newest=True)),
}


def figures(inputs: Inputs) -> ir.Table:
    """The features of every row with a figure known in the last 180 days."""
    usage = inputs.sources["usage"]
    name, length = usage.metric.lower(), ibis.greatest(ibis.coalesce(usage.period_days, 1), 1)
    is_level = ibis.or_(*(name.contains(part) for part in LEVELS))
    shaped = usage.select(
        "account_id",
        "at",
        "known",
        metric=name,
        length=length,
        amount=is_level.ifelse(
            usage["value"] * length, usage["value"]
        ),  # over its length: a level, or a rate
    )
    seen = inputs.known(inputs.space.keep(shaped))
    seen = seen.filter(seen.age < 180)

    def level(first: int, last: int) -> ir.FloatingScalar:
        inside = (seen.age >= first) & (seen.age < last)
        return seen.amount.sum(where=inside) / seen.length.sum(where=inside).nullif(0)

    each = seen.group_by("row", "metric").agg(
        newest=level(0, LATEST_DAYS),
        month_before=level(LATEST_DAYS, 2 * LATEST_DAYS),
        quarter=level(0, 90),
        quarter_before=level(90, 180),
        quarter_ago=level(90, 90 + LATEST_DAYS),
    )
    each = each.mutate(
        is_users=each.metric.isin(USERS),
        trend=each.quarter / each.quarter_before.nullif(0) - 1,
        trend_30=each.newest / each.month_before.nullif(0) - 1,
    )
    found = each.group_by("row").agg(
        figures_known=each.newest.count(),
        figures_trend=each.trend.mean(),
        figures_trend_30=each.trend_30.mean(),
        figures_trend_max=each.trend.max(),
        figures_trend_min=each.trend.min(),
        figure_users=each.newest.max(where=each.is_users),
        users_ago=each.quarter_ago.max(where=each.is_users),
    )
    found = found.left_join(_seats(inputs), "row").drop("row_right")
    return found.select(
        *("row", "figures_known", "figures_trend", "figures_trend_30"),
        *("figures_trend_max", "figures_trend_min", "figure_users"),
        figure_users_growth_90=found.figure_users / found.users_ago.nullif(0) - 1,
        figure_seat_utilisation=found.figure_users / found.seats,
    )


def _seats(inputs: Inputs) -> ir.Table:
    """Seats of each row as then known: on the latest invoice, else as entitled."""
    billing = inputs.sources["billing"]
    spans = invoice_spans(billing.filter(billing.seats > 0))
    billed = inputs.known(spans.select("account_id", "at", "known", "until", "seats"))
    billed = billed.filter(billed.until.isnull() | (billed.day < billed.until))
    billed = billed.group_by("row").agg(billed=billed.seats.max())
    limits = inputs.sources["entitlements"]
    limits = limits.filter((limits["item"].lower() == "seats") & (limits.quantity > 0))
    entitled = inputs.known(limits.select("account_id", "at", "known", "quantity"))
    order = entitled.known.cast("int64") * 2**20 + entitled["at"]
    entitled = entitled.group_by("row").agg(entitled=entitled.quantity.argmax(order))
    both = inputs.rows.select("row").left_join(billed, "row").drop("row_right")
    both = both.left_join(entitled, "row").drop("row_right")
    return both.select("row", seats=ibis.coalesce(both.billed, both.entitled))
