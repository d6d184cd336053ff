"""Hierarchy: the parent's group as a whole, and what siblings own and bought (S14)."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from model.customers import invoice_spans
from model.days import day_table
from model.expansions import won_expansions
from model.features.feature import Family, Feature, Inputs, Trace, directed, good
from model.groups import group_table

NEEDS = {
    "accounts": ("account_id", "parent_id"),
    "billing": ("account_id", "period_start", "seats", "arr", "known_from"),
    "events": ("account_id", "user_id", "at", "known_from"),
    "opportunities": ("account_id", "opportunity_type", "is_won", "closed_at"),
    "entitlements": ("account_id", "item", "kind", "valid_from", "valid_to", "known_from"),
}

FEATURES = (
    Feature(
        "siblings",
        "count",
        "accounts",
        "Other active customers under the same top-most parent, the parent included",
    ),
    Feature("group_arr", "money", "billing", "ARR of the parent's whole group"),
    Feature("group_users_30", "count", "events", "Users active in the last 30 days in the whole group"),
    Feature(
        "group_seat_utilisation",
        "share",
        "events",
        "Users active in the last 30 days over seats, of the group's accounts that have seats",
    ),
    Feature(
        "sibling_expansions_180",
        "count",
        "opportunities",
        "Expansions that siblings bought in the last 180 days",
        (
            good(
                "SIBLINGS_EXPAND",
                "Sister companies expanded {sibling_expansions_180} time(s) in 180 days",
                at_least=1,
            ),
        ),
    ),
    Feature(
        "sibling_products_missing",
        "count",
        "entitlements",
        "Products that a sibling owns and this account doesn't",
        (
            good(
                "SIBLING_PRODUCTS",
                "Sister companies own {sibling_products_missing} products that this one lacks",
                at_least=1,
            ),
        ),
    ),
)

TRACES = {
    "siblings": (Trace(table="billing", newest=True, alike=("siblings",)),),
    "group_users_30": (Trace(table="events", days=30, alike=("group",)),),
    "group_seat_utilisation": (
        Trace(table="events", days=30, alike=("group",)),
        Trace(table="billing", filled=("seats",), newest=True, alike=("group",)),
    ),
    "group_arr": (Trace(table="billing", filled=("arr",), newest=True, alike=("group",)),),
    "sibling_expansions_180": (
        Trace(table="opportunities", days=180, day="closed_at", flags=("is_won",), alike=("siblings",)),
    ),
    "sibling_products_missing": (
        Trace(table="entitlements", where={"kind": ("product",)}, alike=("group",)),
    ),
}


def build(inputs: Inputs) -> ir.Table:
    """Hierarchy features of every row; an account without a parent is a group of its own."""
    group = inputs.space.keep(group_table(inputs.sources["accounts"]))
    members = inputs.space.keep(_members(inputs, group))
    totals = members.group_by("group_id", "day").agg(
        members=members.count(),
        group_arr=members.arr.sum(),
        group_users_30=members.users.sum(),
        seated=members.users.sum(where=members.seats > 0),
        group_seats=members.seats.sum(where=members.seats > 0),
        expansions=members.expansions.sum(),
    )
    rows = inputs.rows.join(group, "account_id")
    rows = rows.left_join(totals, ["group_id", "day"]).drop("group_id_right", "day_right")
    own = members.select("account_id", "day", "expansions")
    rows = rows.left_join(own, ["account_id", "day"], rname="own_{name}")
    missing = _missing_products(inputs, group)
    rows = rows.left_join(missing, "row", rname="missing_{name}")
    return rows.select(
        "row",
        siblings=ibis.greatest(ibis.coalesce(rows.members, 1) - 1, 0),
        group_arr=rows.group_arr,
        group_users_30=rows.group_users_30,
        group_seat_utilisation=rows.seated / rows.group_seats.nullif(0),
        sibling_expansions_180=ibis.coalesce(rows.expansions, 0) - ibis.coalesce(rows.own_expansions, 0),
        sibling_products_missing=ibis.coalesce(rows.products, 0),
    )


def _members(inputs: Inputs, group: ir.Table) -> ir.Table:
    """Active customers of each as-of day with their group, users, seats, ARR and expansions of 180 days."""
    asked = day_table(inputs.days, inputs.space)
    users = inputs.timeline.users[30].at(inputs.account, inputs.day)
    # only those that are known: what is missing here is null on every engine, and a NaN is not
    known = np.flatnonzero(~np.isnan(users))
    active = inputs.space.hold(pa.table({"row": known, "users": users[known]}))
    members = inputs.rows.select("row", "account_id", "day").left_join(active, "row")
    members = members.select("account_id", "day", "users").join(group, "account_id")
    spans = invoice_spans(inputs.sources["billing"])
    billed = asked.join(spans, [spans.known <= asked.day, spans.until.isnull() | (asked.day < spans.until)])
    billed = billed.select("account_id", "day", "arr", "seats")
    won = won_expansions(inputs.sources, inputs.target).select("account_id", "known", closed="day")
    won = asked.join(won, [won.known <= asked.day, won.closed > asked.day - 180])
    won = won.group_by("account_id", "day").agg(expansions=won.count())
    joined = members.left_join(billed, ["account_id", "day"]).drop("account_id_right", "day_right")
    joined = joined.left_join(won, ["account_id", "day"]).drop("account_id_right", "day_right")
    return joined.mutate(expansions=ibis.coalesce(joined.expansions, 0))


def _missing_products(inputs: Inputs, group: ir.Table) -> ir.Table:
    """Per row, how many products siblings own as of that day that the account itself does not."""
    owned = inputs.sources["entitlements"]
    owned = owned.filter(ibis.coalesce(owned.kind, "") == "product")
    owned = owned.join(group, "account_id").select(
        "group_id", "item", "valid_to", "known", owner="account_id"
    )
    rows = inputs.rows.join(group, "account_id")
    held = rows.join(
        owned,
        [
            rows.group_id == owned.group_id,
            owned.known <= rows.day,
            owned.valid_to.isnull() | (owned.valid_to >= rows.day),
        ],
        rname="owned_{name}",
    )
    per = held.group_by("row", "item").agg(mine=(held.owner == held.account_id).max())
    return per.filter(~per.mine).group_by("row").agg(products=ibis._.count())


FAMILY = Family(
    name="hierarchy",
    title="Account hierarchy",
    needs=NEEDS,
    features=directed(FEATURES, up=("group_users_30", "group_seat_utilisation")),
    build=build,
    traces=TRACES,
)
