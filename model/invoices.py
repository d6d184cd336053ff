"""Invoices of one period: of several for one first day, the one that was known last is the invoice.

An invoice that was corrected is there twice, and the step from one to the other is nothing that a customer
did. So is one of an account whose contracts were added up, where one of them told its part later.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

DAY = ("account_id", "at")


def ordered_invoices(billing: ir.Table) -> ir.Table:
    """Clean billing, a row an account, first day (`at`) and day of knowing; what it does not state as before.

    `replaced` is the day on which another one for the same first day became known, or null: as of a day, the
    rows count that were known and not replaced by then. Of several that were known on one day each figure is
    the larger one's, since an engine promises no order of its own."""
    counted = billing.group_by(DAY).agg(n=billing.count())
    several = counted.filter(counted.n > 1)  # few: all others are as they should be
    alone = billing.anti_join(several, DAY).mutate(replaced=ibis.null("int64"))
    told = _one_a_day(billing.semi_join(several, DAY))
    earlier = told.view()
    so_far = told.select(*DAY, by="known").join(earlier, DAY).filter(lambda t: t.known <= t.by)
    filled = so_far.group_by(*DAY, known=so_far.by).agg(
        **{
            name: so_far[name].argmax(so_far.known, where=so_far[name].notnull())
            for name in billing.columns
            if name not in {*DAY, "known"}
        }
    )
    order = ibis.window(group_by=DAY, order_by="known")
    filled = filled.mutate(replaced=filled.known.lead().over(order))
    return alone.union(filled.select(*alone.columns))


def _one_a_day(billing: ir.Table) -> ir.Table:
    """One row an account, first day and day of knowing: the larger figures, and the words of the largest."""
    keys = (*DAY, "known")
    size = ibis.coalesce(billing.arr, 0.0)
    sized = billing.mutate(is_largest=size == size.max().over(ibis.window(group_by=keys)))
    words = {
        name: ibis.coalesce(sized[name].max(where=sized.is_largest), sized[name].max())
        for name in ("plan_tier", "original_currency")
    }
    figures = {name: sized[name].max() for name in billing.columns if name not in {*keys, *words}}
    return sized.group_by(keys).agg(**figures, **words)


def standing_invoices(billing: ir.Table, figure: str) -> ir.Table:
    """The invoices that say the `figure` (arr or seats), one an account and first day.

    This looks back with all that is known by now, so it is for outcomes, never for features."""
    said = billing.filter(billing[figure].notnull())
    # of two that were known on one day the larger one counts: an engine promises no order of its own
    newest = ibis.window(group_by=["account_id", "at"], order_by=[ibis.desc("known"), ibis.desc(figure)])
    return said.mutate(place=ibis.row_number().over(newest)).filter(ibis._.place == 0).drop("place")
