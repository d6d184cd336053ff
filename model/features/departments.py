"""Departments that use the product: how many, how new, how evenly (S5)."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from model.features.by_day import Figures, account_count, over, rows_of_days
from model.features.feature import Family, Feature, Inputs, Trace, bad, directed, good
from model.rolling import rolling_totals
from model.timeline import first_known

NEEDS = {
    "events": ("account_id", "user_id", "at", "known_from"),
    "users": ("account_id", "user_id", "department"),
}
WINDOWS = (7, 30, 60, 90, 180)

FEATURES = (
    Feature(
        "departments_30",
        "count",
        "events",
        "Departments with an active user in the last 30 days",
        (
            good("DEPARTMENTS", "{departments_30} departments use the product", at_least=4),
            bad("FEW_DEPARTMENTS", "Only {departments_30} department(s) with active users", at_most=2),
        ),
    ),
    Feature("departments_7", "count", "events", "Departments with an active user in the last 7 days"),
    Feature("departments_60", "count", "events", "Departments with an active user in the last 60 days"),
    Feature("departments_180", "count", "events", "Departments with an active user in the last 180 days"),
    Feature("departments_90", "count", "events", "Departments with an active user in the last 90 days"),
    Feature("departments_ever", "count", "events", "Departments that ever used the product"),
    Feature(
        "departments_new",
        "count",
        "events",
        "Departments first active in the last 90 days (signal new_department_days)",
        (good("NEW_DEPARTMENT", "{departments_new} department(s) new to the product", at_least=1),),
    ),
    Feature("departments_new_180", "count", "events", "Departments first active in the last 180 days"),
    Feature(
        "department_entropy", "points", "events", "Entropy of user-days over departments, 90 days, in nats"
    ),
    Feature(
        "department_entropy_change", "points", "events", "Department entropy less that of the 90 days before"
    ),
    Feature(
        "department_top_share", "share", "events", "Share of user-days in the largest department, 90 days"
    ),
)

_DAYS = {
    **{f"departments_{days}": days for days in WINDOWS},
    "department_entropy": 90,
    "department_entropy_change": 180,
    "department_top_share": 90,
}
TRACES = {
    feature.name: (
        Trace(table="events", days=_DAYS.get(feature.name)),
        Trace(table="users", filled=("department",)),
    )
    for feature in FEATURES
}


def build(inputs: Inputs) -> pa.Table:
    """Department features of every row with an active user of a known department."""
    placed = _placed(inputs)
    by_department = ibis.window(order_by=["account", "department"])
    first = first_known(placed, "account", "department")
    first = inputs.space.keep(first.mutate(place=ibis.row_number().over(by_department).cast("int32")))
    places = placed.join(first, ["account", "department"]).select("user", "place")
    days = inputs.timeline.active_day.join(places, "user").mutate(users=ibis.literal(1, "int32"))
    totals = rolling_totals(days, "users", dict.fromkeys(WINDOWS, inputs.days), by="place")
    uses = first.order_by("place").to_pyarrow()
    account, known, at = (uses[name].to_numpy() for name in ("account", "known", "at"))
    accounts, newness = account_count(inputs, account), inputs.signals["new_department_days"]

    def total(weights: np.ndarray) -> np.ndarray:
        sums: np.ndarray = np.bincount(account, weights=weights, minlength=accounts)
        return sums

    def entropy(counts: np.ndarray) -> np.ndarray:
        """Shannon entropy of the counts: ln(total) − Σ n ln n / total."""
        whole = total(counts)
        told = np.log(whole, out=np.full(accounts, np.nan), where=whole > 0)
        result: np.ndarray = told - over(total(counts * np.log(np.maximum(counts, 1))), whole)
        return result

    def figures(day: int) -> Figures:
        seen, age = known <= day, day - at
        users = {width: totals[width].on(day, len(at)) for width in WINDOWS}
        largest = np.zeros(accounts)
        np.maximum.at(largest, account, users[90])
        now = entropy(users[90])
        return {
            "departments_ever": total(seen),
            "departments_new": total(seen & (age < newness)),
            "departments_new_180": total(seen & (age < 180)),
            "department_entropy": now,
            "department_top_share": over(largest, total(users[90])),
            **{f"departments_{width}": total(users[width] > 0) for width in WINDOWS},
            "department_entropy_change": now - entropy(users[180] - users[90]),
        }

    return rows_of_days(inputs, figures, known="departments_ever")


def _placed(inputs: Inputs) -> ir.Table:
    """Users whose department is known: user, account, department (coded), and the first use: at, known."""
    users, people = inputs.sources["users"], inputs.timeline.people
    placed = users.filter(users.department.notnull()).select("account_id", "user_id", "department").distinct()
    placed = placed.join(people, ["account_id", "user_id"]).select(
        *("user", "account", "at", "known"),
        department=ibis.dense_rank().over(order_by=placed.department).cast("int32"),
    )
    return inputs.space.keep(placed)


FAMILY = Family(
    name="departments",
    title="Departments",
    needs=NEEDS,
    features=directed(
        FEATURES,
        up=(
            "departments_7",
            "departments_60",
            "departments_90",
            "departments_180",
            "departments_ever",
            "departments_new_180",
            "department_entropy",
            "department_entropy_change",
        ),
        down=("department_top_share",),
    ),
    build=build,
    traces=TRACES,
)
