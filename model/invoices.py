"""Invoices as they stand: of several for one period, the one that was known last.

An invoice that was corrected is there twice, and the step from one to the other is nothing that a customer
did. This looks back with all that is known by now, so it is for outcomes, never for features.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir


def standing_invoices(billing: ir.Table, figure: str) -> ir.Table:
    """The invoices that say the `figure` (arr or seats), one an account and first day."""
    said = billing.filter(billing[figure].notnull())
    # of two that were known on one day the larger one counts: an engine promises no order of its own
    newest = ibis.window(group_by=["account_id", "at"], order_by=[ibis.desc("known"), ibis.desc(figure)])
    return said.mutate(place=ibis.row_number().over(newest)).filter(ibis._.place == 0).drop("place")
