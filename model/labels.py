"""What happened after each as-of row: did the account expand within the horizon, by how much, with what."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from model.expansions import expansion_events, is_expansion
from model.target import Target


def outcomes(sources: Mapping[str, ir.Table], rows: ir.Table, target: Target, *, data_end: int) -> ir.Table:
    """One line a row: `row`, `matured`, `expanded`, `arr` (ARR added), `product_id` of the largest, `days_to`
    (the first event) and `observed` (days of the horizon that have passed).

    An event counts in (as-of day, as-of day + horizon]. A row whose horizon has not ended by `data_end`
    is not matured: its outcome is unknown, not "no".
    """
    events = expansion_events(sources, target)
    seen = rows.join(
        events,
        [
            rows.account_id == events.account_id,
            events.day > rows.day,
            events.day <= rows.day + target.horizon_days,
            events.day <= data_end,
        ],
        rname="event_{name}",
    )
    seen = seen.mutate(size=ibis.coalesce(seen.arr, 0.0))
    named = seen.product_id.notnull()
    seen = seen.mutate(largest=seen.size.max(where=named).over(ibis.window(group_by="row")))
    seen = seen.group_by("row").agg(
        arr=seen.size.sum(),
        # of two as large the first by id: which one an engine meets first is chance
        product_id=seen.product_id.min(where=seen.size == seen.largest),
        days_to=(seen.event_day - seen.day).min(),
    )
    joined = rows.left_join(seen, "row")
    return joined.select(
        "row",
        matured=joined.day + target.horizon_days <= data_end,
        expanded=seen.arr.notnull(),
        arr=seen.arr,
        product_id=seen.product_id,
        days_to=seen.days_to,
        observed=ibis.least(ibis.literal(data_end) - joined.day, target.horizon_days),
    )


def pipeline_rows(sources: Mapping[str, ir.Table], rows: ir.Table, target: Target) -> ir.Table:
    """The `row`s of accounts whose expansion opportunity was open on the as-of day."""
    deals = sources["opportunities"]
    deals = deals.filter(is_expansion(deals, target)).select(
        "account_id", "created_at", "closed_at", "is_closed"
    )
    # a closed opportunity without a closing day can't be placed in time, so it is never counted as open
    still = deals.closed_at.isnull() & ~ibis.coalesce(deals.is_closed, False)
    deals = deals.mutate(closes=still.ifelse(10**9, deals.closed_at))
    open_ = rows.join(
        deals,
        [rows.account_id == deals.account_id, deals.created_at <= rows.day, deals.closes > rows.day],
    )
    return open_.select("row").distinct()
