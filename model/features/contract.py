"""The contract: tenure, renewal, tier, past expansions, price against list (S10)."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from model.expansions import won_expansions
from model.features.feature import Family, Feature, Inputs, Trace, bad, directed, good

NEEDS = {
    "billing": ("account_id", "period_start", "plan_tier", "seats", "arr", "list_arr", "known_from"),
    "accounts": ("account_id", "customer_since", "contract_start", "contract_term_months"),
    "opportunities": ("account_id", "created_at", "opportunity_type", "is_won", "closed_at", "amount"),
    "entitlements": ("account_id", "item", "kind", "valid_from", "valid_to", "known_from"),
    "events": ("account_id", "user_id", "at", "known_from"),
}

FEATURES = (
    Feature("arr", "money", "billing", "ARR on the latest invoice"),
    Feature("seats", "count", "billing", "Seats on the latest invoice"),
    Feature("plan_tier", "category", "billing", "Plan tier on the latest invoice"),
    Feature("arr_per_seat", "money", "billing", "ARR per seat"),
    Feature("discount", "share", "billing", "Discount from list price"),
    Feature(
        "arr_growth_180",
        "change",
        "billing",
        "ARR against 180 days earlier",
        (bad("ARR_FELL", "ARR down {arr_growth_180:size} in half a year", at_most=-0.03),),
    ),
    Feature("arr_growth_365", "change", "billing", "ARR against a year earlier"),
    Feature("seats_growth_180", "change", "billing", "Seats against 180 days earlier"),
    Feature(
        "days_since_arr_change", "days", "billing", "Days since the invoice's ARR last differed from today's"
    ),
    Feature("tenure_days", "days", "accounts", "Days since the account became a customer"),
    Feature(
        "days_to_renewal",
        "days",
        "accounts",
        "Days to the next renewal, by contract start and term",
        (good("RENEWAL_NEAR", "Renewal in {days_to_renewal}", at_most=120),),
    ),
    Feature("contract_term_months", "months", "accounts", "Length of the contract", present=True),
    Feature(
        "multi_year", "flag", "accounts", "Whether the contract runs for 24 months or more", present=True
    ),
    Feature(
        "expansions_past",
        "count",
        "opportunities",
        "Won expansions so far",
        (good("EXPANDED_BEFORE", "Expanded {expansions_past} times before", at_least=2),),
    ),
    Feature("expansions_365", "count", "opportunities", "Won expansions of the last year"),
    Feature(
        "days_since_expansion",
        "days",
        "opportunities",
        "Days since the last won expansion",
        (
            bad(
                "JUST_EXPANDED",
                "Expanded only {days_since_expansion} ago",
                at_most=60,
                dated="days_since_expansion",
            ),
        ),
    ),
    Feature("expansion_spacing", "days", "opportunities", "Mean days between won expansions"),
    Feature("expansion_mean_amount", "money", "opportunities", "Mean amount of won expansions"),
    Feature("expansions_lost_365", "count", "opportunities", "Opportunities lost in the last year"),
    Feature("days_since_lost", "days", "opportunities", "Days since an opportunity was lost"),
    Feature("products_owned", "count", "entitlements", "Products the account owns"),
    Feature("days_to_first_value", "days", "events", "Days from becoming a customer to the first use"),
)

_LATEST = {
    name: (Trace(table="billing", filled=(name,), newest=True),) for name in ("arr", "seats", "plan_tier")
}
_WON = Trace(table="opportunities", day="closed_at", flags=("is_won",))

TRACES = {
    **_LATEST,
    "arr_per_seat": (*_LATEST["arr"], *_LATEST["seats"]),
    "discount": (*_LATEST["arr"], Trace(table="billing", filled=("list_arr",), newest=True)),
    **dict.fromkeys(
        (
            "expansions_past",
            "expansions_365",
            "days_since_expansion",
            "expansion_spacing",
            "expansion_mean_amount",
        ),
        (_WON,),
    ),
    **dict.fromkeys(
        ("expansions_lost_365", "days_since_lost"), (Trace(table="opportunities", day="closed_at"),)
    ),
    "products_owned": (Trace(table="entitlements", where={"kind": ("product",)}),),
    "days_to_first_value": (Trace(table="accounts"), Trace(table="events")),
}


def build(inputs: Inputs) -> ir.Table:
    """Contract features of every row with an invoice or an account record."""
    figures = inputs.rows.select("row", "account_id", "day")
    for part in (_bills(inputs), _deals(inputs), _owned(inputs)):
        figures = figures.left_join(part, "row").drop("row_right")
    accounts = inputs.sources["accounts"].select(
        "account_id", "customer_since", "contract_start", "contract_term_months"
    )
    figures = figures.left_join(accounts, "account_id").drop("account_id_right")
    first = inputs.timeline.accounts.select("account_id", "used")
    figures = figures.left_join(first, "account_id").drop("account_id_right")
    # the contract itself may have been renewed since: only its anniversary is the same in every year
    started = ibis.coalesce(figures.contract_start, figures.customer_since)
    term = (
        (ibis.greatest(ibis.coalesce(figures.contract_term_months, 12.0), 1.0) * 30.4375)
        .round()
        .cast("int64")
    )
    passed = (figures.day - started) % term
    passed = (passed < 0).ifelse(passed + term, passed)
    tenure = figures.day - figures.customer_since
    return figures.select(
        *(
            name
            for name in figures.columns
            if name in {f.name for f in FEATURES} - {"contract_term_months", "multi_year"}
        ),
        "row",
        tenure_days=(tenure >= 0).ifelse(tenure, ibis.null("int64")),
        days_to_renewal=term - passed,
        contract_term_months=figures.contract_term_months,
        multi_year=(figures.contract_term_months >= 24).cast("float64"),
        days_to_first_value=(figures.used <= figures.day).ifelse(
            ibis.greatest(figures.used - figures.customer_since, 0), ibis.null("int64")
        ),
    )


def _bills(inputs: Inputs) -> ir.Table:
    bills = inputs.sources["billing"].select(
        "account_id", "plan_tier", "seats", "arr", "list_arr", "at", "known", "replaced"
    )
    seen = inputs.known(bills)
    latest = seen.group_by("row").agg(
        arr=seen.arr.argmax(seen["at"]),
        seats=seen.seats.argmax(seen["at"]),
        list_arr=seen.list_arr.argmax(seen["at"]),
        plan_tier=seen.plan_tier.argmax(seen["at"]),
        arr_180=seen.arr.argmax(seen["at"], where=seen.age >= 180),
        arr_365=seen.arr.argmax(seen["at"], where=seen.age >= 365),
        seats_180=seen.seats.argmax(seen["at"], where=seen.age >= 180),
    )
    now = latest.select("row", now="arr")
    differs = seen.join(now, "row").filter(lambda t: (t.arr - t.now).abs() > 0.005 * t.now)
    changed = differs.group_by("row").agg(days_since_arr_change=differs.age.min())
    latest = latest.left_join(changed, "row").drop("row_right")
    return latest.select(
        "row",
        "arr",
        "seats",
        "plan_tier",
        "days_since_arr_change",
        arr_per_seat=latest.arr / latest.seats.nullif(0),
        discount=1 - latest.arr / latest.list_arr.nullif(0),
        arr_growth_180=latest.arr / latest.arr_180.nullif(0) - 1,
        arr_growth_365=latest.arr / latest.arr_365.nullif(0) - 1,
        seats_growth_180=latest.seats / latest.seats_180.nullif(0) - 1,
    )


def _deals(inputs: Inputs) -> ir.Table:
    won = won_expansions(inputs.sources, inputs.target)
    won = won.select("account_id", "known", "arr", at=won.day)
    seen = inputs.known(won)
    figures = seen.group_by("row").agg(
        expansions_won=seen.count(),
        expansions_365=(seen.age < 365).sum(),
        days_since_expansion=seen.age.min(),
        first=seen.age.max(),
        expansion_mean_amount=seen.arr.mean(),
    )
    deals = inputs.sources["opportunities"]
    lost = deals.filter(deals.closed_at.notnull() & ~ibis.coalesce(deals.is_won, False))
    lost = lost.select("account_id", at=lost.closed_at, known=ibis.greatest(lost.closed_at, lost.known))
    missed = inputs.known(lost)
    missed = missed.group_by("row").agg(lost_365=(missed.age < 365).sum(), days_since_lost=missed.age.min())
    rows = inputs.rows.select("row").left_join(figures, "row").drop("row_right")
    rows = rows.left_join(missed, "row").drop("row_right")
    return rows.select(
        "row",
        "days_since_expansion",
        "expansion_mean_amount",
        "days_since_lost",
        expansions_past=ibis.coalesce(rows.expansions_won, 0),
        expansions_365=ibis.coalesce(rows.expansions_365, 0),
        expansions_lost_365=ibis.coalesce(rows.lost_365, 0),
        expansion_spacing=(rows.first - rows.days_since_expansion) / (rows.expansions_won - 1).nullif(0),
    )


def _owned(inputs: Inputs) -> ir.Table:
    owned = inputs.sources["entitlements"]
    owned = owned.filter(ibis.coalesce(owned.kind, "") == "product").select(
        "account_id", "item", "valid_to", "at", "known"
    )
    seen = inputs.known(owned)
    seen = seen.filter(seen.valid_to.isnull() | (seen.valid_to >= seen.day))
    return seen.group_by("row").agg(products_owned=seen["item"].nunique())


FAMILY = Family(
    name="contract",
    title="Contract",
    needs=NEEDS,
    features=directed(
        FEATURES,
        up=(
            "arr_growth_365",
            "seats_growth_180",
            "expansions_365",
            "expansion_mean_amount",
            "days_since_lost",
        ),
        down=(
            "expansion_spacing",
            "expansions_lost_365",
            "days_to_first_value",
        ),
    ),
    build=build,
    traces=TRACES,
)
