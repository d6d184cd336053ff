"""Trigger events: funding, executive hire, launch, M&A, hiring, technology change (S12)."""

from __future__ import annotations

import ibis.expr.types as ir

from model.features.feature import Family, Feature, Inputs, Trace, directed, good

NEEDS = {"triggers": ("account_id", "kind", "occurred_on", "known_from")}
KINDS = {
    "funding": "New funding",
    "executive_hire": "Executive hire",
    "product_launch": "Product launch",
    "m_and_a": "Merger or acquisition",
    "hiring": "Hiring wave",
    "technology_change": "Technology change",
}

FEATURES = (
    Feature("triggers_90", "count", "triggers", "Trigger events of the last 90 days"),
    Feature("triggers_365", "count", "triggers", "Trigger events of the last year"),
    Feature("days_since_trigger", "days", "triggers", "Days since the last trigger event"),
    *(
        Feature(
            f"days_since_{kind}",
            "days",
            "triggers",
            f"Days since: {title.lower()}",
            (
                good(
                    f"TRIGGER_{kind.upper()}",
                    f"{title} {{days_since_{kind}}} ago",
                    at_most=120,
                    dated=f"days_since_{kind}",
                ),
            ),
        )
        for kind, title in KINDS.items()
    ),
)

TRACES = {
    "triggers_90": (Trace(table="triggers", days=90),),
    "triggers_365": (Trace(table="triggers", days=365),),
    "days_since_trigger": (Trace(table="triggers", newest=True),),
    **{
        f"days_since_{kind}": (Trace(table="triggers", where={"kind": (kind,)}, newest=True),)
        for kind in KINDS
    },
}


def build(inputs: Inputs) -> ir.Table:
    """Trigger features of every row whose account had one by then."""
    triggers = inputs.sources["triggers"].select("account_id", "kind", "at", "known")
    seen = inputs.known(triggers)
    return seen.group_by("row").agg(
        triggers_90=(seen.age < 90).sum(),
        triggers_365=(seen.age < 365).sum(),
        days_since_trigger=seen.age.min(),
        **{f"days_since_{kind}": seen.age.min(where=seen.kind == kind) for kind in KINDS},
    )


FAMILY = Family(
    name="triggers",
    title="Trigger events",
    needs=NEEDS,
    features=directed(
        FEATURES,
        up=(
            "triggers_90",
            "triggers_365",
        ),
        down=("days_since_trigger",),
    ),
    build=build,
    traces=TRACES,
)
