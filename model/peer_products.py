"""Which products accounts take up among their peers: per as-of day, account and product, itself left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import ibis
import ibis.expr.types as ir

from model.days import day_table
from model.expansions import won_expansions
from model.product import Product
from model.target import Target
from model.workspace import Workspace

WINDOWS = (90, 180)
# Bought by everybody, and again and again: nobody lacks one.
NOT_LACKED = ("seat", "tier", "commit", "service")


def product_holdings(
    sources: Mapping[str, ir.Table],
    days: Collection[int],
    space: Workspace,
    *,
    target: Target,
    products: tuple[Product, ...],
) -> ir.Table:
    """account_id, day, product with `owns`, `taken_90` and `taken_180`, each 0 or 1, as known that day.

    An account took a product up when an entitlement to it began, or an expansion with it was won; it owns
    what an entitlement gives it on the day, and what it won without ever being given one."""
    asked = day_table(days, space)
    granted = sources["entitlements"]
    granted = granted.filter(ibis.coalesce(granted.kind, "") == "product").select(
        "account_id", "valid_to", "at", "known", product="item", granted=ibis.literal(1)
    )
    won = won_expansions(sources, target).filter(lambda t: t.product_id.notnull())
    won = won.select(
        "account_id",
        "known",
        valid_to=ibis.null("int64"),
        at=won.day,
        product="product_id",
        granted=ibis.literal(0),
    ).select("account_id", "valid_to", "at", "known", "product", "granted")
    taken = granted.union(won, distinct=False)
    common = [each.id for each in products if each.type in NOT_LACKED]
    if common:
        taken = taken.filter(~taken["product"].isin(common))
    seen = asked.join(taken, taken.known <= asked.day)
    holds = seen.valid_to.isnull() | (seen.valid_to >= seen.day)
    found = seen.group_by("account_id", "day", "product").agg(
        newest=seen["at"].max(),
        held=(holds & (seen.granted == 1)).max(),
        ever_granted=seen.granted.max(),
    )
    owns = (found.held | (found.ever_granted == 0)).cast("int64")
    return found.select(
        "account_id",
        "day",
        "product",
        owns=owns,
        **{f"taken_{days}": (found.newest > found.day - days).cast("int64") for days in WINDOWS},
    )


def peers_and_products(members: ir.Table, holdings: ir.Table, keys: tuple[str, ...]) -> ir.Table:
    """For each member and product that anybody holds: `owns` itself, and what its peers do.

    `members` has account_id, day and the keys by which accounts are alike; the result account_id, day,
    product, owns, `peers` (others with the same keys), `peers_own`, `peers_taken_90` and `_180` (how many of
    them), and `others`, `others_taken_…`, the same of all other members."""
    figures = ("owns", *(f"taken_{days}" for days in WINDOWS))
    mine = members.select("account_id", "day", *keys)
    held = mine.join(holdings, ["account_id", "day"])
    offered = held.select("day", "product").distinct()
    by_group = held.group_by("day", "product", *keys).agg(
        **{f"group_{name}": held[name].sum() for name in figures}
    )
    overall = held.group_by("day", "product").agg(**{f"all_{name}": held[name].sum() for name in figures})
    sizes = mine.group_by("day", *keys).agg(group_size=mine.count())
    everyone = mine.group_by("day").agg(all_size=mine.count())
    own = held.select("account_id", "day", "product", *figures)
    rows = mine.join(offered, "day").join(everyone, "day").join(overall, ["day", "product"])
    rows = rows.join(sizes, ["day", *keys])
    rows = rows.left_join(by_group, ["day", "product", *keys], rname="group_{name}_right")
    rows = rows.left_join(own, ["account_id", "day", "product"], rname="own_{name}")

    def others(part: str, name: str) -> ir.IntegerValue:
        return ibis.coalesce(rows[f"{part}_{name}"], 0) - ibis.coalesce(rows[name], 0)

    return rows.select(
        "account_id",
        "day",
        "product",
        owns=ibis.coalesce(rows.owns, 0),
        peers=rows.group_size - 1,
        peers_own=others("group", "owns"),
        others=rows.all_size - 1,
        others_own=others("all", "owns"),
        **{f"peers_taken_{days}": others("group", f"taken_{days}") for days in WINDOWS},
        **{f"others_taken_{days}": others("all", f"taken_{days}") for days in WINDOWS},
    )
