"""Who the customer is: industry, segment, country, size; attributes that hardly move (S13)."""

from __future__ import annotations

import ibis.expr.types as ir

from model.features.feature import Family, Feature, Inputs

NEEDS = {"accounts": ("account_id", "industry", "segment", "country", "employees")}

FEATURES = (
    Feature("industry", "category", "accounts", "Industry", present=True),
    Feature("segment", "category", "accounts", "Segment", present=True),
    Feature("country", "category", "accounts", "Country", present=True),
    Feature("employees", "count", "accounts", "Employees", present=True),
)


def build(inputs: Inputs) -> ir.Table:
    """Profile features of every row with an account record."""
    accounts = inputs.sources["accounts"].select("account_id", *(feature.name for feature in FEATURES))
    return inputs.rows.join(accounts, "account_id").select("row", *(feature.name for feature in FEATURES))


FAMILY = Family(name="profile", title="Company profile", needs=NEEDS, features=FEATURES, build=build)
