"""Invoices of one period: of several for one first day, the one that was known last is the invoice.

An invoice that was corrected is there twice, and the step from one to the other is nothing that a customer
did. So is one of an account whose contracts were added up, where one of them told its part later.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

FIGURES = ("plan_tier", "seats", "arr", "list_arr", "overage")


def ordered_invoices(billing: ir.Table) -> ir.Table:
    """Clean billing, a row an account, first day (`at`) and day of knowing; what it does not state as before.

    `replaced` is the day on which another one for the same first day became known, or null: as of a day, the
    rows count that were known and not replaced by then. Of several that were known on one day each figure is
    the larger one's, since an engine promises no order of its own."""
    keys = ("account_id", "at", "known")
    alone = set(billing.columns) - {*keys, "plan_tier", "original_currency"}
    size = ibis.coalesce(billing.arr, 0.0)
    words = {
        name: ibis.coalesce(billing[name].argmax(size), billing[name].max())
        for name in ("plan_tier", "original_currency")
    }
    one = billing.group_by(*keys).agg(**{name: billing[name].max() for name in sorted(alone)}, **words)
    so_far = ibis.window(group_by=["account_id", "at"], order_by="known", following=0)
    of_day = ibis.window(group_by=["account_id", "at"], order_by="known")
    filled = one.mutate(
        **{name: one[name].argmax(one.known).over(so_far) for name in FIGURES},
        replaced=one.known.lead().over(of_day),
    )
    return filled.select(*billing.columns, "replaced")


def standing_invoices(billing: ir.Table, figure: str) -> ir.Table:
    """The invoices that say the `figure` (arr or seats), one an account and first day.

    This looks back with all that is known by now, so it is for outcomes, never for features."""
    said = billing.filter(billing[figure].notnull())
    # of two that were known on one day the larger one counts: an engine promises no order of its own
    newest = ibis.window(group_by=["account_id", "at"], order_by=[ibis.desc("known"), ibis.desc(figure)])
    return said.mutate(place=ibis.row_number().over(newest)).filter(ibis._.place == 0).drop("place")
