"""The customer's fiscal year, its budget window, and the season (S11)."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from model.days import EPOCH
from model.features.feature import Family, Feature, Inputs, Trace, good

NEEDS = {"accounts": ("account_id", "fiscal_year_start")}

FEATURES = (
    Feature(
        "months_to_fiscal_year_end",
        "months",
        "accounts",
        "Full months left in the customer's fiscal year",
        (good("BUDGET_WINDOW", "Customer's fiscal year ends in {months_to_fiscal_year_end}", at_most=2),),
        present=True,
    ),
    Feature(
        "fiscal_month",
        "count",
        "accounts",
        "Month of the customer's fiscal year, 1–12",
        (good("NEW_BUDGET", "Customer is in month {fiscal_month} of a new fiscal year", at_most=2),),
        present=True,
    ),
    Feature(
        "fiscal_quarter_phase",
        "count",
        "accounts",
        "Month inside the customer's fiscal quarter, 1–3",
        present=True,
    ),
    Feature("season_sine", "points", "accounts", "Season of the year, sine: 1 in spring, −1 in autumn"),
    Feature("season_cosine", "points", "accounts", "Season of the year, cosine: 1 in winter, −1 in summer"),
)

TRACES: dict[str, tuple[Trace, ...]] = {"season_sine": (), "season_cosine": ()}  # made of the calendar alone


def build(inputs: Inputs) -> ir.Table:
    """Fiscal features of every row whose account states the start of its fiscal year."""
    accounts = inputs.sources["accounts"].filter(lambda t: t.fiscal_year_start.between(1, 12))
    rows = inputs.rows.join(accounts.select("account_id", "fiscal_year_start"), "account_id")
    date = ibis.literal(EPOCH) + rows.day.as_interval("D")
    # a number of days alone would be divided as a decimal by engines that read 365.25 as one
    day_of_year = date.cast("date").day_of_year().cast("float64")
    rows = rows.mutate(month=date.cast("date").month(), turn=day_of_year / 365.25 * 6.283185307)
    month = (rows.month - rows.fiscal_year_start + 12) % 12
    return rows.select(
        "row",
        months_to_fiscal_year_end=11 - month,
        fiscal_month=month + 1,
        fiscal_quarter_phase=month % 3 + 1,
        season_sine=rows.turn.sin(),
        season_cosine=rows.turn.cos(),
    )


FAMILY = Family(
    name="fiscal", title="Fiscal year and season", needs=NEEDS, features=FEATURES, build=build, traces=TRACES
)
