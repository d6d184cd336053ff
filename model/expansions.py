"""Expansion events: won expansion opportunities, and increases of ARR or seats in billing."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from model.invoices import standing_invoices
from model.target import Target

# An ARR increase this close to a won opportunity is that opportunity arriving on the invoice.
SAME_EVENT_DAYS = 60
# Rounding, currency and proration move ARR by less than this; an expansion by more.
MIN_INCREASE_SHARE = 0.005


def is_expansion(opportunities: ir.Table, target: Target) -> ir.BooleanColumn:
    """Whether each opportunity is of a type, and in a pipeline, that the target counts, won or not."""
    kind = ibis.coalesce(opportunities.opportunity_type, "").strip().lower()
    counted = kind.isin(list(target.kinds))
    if target.pipelines:
        pipeline = ibis.coalesce(opportunities.pipeline, "").strip().lower()
        counted = counted & pipeline.isin([name.strip().lower() for name in target.pipelines])
    return counted


def is_won(opportunities: ir.Table, target: Target) -> ir.BooleanColumn:
    """Whether each opportunity is closed and won in the target's sense."""
    if target.stages:
        won = ibis.coalesce(opportunities.stage, "").isin(list(target.stages))
    else:
        won = ibis.coalesce(opportunities.is_won, False)
    return won & opportunities.closed_at.notnull()


def won_expansions(sources: Mapping[str, ir.Table], target: Target) -> ir.Table:
    """Won expansions: account_id, day (closed), known, arr and product_id, one row an opportunity."""
    deals = sources["opportunities"]
    amount = ibis.coalesce(deals.amount, 0.0)
    won = deals.filter(is_expansion(deals, target) & is_won(deals, target) & (amount >= target.min_amount))
    return won.select(
        "account_id",
        "product_id",
        "crm_id",
        day=closing_day(won),
        known=ibis.greatest(won.closed_at, won.known),
        arr=won.amount,
    )


def closing_day(opportunities: ir.Table) -> ir.IntegerColumn:
    """The day each closed opportunity was decided on.

    One that was typed in after the fact, with a close date before its own creation, was decided on that
    date; its history only tells when somebody got round to it. It becomes known no earlier for that."""
    typed = opportunities.close_date
    late = ibis.coalesce(typed < opportunities.created_at, False)
    return late.ifelse(typed, opportunities.closed_at)


def arr_increases(sources: Mapping[str, ir.Table], target: Target) -> ir.Table:
    """Every ARR increase from one invoice to the next: account_id, day, known and arr (the increase).

    A step from one currency to another is none: what moved may be the rate alone."""
    order = ibis.window(group_by="account_id", order_by="at")
    stepped = standing_invoices(sources["billing"], "arr").mutate(
        before=lambda t: t.arr.lag().over(order),
        currency_before=lambda t: t.original_currency.lag().over(order),
    )
    same = ibis.coalesce(stepped.original_currency == stepped.currency_before, True)
    stepped = stepped.filter(same)
    stepped = stepped.mutate(increase=stepped.arr - stepped.before)
    floor = ibis.greatest(stepped.before * MIN_INCREASE_SHARE, target.min_amount)
    # from nothing to something is a new or returning customer, not an expansion
    grown = stepped.filter((stepped.before > 0) & (stepped.increase > floor))
    return grown.select("account_id", day=grown.at, known=grown.known, arr=grown.increase)


def seat_increases(sources: Mapping[str, ir.Table]) -> ir.Table:
    """Every increase of the seats billed from one invoice to the next: account_id, day, known, seats."""
    order = ibis.window(group_by="account_id", order_by="at")
    stepped = standing_invoices(sources["billing"], "seats").mutate(
        before=lambda t: t.seats.lag().over(order)
    )
    stepped = stepped.mutate(increase=stepped.seats - stepped.before)
    grown = stepped.filter((stepped.before > 0) & (stepped.increase > 0))
    return grown.select("account_id", day=grown["at"], known=grown.known, seats=grown.increase)


def expansion_events(sources: Mapping[str, ir.Table], target: Target) -> ir.Table:
    """What the labels count: account_id, day, arr and product_id of every expansion, each once.

    An ARR increase within `SAME_EVENT_DAYS` of any won opportunity (a renewal or new business too) is not
    an event of its own, nor is an increase of seats near one or near an ARR increase; it has no ARR. This
    looks both ways in time, so it is for labels only, never for features.
    """
    events = won_expansions(sources, target).select("account_id", "day", "arr", "product_id")
    if not target.count_arr_changes and not target.count_seat_changes:
        return events
    deals = sources["opportunities"]
    counted = is_expansion(deals, target)
    # a renewal or new business explains an increase as well, unless the target would count it
    closed = deals.filter(is_won(deals, target) & (counted | ~_is_renewal(deals)))
    explaining = closed.select("account_id", day=closing_day(closed))
    grown = arr_increases(sources, target).select("account_id", "day", "arr")
    no_product = ibis.null("string")
    if target.count_arr_changes:
        alone = _unexplained(grown, explaining)
        events = events.union(alone.mutate(product_id=no_product), distinct=False)
    if target.count_seat_changes:
        explaining = explaining.union(grown.select("account_id", "day"))
        seats = _unexplained(seat_increases(sources).select("account_id", "day"), explaining)
        seats = seats.select("account_id", "day", arr=ibis.null("float64"), product_id=no_product)
        events = events.union(seats, distinct=False)
    return events


def how_many(events: ir.Table, accounts: pa.ChunkedArray | None = None) -> int:
    """How many events there are, of these accounts alone where they are given."""
    if accounts is None:
        return int(events.count().to_pyarrow().as_py())
    whose = events.select("account_id").to_pyarrow()["account_id"]
    return int(pc.sum(pc.is_in(whose, value_set=accounts.unique())).as_py() or 0)


def _unexplained(increases: ir.Table, explaining: ir.Table) -> ir.Table:
    """The increases without an event of `explaining` (account_id, day) within `SAME_EVENT_DAYS`."""
    closed = explaining.select("account_id", closed="day")
    explained = (
        increases.join(
            closed,
            [
                increases.account_id == closed.account_id,
                closed.closed <= increases.day + SAME_EVENT_DAYS,
                closed.closed >= increases.day - SAME_EVENT_DAYS,
            ],
        )
        .select("account_id", "day")
        .distinct()
    )
    return increases.anti_join(explained, ["account_id", "day"])


def _is_renewal(opportunities: ir.Table) -> ir.BooleanColumn:
    return ibis.coalesce(opportunities.opportunity_type, "").lower().contains("renew")
