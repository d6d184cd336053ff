"""Each metered limit week by week: use as known at the time, and what it comes to on the as-of day.

As-of days lie 28 days apart, so their weeks are the same ones: each is figured once for all rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import ibis
import ibis.expr.types as ir

from model.timeline import in_windows
from model.workspace import Workspace

WEEKS = 26
TREND_WEEKS = 13
LATEST_DAYS = 35  # a month's figure, and some days for it to arrive
FAR = 365.0
MONTH = 30.4


def metered_use(sources: Mapping[str, ir.Table], space: Workspace) -> tuple[ir.Table, ir.Table]:
    """What is metered (account_id, item, monthly, at, known) and what the plans allow of it.

    The latter has account_id, item, quantity, valid_to, at and known. A metric counted over periods shorter
    than a month is scaled to a month, since plans state limits so. Stock metrics (storage) are levels, so
    their value is taken as it is. Seats are no metered limit."""
    usage = sources["usage"].filter(lambda t: t["value"].notnull())
    days = ibis.greatest(ibis.coalesce(usage.period_days, 30), 1).cast("float64")
    scale = usage.metric.lower().contains("storage").ifelse(1.0, MONTH / days)
    metered = usage.select(
        "account_id", "at", "known", item=usage.metric.lower(), monthly=usage["value"] * scale
    )
    limits = sources["entitlements"]
    limits = limits.filter(limits.quantity > 0, limits["item"].lower() != "seats")
    limits = limits.select("account_id", "quantity", "valid_to", "at", "known", item=limits["item"].lower())
    return space.keep(metered), space.keep(limits)


def limit_figures(
    rows: ir.Table, days: Collection[int], use: tuple[ir.Table, ir.Table], space: Workspace
) -> ir.Table:
    """Per row and limit (item): use, above_80, above_85, above_90, trend and days_to_limit.

    `use` is the share of the limit in the latest month, the others look at the weeks before: weeks in a row
    without a gap, the newest first, the slope per week over 13 of them, and the days until 100 % at it.
    `rows` has row, account_id and day, `days` are its distinct days, and the rest is from `metered_use`."""
    weekly = space.keep(_weekly(days, *use, space))
    lags = space.numbers("lag", range(WEEKS + 1))
    rows = rows.select("row", "account_id", "day").cross_join(lags)
    rows = rows.mutate(week=rows.day - 7 * rows.lag)
    held = rows.join(
        weekly, [rows.account_id == weekly.account_id, rows.week == weekly.day], rname="w_{name}"
    )
    held = held.select("row", "item", "lag", "use")
    order = ibis.window(group_by=["row", "item"], order_by="lag")
    # only weeks without a gap before them: the first place at which week and count differ ends the line
    line = held.mutate(place=ibis.row_number().over(order)).filter(lambda t: t.place == t.lag)
    near = line.lag <= TREND_WEEKS
    n, x, y = near.sum(), line.lag.sum(where=near), line.use.sum(where=near)
    xx, xy = (line.lag * line.lag).sum(where=near), (line.lag * line.use).sum(where=near)
    figures = line.group_by("row", "item").agg(
        use=line.use.max(where=line.lag == 0),
        weeks=line.count(),
        slope=(x * y - n * xy) / (n * xx - x * x).nullif(0),
        **{f"below_{level}": line.lag.min(where=line.use < level / 100) for level in (80, 85, 90)},
    )
    pace = figures.slope / 7
    runs_out = (pace > 0).ifelse(ibis.least((1 - figures.use) / pace.nullif(0), FAR), FAR)
    return figures.select(
        "row",
        "item",
        "use",
        trend=figures.slope,
        days_to_limit=(figures.use >= 1).ifelse(0.0, ibis.coalesce(runs_out, FAR)),
        **{
            f"above_{level}": ibis.coalesce(figures[f"below_{level}"], figures.weeks)
            for level in (80, 85, 90)
        },
    )


def _weekly(days: Collection[int], metered: ir.Table, entitled: ir.Table, space: Workspace) -> ir.Table:
    """account_id, item, day and use (share of the limit), on the days that are weeks before an as-of day."""
    weeks = sorted({day - 7 * lag for day in days for lag in range(WEEKS + 1)})
    seen = in_windows(metered, weeks, {0: LATEST_DAYS}, space)
    used = seen.group_by("account_id", "item", "day").agg(monthly=seen.monthly.mean())
    asked = used.select("account_id", "item", "day")
    held = asked.join(
        entitled,
        [
            asked.account_id == entitled.account_id,
            asked["item"] == entitled["item"],
            entitled.known <= asked.day,
            entitled.valid_to.isnull() | (entitled.valid_to >= asked.day),
        ],
        rname="e_{name}",
    )
    limits = held.group_by("account_id", "item", "day").agg(limit=held.quantity.argmax(newest(held)))
    both = used.join(limits, ["account_id", "item", "day"])
    return both.select("account_id", "item", "day", use=both.monthly / both["limit"])


def newest(told: ir.Table) -> ir.IntegerColumn:
    """What is largest for the row of the latest day, and of one day for the row that was known last."""
    return told["at"].cast("int64") * 2**20 + told.known
