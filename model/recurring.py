"""ARR by billing: what each customer paid for on a day, and the bridge of the same customers from day to day.

This looks back from `data_end` with all that is known by then, so it is for outcomes, never for features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from model.customers import INVOICE_GRACE_DAYS, left_customers
from model.days import day_number
from model.invoices import standing_invoices

FOREVER: Final = 10**6
"""The end of what has not ended: a day number beyond any calendar that a company keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """ARR of the customers of a first day, from that day to a later one.

    `currency` is what moved because an invoice changed its currency, which nobody bought or cancelled."""

    opening: float = 0.0
    expansion: float = 0.0
    contraction: float = 0.0
    churn: float = 0.0
    currency: float = 0.0
    customers: int = 0
    lost: int = 0

    @property
    def closing(self) -> float:
        """ARR of the same customers on the later day."""
        return self.opening + self.expansion - self.contraction - self.churn + self.currency

    @property
    def nrr(self) -> float | None:
        """Net revenue retention: (opening + expansion − contraction − churn) / opening; None of nothing."""
        if self.opening <= 0:
            return None
        return (self.opening + self.expansion - self.contraction - self.churn) / self.opening

    @property
    def grr(self) -> float | None:
        """Gross revenue retention, which leaves expansion out; None of nothing."""
        if self.opening <= 0:
            return None
        return (self.opening - self.contraction - self.churn) / self.opening


def arr_spans(sources: Mapping[str, ir.Table], *, data_end: int) -> ir.Table:
    """account_id, first, until (the first day on which it holds no more), arr and currency of every invoice.

    An invoice holds until the next one begins. Where none has come `INVOICE_GRACE_DAYS` after the period's
    end, the customer left with that period. As `data_end` comes before those days have passed, the customer
    is taken to stay, unless the CRM calls it none already."""
    priced = standing_invoices(sources["billing"], "arr")
    order = ibis.window(group_by="account_id", order_by="at")
    held = priced.select(
        "account_id",
        "arr",
        first=priced["at"],
        currency=priced.original_currency,
        after=priced["at"].lead().over(order),
        paid=ibis.coalesce(priced.period_end, priced["at"] + 30),
    )
    held = held.filter(held.first <= data_end)
    held = held.left_join(left_customers(sources), "account_id")
    waits = held.paid + INVOICE_GRACE_DAYS
    may_come = (data_end <= waits) & (ibis.coalesce(held.left_on, FOREVER) > data_end)
    still = ibis.coalesce(held.after <= waits, may_come)
    until = still.ifelse(ibis.coalesce(held.after, FOREVER), held.paid + 1)
    return held.select("account_id", "first", "arr", "currency", until=until).filter(
        lambda t: (t.until > t.first) & (t.arr > 0)
    )


def billing_end(sources: Mapping[str, ir.Table], today: int) -> int:
    """The day up to which billing can be relied on: where it stopped arriving, a month after that."""
    newest = sources["billing"].known.max().to_pyarrow().as_py()
    return today if newest is None else min(today, int(newest) + 31)


def arr_change(spans: ir.Table, rows: ir.Table) -> ir.Table:
    """Of each row (`row`, `account_id`, `day`, `later`): arr on both days, 0 where there was none.

    Columns row, before, after and same_currency; only rows whose account had ARR on the first day."""
    first = rows.join(
        spans, [rows.account_id == spans.account_id, spans.first <= rows.day, rows.day < spans.until]
    ).select("row", "account_id", "later", before="arr", was="currency")
    then = spans.view()
    joined = first.left_join(
        then,
        [first.account_id == then.account_id, then.first <= first.later, first.later < then.until],
        rname="then_{name}",
    )
    return joined.select(
        "row",
        "account_id",
        "before",
        after=ibis.coalesce(joined.arr, 0.0),
        same_currency=ibis.coalesce((joined.was == joined.currency) | joined.arr.isnull(), True),
    )


def bridges(spans: ir.Table, days: Sequence[date]) -> list[Bridge]:
    """The bridge from each day to the next, each of the customers of its own first day.

    What a customer gained and lost between two days counts net."""
    steps = [(day_number(first), day_number(later)) for first, later in pairwise(days)]
    table = ibis.memtable(
        pa.table(
            {
                "row": pa.array(range(len(steps)), pa.int64()),
                "day": pa.array([first for first, _ in steps], pa.int64()),
                "later": pa.array([later for _, later in steps], pa.int64()),
            }
        )
    )
    everybody = spans.select("account_id").distinct().cross_join(table)
    parts = _parts(arr_change(spans, everybody))
    sums = parts.group_by("row").agg(**{name: parts[name].sum() for name in parts.columns[2:]})
    found = {row.pop("row"): Bridge(**row) for row in sums.to_pyarrow().to_pylist()}
    return [found.get(at, Bridge()) for at in range(len(steps))]


def bridge_by_account(spans: ir.Table, first: date, later: date) -> dict[str, Bridge]:
    """The bridge of each customer of the first day to the later one, by account_id."""
    rows = spans.select("account_id").distinct()
    rows = rows.mutate(row=ibis.literal(0), day=day_number(first), later=day_number(later))
    parts = _parts(arr_change(spans, rows)).drop("row").to_pyarrow().to_pylist()
    return {row.pop("account_id"): Bridge(**row) for row in parts}


def _parts(change: ir.Table) -> ir.Table:
    """Of each changed row the parts of its account's bridge: row, account_id, then those of `Bridge`."""
    moved = change.after - change.before
    bought = change.same_currency & (change.after > 0)
    return change.select(
        "row",
        "account_id",
        opening=change.before,
        expansion=(bought & (moved > 0)).ifelse(moved, 0.0),
        contraction=(bought & (moved < 0)).ifelse(-moved, 0.0),
        churn=(change.after == 0).ifelse(change.before, 0.0),
        currency=(~change.same_currency).ifelse(moved, 0.0),
        customers=ibis.literal(1),
        lost=(change.after == 0).ifelse(1, 0),
    )


def arr_on(spans: ir.Table, day: date) -> dict[str, float]:
    """The ARR of each customer of the day by account_id."""
    number = day_number(day)
    held = spans.filter((spans.first <= number) & (number < spans.until)).select("account_id", "arr")
    rows = held.to_pyarrow()
    return dict(zip(rows["account_id"].to_pylist(), rows["arr"].to_pylist(), strict=True))
