"""Peers: how many similar accounts expanded lately, and which products they took up, itself left out (S13).

Similar are accounts of the same segment, industry or size (a power of two of seats), and alike those of the
same segment and industry. Segment and industry are whatever CRM fields are mapped to them, so any grouping
that a company keeps can make the peers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import ibis
import ibis.expr.types as ir

from model.customers import invoice_spans
from model.days import day_table
from model.expansions import won_expansions
from model.features.feature import Family, Feature, Inputs, Trace, bad, directed, good
from model.peer_products import peers_and_products, product_holdings
from model.workspace import Workspace

NEEDS = {
    "accounts": ("account_id", "industry", "segment", "customer_since"),
    "billing": ("account_id", "period_start", "seats", "arr", "known_from"),
    "opportunities": ("account_id", "created_at", "opportunity_type", "is_won", "closed_at", "product_id"),
    "entitlements": ("account_id", "item", "kind", "valid_from", "valid_to", "known_from"),
}
RECENT_DAYS = 90
GROUPS = {
    "segment": ("segment",),
    "industry": ("industry",),
    "size": ("size",),
    "alike": ("segment", "industry"),
}
# A rate over fewer peers than this is drawn towards the rate of all accounts.
PRIOR_PEERS = 10

ALIKE = GROUPS["alike"]


def _rate(name: str, keys: tuple[str, ...], days: int, *, likely: float, rare: float) -> Feature:
    return Feature(
        name,
        "share",
        "opportunities",
        f"Share of other accounts of the same {' and '.join(keys)} that expanded in the last {days} days",
        (
            good(
                "PEERS_EXPAND", f"{{{name}}} of accounts like this expanded in {days} days", at_least=likely
            ),
            bad(
                "PEERS_STILL", f"Only {{{name}}} of accounts like this expanded in {days} days", at_most=rare
            ),
        ),
        groups=keys,
    )


FEATURES = (
    Feature(
        "peer_rate_all",
        "share",
        "opportunities",
        "Share of all accounts that expanded in the last 90 days; one number a day, so it is not learnt",
    ),
    *(_rate(f"peer_rate_{group}", keys, 90, likely=0.16, rare=0.05) for group, keys in GROUPS.items()),
    *(_rate(f"peer_rate_{group}_180", keys, 180, likely=0.3, rare=0.1) for group, keys in GROUPS.items()),
    Feature(
        "peer_rate_alike_change",
        "change",
        "opportunities",
        "Peer rate less that of the 90 days before",
        groups=ALIKE,
    ),
    Feature(
        "peer_rate_industry_change",
        "change",
        "opportunities",
        "Industry's rate less that of the 90 days before",
        groups=GROUPS["industry"],
    ),
    *(
        Feature(
            f"peer_adoption_{days}",
            "share",
            "entitlements",
            "Of the products that the account lacks, the one that most accounts alike took up in the last "
            f"{days} days: their share",
            (
                good(
                    "PEERS_ADOPT",
                    f"{{peer_adoption_{days}}} of accounts like this took up a product that this one lacks",
                    at_least=likely,
                ),
            ),
            groups=ALIKE,
        )
        for days, likely in ((90, 0.1), (180, 0.2))
    ),
    Feature(
        "peer_products_180",
        "count",
        "entitlements",
        "Products that the account lacks and some account alike took up in the last 180 days",
        groups=ALIKE,
    ),
    Feature(
        "peer_owned_share",
        "share",
        "entitlements",
        "Of the products that the account lacks, the one that most accounts alike own: their share",
        groups=ALIKE,
    ),
)


def _won_by(alike: tuple[str, ...], days: int) -> tuple[Trace, ...]:
    return (Trace(table="opportunities", days=days, day="closed_at", flags=("is_won",), alike=alike),)


def _products_of(days: int | None) -> tuple[Trace, ...]:
    return (Trace(table="entitlements", days=days, where={"kind": ("product",)}, alike=ALIKE),)


TRACES = {
    "peer_rate_all": _won_by(("all",), RECENT_DAYS),
    **{f"peer_rate_{group}": _won_by(keys, RECENT_DAYS) for group, keys in GROUPS.items()},
    **{f"peer_rate_{group}_180": _won_by(keys, 2 * RECENT_DAYS) for group, keys in GROUPS.items()},
    **{
        f"peer_rate_{group}_change": _won_by(GROUPS[group], 2 * RECENT_DAYS)
        for group in ("alike", "industry")
    },
    "peer_adoption_90": _products_of(90),
    "peer_adoption_180": _products_of(180),
    "peer_products_180": _products_of(180),
    "peer_owned_share": _products_of(None),
}


def build(inputs: Inputs) -> ir.Table:
    """Peer features of every row. Peers are all other rows of that day: every active customer has one."""
    members = inputs.space.keep(
        peer_groups(inputs.sources, inputs.rows.select("account_id", "day"), inputs.days, inputs.space)
    )
    figures = _rates(inputs, members)
    products = _products(inputs, members)
    return figures.left_join(products, "row").drop("row_right")


def _rates(inputs: Inputs, members: ir.Table) -> ir.Table:
    """Rates of expansion by row; each is drawn towards that of all other accounts where peers are few."""
    won = _expanded(inputs, members)
    spans = ("now", "before", "half")
    everyone = won.group_by("day").agg(
        n_all=won.count(), **{f"{span}_all": won[span].sum() for span in spans}
    )
    figures = inputs.rows.select("row", "account_id", "day").join(won, ["account_id", "day"])
    figures = figures.join(everyone, "day")
    for group, keys in GROUPS.items():
        rates = won.group_by("day", *keys).agg(
            **{f"n_{group}": won.count()}, **{f"{span}_{group}": won[span].sum() for span in spans}
        )
        figures = figures.left_join(rates, ["day", *keys])
        figures = figures.drop(*(c for c in figures.columns if c.endswith("_right")))

    def rate(group: str, span: str) -> ir.FloatingColumn:
        others = ibis.greatest(figures.n_all - 1, 1)
        overall = (figures[f"{span}_all"] - figures[span]) / others
        hits = figures[f"{span}_{group}"] - figures[span]
        return (hits + PRIOR_PEERS * overall) / (figures[f"n_{group}"] - 1 + PRIOR_PEERS)

    return figures.select(
        "row",
        peer_rate_all=figures.now_all / figures.n_all,
        peer_rate_alike_change=rate("alike", "now") - rate("alike", "before"),
        peer_rate_industry_change=rate("industry", "now") - rate("industry", "before"),
        **{f"peer_rate_{group}": rate(group, "now") for group in GROUPS},
        **{f"peer_rate_{group}_180": rate(group, "half") for group in GROUPS},
    )


def _products(inputs: Inputs, members: ir.Table) -> ir.Table:
    """By row, what accounts alike take up and own of what the account lacks; no line where nobody has any."""
    holdings = product_holdings(
        inputs.sources, inputs.days, inputs.space, target=inputs.target, products=inputs.products
    )
    all_of_them = peers_and_products(members, inputs.space.keep(holdings), ALIKE)
    lacked = all_of_them.filter(all_of_them.owns == 0)

    def share(name: str) -> ir.FloatingColumn:
        overall = lacked[f"others_{name}"] / ibis.greatest(lacked.others, 1)
        return (lacked[f"peers_{name}"] + PRIOR_PEERS * overall) / (lacked.peers + PRIOR_PEERS)

    best = lacked.group_by("account_id", "day").agg(
        peer_adoption_90=share("taken_90").max(),
        peer_adoption_180=share("taken_180").max(),
        peer_products_180=(lacked.peers_taken_180 > 0).sum(),
        peer_owned_share=share("own").max(),
    )
    names = ("peer_adoption_90", "peer_adoption_180", "peer_products_180", "peer_owned_share")
    # who lacks nothing that others hold has no such product, which is 0 and not unknown
    some = all_of_them.select("account_id", "day").distinct().left_join(best, ["account_id", "day"])
    some = some.select("account_id", "day", **{name: ibis.coalesce(some[name], 0) for name in names})
    return (
        inputs.rows.select("row", "account_id", "day").join(some, ["account_id", "day"]).select("row", *names)
    )


def peer_groups(
    sources: Mapping[str, ir.Table], members: ir.Table, days: Collection[int], space: Workspace
) -> ir.Table:
    """The members (account_id, day) with their groups on the day: segment, industry, size."""
    accounts = sources["accounts"].select(
        "account_id",
        segment=ibis.coalesce(sources["accounts"].segment, ""),
        industry=ibis.coalesce(sources["accounts"].industry, ""),
    )
    asked = day_table(days, space)
    spans = invoice_spans(sources["billing"].filter(lambda t: t.seats > 0))
    sized = asked.join(spans, [spans.known <= asked.day, spans.until.isnull() | (asked.day < spans.until)])
    sized = sized.select("account_id", "day", size=sized.seats.log2().floor().cast("int64"))
    joined = members.left_join(accounts, "account_id").drop("account_id_right")
    joined = joined.left_join(sized, ["account_id", "day"]).drop("account_id_right", "day_right")
    return joined.select(
        "account_id",
        "day",
        segment=ibis.coalesce(joined.segment, ""),
        industry=ibis.coalesce(joined.industry, ""),
        size=ibis.coalesce(joined.size, -1),
    )


def _expanded(inputs: Inputs, members: ir.Table) -> ir.Table:
    """The members with whether each expanded in the last 90 days, the 90 before, or either, as 0 and 1."""
    asked = day_table(inputs.days, inputs.space)
    won = won_expansions(inputs.sources, inputs.target).select("account_id", "known", closed="day")
    won = asked.join(won, [won.known <= asked.day, won.closed > asked.day - 2 * RECENT_DAYS])
    lately = won.group_by("account_id", "day").agg(
        now=(won.closed > won.day - RECENT_DAYS).max(), before=(won.closed <= won.day - RECENT_DAYS).max()
    )
    joined = members.left_join(lately, ["account_id", "day"]).drop("account_id_right", "day_right")
    now, before = ibis.coalesce(joined.now, False), ibis.coalesce(joined.before, False)
    return joined.mutate(
        now=now.cast("int64"), before=before.cast("int64"), half=(now | before).cast("int64")
    )


FAMILY = Family(
    name="peers",
    title="Peers",
    needs=NEEDS,
    features=directed(
        FEATURES,
        up=(
            "peer_rate_all",
            "peer_rate_alike_change",
            "peer_rate_industry_change",
            "peer_products_180",
            "peer_owned_share",
        ),
    ),
    build=build,
    traces=TRACES,
)
