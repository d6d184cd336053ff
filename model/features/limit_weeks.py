"""Each metered limit week by week: use as known at the time, and what it comes to on the as-of day.

As-of days lie 28 days apart, so their weeks are the same ones: each is figured once for all rows.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from model.features.feature import Inputs
from model.timeline import in_windows

WEEKS = 26
TREND_WEEKS = 13
LATEST_DAYS = 35  # a month's figure, and some days for it to arrive
FAR = 365.0


def limit_figures(inputs: Inputs, metered: ir.Table, entitled: ir.Table) -> ir.Table:
    """Per row and limit (item): use, above_80, above_85, above_90, trend and days_to_limit.

    `use` is the share of the limit in the latest month, the others look at the weeks before: weeks in a row
    without a gap, the newest first, the slope per week over 13 of them, and the days until 100 % at it.
    `metered` has account_id, item, monthly, at and known, `entitled` account_id, item, quantity, valid_to, at
    and known."""
    weekly = inputs.space.keep(_weekly(inputs, metered, entitled))
    lags = ibis.memtable(pa.table({"lag": pa.array(range(WEEKS + 1), pa.int64())}))
    rows = inputs.rows.select("row", "account_id", "day").cross_join(lags)
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


def _weekly(inputs: Inputs, metered: ir.Table, entitled: ir.Table) -> ir.Table:
    """account_id, item, day and use (share of the limit), on the days that are weeks before an as-of day."""
    days = sorted({day - 7 * lag for day in inputs.days for lag in range(WEEKS + 1)})
    seen = in_windows(metered, days, {0: LATEST_DAYS})
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
    limits = held.group_by("account_id", "item", "day").agg(limit=held.quantity.argmax(held["at"]))
    both = used.join(limits, ["account_id", "item", "day"])
    return both.select("account_id", "item", "day", use=both.monthly / both["limit"])
