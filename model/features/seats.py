"""Seats: how full the licence is, for how long, and when it will be hit (S1)."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from model.customers import invoice_spans
from model.days import day_table
from model.features.feature import Family, Feature, Inputs, bad, good
from model.timeline import distinct_active

NEEDS = {
    "billing": ("account_id", "period_start", "seats", "known_from"),
    "entitlements": ("account_id", "item", "kind", "quantity", "valid_from", "known_from"),
    "events": ("account_id", "user_id", "at", "known_from"),
}
WEEKS = 26  # as far back as streaks and the trend look
TREND_WEEKS = 13
_FULL = good(
    "SEATS_FULL",
    "Seats {seat_utilisation} used, above 90 % for {seat_weeks_above_90} weeks",
    at_least=1,
)

FEATURES = (
    Feature(
        "seat_utilisation",
        "share",
        "usage",
        "Users active in the last 30 days over seats on the latest invoice",
        (
            good("SEAT_PRESSURE", "Seats {seat_utilisation} used", at_least=0.8),
            bad("SEATS_FREE", "Only {seat_utilisation} of seats used", at_most=0.6),
        ),
    ),
    Feature("seat_headroom", "count", "usage", "Seats not used by anyone in the last 30 days"),
    Feature(
        "seat_utilisation_max",
        "share",
        "usage",
        "Highest weekly seat utilisation of the last 26 weeks",
        (
            good(
                "SEAT_PEAK", "Seat use peaked at {seat_utilisation_max} in the last half year", at_least=0.95
            ),
        ),
    ),
    Feature("seat_utilisation_mean", "share", "usage", "Mean weekly seat utilisation of the last 13 weeks"),
    Feature(
        "seat_utilisation_change_30",
        "change",
        "usage",
        "Seat utilisation now less 4 weeks ago",
        (good("SEATS_RISING", "Seat use up {seat_utilisation_change_30:size} in four weeks", at_least=0.04),),
    ),
    Feature("seat_utilisation_change_60", "change", "usage", "Seat utilisation now less 8 weeks ago"),
    Feature(
        "seat_utilisation_change_90",
        "change",
        "usage",
        "Seat utilisation now less 13 weeks ago",
        (
            good("SEATS_RISING", "Seat use up {seat_utilisation_change_90:size} in 13 weeks", at_least=0.06),
            bad(
                "SEATS_FALLING", "Seat use down {seat_utilisation_change_90:size} in 13 weeks", at_most=-0.06
            ),
        ),
    ),
    Feature("seat_utilisation_change_180", "change", "usage", "Seat utilisation now less 26 weeks ago"),
    Feature("seat_trend", "change", "usage", "Slope of weekly seat utilisation over 13 weeks, per week"),
    Feature("seat_weeks_above_80", "weeks", "usage", "Weeks in a row with seat utilisation above 80 %"),
    Feature("seat_weeks_above_85", "weeks", "usage", "Weeks in a row with seat utilisation above 85 %"),
    Feature(
        "seat_weeks_above_90", "weeks", "usage", "Weeks in a row with seat utilisation above 90 %", (_FULL,)
    ),
    Feature("seat_share_weeks_above_85", "share", "usage", "Share of the last 26 weeks above 85 %"),
    Feature(
        "seat_days_to_limit",
        "days",
        "usage",
        "Days until active users reach the seats at the 13-week trend; 0 when over, 365 when far or falling",
        (good("SEAT_LIMIT_NEAR", "At this pace the seats run out in {seat_days_to_limit}", at_most=90),),
    ),
)


def build(inputs: Inputs) -> ir.Table:
    """Seat features of every row that has both seats and events."""
    lags = day_table(7 * k for k in range(WEEKS + 1)).rename(lag="day")
    days = {day - 7 * k for day in inputs.days for k in range(WEEKS + 1)}
    active = distinct_active(inputs.timeline.user_day, windows=(30,), days=days, name="users")
    weekly = inputs.space.keep(_utilisation(inputs, inputs.space.keep(active)))
    rows = inputs.rows.cross_join(lags).mutate(then=lambda t: t.day - t.lag)
    seen = rows.join(weekly, [rows.account_id == weekly.account_id, rows.then == weekly.week])
    x = -(seen.lag / 7)
    near = seen.lag <= 7 * TREND_WEEKS

    def at(weeks: int) -> ir.FloatingScalar:
        return seen.used.max(where=seen.lag == 7 * weeks)

    def streak(level: float) -> ir.FloatingScalar:
        return ibis.coalesce(seen.lag.min(where=seen.used < level), 7 * (WEEKS + 1)) / 7

    figures = seen.group_by("row").agg(
        now=at(0),
        users=seen.users.max(where=seen.lag == 0),
        seats=seen.seats.max(where=seen.lag == 0),
        w4=at(4),
        w8=at(8),
        w13=at(13),
        w26=at(26),
        peak=seen.used.max(),
        mean=seen.used.mean(where=near),
        trend=x.cov(seen.used, where=near, how="pop") / x.var(where=near, how="pop"),
        pace=x.cov(seen.users, where=near, how="pop") / x.var(where=near, how="pop") / 7,
        above_80=streak(0.80),
        above_85=streak(0.85),
        above_90=streak(0.90),
        often=(seen.used > 0.85).cast("float64").mean(),
    )
    headroom = figures.seats - figures.users
    runs_out = ibis.cases(
        (headroom <= 0, 0.0),
        (figures.pace > 0, ibis.least(headroom / figures.pace, 365.0)),
        (figures.pace <= 0, 365.0),
    )
    return figures.filter(figures.now.notnull()).select(
        "row",
        seat_utilisation=figures.now,
        seat_headroom=headroom,
        seat_utilisation_max=figures.peak,
        seat_utilisation_mean=figures["mean"],
        seat_utilisation_change_30=figures.now - figures.w4,
        seat_utilisation_change_60=figures.now - figures.w8,
        seat_utilisation_change_90=figures.now - figures.w13,
        seat_utilisation_change_180=figures.now - figures.w26,
        seat_trend=figures.trend,
        seat_weeks_above_80=figures.above_80,
        seat_weeks_above_85=figures.above_85,
        seat_weeks_above_90=figures.above_90,
        seat_share_weeks_above_85=figures.often,
        seat_days_to_limit=runs_out,
    )


def _utilisation(inputs: Inputs, active: ir.Table) -> ir.Table:
    """account_id, week (day number), users, seats and used = users / seats, as known in that week."""
    spans = invoice_spans(inputs.sources["billing"].filter(lambda t: t.seats > 0))
    limits = inputs.sources["entitlements"].filter(
        lambda t: (t["item"].lower() == "seats") & (t.quantity > 0)
    )
    order = ibis.window(group_by="account_id", order_by=["known", "at"])
    limits = limits.mutate(until=limits.known.lead().over(order), seats=limits.quantity)
    joined = active
    for name, licences in (("billed", spans), ("entitled", limits)):
        table = licences.select("account_id", "known", "until", **{name: licences.seats})
        joined = joined.left_join(
            table,
            [
                joined.account_id == table.account_id,
                table.known <= joined.day,
                table.until.isnull() | (joined.day < table.until),
            ],
        ).select(*joined.columns, name)
    seats = ibis.coalesce(joined.billed, joined.entitled)
    joined = joined.mutate(seats=seats).filter(lambda t: t.seats.notnull())
    return joined.select(
        "account_id", "seats", week=joined.day, users=joined.users_30, used=joined.users_30 / joined.seats
    )


FAMILY = Family(name="seats", title="Seat utilisation", needs=NEEDS, features=FEATURES, build=build)
