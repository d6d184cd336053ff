"""Who is an active customer on a day: the population of every panel row and of every peer group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import ibis
import ibis.expr.types as ir
from ibis import _

from model.days import day_table
from model.workspace import Workspace

# An invoice that is this late has not been issued: the customer has gone. One monthly cycle and a half.
INVOICE_GRACE_DAYS = 45


def invoice_spans(billing: ir.Table) -> ir.Table:
    """Billing with `until`: the day on which the next invoice replaced this one as latest known, or null.

    An invoice for an older period that arrives late never replaces a newer one.
    """
    order = ["known", "at"]
    before = ibis.window(group_by="account_id", order_by=order, preceding=(None, 1))
    newest = billing.mutate(newest=billing["at"].max().over(before))
    newest = newest.filter(newest.newest.isnull() | (newest["at"] >= newest.newest)).drop("newest")
    return newest.mutate(until=newest.known.lead().over(ibis.window(group_by="account_id", order_by=order)))


def active_customers(sources: Mapping[str, ir.Table], days: Iterable[int], space: Workspace) -> ir.Table:
    """Rows (account_id, day): the accounts that are paying customers on each of the days.

    An account with invoices is active while the latest known one has ARR or seats and covers the day,
    give or take `INVOICE_GRACE_DAYS`, and the CRM has not said by then that it left. One that was never
    invoiced by that day goes by the CRM: customer since that day or earlier and not marked as no
    customer. (That mark is the present one: accounts without billing that left are missing from past rows.)
    """
    asked = day_table(days, space)
    billing, accounts = sources["billing"], sources["accounts"]
    spans = invoice_spans(billing)
    latest = asked.join(
        spans, [spans.known <= asked.day, spans.until.isnull() | (asked.day < spans.until)]
    ).mutate(covered=lambda t: ibis.coalesce(t.period_end, t.period_start + 31) + INVOICE_GRACE_DAYS >= t.day)
    pays = (ibis.coalesce(latest.arr, 0.0) > 0) | (ibis.coalesce(latest.seats, 0.0) > 0)
    billed = latest.filter(latest.covered & pays).select("account_id", "day")
    left = left_customers(sources)
    billed = billed.anti_join(left, [billed.account_id == left.account_id, left.left_on <= billed.day])

    first_invoice = billing.group_by("account_id").agg(first=billing.known.min())
    unbilled = (
        accounts.left_join(first_invoice, "account_id")
        .cross_join(asked)
        .filter(lambda t: t.first.isnull() | (t.first > t.day))
        .filter(lambda t: (t.customer_since <= t.day) & ibis.coalesce(t.is_customer, True))
        .select("account_id", "day")
    )
    return billed.union(unbilled, distinct=True)


def left_customers(sources: Mapping[str, ir.Table]) -> ir.Table:
    """Accounts that the CRM calls no customers, with `left_on`, the day since which it does.

    The last invoice may still run then. Where the CRM keeps no history of the type, the invoices decide."""
    changes = sources["account_history"]
    since = changes.filter(changes.field == "account_type").group_by("account_id").agg(left_on=_.known.max())
    accounts = sources["accounts"]
    return (
        accounts.filter(~ibis.coalesce(accounts.is_customer, True))
        .select("account_id")
        .join(since, "account_id")
    )
