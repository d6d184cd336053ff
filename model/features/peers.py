"""Peers: how many similar accounts expanded lately, the account itself left out (S13)."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from model.customers import invoice_spans
from model.days import day_table
from model.expansions import won_expansions
from model.features.feature import Family, Feature, Inputs, Trace, bad, directed, good

NEEDS = {
    "accounts": ("account_id", "industry", "segment", "customer_since"),
    "billing": ("account_id", "period_start", "seats", "arr", "known_from"),
    "opportunities": ("account_id", "created_at", "opportunity_type", "is_won", "closed_at", "product_id"),
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

FEATURES = (
    Feature(
        "peer_rate_all", "share", "opportunities", "Share of all accounts that expanded in the last 90 days"
    ),
    *(
        Feature(
            f"peer_rate_{group}",
            "share",
            "opportunities",
            f"Share of other accounts of the same {' and '.join(keys)} that expanded in the last 90 days",
            (
                good(
                    "PEERS_EXPAND",
                    f"{{peer_rate_{group}}} of accounts like this expanded in 90 days",
                    at_least=0.16,
                ),
                bad(
                    "PEERS_STILL",
                    f"Only {{peer_rate_{group}}} of accounts like this expanded in 90 days",
                    at_most=0.05,
                ),
            ),
            groups=keys,
        )
        for group, keys in GROUPS.items()
    ),
    Feature(
        "peer_rate_alike_change",
        "change",
        "opportunities",
        "Peer rate less that of the 90 days before",
        groups=GROUPS["alike"],
    ),
    Feature(
        "peer_rate_industry_change",
        "change",
        "opportunities",
        "Industry's rate less that of the 90 days before",
        groups=GROUPS["industry"],
    ),
)


def _won_by(alike: tuple[str, ...], days: int) -> tuple[Trace, ...]:
    return (Trace(table="opportunities", days=days, day="closed_at", flags=("is_won",), alike=alike),)


TRACES = {
    "peer_rate_all": _won_by(("all",), RECENT_DAYS),
    **{f"peer_rate_{group}": _won_by(keys, RECENT_DAYS) for group, keys in GROUPS.items()},
    **{
        f"peer_rate_{group}_change": _won_by(GROUPS[group], 2 * RECENT_DAYS)
        for group in ("alike", "industry")
    },
}


def build(inputs: Inputs) -> ir.Table:
    """Peer features of every row. Peers are all rows of that day: every active customer has one."""
    members = inputs.space.keep(_members(inputs))
    everyone = members.group_by("day").agg(
        peer_rate_all=members.expanded.mean(), all_before=members.before.mean()
    )
    figures = inputs.rows.select("row", "account_id", "day")
    own = members.select("account_id", "day", "expanded", "before", "segment", "industry", "size")
    figures = figures.join(own, ["account_id", "day"]).join(everyone, "day")
    for group, keys in GROUPS.items():
        rates = members.group_by("day", *keys).agg(
            n=members.count(), hits=members.expanded.sum(), hits_before=members.before.sum()
        )
        names = {"n": f"n_{group}", "hits": f"hits_{group}", "hits_before": f"before_{group}"}
        rates = rates.rename({new: old for old, new in names.items()})
        figures = figures.left_join(rates, ["day", *keys])
        figures = figures.drop(*(c for c in figures.columns if c.endswith("_right")))

    def rate(group: str, hits: str, own_hit: ir.Column, overall: ir.Column) -> ir.FloatingColumn:
        others = figures[f"n_{group}"] - 1
        return (figures[f"{hits}_{group}"] - own_hit + PRIOR_PEERS * overall) / (others + PRIOR_PEERS)

    now = {g: rate(g, "hits", figures.expanded, figures.peer_rate_all) for g in GROUPS}
    before = {g: rate(g, "before", figures.before, figures.all_before) for g in ("alike", "industry")}
    return figures.select(
        "row",
        "peer_rate_all",
        peer_rate_alike_change=now["alike"] - before["alike"],
        peer_rate_industry_change=now["industry"] - before["industry"],
        **{f"peer_rate_{group}": column for group, column in now.items()},
    )


def _members(inputs: Inputs) -> ir.Table:
    """Every active customer of each as-of day, its groups, and whether it expanded in the 90 days before."""
    sources = inputs.sources
    members = inputs.rows.select("account_id", "day")
    accounts = sources["accounts"].select(
        "account_id",
        segment=ibis.coalesce(sources["accounts"].segment, ""),
        industry=ibis.coalesce(sources["accounts"].industry, ""),
    )
    asked = day_table(inputs.days)
    spans = invoice_spans(sources["billing"].filter(lambda t: t.seats > 0))
    sized = asked.join(spans, [spans.known <= asked.day, spans.until.isnull() | (asked.day < spans.until)])
    sized = sized.select("account_id", "day", size=sized.seats.log2().floor().cast("int64"))
    won = won_expansions(sources, inputs.target).select("account_id", "known", closed="day")
    won = asked.join(won, [won.known <= asked.day, won.closed > asked.day - 2 * RECENT_DAYS])
    lately = won.group_by("account_id", "day").agg(
        now=(won.closed > won.day - RECENT_DAYS).max(), earlier=(won.closed <= won.day - RECENT_DAYS).max()
    )
    joined = members.left_join(accounts, "account_id").drop("account_id_right")
    joined = joined.left_join(sized, ["account_id", "day"]).drop("account_id_right", "day_right")
    joined = joined.left_join(lately, ["account_id", "day"]).drop("account_id_right", "day_right")
    return joined.select(
        "account_id",
        "day",
        segment=ibis.coalesce(joined.segment, ""),
        industry=ibis.coalesce(joined.industry, ""),
        size=ibis.coalesce(joined.size, -1),
        expanded=ibis.coalesce(joined.now, False).cast("int64"),
        before=ibis.coalesce(joined.earlier, False).cast("int64"),
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
        ),
    ),
    build=build,
    traces=TRACES,
)
