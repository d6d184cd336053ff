"""Support: ticket volume, CSAT, critical and escalated cases, sentiment, topics and module gaps (S8).

Text is read by stated rules (`wording.py`, `ticket_text.py`). A *gap ticket* tells of a workaround or asks
for something; it points to the product of the catalogue whose words it holds: those of its name, its
`keywords` in `[[products]]`, and its topic, weighed by TF-IDF over the catalogue. Nothing is learnt.
`upswell features ACCOUNT --family support` shows which rule each ticket met, by which words.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from model.features.feature import Family, Feature, Inputs, Trace, bad, directed, good
from model.features.ticket_text import read_text, text_rules
from model.features.wording import TOPICS
from model.peer_products import product_holdings

NEEDS = {
    "tickets": (
        "account_id",
        "created_at",
        "subject",
        "body",
        "priority",
        "is_escalated",
        "closed_at",
        "csat",
    ),
}
CRITICAL = ("critical", "urgent")
# Requests age: one from half a year ago counts, one from last year doesn't.
GAP_DAYS = 180

FEATURES = (
    Feature("tickets_30", "count", "tickets", "Tickets opened in the last 30 days"),
    Feature("tickets_90", "count", "tickets", "Tickets opened in the last 90 days"),
    Feature(
        "tickets_change_90",
        "count",
        "tickets",
        "Tickets of the last 90 days less the 90 before",
        (
            bad(
                "TICKETS_RISING",
                "{tickets_change_90} tickets more in 90 days than in the 90 before",
                at_least=3,
            ),
        ),
    ),
    Feature(
        "tickets_critical_90",
        "count",
        "tickets",
        "Critical tickets opened in the last 90 days",
        (bad("CRITICAL_TICKETS", "{tickets_critical_90} critical ticket(s) in 90 days", at_least=1),),
    ),
    Feature(
        "escalations_open",
        "count",
        "tickets",
        "Escalated tickets that are not closed",
        (bad("ESCALATION", "{escalations_open} escalated ticket(s) open", at_least=1),),
    ),
    Feature("tickets_open", "count", "tickets", "Tickets not closed"),
    Feature(
        "csat_180",
        "points",
        "tickets",
        "Mean CSAT of tickets closed in the last 180 days (1–5)",
        (
            good("CSAT_HIGH", "CSAT of {csat_180} over half a year", at_least=4.4),
            bad("CSAT_LOW", "CSAT of {csat_180} over half a year", at_most=3.4),
        ),
    ),
    Feature("csat_change", "points", "tickets", "Mean CSAT of 90 days less the 180 before"),
    Feature("resolution_days", "days", "tickets", "Mean days to close, tickets closed in the last 180 days"),
    Feature("ticket_sentiment", "points", "tickets", "Mean sentiment of ticket text over 180 days, −1 to 1"),
    Feature(
        "sentiment_change", "points", "tickets", "Mean sentiment of 90 days' tickets less the 180 before"
    ),
    Feature(
        "gap_tickets_180",
        "count",
        "tickets",
        "Tickets of 180 days that ask for, or work around, something the plan lacks",
        (
            good(
                "MODULE_GAP", "{gap_tickets_180} requests in half a year for what the plan lacks", at_least=2
            ),
        ),
    ),
    Feature("gap_tickets_change", "count", "tickets", "Gap tickets of 90 days less the 90 before"),
    Feature("workaround_tickets_180", "count", "tickets", "Tickets of 180 days that tell of a workaround"),
    Feature("request_tickets_180", "count", "tickets", "Tickets of 180 days that ask for something"),
    Feature(
        "gap_lacking_180",
        "count",
        "tickets",
        "Gap tickets of 180 days whose words point to a product of the catalogue that the account lacks",
        (
            good(
                "PRODUCT_ASKED_FOR",
                "{gap_lacking_180} request(s) in half a year for a product that the account lacks",
                at_least=1,
            ),
        ),
    ),
    Feature(
        "gap_products_180",
        "count",
        "tickets",
        "Products of the catalogue that the account lacks and its gap tickets of 180 days point to",
    ),
    Feature(
        "gap_owned_180",
        "count",
        "tickets",
        "Gap tickets of 180 days whose words point to a product that the account owns",
    ),
    *(
        Feature(f"tickets_{topic}_180", "count", "tickets", f"Tickets of 180 days about {topic}")
        for topic in TOPICS
    ),
    *(
        Feature(f"gap_{topic}_180", "count", "tickets", f"Gap tickets of 180 days about {topic}")
        for topic in TOPICS
    ),
)

_GAPS = Trace(table="tickets", days=GAP_DAYS)
TRACES = {
    "tickets_30": (Trace(table="tickets", days=30),),
    "tickets_90": (Trace(table="tickets", days=90),),
    "tickets_change_90": (Trace(table="tickets", days=180),),
    "tickets_critical_90": (Trace(table="tickets", days=90, where={"priority": CRITICAL}),),
    "escalations_open": (Trace(table="tickets", flags=("is_escalated",)),),
    "sentiment_change": (Trace(table="tickets", days=270),),
    "csat_180": (Trace(table="tickets", days=180, day="closed_at", filled=("csat",)),),
    "csat_change": (Trace(table="tickets", days=270, day="closed_at", filled=("csat",)),),
    "resolution_days": (Trace(table="tickets", days=180, day="closed_at"),),
    **dict.fromkeys(
        (
            *("ticket_sentiment", "gap_tickets_180", "gap_tickets_change"),
            *("workaround_tickets_180", "request_tickets_180"),
            *(f"{part}_{topic}_180" for part in ("tickets", "gap") for topic in TOPICS),
        ),
        (_GAPS,),
    ),
    **dict.fromkeys(
        ("gap_lacking_180", "gap_products_180", "gap_owned_180"),
        (_GAPS, Trace(table="entitlements", where={"kind": ("product",)})),
    ),
}


def build(inputs: Inputs) -> ir.Table:
    """Support features of every row whose account had opened a ticket by then."""
    tickets = inputs.space.keep(read_tickets(inputs))
    seen = inputs.known(tickets)
    closed = ibis.coalesce(seen.closed_at <= seen.day, False)
    since = seen.day - seen.closed_at
    fresh = seen.age < GAP_DAYS
    figures = seen.group_by("row").agg(
        tickets_30=(seen.age < 30).sum(),
        tickets_90=(seen.age < 90).sum(),
        before=((seen.age >= 90) & (seen.age < 180)).sum(),
        tickets_critical_90=(seen.critical & (seen.age < 90)).sum(),
        escalations_open=(seen.escalated & ~closed).sum(),
        tickets_open=(~closed).sum(),
        csat_180=seen.csat.mean(where=closed & (since < 180)),
        csat_90=seen.csat.mean(where=closed & (since < 90)),
        csat_before=seen.csat.mean(where=closed & (since >= 90) & (since < 270)),
        resolution_days=(seen.closed_at - seen["at"]).mean(where=closed & (since < 180)),
        ticket_sentiment=seen.sentiment.mean(where=fresh),
        sentiment_90=seen.sentiment.mean(where=seen.age < 90),
        sentiment_before=seen.sentiment.mean(where=(seen.age >= 90) & (seen.age < 270)),
        workaround_tickets_180=(seen.workaround & fresh).sum(),
        request_tickets_180=(seen.request & fresh).sum(),
        gap_tickets_180=(seen.gap & fresh).sum(),
        gap_90=(seen.gap & (seen.age < 90)).sum(),
        gap_before=(seen.gap & (seen.age >= 90) & fresh).sum(),
        **{f"tickets_{topic}_180": (seen[f"about_{topic}"] & fresh).sum() for topic in TOPICS},
        **{f"gap_{topic}_180": (seen[f"about_{topic}"] & seen.gap & fresh).sum() for topic in TOPICS},
    )
    asked = ("gap_lacking_180", "gap_owned_180", "gap_products_180")
    if text_rules(inputs.products).products:
        figures = figures.left_join(_asked_for(inputs, tickets), "row").drop("row_right")
        figures = figures.mutate(**{name: ibis.coalesce(figures[name], 0) for name in asked})
    else:  # a catalogue that names no module says nothing about what is lacked
        figures = figures.mutate(**{name: ibis.null("int64") for name in asked})
    return figures.mutate(
        tickets_change_90=figures.tickets_90 - figures.before,
        csat_change=figures.csat_90 - figures.csat_before,
        gap_tickets_change=figures.gap_90 - figures.gap_before,
        sentiment_change=figures.sentiment_90 - figures.sentiment_before,
    ).drop(*("before", "csat_90", "csat_before", "gap_90", "gap_before", "sentiment_90", "sentiment_before"))


def read_tickets(inputs: Inputs) -> ir.Table:
    """Tickets with their text as flags (`ticket_text.py`), and how grave they are."""
    tickets = inputs.sources["tickets"].mutate(
        critical=ibis._.priority.fill_null("").lower().isin(list(CRITICAL)),
        escalated=ibis._.is_escalated.fill_null(False),
    )
    return read_text(tickets, text_rules(inputs.products))


def _asked_for(inputs: Inputs, tickets: ir.Table) -> ir.Table:
    """By row: gap tickets of the window that point to a product the account lacks, or owns already."""
    asked = inputs.known(tickets.filter(tickets.gap & tickets["product"].notnull()))
    asked = asked.filter(asked.age < GAP_DAYS).select("row", "account_id", "day", "product")
    holdings = product_holdings(
        inputs.sources, inputs.days, inputs.space, target=inputs.target, products=inputs.products
    ).select("account_id", "day", "product", "owns")
    both = asked.left_join(holdings, ["account_id", "day", "product"], rname="held_{name}")
    owned = ibis.coalesce(both.owns, 0) == 1
    return both.group_by("row").agg(
        gap_lacking_180=(~owned).sum(),
        gap_owned_180=owned.sum(),
        gap_products_180=both["product"].nunique(where=~owned),
    )


FAMILY = Family(
    name="support",
    title="Support",
    needs=NEEDS,
    features=directed(
        FEATURES,
        up=(
            "csat_change",
            "ticket_sentiment",
            "gap_tickets_change",
            "sentiment_change",
            "workaround_tickets_180",
            "request_tickets_180",
            "gap_products_180",
            *(f"gap_{topic}_180" for topic in TOPICS),
        ),
        down=(
            "tickets_open",
            "resolution_days",
        ),
    ),
    build=build,
    traces=TRACES,
)
