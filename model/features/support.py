"""Support: ticket volume, CSAT, critical and escalated cases, sentiment, and module gaps (S8)."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from model.features.feature import Family, Feature, Inputs, Trace, bad, directed, good
from model.features.wording import GAP, NEGATIVE, POSITIVE, TOPICS

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
    *(
        Feature(f"gap_{topic}_180", "count", "tickets", f"Gap tickets of 180 days about {topic}")
        for topic in TOPICS
    ),
)

TRACES = {
    "tickets_30": (Trace(table="tickets", days=30),),
    "tickets_90": (Trace(table="tickets", days=90),),
    "tickets_change_90": (Trace(table="tickets", days=180),),
    "tickets_critical_90": (Trace(table="tickets", days=90, where={"priority": CRITICAL}),),
    "escalations_open": (Trace(table="tickets", flags=("is_escalated",)),),
    "csat_180": (Trace(table="tickets", days=180, day="closed_at", filled=("csat",)),),
    "csat_change": (Trace(table="tickets", days=270, day="closed_at", filled=("csat",)),),
    "resolution_days": (Trace(table="tickets", days=180, day="closed_at"),),
    **dict.fromkeys(
        (
            "ticket_sentiment",
            "gap_tickets_180",
            "gap_tickets_change",
            *(f"gap_{topic}_180" for topic in TOPICS),
        ),
        (Trace(table="tickets", days=GAP_DAYS),),
    ),
}


def build(inputs: Inputs) -> ir.Table:
    """Support features of every row whose account had opened a ticket by then."""
    tickets = inputs.space.keep(read_tickets(inputs.sources["tickets"]))
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
        gap_tickets_180=(seen.gap & fresh).sum(),
        gap_90=(seen.gap & (seen.age < 90)).sum(),
        gap_before=(seen.gap & (seen.age >= 90) & fresh).sum(),
        **{f"gap_{topic}_180": (seen[f"about_{topic}"] & seen.gap & fresh).sum() for topic in TOPICS},
    )
    return figures.mutate(
        tickets_change_90=figures.tickets_90 - figures.before,
        csat_change=figures.csat_90 - figures.csat_before,
        gap_tickets_change=figures.gap_90 - figures.gap_before,
    ).drop("before", "csat_90", "csat_before", "gap_90", "gap_before")


def read_tickets(tickets: ir.Table) -> ir.Table:
    """Tickets with their text as flags: gap, about_{topic}, sentiment; once a ticket, not once a row."""
    text = (ibis.coalesce(tickets.subject, "") + " " + ibis.coalesce(tickets.body, "")).lower()
    texts = tickets.mutate(text=text)
    return texts.select(
        "account_id",
        "at",
        "known",
        "closed_at",
        "csat",
        critical=ibis.coalesce(texts.priority, "").lower().isin(list(CRITICAL)),
        escalated=ibis.coalesce(texts.is_escalated, False),
        gap=texts.text.re_search(GAP),
        sentiment=texts.text.re_search(POSITIVE).cast("float64")
        - texts.text.re_search(NEGATIVE).cast("float64"),
        **{f"about_{topic}": texts.text.re_search(words) for topic, words in TOPICS.items()},
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
